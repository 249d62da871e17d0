"""A message of the queue file: as it is put, as it is claimed, and the row in between."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

COLUMNS = (
    "id, lease_token, exchange, routing_key, body, properties, headers, deliveries, enqueued_at"
)

PUT = (
    "INSERT INTO queue_messages"
    " (queue, exchange, routing_key, properties, headers, enqueued_at, not_before, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message to put. `properties` are those of AMQP by name; `not_before` in unix seconds."""

    routing_key: str
    body: bytes
    properties: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, object] = field(default_factory=dict)
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message held under a lease. `deliveries` counts this one too; `enqueued_at`: unix time."""

    id: int
    token: str
    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, object]
    headers: dict[str, object]
    deliveries: int
    enqueued_at: float


Row = tuple[str, str, str, str, str, float, float | None, bytes]
Held = tuple[int, str]
"""A message's id, and the token it was claimed under."""


def row_of(queue: str, exchange: str, message: QueuedMessage, wall: float) -> Row:
    """Give the values of `PUT`."""
    return (
        queue,
        exchange,
        message.routing_key,
        _json(message.properties),
        _json(message.headers),
        wall,
        message.not_before,
        message.body,
    )


def claimed_of(row: tuple[int, str, str, str, bytes, str, str, int, float]) -> ClaimedMessage:
    """Read one row of `COLUMNS`."""
    number, token, exchange, routing_key, body, properties, headers, deliveries, at = row
    return ClaimedMessage(
        id=number,
        token=token,
        exchange=exchange,
        routing_key=routing_key,
        body=body,
        properties=json.loads(properties),
        headers=json.loads(headers) if headers != "{}" else {},
        deliveries=deliveries,
        enqueued_at=at,
    )


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(values, separators=(",", ":"), default=str) if values else "{}"
