"""Orders, their lines, and what is promised to them (L3, O1-O11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

OrderKey = tuple[str, str]  # shop, order id
Rank = tuple[int, datetime, str, str, int]  # priority, placed at, shop, order id, position (S4)


@dataclass(slots=True, eq=False)
class Allocation:
    """Units of one line promised at one source (None: unmanaged), told to it or not yet.

    `seq` counts the allocations of the order: larger is later (C1). `by_fill`: they came after the
    order was judged, so their release is a `BackToShip`.
    """

    seq: int
    source: str | None
    qty: int
    by_fill: bool = False
    release_id: str | None = None
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.seq, self.source, self.qty, self.by_fill, self.release_id)


@dataclass(slots=True, eq=False)
class Line:
    """An order line; its quantities always add up to `ordered` (L3).

    `managed`: it was judged against stock (O2). `short`: how much of it was ever short and is not
    cancelled (restock status, contract.md §6).
    `held_since`: when it began to wait. `told`: whether, and as what, an expected date was told.
    """

    order: Order
    line_id: str
    position: int
    sku: str
    ordered: int
    shortage: int = 0
    pending: int = 0
    drop_ship: int = 0
    shipped: int = 0
    cancelled: int = 0
    rejected: int = 0
    short: int = 0
    managed: bool = True
    held_since: datetime | None = None
    told: bool = False
    told_expected_at: datetime | None = None
    name: str | None = None
    unit_price: Any = None
    allocations: list[Allocation] = field(default_factory=list)
    loaded: tuple[Any, ...] | None = None

    @property
    def allocated(self) -> int:
        """Units promised and not shipped."""
        return sum(allocation.qty for allocation in self.allocations)

    @property
    def open(self) -> int:
        """Units that may still be cancelled: everything but shipped, cancelled, rejected."""
        return self.shortage + self.pending + self.drop_ship + self.allocated

    @property
    def rank(self) -> Rank:
        """Place in the queue among the lines of one destination (S4)."""
        order = self.order
        return (order.priority, order.placed_at, order.shop, order.order_id, self.position)

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps, besides the order's own key and queue columns."""
        return (
            self.line_id,
            self.position,
            self.sku,
            self.ordered,
            self.shortage,
            self.pending,
            self.drop_ship,
            self.shipped,
            self.cancelled,
            self.rejected,
            self.short,
            self.managed,
            self.held_since,
            self.told,
            self.told_expected_at,
            self.name,
            self.unit_price,
        )


@dataclass(slots=True, eq=False)
class Order:
    """An order as it was judged, with all its lines in position order.

    `destination` is where its replenishments are delivered, fixed when it was judged (P4).
    `data_hash` tells a repeat of the same order from a conflict (C4).
    """

    shop: str
    order_id: str
    placed_at: datetime
    judged_at: datetime
    priority: int
    destination: str
    data_hash: str
    ship_mode: str = "partial"
    release: str = "auto"
    holds: tuple[str, ...] = ()
    version: int = 0
    customer: dict[str, Any] | None = None
    ship_to: dict[str, Any] | None = None
    allocation_count: int = 0
    lines: dict[str, Line] = field(default_factory=dict)
    loaded: tuple[Any, ...] | None = None

    @property
    def key(self) -> OrderKey:
        """Shop and order id."""
        return (self.shop, self.order_id)

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps of the order's own row."""
        return (
            self.shop,
            self.order_id,
            self.placed_at,
            self.judged_at,
            self.priority,
            self.destination,
            self.data_hash,
            self.ship_mode,
            self.release,
            self.holds,
            self.version,
            self.customer,
            self.ship_to,
            self.allocation_count,
        )
