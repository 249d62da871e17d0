"""Orders, their lines, allocations and links: new ones, and what changed of others."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from handlers.state import Allocation, Line, Link, Order, OrderKey, Sourced, State
from store import schema
from store.columns import InstantTexts, json_text
from store.statements import Row
from store.transaction import Transaction

_SOURCED = {way: str(way) for way in Sourced}
_COPIED = itemgetter(2, 4, 5)  # of an order's values: placed_at, priority, destination

# What a fill changes, and most of what else happens to a line that is there; the rest of its 32
# columns stays. Written alone it saves a sixth of the CPU of a fill.
_UNITS = slice(4, 10)  # of a line's values: shortage to rejected
_MOVED = (
    *("shop", "order_id", "line_id"),
    *("shortage", "pending", "drop_ship", "shipped", "cancelled", "rejected", "allocated"),
    *("queued", "fillable", "linked", "unlinked", "unreleased"),
)
_COUNTED = ("shop", "order_id", "allocation_count", "clock")


@dataclass(slots=True)
class _Changes:
    """What changed of orders that were there before; `gone`, `gone_links`: keys of what is not.

    `counted`, `moved`: orders and lines of which nothing else changed, see `_COUNTED`, `_MOVED`.
    """

    orders: list[Row] = field(default_factory=list)
    counted: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    moved: list[Row] = field(default_factory=list)
    new_lines: list[Row] = field(default_factory=list)
    allocations: list[Row] = field(default_factory=list)
    new_allocations: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    links: list[Row] = field(default_factory=list)
    new_links: list[Row] = field(default_factory=list)
    gone_links: list[Row] = field(default_factory=list)


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
    tx.update(schema.orders, changes.counted, _COUNTED)
    tx.update(schema.order_lines, changes.lines)
    tx.update(schema.order_lines, changes.moved, _MOVED)
    tx.append(schema.order_lines, chain(_lines(new, instants), changes.new_lines))
    tx.delete(schema.allocations, changes.gone)
    tx.update(schema.allocations, changes.allocations)
    tx.append(schema.allocations, chain(_allocations(new), changes.new_allocations))
    tx.delete(schema.links, changes.gone_links)
    tx.update(schema.links, changes.links)
    tx.append(schema.links, chain(_links(new, instants), changes.new_links))


def _compare(
    changes: _Changes, order: Order, clock: int, instants: InstantTexts, *, told: bool
) -> None:
    values = order.values()
    copied = order.loaded is None or _COPIED(values) != _COPIED(order.loaded)  # each line says so
    touched = told
    for line in order.lines.values():
        promised = sum([_compare_allocation(changes, line, part) for part in line.allocations])
        bought = sum([_compare_link(changes, link, instants) for link in line.links])
        if copied or promised or bought or line.values() != line.loaded:
            touched = True
            _note_line(changes, order, line, instants, copied=copied)
    if order.loaded is not None and values[:-1] == order.loaded[:-1]:
        if touched or values != order.loaded:
            changes.counted.append((*order.key, order.allocation_count, clock))
    else:
        changes.orders.append(_order(order, clock, instants))


def _note_line(
    changes: _Changes, order: Order, line: Line, instants: InstantTexts, *, copied: bool
) -> None:
    """Note a line that is new, or has changed: only what moved, where nothing else did."""
    values, loaded = line.values(), line.loaded
    if loaded is None:
        changes.new_lines.append(_line(order, line, instants))
    elif copied or _but_units(values) != _but_units(loaded):
        changes.lines.append(_line(order, line, instants))
    else:
        moved = (*values[_UNITS], line.allocated, *_waits(line), line.unreleased)
        changes.moved.append((*order.key, line.line_id, *moved))


def _but_units(values: tuple[object, ...]) -> tuple[object, ...]:
    return values[: _UNITS.start] + values[_UNITS.stop :]


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


def _compare_link(changes: _Changes, link: Link, instants: InstantTexts) -> bool:
    """Note what changed of a link; return whether anything did."""
    loaded = link.loaded
    if (loaded is None and link.qty == 0) or link.values() == loaded:
        return False
    row = _link(link, instants)
    if link.qty == 0:
        changes.gone_links.append(row[:5])
    else:
        (changes.new_links if loaded is None else changes.links).append(row)
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


def _links(orders: Iterable[Order], instants: InstantTexts) -> Iterator[Row]:
    for order in orders:
        for line in order.lines.values():
            for link in line.links:
                if link.qty:
                    yield _link(link, instants)


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
        order.version_hash,
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
        _SOURCED[line.sourced],
        line.group,
        line.staff_held,
        None if line.held_since is None else instants.of(line.held_since),
        line.told,
        None if line.told_expected_at is None else instants.of(line.told_expected_at),
        line.told_days,
        line.name,
        None if line.unit_price is None else json_text(line.unit_price),
        line.allocated,
        *_waits(line),
        line.unreleased,
        order.destination,
        order.priority,
        instants.of(order.placed_at),
    )


def _waits(line: Line) -> tuple[int, int, int, int]:
    """Return what is derived of a line that waits; most lines do not, and need not be asked."""
    if not (line.shortage or line.drop_ship or line.links):
        return (0, 0, 0, 0)
    return (line.queued, line.fillable, line.linked, line.unlinked)


def _allocation(order: Order, line: Line, allocation: Allocation) -> Row:
    return (order.shop, order.order_id, line.line_id, *allocation.values())


def _link(link: Link, instants: InstantTexts) -> Row:
    line = link.line
    order = line.order
    return (
        order.shop,
        order.order_id,
        line.line_id,
        *link.values(),
        line.sku,
        order.priority,
        instants.of(order.placed_at),
        line.position,
    )
