"""The demo's events in: what its shop, its warehouse and its buyer tell Backship.

Ids derive from what is told, so that two demos with one seed tell the same events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.codec import envelope_of
from events.instants import instant_text
from events.names import percent_encoded
from workers.transports.base import OutgoingMessage

SHOP, SOURCE, DOCK = "main", "WH1", "DOCK1"

LINES_MAX = 1_000
"""Lines of one receipt or transfer, so that no message of the demo is very large."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """One event, told by `origin` (as the routing key names it) at a moment."""

    type: str
    origin: str
    id: str
    at: datetime
    data: Fields

    @property
    def source(self) -> str:
        """Return who tells it, as the envelope names it."""
        if self.origin == "purchasing":
            return "/purchasing"
        return f"/shops/{SHOP}" if self.origin == SHOP else f"/places/{self.origin}"

    def message(self) -> OutgoingMessage:
        """Return it as it is published."""
        return OutgoingMessage(
            id=self.id,
            type=self.type,
            routing_key=f"{self.type}.{percent_encoded(self.origin)}",
            body=envelope_of(
                self.data, id=self.id, source=self.source, type=self.type, time=self.at
            ),
            timestamp=int(self.at.timestamp()),
        )


def of_shop(kind: str, name: str, at: datetime, data: Fields) -> Telling:
    """Tell something of an order."""
    return Telling(kind, SHOP, f"{kind}-{name}", at, {"shop": SHOP, **data})


def of_place(kind: str, place: str, name: str, at: datetime, data: Fields) -> Telling:
    """Tell something a place did."""
    return Telling(kind, place, f"{kind}-{name}", at, data)


def of_buyer(kind: str, name: str, at: datetime, data: Fields) -> Telling:
    """Tell something of items, vendors and replenishments."""
    return Telling(kind, "purchasing", f"{kind}-{name}", at, data)


def stock_lines(units: Mapping[str, int]) -> list[list[Fields]]:
    """Return units by sku as the lines of one message, or of several where they are many."""
    lines: list[Fields] = [{"sku": sku, "qty": qty} for sku, qty in sorted(units.items()) if qty]
    return [lines[start : start + LINES_MAX] for start in range(0, len(lines), LINES_MAX)]


def present(**fields: object) -> Fields:
    """Return the fields that have a value; moments as text."""
    return {
        name: instant_text(value) if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None and value != ""
    }
