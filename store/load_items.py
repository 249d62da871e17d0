"""Skus: their rows locked in order, and under that lock what there is of each and who waits.

A sku nobody has named before is entered at once, so that there is a row to lock: two orders racing
for a new sku meet there like any other two.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from handlers.state import Demand, Item, State, Stock
from store.columns import json_value
from store.dialects.base import Answer
from store.statements import Columns, Query, Rows
from store.transaction import Transaction

_SKU: Columns = (("sku", "text"),)

LOCK = Query(
    """
    SELECT t.sku, t.vendor, t.name, t.alternatives, t.policy, t.busy, t.base_status, t.clock
    FROM {given} CROSS JOIN items AS t
    WHERE t.sku = given.sku
    ORDER BY t.sku {lock}
    """,
    _SKU,
)
# On conflict: somebody else entered it in between; the update that changes nothing is its lock.
# (Rarely that lock comes out of order, then the engine names a deadlock and the batch is repeated.)
_ENTER = Query(
    """
    INSERT INTO items (sku, alternatives, policy, busy, clock)
    SELECT sku, '[]', '{{}}', FALSE, 0 FROM {given} WHERE true
    ON CONFLICT (sku) DO UPDATE SET clock = items.clock
    RETURNING sku, vendor, name, alternatives, policy, busy, base_status, clock
    """,
    _SKU,
)
_GLANCE = Query(
    """
    SELECT t.sku, t.vendor, t.name, t.alternatives, t.policy, t.busy, t.base_status, t.clock
    FROM {given} CROSS JOIN items AS t
    WHERE t.sku = given.sku AND t.base_status IS NOT NULL
    """,
    _SKU,
)
_STOCK = Query(
    """
    SELECT t.sku, t.place, t.on_hand, t.allocated, t.counted_at, t.owed, t.clock
    FROM {given} CROSS JOIN stock AS t
    WHERE t.sku = given.sku
    """,
    _SKU,
)
_DEMAND = Query(
    """
    SELECT t.sku, t.destination, t.shop, t.shortage, t.queued, t.fillable, t.clock
    FROM {given} CROSS JOIN demand AS t
    WHERE t.sku = given.sku
    """,
    _SKU,
)
_STATUSES = Query(
    """
    SELECT t.sku, t.shop, t.status
    FROM {given} CROSS JOIN item_statuses AS t
    WHERE t.sku = given.sku
    """,
    _SKU,
)


def load(tx: Transaction, state: State, skus: Collection[str]) -> Callable[[], bool]:
    """Lock the skus and ask for everything that is kept of each.

    What is returned reads it, and says whether a sku was entered: then what else was asked about it
    was asked before it was locked.
    """
    given = [(sku,) for sku in sorted(skus)]
    locked = tx.ask(LOCK, given)
    kept = _ask_kept(tx, given)

    def read() -> bool:
        found = list(locked())
        missing = len(found) < len(given)
        if missing:
            known = {row[0] for row in found}
            found += tx.query(_ENTER, [key for key in given if key[0] not in known])
        _items(tx, state, found)
        _kept(tx, state, _ask_kept(tx, given) if missing else kept)
        return missing

    return read


def glance(tx: Transaction, state: State, skus: Collection[str]) -> None:
    """Read the same without a lock, to be looked at only; skus nobody knows are left out."""
    _items(tx, state, tx.query(_GLANCE, [(sku,) for sku in sorted(skus)]))
    _kept(tx, state, _ask_kept(tx, [(sku,) for sku in sorted(state.items)]))


def _ask_kept(tx: Transaction, given: Rows) -> tuple[Answer, Answer, Answer]:
    return tx.ask(_STOCK, given), tx.ask(_DEMAND, given), tx.ask(_STATUSES, given)


def _kept(tx: Transaction, state: State, asked: tuple[Answer, Answer, Answer]) -> None:
    items = state.items
    stock, demand, statuses = asked
    for sku, place, on_hand, allocated, counted_at, owed, clock in stock():
        row = Stock(sku, place, on_hand, allocated, tx.instant(counted_at), owed_of(owed))
        row.loaded = row.values()
        items[sku].stock[place] = row
        tx.saw(clock)
    for sku, destination, shop, *units, clock in demand():
        waits = Demand(sku, destination, shop, *units)
        waits.loaded = waits.values()
        items[sku].demand[destination, shop] = waits
        tx.saw(clock)
    for sku, shop, status in statuses():
        items[sku].statuses[shop] = status
        items[sku].statuses_loaded[shop] = status


def owed_of(text: str | None) -> tuple[tuple[datetime, int], ...]:
    """Return the units booked as found (S7) from the column that keeps them."""
    found = () if text is None else json_value(text)
    return tuple((datetime.fromisoformat(at), qty) for at, qty in found)


def _items(tx: Transaction, state: State, found: Sequence[Any]) -> None:
    for sku, vendor, name, alternatives, policy, busy, base_status, clock in found:
        item = Item(
            sku,
            vendor,
            name,
            tuple(json_value(alternatives)) if alternatives != "[]" else (),
            json_value(policy) if policy != "{}" else {},
            bool(busy),
            base_status,
        )
        # Without a status nothing was ever decided on it: the row is there only to be locked.
        item.loaded = item.values() if base_status is not None else None
        state.items[sku] = item
        tx.saw(clock)
