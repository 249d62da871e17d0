"""Orders, their lines and allocations: new ones, and what changed of others.

An order nobody has heard of has no row to be locked. An event may be put to wait for it by one
worker while another takes the order in; each would miss the other. So:

- whoever lets an event wait inserts a row for the order, and deletes it again before the commit:
  whoever inserts the order itself meets it, and one of the two waits for the other;
- whoever has inserted new orders looks once more whether an event has come to wait for them.

Who finds that the other was faster raises Collision, and begins again knowing it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from handlers.state import Allocation, Line, Order, OrderKey, State
from store import schema, waiting
from store.columns import InstantTexts, json_text
from store.errors import Collision
from store.statements import Columns, Query, Row
from store.transaction import Transaction

_ORDER: Columns = (("shop", "text"), ("order_id", "text"))

_STAND_IN = Query(
    """
    INSERT INTO orders (shop, order_id, placed_at, judged_at, priority, destination, data_hash,
        ship_mode, release, holds, version, allocation_count, clock)
    SELECT shop, order_id, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00', 0, '', '',
        '', '', '[]', 0, 0, 0
    FROM {given} WHERE true
    ON CONFLICT (shop, order_id) DO NOTHING
    RETURNING shop, order_id
    """,
    _ORDER,
)


@dataclass(slots=True)
class _Changes:
    """What changed of orders that were there before; `gone`: keys of allocations that are not."""

    orders: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    new_lines: list[Row] = field(default_factory=list)
    allocations: list[Row] = field(default_factory=list)
    new_allocations: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)


def save(
    tx: Transaction,
    state: State,
    concerned: Collection[OrderKey],
    clock: int,
    instants: InstantTexts,
) -> None:
    """Write new orders whole, and what changed of others; `concerned`: those somebody is told of.

    The rows of new orders are made one by one while the database takes those before them.
    """
    placed = sorted((key, order) for key, order in state.orders.items() if order.loaded is None)
    new = [order for _key, order in placed]
    changes = _Changes()
    for key, order in state.orders.items():
        if order.loaded is not None:
            _compare(changes, order, clock, instants, told=key in concerned)
    tx.append(schema.orders, (_order(order, clock, instants) for order in new))
    tx.update(schema.orders, changes.orders)
    tx.update(schema.order_lines, changes.lines)
    tx.append(schema.order_lines, chain(_lines(new, instants), changes.new_lines))
    tx.delete(schema.allocations, changes.gone)
    tx.update(schema.allocations, changes.allocations)
    tx.append(schema.allocations, chain(_allocations(new), changes.new_allocations))
    if new and tx.dialect.locks_rows and waiting.came_for(tx, [order.key for order in new]):
        raise Collision("An event came to wait for an order that was being placed.")


def await_unknown(tx: Transaction, awaited: Collection[OrderKey]) -> None:
    """Make sure that orders an event is put to wait for are not being placed at this moment."""
    if not tx.dialect.locks_rows:
        return
    entered = tx.query(_STAND_IN, sorted(awaited))
    if len(entered) < len(awaited):
        raise Collision("An order was placed while an event was put to wait for it.")
    tx.delete(schema.orders, sorted(awaited))


def _compare(
    changes: _Changes, order: Order, clock: int, instants: InstantTexts, *, told: bool
) -> None:
    touched = told
    for line in order.lines.values():
        promised = sum([_compare_allocation(changes, line, part) for part in line.allocations])
        if promised or line.values() != line.loaded:
            touched = True
            lines = changes.new_lines if line.loaded is None else changes.lines
            lines.append(_line(order, line, instants))
    if touched or order.values() != order.loaded:
        changes.orders.append(_order(order, clock, instants))


def _compare_allocation(changes: _Changes, line: Line, allocation: Allocation) -> bool:
    """Note what changed of an allocation; return whether anything did."""
    loaded = allocation.loaded
    if loaded is None and allocation.qty == 0:
        return False
    if allocation.values() == loaded:
        return False
    row = _allocation(line.order, line, allocation)
    if allocation.qty == 0:
        changes.gone.append(row[:4])
    elif loaded is None:
        changes.new_allocations.append(row)
    else:
        changes.allocations.append(row)
    return True


def _lines(orders: Iterable[Order], instants: InstantTexts) -> Iterator[Row]:
    for order in orders:
        for line in order.lines.values():
            yield _line(order, line, instants)


def _allocations(orders: Iterable[Order]) -> Iterator[Row]:
    for order in orders:
        for line in order.lines.values():
            for allocation in line.allocations:
                if allocation.qty:
                    yield _allocation(order, line, allocation)


def _order(order: Order, clock: int, instants: InstantTexts) -> Row:
    return (
        order.shop,
        order.order_id,
        instants.of(order.placed_at),
        instants.of(order.judged_at),
        order.priority,
        order.destination,
        order.data_hash,
        order.ship_mode,
        order.release,
        json_text(list(order.holds)) if order.holds else "[]",
        order.version,
        None if order.customer is None else json_text(order.customer),
        None if order.ship_to is None else json_text(order.ship_to),
        order.allocation_count,
        clock,
    )


def _line(order: Order, line: Line, instants: InstantTexts) -> Row:
    return (
        order.shop,
        order.order_id,
        line.line_id,
        line.position,
        line.sku,
        line.ordered,
        line.shortage,
        line.pending,
        line.drop_ship,
        line.shipped,
        line.cancelled,
        line.rejected,
        line.short,
        line.managed,
        None if line.held_since is None else instants.of(line.held_since),
        line.told,
        None if line.told_expected_at is None else instants.of(line.told_expected_at),
        line.name,
        None if line.unit_price is None else json_text(line.unit_price),
        line.allocated,
        order.destination,
        order.priority,
        instants.of(order.placed_at),
    )


def _allocation(order: Order, line: Line, allocation: Allocation) -> Row:
    return (order.shop, order.order_id, line.line_id, *allocation.values())
