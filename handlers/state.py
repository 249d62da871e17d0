"""The working copy: what a batch touches, loaded and locked by the store, owned by `decide`.

`Keys` say what is to be loaded, `State` holds it. The rows themselves are in `handlers.rows`, and
named here too: whoever works on a state finds all of it in one place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from events.envelope import Event
from handlers.policy import Rules, resolve
from handlers.rows.items import Demand, Item, Queue, QueueKey, Stock
from handlers.rows.orders import Allocation, Line, Order, OrderKey, Rank
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
    "Demand",
    "FactKey",
    "Item",
    "Keys",
    "Line",
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
    "Shop",
    "Slot",
    "SlotKey",
    "State",
    "Stock",
    "Task",
    "TaskKind",
    "Unloaded",
    "Vendor",
]

FactKey = tuple[str, str]  # kind, key


class Unloaded(Exception):  # noqa: N818 - not an error: the batch is loaded again with more
    """A decision needs rows that were not loaded; the transaction starts again with them.

    `kind` is one of `skus`, `orders`, `slots`, `heads`, `catalogue`; `key` what to load besides.
    """

    def __init__(self, kind: str, key: object) -> None:
        """Name what is missing."""
        super().__init__(f"{kind}: {key}")
        self.kind = kind
        self.key = key


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
