"""Every table, by name. The constraints are the last line of defence: no code is trusted with them.

1. `tables.goods`: places, shops, vendors, items, stock, demand, and the ledger.
2. `tables.orders`: orders, their lines, allocations and links, and the reasons of all.
3. `tables.supply`: replenishments and their slots.
4. `tables.messages`: inbox, what waits, tasks, what is set aside, outbox and history.
5. `tables.operations`: what running the fleet takes.

Order without a sequence: rows that are locked carry a `clock`, in µs. Whoever locks a row writes
`max(now, its clock + 1)` to it and to all it brings about, so that (`clock`, `n`) orders whatever
concerns one sku, order or replenishment as it was decided, whatever the machines' clocks say.

A change of a table is a migration (store/migrations); a test compares the two on both engines.
"""

from store.tables.base import metadata
from store.tables.goods import (
    catalogue,
    demand,
    item_statuses,
    items,
    movements,
    places,
    shops,
    stock,
    vendors,
)
from store.tables.messages import (
    emitted,
    exceptions,
    facts,
    inbox,
    outbox,
    relay_lock,
    set_aside,
    tasks,
    waiting,
)
from store.tables.operations import (
    held_back,
    housekeeping,
    operations,
    suspects,
    told_before,
    workers,
)
from store.tables.orders import allocations, links, order_lines, orders, reasons
from store.tables.supply import replenishment_lines, replenishment_slots, replenishments

REVISION = "0007"  # what these tables are; a test compares it with the newest migration

__all__ = [
    "REVISION",
    "allocations",
    "catalogue",
    "demand",
    "emitted",
    "exceptions",
    "facts",
    "held_back",
    "housekeeping",
    "inbox",
    "item_statuses",
    "items",
    "links",
    "metadata",
    "movements",
    "operations",
    "order_lines",
    "orders",
    "outbox",
    "places",
    "reasons",
    "relay_lock",
    "replenishment_lines",
    "replenishment_slots",
    "replenishments",
    "set_aside",
    "shops",
    "stock",
    "suspects",
    "tasks",
    "told_before",
    "vendors",
    "waiting",
    "workers",
]
