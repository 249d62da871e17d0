"""The working copy: what a batch touches, loaded and locked by the store, owned by `decide`.

Plain mutable rows, changed in place by the handlers (about ten times cheaper than copies); purity
is at the boundary of `decide`. Each row carries `loaded`, the values it was read with (None: the
row is new), so that the store writes exactly what changed. Quantities are whole units, times UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from events.envelope import Cause, Event
from events.vocabulary import PlaceKind
from handlers.policy import Policy, Rules, resolve

OrderKey = tuple[str, str]  # shop, order id
SlotKey = tuple[str, str]  # vendor, destination
QueueKey = tuple[str, str]  # destination, shop
FactKey = tuple[str, str]  # kind, key
Rank = tuple[int, datetime, str, str, int]  # priority, placed at, shop, order id, position (S4)


class Unloaded(Exception):  # noqa: N818 - not an error: the batch is loaded again with more
    """A decision needs rows that were not loaded; the transaction starts again with them.

    `kind` is one of `skus`, `orders`, `slots`, `heads`, `catalogue`; `key` what to load besides.
    """

    def __init__(self, kind: str, key: object) -> None:
        """Name what is missing."""
        super().__init__(f"{kind}: {key}")
        self.kind = kind
        self.key = key


class ReplenishmentState(StrEnum):
    """The states of contract.md §6; `closed` means short-closed."""

    OPEN = "open"
    FINALIZED = "finalized"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


INCOMING = (ReplenishmentState.FINALIZED, ReplenishmentState.PARTIALLY_RECEIVED)


@dataclass(slots=True, eq=False)
class Place:
    """A source or a dock (P2, P4). `feeds`: the source a dock's goods are transferred to."""

    place: str
    kind: PlaceKind = PlaceKind.SOURCE
    priority: int = 100
    feeds: str | None = None
    enabled: bool = True
    loaded: tuple[Any, ...] | None = None

    @property
    def picks(self) -> bool:
        """Can orders be served from here?"""
        return self.enabled and self.kind is PlaceKind.SOURCE

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.place, self.kind, self.priority, self.feeds, self.enabled)


@dataclass(slots=True, eq=False)
class Shop:
    """A sales channel (P4). `sources` None: every source; empty: none."""

    shop: str
    sources: tuple[str, ...] | None = None
    destination: str | None = None
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.shop, self.sources, self.destination)


@dataclass(slots=True, eq=False)
class Vendor:
    """Who sells to us, with the settings its items fall back to."""

    vendor: str
    name: str | None = None
    email: str | None = None
    policy: dict[str, Any] = field(default_factory=dict)
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.vendor, self.name, self.email, dict(self.policy))


@dataclass(slots=True, eq=False)
class Stock:
    """One sku at one place: units physically there, and of them promised to lines (L2, L3)."""

    sku: str
    place: str
    on_hand: int = 0
    allocated: int = 0
    loaded: tuple[Any, ...] | None = None

    @property
    def available(self) -> int:
        """Units not promised; below zero after more left than was free (S8)."""
        return self.on_hand - self.allocated

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.sku, self.place, self.on_hand, self.allocated)


@dataclass(slots=True, eq=False)
class Demand:
    """Shortage of a sku by destination and shop: a cache of held lines (L4)."""

    sku: str
    destination: str
    shop: str
    shortage: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.sku, self.destination, self.shop, self.shortage)


@dataclass(slots=True, eq=False)
class Queue:
    """The head of the held lines of one sku, destination and shop, in rank order (S4).

    `more`: the database holds further lines behind the last one here.
    """

    lines: list[Line] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True, eq=False)
class Item:
    """A sku with everything about it that a decision needs, under its lock (L6).

    `busy`: a fill of it is unfinished (S6); other events on it wait. `base_status` is what every
    shop was told that has no entry in `statuses` (S13); None: the sku has not been seen yet.
    """

    sku: str
    vendor: str | None = None
    name: str | None = None
    alternatives: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    busy: bool = False
    base_status: str | None = None
    loaded: tuple[Any, ...] | None = None
    policy: Policy = field(default_factory=Policy)
    stock: dict[str, Stock] = field(default_factory=dict)
    demand: dict[QueueKey, Demand] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    statuses_loaded: dict[str, str] = field(default_factory=dict)
    supply: list[str] = field(default_factory=list)  # replenishments with it, open or incoming
    queues: dict[QueueKey, Queue] | None = None  # None: the heads were not loaded
    moved: list[tuple[str, Rank, int]] = field(default_factory=list)  # destination, rank, ±shortage

    @property
    def shortage(self) -> int:
        """Units of all lines that wait."""
        return sum(row.shortage for row in self.demand.values())

    def shortage_at(self, destination: str) -> int:
        """Units that wait for a delivery to this destination."""
        return sum(row.shortage for key, row in self.demand.items() if key[0] == destination)

    def at(self, place: str) -> Stock:
        """Return the stock row of a place, a new empty one where there is none."""
        row = self.stock.get(place)
        if row is None:
            row = self.stock[place] = Stock(self.sku, place)
        return row

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps of the sku's own row."""
        return (
            self.sku,
            self.vendor,
            self.name,
            self.alternatives,
            dict(self.overrides),
            self.busy,
            self.base_status,
        )


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


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a replenishment line confirmed for one date (None: not confirmed) (R4)."""

    qty: int
    expected_at: datetime | None


@dataclass(slots=True, eq=False)
class ReplenishmentLine:
    """What one replenishment brings of one sku.

    `qty`: asked while it is open, confirmed after; `manual` and `linked` are what a buyer or the
    demand of single orders put into it (R9, R10). `parts` are empty until it is finalized.
    """

    sku: str
    qty: int = 0
    manual: int = 0
    linked: int = 0
    received: int = 0
    parts: tuple[Part, ...] = ()
    loaded: tuple[Any, ...] | None = None

    @property
    def short_of(self) -> int:
        """Units not received of what was asked or confirmed."""
        return max(0, self.qty - self.received)

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.sku, self.qty, self.manual, self.linked, self.received, self.parts)


@dataclass(slots=True, eq=False)
class Replenishment:
    """One buying document for one vendor and one destination (R1).

    `complete`: all its lines are loaded; else only those of skus in this batch. `told_revision`
    and `told_total` are the state last emitted (R3); revision 0 was never told.
    """

    replenishment_id: str
    vendor: str
    destination: str
    raised_at: datetime
    state: ReplenishmentState = ReplenishmentState.OPEN
    automatic: bool = True
    revision: int = 0
    told_revision: int = 0
    told_total: int = 0
    finalized_at: datetime | None = None
    closed_at: datetime | None = None
    lines: dict[str, ReplenishmentLine] = field(default_factory=dict)
    complete: bool = False
    loaded: tuple[Any, ...] | None = None

    @property
    def is_open(self) -> bool:
        """May automation still change it?"""
        return self.state is ReplenishmentState.OPEN

    @property
    def incoming(self) -> bool:
        """Are its units on their way?"""
        return self.state in INCOMING

    def outstanding(self, sku: str) -> int:
        """Units of a sku that may still arrive and are on their way (`incoming`)."""
        line = self.lines.get(sku)
        return line.short_of if line is not None and self.incoming else 0

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps of the replenishment's own row."""
        return (
            self.replenishment_id,
            self.vendor,
            self.destination,
            self.raised_at,
            self.state,
            self.automatic,
            self.revision,
            self.told_revision,
            self.told_total,
            self.finalized_at,
            self.closed_at,
        )


@dataclass(slots=True, eq=False)
class Slot:
    """The one place for an open replenishment of a vendor and destination (R1), under its lock.

    `raised` counts the replenishments ever raised here; the next id derives from it.
    """

    vendor: str
    destination: str
    open_id: str | None = None
    raised: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.vendor, self.destination, self.open_id, self.raised)


class TaskKind(StrEnum):
    """Work left over from an event (S6)."""

    FILL = "fill"  # one sku at one source
    WALK = "walk"  # every sku a policy change concerns


@dataclass(slots=True, eq=False)
class Task:
    """A consequence too large for one transaction, done in steps (S6).

    `fill`: `sku`, `place`, and in `arrived` the units that came and no line has taken yet.
    `walk`: `scope` is one of `vendor`, `place`, `shop`, `all`, `name` which; `cursor` the last sku
    done ("" at first). `cause` and `at` are the event the task belongs to and when it happened.
    `ordinal` orders the tasks of one sku; derived by the store when it is first saved.
    """

    task_id: str
    kind: TaskKind
    cause: Cause
    at: datetime
    sku: str | None = None
    place: str | None = None
    arrived: int = 0
    scope: str | None = None
    name: str | None = None
    cursor: str = ""
    done: bool = False
    ordinal: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (
            self.task_id,
            self.kind,
            self.cause,
            self.at,
            self.sku,
            self.place,
            self.arrived,
            self.scope,
            self.name,
            self.cursor,
        )


@dataclass(slots=True, eq=False)
class Keys:
    """What a batch names, and what must therefore be loaded and locked.

    `usable`: skus whose stock may become free for held lines, so that the heads of their queues
    are loaded. `probes`: sku → order ranks whose place in the queue will be asked (R11).
    """

    skus: set[str] = field(default_factory=set)
    orders: set[OrderKey] = field(default_factory=set)
    replenishments: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    shops: set[str] = field(default_factory=set)
    vendors: set[str] = field(default_factory=set)
    slots: set[SlotKey] = field(default_factory=set)
    facts: set[FactKey] = field(default_factory=set)
    usable: set[str] = field(default_factory=set)
    usable_orders: set[OrderKey] = field(default_factory=set)
    probes: set[tuple[str, str, str, int, datetime]] = field(default_factory=set)
    catalogue: bool = False  # places, shops or vendors may change: their lock is taken exclusively
    exempt: frozenset[str] = frozenset()  # skus whose unfinished fill this very step serves


@dataclass(slots=True, eq=False)
class State:
    """Everything a batch touches, in one place; the identity map of its rows."""

    rules: Rules
    places: dict[str, Place] = field(default_factory=dict)  # all of them
    shops: dict[str, Shop] = field(default_factory=dict)  # all of them
    vendors: dict[str, Vendor] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    orders: dict[OrderKey, Order] = field(default_factory=dict)
    unknown_orders: set[OrderKey] = field(default_factory=set)  # asked for, not there
    replenishments: dict[str, Replenishment] = field(default_factory=dict)
    slots: dict[SlotKey, Slot] = field(default_factory=dict)
    facts: dict[FactKey, str] = field(default_factory=dict)
    waiting: dict[OrderKey, list[Event]] = field(default_factory=dict)
    walks: list[Task] = field(default_factory=list)
    behind: dict[tuple[str, str, str], int] = field(default_factory=dict)  # sku, shop, order id
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by shop, see rules.sellable
    exempt: frozenset[str] = frozenset()
    catalogue_locked: bool = False  # places, shops and vendors may be changed

    def item(self, sku: str) -> Item:
        """Return a loaded sku; ask for it where it was not."""
        item = self.items.get(sku)
        if item is None:
            raise Unloaded("skus", sku)
        return item

    def order(self, key: OrderKey) -> Order | None:
        """Return an order, None where it does not exist; ask for it where it was not loaded."""
        order = self.orders.get(key)
        if order is None and key not in self.unknown_orders:
            raise Unloaded("orders", key)
        return order

    def slot(self, vendor: str, destination: str) -> Slot:
        """Return the locked slot of a vendor and destination; ask for it where it was not."""
        slot = self.slots.get((vendor, destination))
        if slot is None:
            raise Unloaded("slots", (vendor, destination))
        return slot

    def refresh(self, item: Item) -> None:
        """Resolve the policy of a sku anew, after it or its vendor changed (P1)."""
        vendor = self.vendors.get(item.vendor) if item.vendor is not None else None
        item.policy = resolve(
            item.overrides, vendor.policy if vendor is not None else {}, self.rules.defaults
        )

    def incoming(self, item: Item) -> Iterator[tuple[Replenishment, ReplenishmentLine]]:
        """Yield what is on its way of a sku."""
        for replenishment_id in item.supply:
            replenishment = self.replenishments[replenishment_id]
            if replenishment.outstanding(item.sku) > 0:
                yield replenishment, replenishment.lines[item.sku]
