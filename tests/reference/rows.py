"""What the reference keeps: plain rows, of which every sum is asked anew (L1-L4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from events.values import Customer

PAYMENT = "payment"
MAIN = "main"


@dataclass(eq=False)
class Movement:
    """Units of a sku that went from a place to a place; a side that is None is outside (L1)."""

    sku: str
    qty: int
    origin: str | None
    target: str | None
    outside: str | None
    reason: str
    at: datetime


@dataclass(eq=False)
class Count:
    """A checkpoint of one sku at one place (S8)."""

    sku: str
    place: str
    at: datetime


@dataclass(eq=False)
class Owed:
    """Units found at a place, which a late movement into it takes back (S7)."""

    sku: str
    place: str
    at: datetime
    qty: int


@dataclass(eq=False)
class Place:
    """A source or a dock (P4)."""

    name: str
    kind: str = "source"
    priority: int = 100
    feeds: str | None = None
    enabled: bool = True

    @property
    def picks(self) -> bool:
        """Can orders be served from here?"""
        return self.enabled and self.kind == "source"


@dataclass(eq=False)
class Shop:
    """A sales channel (P4). `sources` None: every source; empty: none."""

    name: str
    sources: tuple[str, ...] | None = None
    destination: str | None = None


@dataclass(eq=False)
class Item:
    """A sku: who sells it to us, what may be offered instead, and its own settings."""

    sku: str
    vendor: str | None = None
    alternatives: tuple[str, ...] = ()
    policy: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Allocation:
    """Units promised to a line at a source (None: unmanaged).

    `by_fill`: they came after the order was judged. `wanted_now`: a person asked for them (S11).
    """

    source: str | None
    qty: int
    by_fill: bool
    release: str | None = None
    wanted_now: bool = False


@dataclass(eq=False)
class Line:
    """An order line; its quantities add up to `ordered` (L3). `way`: how it was judged (O2)."""

    order: "Order"
    line_id: str
    position: int
    sku: str
    ordered: int
    group: str | None = None
    way: str = ""
    shortage: int = 0
    pending: int = 0
    drop_ship: int = 0
    shipped: int = 0
    cancelled: int = 0
    rejected: int = 0
    allocations: list[Allocation] = field(default_factory=list)
    staff_held: bool = False
    held_since: datetime | None = None
    told: tuple[datetime | None, int | None] | None = None

    @property
    def allocated(self) -> int:
        """Units promised and not shipped."""
        return sum(row.qty for row in self.allocations)

    @property
    def unreleased(self) -> list[Allocation]:
        """Promised units that no warehouse was told of."""
        return [row for row in self.allocations if row.release is None]

    @property
    def open(self) -> int:
        """Units that are neither shipped nor cancelled nor rejected."""
        return self.allocated + self.shortage + self.pending + self.drop_ship

    @property
    def need(self) -> int:
        """Units that may be linked to a replenishment (R10)."""
        return self.drop_ship if self.way == "drop_ship" else self.shortage

    @property
    def fillable(self) -> bool:
        """May the queue serve it (S4, S10)?"""
        return not self.staff_held and self.way != "buy_to_order"

    @property
    def rank(self) -> tuple[int, datetime, str, str, int]:
        """Its place in the queue of one destination (S4)."""
        order = self.order
        return (order.priority, order.placed_at, order.shop, order.order_id, self.position)

    @property
    def refs(self) -> dict[str, str]:
        """How a message refers to it."""
        return {**self.order.refs, "line_id": self.line_id, "sku": self.sku}


@dataclass(eq=False)
class Order:
    """An order as it was judged; `destination` is None until then (P4, O10)."""

    shop: str
    order_id: str
    placed_at: datetime
    priority: int
    ship_mode: str
    manual: bool
    holds: list[str]
    customer: Customer | None
    ship_to: dict[str, JsonValue] | None
    content: str
    version: int = 0
    version_content: str = ""
    destination: str | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """Shop and order id."""
        return (self.shop, self.order_id)

    @property
    def refs(self) -> dict[str, str]:
        """How a message refers to it."""
        return {"shop": self.shop, "order_id": self.order_id}

    @property
    def waits_for_payment(self) -> bool:
        """Is it not judged yet (O10)?"""
        return PAYMENT in self.holds

    def line(self, line_id: str) -> Line | None:
        """Return a line by its id."""
        return next((line for line in self.lines if line.line_id == line_id), None)


@dataclass(eq=False)
class ReplenishmentLine:
    """What a replenishment brings of a sku: asked while open, confirmed after (R4).

    `by_hand`: added by a buyer (R9). `parts`: confirmed quantities and dates; empty: none yet.
    """

    sku: str
    qty: int = 0
    by_hand: int = 0
    received: int = 0
    parts: list[tuple[int, datetime | None]] = field(default_factory=list)


@dataclass(eq=False)
class Replenishment:
    """One buying document for one vendor and one destination (R1)."""

    name: str
    vendor: str
    destination: str
    raised_at: datetime
    automatic: bool
    state: str = "open"
    revision: int = 0
    told_revision: int = 0
    told_total: int = 0
    finalized_at: datetime | None = None
    lines: dict[str, ReplenishmentLine] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """May automation still change it?"""
        return self.state == "open"

    @property
    def incoming(self) -> bool:
        """Are its units on their way?"""
        return self.state in {"finalized", "partially_received"}

    @property
    def for_customer(self) -> bool:
        """Does its vendor ship it to a customer (R10)?"""
        return self.destination.startswith("customer:")

    @property
    def refs(self) -> dict[str, str]:
        """How a message refers to it."""
        return {"replenishment_id": self.name, "vendor": self.vendor}

    @property
    def asks(self) -> dict[str, int]:
        """Return what it is for: a sku that is not wanted any more is left out."""
        return {sku: line.qty for sku, line in self.lines.items() if line.qty}

    def outstanding(self, sku: str) -> int:
        """Units of a sku that may still arrive."""
        line = self.lines.get(sku)
        return max(0, line.qty - line.received) if line is not None and self.incoming else 0


@dataclass(eq=False)
class Link:
    """Units of a replenishment that are bought for one order line (R10)."""

    line: Line
    replenishment: Replenishment
    qty: int
    by_hand: bool


@dataclass(eq=False)
class Docked:
    """Linked units of a replenishment that have arrived where nobody picks (K4)."""

    replenishment: Replenishment
    sku: str
    place: str
    qty: int
