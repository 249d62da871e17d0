"""A message of the queue file as kombu's virtual transports know it: a dictionary, and back.

What a seam publishes can be taken through kombu and the other way round: the AMQP properties stand
in the file under AMQP's names.
"""

from typing import Any

from workers.transports.queued_message import ClaimedMessage, Held, QueuedMessage

# kombu's own types are loose: a payload is a dictionary of anything.
Payload = dict[str, Any]

OF_THE_CHANNEL = frozenset({"delivery_info", "delivery_tag", "body_encoding"})
"""Properties that mean something on one channel only."""


def queued_of(payload: Payload, routing_key: str) -> QueuedMessage:
    """Read what kombu wants to publish."""
    given = {
        **payload["properties"],
        "content_type": payload.get("content-type"),
        "content_encoding": payload.get("content-encoding"),
    }
    properties = {
        name: value
        for name, value in given.items()
        if name not in OF_THE_CHANNEL and value is not None
    }
    body = payload["body"]
    return QueuedMessage(
        routing_key,
        body.encode() if isinstance(body, str) else bytes(body or b""),
        properties,
        payload.get("headers") or {},
    )


def payload_of(message: ClaimedMessage, queue: str) -> Payload:
    """Write a claimed message as kombu expects it. Its tag holds the lease's token."""
    again = message.deliveries - 1
    delivery_info = {
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "queue": queue,
        "redelivered": again > 0,
    }
    properties = {
        name: value
        for name, value in message.properties.items()
        if name not in ("content_type", "content_encoding")
    }
    return {
        "body": message.body,
        "content-type": message.properties.get("content_type"),
        "content-encoding": message.properties.get("content_encoding"),
        "headers": message.headers | ({"x-delivery-count": again} if again else {}),
        "properties": {
            **properties,
            "delivery_info": delivery_info,
            "delivery_tag": f"{message.id}/{message.token}",
        },
    }


def held_of(delivery_tag: str) -> Held:
    """Read a tag written by `payload_of`."""
    number, _, token = delivery_tag.partition("/")
    return int(number), token
