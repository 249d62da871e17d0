"""Orders, their lines and allocations: new ones, and what changed of others.

An order nobody has heard of has no row to be locked. An event may be put to wait for it by one
worker while another takes the order in; each would miss the other. So:

- whoever lets an event wait inserts a row for the order, and deletes it again before the commit:
  whoever inserts the order itself meets it, and one of the two waits for the other;
- whoever has inserted new orders looks once more whether an event has come to wait for them.

Who finds that the other was faster raises Collision, and begins again knowing it.
"""

from collections.abc import Collection

from handlers.state import Allocation, Line, Order, OrderKey, State
from store import schema, waiting
from store.columns import instant_text, json_text
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


class _Changes:
    """The rows of a batch, by what is done with them."""

    def __init__(self) -> None:
        self.orders: tuple[list[Row], list[Row]] = ([], [])  # new, changed; as the next two
        self.lines: tuple[list[Row], list[Row]] = ([], [])
        self.allocations: tuple[list[Row], list[Row]] = ([], [])
        self.gone: list[Row] = []


def save(tx: Transaction, state: State, concerned: Collection[OrderKey], clock: int) -> None:
    """Write what is new and what changed; `concerned`: orders of which something is told."""
    changes = _Changes()
    for key, order in state.orders.items():
        _order(changes, order, clock, told=key in concerned)
    new, changed = changes.orders
    new.sort(key=_key)
    tx.append(schema.orders, new)
    tx.update(schema.orders, changed)
    tx.update(schema.order_lines, changes.lines[1])
    tx.append(schema.order_lines, changes.lines[0])
    tx.delete(schema.allocations, changes.gone)
    tx.update(schema.allocations, changes.allocations[1])
    tx.append(schema.allocations, changes.allocations[0])
    placed = [key for key, order in state.orders.items() if order.loaded is None]
    if placed and tx.dialect.locks_rows and waiting.came_for(tx, placed):
        raise Collision("An event came to wait for an order that was being placed.")


def await_unknown(tx: Transaction, awaited: Collection[OrderKey]) -> None:
    """Make sure that orders an event is put to wait for are not being placed at this moment."""
    if not tx.dialect.locks_rows:
        return
    entered = tx.query(_STAND_IN, sorted(awaited))
    if len(entered) < len(awaited):
        raise Collision("An order was placed while an event was put to wait for it.")
    tx.delete(schema.orders, sorted(awaited))


def _order(changes: _Changes, order: Order, clock: int, *, told: bool) -> None:
    placed_at = instant_text(order.placed_at)
    touched = told
    for line in order.lines.values():
        touched = _line(changes, order, line, placed_at) or touched
    if not touched and order.values() == order.loaded:
        return
    row = (
        order.shop,
        order.order_id,
        placed_at,
        instant_text(order.judged_at),
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
    changes.orders[order.loaded is not None].append(row)


def _line(changes: _Changes, order: Order, line: Line, placed_at: str) -> bool:
    """Note what changed of a line; return whether anything did."""
    touched = line.loaded is None
    allocated = 0
    for allocation in line.allocations:
        allocated += allocation.qty
        touched = _allocation(changes, line, allocation) or touched
    if not touched and line.values() == line.loaded:
        return False
    row = (
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
        None if line.held_since is None else instant_text(line.held_since),
        line.told,
        None if line.told_expected_at is None else instant_text(line.told_expected_at),
        line.name,
        None if line.unit_price is None else json_text(line.unit_price),
        allocated,
        order.destination,
        order.priority,
        placed_at,
    )
    changes.lines[line.loaded is not None].append(row)
    return True


def _allocation(changes: _Changes, line: Line, allocation: Allocation) -> bool:
    """Note what changed of an allocation; return whether anything did."""
    loaded = allocation.loaded
    if loaded is None and allocation.qty == 0:
        return False
    values = allocation.values()
    if values == loaded:
        return False
    key = (line.order.shop, line.order.order_id, line.line_id)
    if allocation.qty == 0:
        changes.gone.append((*key, allocation.seq))
    else:
        changes.allocations[loaded is not None].append((*key, *values))
    return True


def _key(row: Row) -> Row:
    return row[:2]
