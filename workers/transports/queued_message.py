"""A message of the queue file: as it is put, as it is claimed, and the row in between."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.transports.large_bodies import HEAD_BYTES, INBOUND_BYTES_MAX

COLUMNS = (
    "id, lease_token, exchange, routing_key, body, properties, headers, deliveries, enqueued_at,"
    " length(body)"
)
COLUMNS_WITH_HEADS = COLUMNS.replace(
    " body,",
    f" CASE WHEN length(body) > {INBOUND_BYTES_MAX} THEN substr(body, 1, {HEAD_BYTES})"
    " ELSE body END,",
)
"""Of a body that is too large to be handed on, its head only: it never comes into our memory."""

PUT = (
    "INSERT INTO queue_messages"
    " (queue, exchange, routing_key, properties, headers, enqueued_at, not_before, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
COPY = PUT.replace(
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "SELECT ?, ?, ?, ?, ?, ?, ?, body FROM queue_messages WHERE id = ?",
)
"""As `PUT`, with the body of another message, whose id stands in its place."""


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
    """A message held under a lease. `deliveries` counts this one too; `enqueued_at`: unix time.

    `body_bytes` is more than the body's length where that is only its head.
    """

    id: int
    token: str
    exchange: str
    routing_key: str
    body: bytes
    properties: dict[str, object]
    headers: dict[str, object]
    deliveries: int
    enqueued_at: float
    body_bytes: int


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


def claimed_of(
    row: tuple[int, str, str, str, bytes, str, str, int, float, int],
) -> ClaimedMessage:
    """Read one row of `COLUMNS`."""
    number, token, exchange, routing_key, body, properties, headers, deliveries, at, size = row
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
        body_bytes=size,
    )


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(values, separators=(",", ":"), default=str) if values else "{}"
