"""The working copy: what a batch touches, loaded and locked by the store, owned by `decide`.

`Keys` say what is to be loaded, `State` holds it. The rows themselves are in `handlers.rows`, and
named here too: whoever works on a state finds all of it in one place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.envelope import Event
from handlers.policy import Rules, resolve
from handlers.rows.items import Demand, Item, Linked, Queue, QueueKey, Some, Stock
from handlers.rows.orders import Allocation, Extent, Line, Link, Order, OrderKey, Rank, Sourced
from handlers.rows.places import Place, Shop, Vendor
from handlers.rows.supply import (
    INCOMING,
    Part,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Slot,
    SlotKey,
)
from handlers.rows.tasks import Task, TaskKind

__all__ = [
    "INCOMING",
    "Allocation",
    "BehindRank",
    "Demand",
    "Extent",
    "FactKey",
    "Heard",
    "Item",
    "Keys",
    "Line",
    "Link",
    "Linked",
    "Order",
    "OrderKey",
    "Part",
    "Place",
    "Queue",
    "QueueKey",
    "Rank",
    "Replenishment",
    "ReplenishmentLine",
    "ReplenishmentState",
    "ShippedKey",
    "Shop",
    "Slot",
    "SlotKey",
    "Some",
    "Sourced",
    "State",
    "Stock",
    "StockKey",
    "Task",
    "TaskKind",
    "Unloaded",
    "Vendor",
]

FactKey = tuple[str, str]  # kind, key
BehindKey = tuple[str, str, str, str]  # sku, shop, order id, destination
BehindRank = tuple[str, str, str, str, int, datetime]  # the same, priority, placed at
StockKey = tuple[str, str]  # sku, place
ShippedKey = tuple[str, str, str, str]  # shop, order id, line id, source
Heard = tuple[Event, datetime]  # an event and when it was received


class Unloaded(Exception):  # noqa: N818 - not an error: the batch is loaded again with more
    """A decision needs rows that were not loaded; the transaction starts again with them.

    `kind` and `key` (one, or a set) say what to load besides: `skus`, `orders`, `slots`, `supply`
    (replenishments by id), `heads` (of a sku: queues and links), `reserved` and `held` (of a sku),
    `left` (of every sku), `behind` (what is queued behind an order), `early` (what waits for a
    replenishment that may be raised), `catalogue`.
    """

    def __init__(self, kind: str, key: object) -> None:
        """Name what is missing."""
        super().__init__(f"{kind}: {key}")
        self.kind = kind
        self.key = key


@dataclass(slots=True, eq=False)
class Keys:
    """What a batch names, and what must therefore be loaded and locked.

    `usable`: skus whose stock may become free for held lines, so that the heads of their queues and
    their links are loaded; `usable_orders`: orders all of whose skus are. `arriving`: skus by the
    place they come to, usable where that is no dock; at a dock only their links are loaded.
    `shipped`: units told to have left, by shop, order, line and source; of their orders only these
    lines are named. Where more left than was to leave there, the sku is usable. `linked`: skus of
    which only the links are loaded. `fill_after`: where the walk along the queue of a sku goes on
    (a source, whether lines delivered elsewhere are next, the last rank passed). `probes`: ranks of
    new orders whose place in the queue will be asked (R11): sku, shop, order, priority, placed at;
    `ranks`: the same with a destination, for orders that are there; `told_orders`: those whose
    lines may wait anew. `orderable`: skus whose lines may have to be linked anew (R10). `dated`:
    skus whose held lines may get another date (R12), and the destination and rank after which they
    are wanted; `closed`: replenishments whose skus are both linked and dated. `raising`: ids of
    replenishments that may be raised, for which an event may have come early (C3). `reserved`: see
    `Item`. `counts`: sku, place and moment of what is counted (S8); `left`: when units last left a
    place is wanted of every sku (S7).
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
    arriving: dict[str, set[str]] = field(default_factory=dict)
    shipped: dict[ShippedKey, int] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    fill_after: dict[str, tuple[str, bool, Rank]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    raising: set[str] = field(default_factory=set)
    orderable: set[str] = field(default_factory=set)
    dated: dict[str, tuple[str, Rank] | None] = field(default_factory=dict)
    reserved: set[str] = field(default_factory=set)
    counts: set[tuple[str, str, datetime]] = field(default_factory=set)
    left: bool = False
    probes: set[tuple[str, str, str, int, datetime]] = field(default_factory=set)
    ranks: set[BehindRank] = field(default_factory=set)
    told_orders: set[OrderKey] = field(default_factory=set)
    catalogue: bool = False  # places, shops or vendors may change: their lock is taken exclusively
    exempt: frozenset[str] = frozenset()  # skus whose unfinished fill this very step serves

    def learn(self, missing: Unloaded) -> None:
        """Add what a decision turned out to need, so that it is loaded next time."""
        key: Any = missing.key
        more = set(key) if isinstance(key, set | frozenset) else {key}
        kinds: dict[str, tuple[set[Any], ...]] = {
            "skus": (self.skus,),
            "heads": (self.skus, self.usable),
            "reserved": (self.reserved,),
            "orders": (self.orders,),
            "slots": (self.slots,),
            "supply": (self.replenishments,),
            "early": (self.raising,),
            "behind": (self.ranks,),
        }
        for wanted in kinds.get(missing.kind, ()):
            wanted.update(more)
        self.dated |= dict.fromkeys(more) if missing.kind == "held" else {}
        self.left = self.left or missing.kind == "left"
        self.catalogue = self.catalogue or missing.kind == "catalogue"

    def join(self, more: "Keys") -> "Keys":
        """Add what earlier tries of the same batch turned out to need."""
        self.skus |= more.skus
        self.orders |= more.orders
        self.slots |= more.slots
        self.usable |= more.usable
        self.reserved |= more.reserved
        self.dated = {**more.dated, **self.dated}
        self.replenishments |= more.replenishments
        self.raising |= more.raising
        self.ranks |= more.ranks
        self.left = self.left or more.left
        self.catalogue = self.catalogue or more.catalogue
        return self


@dataclass(slots=True, eq=False)
class State:
    """Everything a batch touches, in one place; the identity map of its rows.

    `waiting` and `early`: events that came before what they name, in the order they came (C3).
    `since`: real movements (no findings, counts and offsets) of a counted sku at its place after
    the moment of the count, netted by instant, in order (S8). `left`: when units of a sku last left
    a place (S7); None: not loaded. `unknown_supply`: replenishments asked for that are not there.
    """

    rules: Rules
    places: dict[str, Place] = field(default_factory=dict)  # all of them
    shops: dict[str, Shop] = field(default_factory=dict)  # all of them
    vendors: dict[str, Vendor] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    orders: dict[OrderKey, Order] = field(default_factory=dict)
    unknown_orders: set[OrderKey] = field(default_factory=set)  # asked for, not there
    unknown_supply: set[str] = field(default_factory=set)
    replenishments: dict[str, Replenishment] = field(default_factory=dict)
    slots: dict[SlotKey, Slot] = field(default_factory=dict)
    facts: dict[FactKey, str] = field(default_factory=dict)
    waiting: dict[OrderKey, list[Heard]] = field(default_factory=dict)
    early: dict[str, list[Heard]] = field(default_factory=dict)  # by replenishment
    asked_early: set[str] | None = None  # None: nothing waits for any replenishment
    since: dict[StockKey, list[tuple[datetime, int]]] = field(default_factory=dict)
    left: dict[StockKey, datetime] | None = None
    walks: list[Task] = field(default_factory=list)
    behind: dict[BehindKey, int] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by shop, see rules.sellable
    exempt: frozenset[str] = frozenset()
    catalogue_locked: bool = False  # places, shops and vendors may be changed

    def item(self, sku: str) -> Item:
        """Return a loaded sku; ask for it where it was not."""
        item = self.items.get(sku)
        if item is None:
            raise Unloaded("skus", sku)
        return item

    def need(self, skus: Iterable[str]) -> None:
        """Ask for all of these skus at once that were not loaded."""
        missing = frozenset(skus) - self.items.keys()
        if missing:
            raise Unloaded("skus", missing)

    def order(self, key: OrderKey) -> Order | None:
        """Return an order, None where it does not exist; ask for it where it was not loaded.

        What is named is worked on as a whole.
        """
        order = self.order_in_part(key)
        if order is not None and order.extent is not Extent.WHOLE:
            raise Unloaded("orders", key)
        return order

    def order_in_part(self, key: OrderKey) -> Order | None:
        """Return an order of which all that waits, and each line a shipment names, was loaded."""
        order = self.orders.get(key)
        known = key in self.unknown_orders if order is None else order.extent is not Extent.DATED
        if not known:
            raise Unloaded("orders", key)
        return order

    def replenishment(self, replenishment_id: str) -> Replenishment:
        """Return a replenishment that is known to be there; ask for it where it was not loaded."""
        found = self.replenishments.get(replenishment_id)
        if found is None:
            raise Unloaded("supply", replenishment_id)
        return found

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

    def dissolve(self) -> None:
        """Let the rows go when all is saved: not later, when the collector would find the cycles.

        Orders, lines and links name one another. To look for such ones takes a tenth of a batch.
        """
        for order in self.orders.values():
            for line in order.lines.values():
                line.links.clear()
            order.lines.clear()

    def incoming(self, item: Item) -> Iterator[tuple[Replenishment, ReplenishmentLine]]:
        """Yield what is on its way of a sku."""
        for replenishment_id in item.supply:
            replenishment = self.replenishments[replenishment_id]
            if replenishment.outstanding(item.sku) > 0:
                yield replenishment, replenishment.lines[item.sku]
