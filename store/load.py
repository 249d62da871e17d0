"""Load all: the first half of a batch. A handful of SELECTs read and lock what the events name.

Locks are taken in one order by everybody (L6), each kind sorted by key:

1. Ask, without locks, which skus the named orders and replenishments concern.
2. Lock the catalogue (places, shops, vendors): shared, or for oneself where it may change.
3. Lock the skus. Under their lock: stock, demand, statuses, vendors, supply, what moved; how far
   the walks of policy changes have come, each step of which holds the locks of its skus (S6).
4. Find the heads of queues and links that may be filled, and what other lines may change; lock the
   named orders and theirs.
5. Count who stands behind the new orders; lock the slots of open replenishments, and of those that
   are bought for the lines found.
6. Read the facts known already, and the events that waited for these orders or replenishments.

What does not depend on an answer is asked before it is waited for: `f(tx, …)` asks, and what it
returns reads. The number of statements does not depend on how much they read. What was asked for in
step 1 and has changed before its lock was had raises Unloaded: the transaction begins again, with
more.
"""

from collections.abc import Sequence

from events.envelope import Event
from events.vocabulary import PlaceKind
from handlers.keys import slots_of
from handlers.policy import Rules
from handlers.state import BehindRank, Keys, State
from store import (
    load_catalogue,
    load_items,
    load_lines,
    load_links,
    load_movements,
    load_orders,
    load_queues,
    load_supply,
    tasks,
    waiting,
)
from store.load_orders import Wanted
from store.statements import Query
from store.transaction import Transaction

_FACTS = Query(
    """
    SELECT t.kind, t.key, t.data_hash
    FROM {given} CROSS JOIN facts AS t
    WHERE t.kind = given.kind AND t.key = given.key
    """,
    (("kind", "text"), ("key", "text")),
)


def load(tx: Transaction, keys: Keys, events: Sequence[Event], rules: Rules) -> State:
    """Return the working copy a batch decides on, locked. Raises Unloaded to begin again."""
    state = State(rules, exempt=keys.exempt)
    known = load_catalogue.names_new_ones(tx, keys)
    orders = load_orders.skus_by_order(tx, keys.orders)
    shipments = load_orders.skus_shipped(tx, keys.shipped)
    supply = load_supply.skus_and_slots(tx, keys.replenishments)
    alone = known() or keys.catalogue
    of_orders, (of_supply, slots), (shipped, freed) = orders(), supply(), shipments()

    skus = keys.skus.union(shipped, *of_supply.values(), *of_orders.values())
    catalogue = load_catalogue.load(tx, state, alone=alone)
    items = load_items.load(tx, state, skus)
    outstanding = load_supply.outstanding(tx, state, skus, keys.replenishments)
    walks = tasks.walks(tx)
    catalogue()
    if items():
        outstanding = load_supply.outstanding(tx, state, skus, keys.replenishments)
        walks = tasks.walks(tx)
    state.walks = walks()

    closed = set[str]().union(*(of_supply.get(name, ()) for name in keys.closed))
    usable = keys.usable.union(freed, *(of_orders.get(key, ()) for key in keys.usable_orders))
    linked = usable.union(keys.linked, closed, *keys.arriving.values())
    usable.update(*(skus for place, skus in keys.arriving.items() if not _is_dock(state, place)))
    vendors = load_catalogue.vendors(tx, state, keys.vendors)
    queues = load_queues.heads(tx, state, usable, keys.fill_after)
    headers = outstanding()
    load_movements.load(tx, state, keys)
    vendors()
    headers()
    links = load_links.ends(tx, state, linked)
    changing = load_lines.sellers(events)
    dated = {**dict.fromkeys(closed), **keys.dated}
    lines = load_lines.find(tx, state, keys, dated, changing)

    heads = queues()
    whole = keys.usable_orders.union(of_orders, links.orders, lines.orders_whole)
    left = {key[:3] for key in keys.shipped}
    load_orders.load(tx, state, Wanted(whole, heads.orders, left, lines.held), keys.orders)
    load_queues.join(state, heads)
    load_links.join(state, links)
    load_lines.join(state, lines)
    keys.ranks |= _ranks(state, keys)

    behind = load_queues.behind(tx, state, keys)
    slots |= keys.slots | slots_of(state, events) | load_lines.slots(state, changing)
    whole_supply = load_supply.load(tx, state, slots, keys.replenishments)
    facts = tx.ask(_FACTS, sorted(keys.facts))
    early = waiting.load(tx, state, keys)
    behind()
    whole_supply()
    load_links.join_others(state)
    state.facts = {(kind, key): data_hash for kind, key, data_hash in facts()}
    early()
    return state


def _is_dock(state: State, place: str) -> bool:
    """Is it, and will it be one throughout the batch?"""
    known = state.places.get(place)
    return known is not None and known.kind is PlaceKind.DOCK and not state.catalogue_locked


def _ranks(state: State, keys: Keys) -> set[BehindRank]:
    """Return the places in the queue that may be told anew: of lines that may wait again (O8)."""
    orders = [state.orders[key] for key in keys.told_orders if key in state.orders]
    lines = [line for order in orders for line in order.lines.values() if line.sku in state.items]
    for item in state.items.values():
        for some in (item.reserved or {}).values():
            lines += some.lines
    return {
        (line.sku, *line.order.key, line.order.destination, line.rank[0], line.rank[1])
        for line in lines
    }
