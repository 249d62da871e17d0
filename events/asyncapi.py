"""The AsyncAPI 3.0 document: both exchanges, who sends what to which, every message.

Its schemas are those of `schemas`, written in the subset that AsyncAPI's own dialect shares with
draft 2020-12, so that its tools read them.
"""

from collections.abc import Iterable
from typing import Any

from events.codec import CONTENT_TYPE
from events.inbound import INBOUND
from events.outbound import OUTBOUND
from events.schemas import MESSAGES, data_schemas, envelope_schema, told

VERSION = "1.0.0"

_SCHEMAS = "#/components/schemas/"
_NAMES = "Names are percent-encoded: unreserved characters of RFC 3986 but the full stop stay."


def asyncapi() -> dict[str, Any]:
    """Return the document, fit to be written as JSON."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:backship",
        "info": {
            "title": "Backship",
            "version": VERSION,
            "description": "A back-order engine. Orders, stock and replenishments come in; what can"
            " ship now, what waits, what to buy and what goes back to ship comes out. Every message"
            " is a CloudEvents 1.0 event in structured JSON mode.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "backship.in": _channel(
                "backship.in",
                INBOUND,
                "All events in.",
                "{type}.{origin}",
                {
                    "type": "The event's type.",
                    "origin": "The shop, the place, or `purchasing`. " + _NAMES,
                },
            ),
            "backship.out": _channel(
                "backship.out",
                OUTBOUND,
                "All events out. A warehouse binds `*.*.WH1`, a shop `*.main.*`.",
                "{type}.{who}.{where}",
                {
                    "type": "The event's type.",
                    "who": "The shop, else the vendor, else `-`. " + _NAMES,
                    "where": "The source, else the destination, else the place an exception is"
                    " about, else `-`. " + _NAMES,
                },
            ),
        },
        "operations": {
            "take": _operation("receive", "backship.in", INBOUND, "Take in what happened."),
            "tell": _operation("send", "backship.out", OUTBOUND, "Tell what was decided."),
        },
        "components": {
            "messages": {kind: _message(kind) for kind in MESSAGES},
            "schemas": data_schemas(_SCHEMAS),
        },
    }


def _channel(
    exchange: str,
    kinds: Iterable[str],
    description: str,
    address: str,
    parameters: dict[str, str],
) -> dict[str, Any]:
    return {
        "address": address,
        "title": exchange,
        "description": description,
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
        "parameters": {name: {"description": text} for name, text in parameters.items()},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                },
                "bindingVersion": "0.3.0",
            }
        },
    }


def _operation(action: str, channel: str, kinds: Iterable[str], summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{kind}"} for kind in kinds],
        "bindings": {"amqp": {"deliveryMode": 2, "timestamp": True, "bindingVersion": "0.3.0"}},
    }


def _message(kind: str) -> dict[str, Any]:
    payload = envelope_schema(kind, {"$ref": f"{_SCHEMAS}{kind}"})
    (example,) = payload.pop("examples")
    summary, description = told(kind)
    del payload["description"]  # it would only repeat the summary
    return {
        "name": kind,
        "title": kind,
        "summary": summary,
        "description": description,
        "contentType": CONTENT_TYPE,
        "payload": payload,
        "examples": [{"payload": example}],
    }
