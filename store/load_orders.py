"""Orders: locked in order, then read whole, with all lines, allocations and links.

They are read after the lock is had, so that they are those it protects. A line of a sku that is not
locked here may be read; of it nothing is changed but what is released (O9).
"""

from collections.abc import Collection
from typing import Any

from handlers.state import Allocation, Line, Link, Order, OrderKey, Sourced, State, Unloaded
from store.columns import json_value
from store.statements import Columns, Query
from store.transaction import Transaction

_ORDER: Columns = (("shop", "text"), ("order_id", "text"))

_SKUS = Query(
    """
    SELECT t.shop, t.order_id, t.sku
    FROM {given} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    """,
    _ORDER,
)
LOCK = Query(
    """
    SELECT t.shop, t.order_id, t.placed_at, t.judged_at, t.priority, t.destination, t.data_hash,
        t.ship_mode, t.release, t.holds, t.version, t.version_hash, t.customer, t.ship_to,
        t.allocation_count, t.clock
    FROM {given} CROSS JOIN orders AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.shop, t.order_id {lock}
    """,
    _ORDER,
)
_LINES = Query(
    """
    SELECT t.shop, t.order_id, t.line_id, t.position, t.sku, t.ordered, t.shortage, t.pending,
        t.drop_ship, t.shipped, t.cancelled, t.rejected, t.short, t.sourced, t.group_name,
        t.staff_held, t.held_since, t.told, t.told_expected_at, t.told_days, t.name, t.unit_price,
        t.linked
    FROM {given} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.shop, t.order_id, t.position
    """,
    _ORDER,
)
_ALLOCATIONS = Query(
    """
    SELECT t.shop, t.order_id, t.line_id, t.seq, t.source, t.qty, t.by_fill, t.release_id
    FROM {given} CROSS JOIN allocations AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.shop, t.order_id, t.seq
    """,
    _ORDER,
)
_LINKS = Query(
    """
    SELECT t.shop, t.order_id, t.line_id, t.replenishment_id, t.by_hand, t.qty
    FROM {given} CROSS JOIN links AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.shop, t.order_id, t.line_id, t.replenishment_id, t.by_hand
    """,
    _ORDER,
)

_SOURCED = {str(way): way for way in Sourced}


def skus_by_order(tx: Transaction, orders: Collection[OrderKey]) -> dict[OrderKey, set[str]]:
    """Return the skus of orders as they are now, without locking anything."""
    skus: dict[OrderKey, set[str]] = {}
    for shop, order_id, sku in tx.query(_SKUS, sorted(orders)):
        skus.setdefault((shop, order_id), set()).add(sku)
    return skus


def load(
    tx: Transaction, state: State, wanted: Collection[OrderKey], named: Collection[OrderKey]
) -> None:
    """Lock and read the wanted orders; of the named ones, note which there are not.

    A new order need not be wanted: who has placed the same one since it was first asked for is met
    when this one is written.
    Raises Unloaded where a named order has a line of a sku that is not locked.
    """
    for row in tx.query(LOCK, sorted(wanted)):
        _order(tx, state, row)
    state.unknown_orders = {key for key in named if key not in state.orders}
    found = sorted(state.orders)
    linked = set()
    for row in tx.query(_LINES, found):
        line = _line(tx, state, row)
        if row[-1]:
            linked.add(line.order.key)
    for shop, order_id, line_id, seq, source, qty, by_fill, release_id in tx.query(
        _ALLOCATIONS, found
    ):
        allocation = Allocation(seq, source, qty, bool(by_fill), release_id)
        allocation.loaded = allocation.values()
        state.orders[shop, order_id].lines[line_id].allocations.append(allocation)
    for shop, order_id, line_id, replenishment_id, by_hand, qty in tx.query(_LINKS, sorted(linked)):
        line = state.orders[shop, order_id].lines[line_id]
        link = Link(line, replenishment_id, bool(by_hand), qty)
        link.loaded = link.values()
        line.links.append(link)
    missing = {
        line.sku
        for key in named
        if (order := state.orders.get(key)) is not None
        for line in order.lines.values()
        if line.sku not in state.items
    }
    if missing:
        raise Unloaded("skus", missing)


def _order(tx: Transaction, state: State, row: tuple[Any, ...]) -> None:
    (
        shop,
        order_id,
        placed_at,
        judged_at,
        priority,
        destination,
        data_hash,
        ship_mode,
        release,
        holds,
        version,
        version_hash,
        customer,
        ship_to,
        allocation_count,
        clock,
    ) = row
    order = Order(
        shop,
        order_id,
        tx.instant(placed_at),
        tx.instant(judged_at),
        priority,
        destination,
        data_hash,
        ship_mode,
        release,
        tuple(json_value(holds)),
        version,
        version_hash,
        None if customer is None else json_value(customer),
        None if ship_to is None else json_value(ship_to),
        allocation_count,
    )
    order.loaded = order.values()
    state.orders[order.key] = order
    tx.saw(clock)


def _line(tx: Transaction, state: State, row: tuple[Any, ...]) -> Line:
    (
        shop,
        order_id,
        *units,
        sourced,
        group,
        staff_held,
        held_since,
        told,
        told_expected_at,
        told_days,
        name,
        unit_price,
        _linked,
    ) = row
    order = state.orders[shop, order_id]
    values = (
        *units,
        _SOURCED[sourced],
        group,
        bool(staff_held),
        tx.instant(held_since),
        bool(told),
        tx.instant(told_expected_at),
        told_days,
        name,
        None if unit_price is None else json_value(unit_price),
    )
    line = Line(order, *values)
    line.loaded = line.values()
    order.lines[line.line_id] = line
    return line
