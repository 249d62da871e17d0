"""Deliveries become arrivals, or rows to set aside: a bad body is a value (contract.md §1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.logs import logger
from events.codec import Malformed, decode, too_large
from events.envelope import Event
from events.routing import has_wrong_origin, origin_of
from store.inbox import Arrival
from store.set_aside import SetAsideRow
from workers.transports.base import Delivery
from workers.transports.large_bodies import head_of

_noted: set[str] = set()


@dataclass(slots=True)
class Intake:
    """A batch as it came: what is to be decided, and what can not be.

    `suspects`: the hashes of bodies whose counted tries end with this batch (`workers.solo`).
    """

    arrivals: list[Arrival] = field(default_factory=list)
    rejected: list[SetAsideRow] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)


def take_in(deliveries: Sequence[Delivery], received_at: datetime) -> Intake:
    """Decode each delivery; neighbours of a bad one go on."""
    intake = Intake()
    for delivery in deliveries:
        if (large := _too_large(delivery)) is not None:
            intake.rejected.append(large)
            continue
        event = decode(delivery.body, compressed=delivery.compressed)
        if isinstance(event, Malformed):
            intake.rejected.append(
                SetAsideRow.malformed(event, delivery.body, delivery.routing_key, delivery.headers)
            )
            continue
        if has_wrong_origin(event, delivery.routing_key):
            intake.rejected.append(_wrong_origin(event, delivery))
            continue
        if event.unknown_fields and event.type not in _noted:
            _noted.add(event.type)
            logger().info("unknown_fields", type=event.type, fields=list(event.unknown_fields))
        intake.arrivals.append(
            Arrival(event, delivery.body, received_at, delivery.routing_key, delivery.headers)
        )
    return intake


def _too_large(delivery: Delivery) -> SetAsideRow | None:
    """Keep of a body over the limit its head, its length and its SHA-256."""
    head, cut = (delivery.body, delivery.cut) if delivery.cut else head_of(delivery.body)
    if cut is None:
        return None
    fault = too_large(cut.bytes, cut.sha256)
    return SetAsideRow.too_large(fault, head, cut.bytes, delivery.routing_key, delivery.headers)


def _wrong_origin(event: Event, delivery: Delivery) -> SetAsideRow:
    """Refuse an order event under another's key: a broker user may write only its own."""
    return SetAsideRow.of_event(
        event,
        delivery.body,
        delivery.routing_key,
        delivery.headers,
        reason="wrong_origin",
        field="data.shop",
        message=f"data.shop is not {origin_of(delivery.routing_key)}, from where it came",
    )
