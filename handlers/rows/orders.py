"""Orders, their lines, and what is promised to them (L3, O1-O11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

OrderKey = tuple[str, str]  # shop, order id
Rank = tuple[int, datetime, str, str, int]  # priority, placed at, shop, order id, position (S4)
LinkKey = tuple[str, str, str]  # shop, order id, line id

CUSTOMER = "customer:"  # begins the destination of what a vendor ships to a customer (R10)
VENDOR = "vendor:"  # begins the source of what a vendor ships itself (R10)
PAYMENT = "payment"  # the hold that waits with allocating and buying too (O10)


class Sourced(StrEnum):
    """How a line was judged (O2); it keeps to it whatever its sku's policy becomes (P1)."""

    UNJUDGED = "unjudged"  # nothing of it was: not paid yet, or cancelled before
    STOCK = "stock"
    BUY_TO_ORDER = "buy_to_order"
    DROP_SHIP = "drop_ship"
    UNMANAGED = "unmanaged"


def customer(key: OrderKey) -> str:
    """Return the destination of what a vendor ships to an order's customer (R10).

    A slash in the shop's name is percent-encoded: the first one parts it from the order.
    """
    shop = key[0].replace("%", "%25").replace("/", "%2F")
    return f"{CUSTOMER}{shop}/{key[1]}"


def customer_of(destination: str) -> OrderKey:
    """Return the order whose customer a destination is."""
    shop, order_id = destination.removeprefix(CUSTOMER).split("/", 1)
    return shop.replace("%2F", "/").replace("%25", "%"), order_id


@dataclass(slots=True, eq=False)
class Allocation:
    """Units of one line promised at one source (None: unmanaged), told to it or not yet.

    `seq` counts the allocations of the order: larger is later (C1). `by_fill`: they came after the
    order was judged, so their release is a `BackToShip`. `asked_for`: a person wants them to go now
    (S11); that is not kept.
    """

    seq: int
    source: str | None
    qty: int
    by_fill: bool = False
    release_id: str | None = None
    asked_for: bool = False
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.seq, self.source, self.qty, self.by_fill, self.release_id)


@dataclass(slots=True, eq=False)
class Link:
    """Units of a replenishment that are bought for one order line (R10).

    `by_hand`: a buyer picked the line (R9); else automation linked it. The units stay linked until
    they fill the line, also while they lie at a dock.
    """

    line: Line
    replenishment_id: str
    by_hand: bool
    qty: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps, besides the line's own key and queue columns."""
        return (self.replenishment_id, self.by_hand, self.qty)


@dataclass(slots=True, eq=False)
class Line:
    """An order line; its quantities always add up to `ordered` (L3).

    `short`: how much of it was ever short and is not cancelled (restock status, contract.md §6).
    `group`: lines of one group leave together (O9). `staff_held`: kept out of fills (S10).
    `held_since`: when it began to wait. `told`: whether, and as what, an expected date was told;
    `told_days`: it was told as that many days from then, so that mere time changes it (R12).
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
    sourced: Sourced = Sourced.UNJUDGED
    group: str | None = None
    staff_held: bool = False
    held_since: datetime | None = None
    told: bool = False
    told_expected_at: datetime | None = None
    told_days: int | None = None
    name: str | None = None
    unit_price: Any = None
    allocations: list[Allocation] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    loaded: tuple[Any, ...] | None = None

    @property
    def allocated(self) -> int:
        """Units promised and not shipped."""
        return sum([allocation.qty for allocation in self.allocations])

    @property
    def open(self) -> int:
        """Units that may still be cancelled: everything but shipped, cancelled, rejected."""
        return self.shortage + self.pending + self.drop_ship + self.allocated

    @property
    def unreleased(self) -> int:
        """Units promised that no warehouse was told to ship yet (O9, O10)."""
        return sum([row.qty for row in self.allocations if row.release_id is None])

    @property
    def linked(self) -> int:
        """Units bought for this very line (R10)."""
        return sum([link.qty for link in self.links]) if self.links else 0

    @property
    def unlinked(self) -> int:
        """Units that must be bought for this very line and are not yet (R10)."""
        match self.sourced:
            case Sourced.DROP_SHIP:
                return self.drop_ship - self.linked
            case Sourced.BUY_TO_ORDER:
                return self.shortage - self.linked
            case _:
                return 0

    @property
    def queued(self) -> int:
        """Units that wait for what is bought for the whole queue, in its order (R2, R10)."""
        if self.sourced is Sourced.BUY_TO_ORDER:
            return 0
        return self.shortage - self.linked_shortage if self.links else self.shortage

    @property
    def linked_shortage(self) -> int:
        """Units that wait and are bought for this line alone."""
        return 0 if self.sourced is Sourced.DROP_SHIP else self.linked

    @property
    def fillable(self) -> int:
        """Units a fill from the queue may serve: not staff-held, not bought to order (S4, S10)."""
        if self.staff_held or self.sourced is Sourced.BUY_TO_ORDER:
            return 0
        return self.shortage

    @property
    def destination(self) -> str:
        """Where what is bought for it is delivered (P4, R10)."""
        order = self.order
        if self.sourced is Sourced.DROP_SHIP:
            return customer(order.key)
        return order.destination

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
            self.sourced,
            self.group,
            self.staff_held,
            self.held_since,
            self.told,
            self.told_expected_at,
            self.told_days,
            self.name,
            self.unit_price,
        )


class Extent(Enum):
    """How much of an order was loaded: all of it, or some lines, of which alone anything changes.

    `WAITING`: those that wait, are bought for, or may leave now or only with others (O9).
    `DATED`: those that may get another date (R12).
    """

    WHOLE = auto()
    WAITING = auto()
    DATED = auto()


@dataclass(slots=True, eq=False)
class Order:
    """An order as it was judged, with all its lines in position order.

    `destination` is where its replenishments are delivered, fixed when it was judged (P4).
    `data_hash` tells a repeat of the same order from a conflict (C4), `version_hash` one of its
    last change (C2; "" before the first).
    `extent`: how many of its lines were loaded.
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
    version_hash: str = ""
    customer: dict[str, Any] | None = None
    ship_to: dict[str, Any] | None = None
    allocation_count: int = 0
    lines: dict[str, Line] = field(default_factory=dict)
    extent: Extent = Extent.WHOLE
    loaded: tuple[Any, ...] | None = None

    @property
    def pending(self) -> bool:
        """Does it wait for its payment, not judged yet (O10)?"""
        return PAYMENT in self.holds

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
            self.version_hash,
            self.customer,
            self.ship_to,
            self.allocation_count,
        )
