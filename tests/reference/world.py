"""Everything there is, and how one event speaks: what is told, and what it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from events.envelope import Event
from events.outbound import ExceptionRaised, Outbound, Refs
from events.values import Cause
from events.vocabulary import ExceptionCode
from tests.reference.rows import (
    Count,
    Docked,
    Item,
    Line,
    Link,
    Movement,
    Order,
    Owed,
    Place,
    Replenishment,
    Shop,
)

FACTORY: Mapping[str, Any] = {
    "manage_stock": True,
    "backorder_policy": "allow",
    "backorder_limit": None,
    "safety_stock": 0,
    "sourcing": "stock",
    "auto_replenish": True,
    "lead_time_days": None,
    "min_order_qty": 1,
    "pack_size": 1,
    "min_sale_qty": 1,
    "sale_increment": 1,
}


@dataclass
class World:
    """All rows, and the event that is being heard (`cause`, `at`)."""

    defaults: Mapping[str, Any]
    auto_replenish_enabled: bool
    keep_partial_allocations: bool
    places: dict[str, Place] = field(default_factory=dict)
    shops: dict[str, Shop] = field(default_factory=dict)
    vendors: dict[str, dict[str, Any]] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    replenishments: list[Replenishment] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    docked: list[Docked] = field(default_factory=list)
    statuses: dict[tuple[str, str], str] = field(default_factory=dict)
    facts: dict[tuple[str, ...], str] = field(default_factory=dict)
    told: list[Outbound] = field(default_factory=list)
    releases: int = 0
    cause: Cause = field(default_factory=lambda: Cause("", "", ""))
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    # What the transaction has to say at its end.
    taken_back: list[tuple[Line, str | None, str, int, Cause]] = field(default_factory=list)
    held_again: list[Line] = field(default_factory=list)
    held_anew: list[tuple[Line, datetime]] = field(default_factory=list)
    lowered: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def speak_for(self, event: Event, at: datetime) -> None:
        """Blame what follows on this event."""
        self.cause, self.at = event.cause, at

    def tell(self, message: Outbound) -> None:
        """Tell something."""
        self.told.append(message)

    def warn(self, code: str, reason: str | None = None, **refs: str | None) -> None:
        """Raise an exception: a person must look."""
        self.tell(
            ExceptionRaised(
                code=ExceptionCode(code),
                reason=reason,
                message=code,
                refs=Refs(**refs),
                caused_by=self.cause,
            )
        )

    def item(self, sku: str) -> Item:
        """Return a sku, made when first named (P2)."""
        return self.items.setdefault(sku, Item(sku))

    def setting(self, sku: str, name: str) -> Any:  # noqa: ANN401 - settings are of many types
        """Look a setting up: the item, its vendor, the global default (domain.md §3)."""
        item = self.item(sku)
        if name in item.policy:
            return item.policy[name]
        if item.vendor is not None and name in self.vendors.get(item.vendor, {}):
            return self.vendors[item.vendor][name]
        return self.defaults.get(name, FACTORY[name])

    def lines(self, sku: str | None = None) -> Iterator[Line]:
        """Yield all order lines, or those of one sku."""
        for order in self.orders.values():
            for line in order.lines:
                if sku is None or line.sku == sku:
                    yield line

    def shortage(self, sku: str) -> int:
        """Units of a sku that wait."""
        return sum(line.shortage for line in self.lines(sku))

    def linked(self, line: Line) -> int:
        """Units bought for this very line (R10)."""
        return sum(link.qty for link in self.links if link.line is line)

    def replenishment(self, name: str) -> Replenishment | None:
        """Return a replenishment by its id."""
        return next((row for row in self.replenishments if row.name == name), None)

    def open_replenishment(self, vendor: str, destination: str) -> Replenishment | None:
        """Return the one open replenishment of a vendor and destination (R1)."""
        for row in self.replenishments:
            if row.is_open and (row.vendor, row.destination) == (vendor, destination):
                return row
        return None
