"""Orders: locked in order, then read, with their lines, allocations and links.

They are read after the lock is had, so that they are those it protects. A line of a sku that is not
locked here may be read; of it nothing is changed but what is released (O9).

Named orders are read whole. Of one found only because a line of it waits for a sku, the other lines
are mostly left where they are: that of an order of hundreds of lines one is served (a year of a
wholesaler's orders: 8 of 10 lines read were of no use). Read is what still waits, what may leave
with it (O9), and what is bought for its lines; of one whose lines may only get another date (R12),
those lines.
"""

# ruff: noqa: S608 - what is put into SQL is a list of columns

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from events.vocabulary import ShipMode
from handlers.state import (
    Allocation,
    Extent,
    Line,
    Link,
    Order,
    OrderKey,
    ShippedKey,
    Sourced,
    State,
    Unloaded,
)
from store.columns import json_value
from store.dialects.base import Answer
from store.found import Found, LineKey
from store.statements import Columns, Query
from store.transaction import Transaction

_ORDER: Columns = (("shop", "text"), ("order_id", "text"))
_LINE = """t.shop, t.order_id, t.line_id, t.position, t.sku, t.ordered, t.shortage, t.pending,
        t.drop_ship, t.shipped, t.cancelled, t.rejected, t.short, t.sourced, t.group_name,
        t.staff_held, t.held_since, t.told, t.told_expected_at, t.told_days, t.name, t.unit_price,
        t.allocated, t.linked"""

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
    f"""
    SELECT {_LINE}
    FROM {{given}} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.shop, t.order_id, t.position
    """,
    _ORDER,
)
_SOME_LINES = Query(
    f"""
    SELECT {_LINE}
    FROM {{given}} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
        AND (t.shortage > 0 OR t.pending > 0 OR t.unreleased > 0 OR t.linked > 0
            OR t.group_name IS NOT NULL)
    ORDER BY t.shop, t.order_id, t.position
    """,
    _ORDER,
)
_THESE_LINES = Query(
    f"""
    SELECT {_LINE}
    FROM {{given}} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id AND t.line_id = given.line_id
    ORDER BY t.shop, t.order_id, t.position
    """,
    (*_ORDER, ("line_id", "text")),
)
# Told for each: is it more than was to leave there? What is unmanaged has no source of its own.
_SHIPPED = Query(
    """
    SELECT t.sku, given.qty > (
        SELECT COALESCE(SUM(a.qty), 0) FROM allocations AS a
        WHERE a.shop = given.shop AND a.order_id = given.order_id
            AND a.line_id = given.line_id AND COALESCE(a.source, given.source) = given.source
    )
    FROM {given} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id AND t.line_id = given.line_id
    """,
    (*_ORDER, ("line_id", "text"), ("source", "text"), ("qty", "bigint")),
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


def skus_by_order(
    tx: Transaction, orders: Collection[OrderKey]
) -> Callable[[], dict[OrderKey, set[str]]]:
    """Ask for the skus of orders as they are now, without locking anything."""
    asked = tx.ask(_SKUS, sorted(orders))

    def read() -> dict[OrderKey, set[str]]:
        skus: dict[OrderKey, set[str]] = {}
        for shop, order_id, sku in asked():
            skus.setdefault((shop, order_id), set()).add(sku)
        return skus

    return read


def skus_shipped(
    tx: Transaction, shipped: Mapping[ShippedKey, int]
) -> Callable[[], tuple[set[str], set[str]]]:
    """Ask for the skus of lines told to have left, and those of which more has than was to.

    As it is now, without locking anything.
    """
    asked = tx.ask(_SHIPPED, sorted((*key, qty) for key, qty in shipped.items()))

    def read() -> tuple[set[str], set[str]]:
        found = asked()
        return {sku for sku, _more in found}, {sku for sku, more in found if more}

    return read


@dataclass(frozen=True, slots=True)
class Wanted:
    """The orders to be loaded, and how much of each.

    `whole`: all lines. `waiting`: orders of which lines may be served; all that waits, where they
    may leave one by one. `shipped`: lines that have left; the same of their orders, and these.
    `dated`: lines that may get another date; of their orders only these.
    """

    whole: set[OrderKey]
    waiting: set[OrderKey]
    shipped: set[LineKey]
    dated: Found[str]


def load(tx: Transaction, state: State, wanted: Wanted, named: Collection[OrderKey]) -> None:
    """Lock and read the wanted orders; of the named ones, note which there are not.

    A new order need not be wanted: who has placed the same one since it was first asked for is met
    when this one is written.
    Raises Unloaded where a named order has a line of a sku that is not locked.
    """
    shipped = {(shop, order_id) for shop, order_id, _line_id in wanted.shipped}
    some = (wanted.waiting | shipped) - wanted.whole
    dated = wanted.dated.orders - some - wanted.whole
    locked = tx.ask(LOCK, sorted(wanted.whole | some | dated))
    whole = tx.ask(_LINES, sorted(wanted.whole))
    for row in locked():
        _order(tx, state, row)
    state.unknown_orders = {key for key in shipped.union(named) if key not in state.orders}
    for key in some & state.orders.keys():
        if state.orders[key].ship_mode == ShipMode.PARTIAL:
            state.orders[key].extent = Extent.WAITING
    for key in dated & state.orders.keys():
        state.orders[key].extent = Extent.DATED
    allocated, linked = _lines(tx, state, wanted, whole)
    promised, bought = tx.ask(_ALLOCATIONS, sorted(allocated)), tx.ask(_LINKS, sorted(linked))
    _allocations(state, promised)
    _links(state, bought)
    missing = {
        line.sku
        for key in named
        if (order := state.orders.get(key)) is not None
        for line in order.lines.values()
        if line.sku not in state.items
    }
    if missing:
        raise Unloaded("skus", missing)


def _lines(
    tx: Transaction, state: State, wanted: Wanted, whole: Answer
) -> tuple[set[OrderKey], set[OrderKey]]:
    """Read the lines; return the orders of which any has allocations, and links.

    `whole`: those of the orders wanted whole.
    """
    allocated, linked = set(), set()
    keys: dict[Extent, set[OrderKey]] = {extent: set() for extent in Extent}
    for key, order in state.orders.items():
        keys[order.extent].add(key)
    dated = {line for lines in wanted.dated.lines.values() for line in lines}
    these = {line for line in dated if line[:2] in keys[Extent.DATED]}
    these |= {line for line in wanted.shipped if line[:2] in keys[Extent.WAITING]}
    others = tx.ask(_LINES, sorted(keys[Extent.WHOLE] - wanted.whole))
    waiting = tx.ask(_SOME_LINES, sorted(keys[Extent.WAITING]))
    named = tx.ask(_THESE_LINES, sorted(these))
    for row in chain(whole(), others(), waiting(), named()):
        key = (row[0], row[1])
        if key not in state.orders:
            continue  # placed since the locks were had: to this transaction it is unknown
        order = state.orders[key]
        if row[2] in order.lines:
            continue  # it has left, and some of it waits
        _line(tx, order, row)
        if row[-2]:
            allocated.add(order.key)
        if row[-1]:
            linked.add(order.key)
    for key in {line[:2] for line in these}:
        order = state.orders[key]
        order.lines = dict(sorted(order.lines.items(), key=_by_position))
    return allocated, linked


def _by_position(named: tuple[str, Line]) -> int:
    return named[1].position


def _allocations(state: State, asked: Answer) -> None:
    for shop, order_id, line_id, seq, source, qty, by_fill, release_id in asked():
        line = state.orders[shop, order_id].lines.get(line_id)
        if line is not None:  # else it is one that was left where it is
            allocation = Allocation(seq, source, qty, bool(by_fill), release_id)
            allocation.loaded = allocation.values()
            line.allocations.append(allocation)


def _links(state: State, asked: Answer) -> None:
    for shop, order_id, line_id, replenishment_id, by_hand, qty in asked():
        line = state.orders[shop, order_id].lines.get(line_id)
        if line is not None:
            link = Link(line, replenishment_id, bool(by_hand), qty)
            link.loaded = link.values()
            line.links.append(link)


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


def _line(tx: Transaction, order: Order, row: tuple[Any, ...]) -> None:
    (
        _shop,
        _order_id,
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
        _allocated,
        _linked,
    ) = row
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
