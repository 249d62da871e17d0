"""An event in: who said it (`source`, `id`), when, what, and the hash that tells a repeat.

CloudEvents 1.0 in structured JSON mode (contract.md §1). `Envelope` is what is checked, `Event`
what the rest of the program sees.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Generic, Literal, TypeVar

from events import strict_json
from events.inbound import (
    Inbound,
    OrderShipped,
    ReplenishmentClosed,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
)
from events.instants import Instant, instant_text
from events.names import Identity, Name
from events.values import Cause, Message

__all__ = ["Cause", "Envelope", "Event", "content_hash", "happened_at", "instant_text"]

DataT = TypeVar("DataT")


class Envelope(Message, Generic[DataT]):
    """The attributes that are checked; others are optional, kept in the body and ignored."""

    specversion: Literal["1.0"]
    id: Identity
    source: Identity
    type: Name
    time: Instant | None = None
    data: DataT


@dataclass(frozen=True, slots=True)
class Event:
    """One message in, checked.

    `time`: when it happened, None if the sender did not say (see `happened_at`).
    `data_hash`: equal for equal content, however it was serialised (see `content_hash`).
    `unknown_fields`: dotted paths of what was ignored in `data`, `*` for any line; for the log.
    `caused_by`: the event this one is a corrected copy of, if its sender says so.
    """

    source: str
    id: str
    type: str
    time: datetime | None
    data: Inbound
    subject: str | None
    traceparent: str | None
    data_hash: str
    unknown_fields: tuple[str, ...]
    caused_by: Cause | None = None

    @property
    def cause(self) -> Cause:
        """The event's identity and type, as what it brings about names it."""
        return Cause(self.source, self.id, self.type)


def happened_at(event: Event, received_at: datetime) -> datetime:
    """Return when it happened: the event's own time, else the envelope's, else `received_at`.

    An order's `placed_at` is its place in the queue and no time of happening: an imported order
    may have been placed months ago, and is judged now.
    """
    match event.data:
        case StockReceived(received_at=own):
            pass
        case OrderShipped(shipped_at=own):
            pass
        case StockTransferred(transferred_at=own):
            pass
        case StockCounted(counted_at=own):
            pass
        case StockReturned(returned_at=own):
            pass
        case ReplenishmentClosed(closed_at=own):
            pass
        case _:
            own = None
    return own or event.time or received_at


def content_hash(data: Inbound) -> str:
    """Return the SHA-256 of the message's type and content, in hex.

    Not part of it: unknown fields, the order of keys, spaces, the way an instant or a number is
    written (F18), and null where null means absent. Stored and compared across versions of this
    program: a new optional field changes no hash, and a test pins some.
    """
    if data.null_clears:
        content = data.model_dump(exclude_unset=True)
    else:
        content = data.model_dump(exclude_none=True)
    canonical = strict_json.write(content, sort_keys=True)
    return sha256(b"%b\n%b" % (type(data).__name__.encode(), canonical)).hexdigest()
