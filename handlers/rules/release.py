"""Telling warehouses what to ship, and what not to ship after all (O9, O10, O11).

A turn notes the orders it touched; at its end, when all its effects are there, each warehouse gets
one message per order (and one per release that was withdrawn), however many lines it concerns.
"""

from collections.abc import Iterable
from datetime import datetime

from events.outbound import BackToShip, ReadyToShip, ReleaseCancelled, ReleasedLine
from events.vocabulary import ReleaseMode, ShipMode
from handlers.rules.identity import derived
from handlers.state import Allocation, Line, Order
from handlers.turn import Turn

Released = list[tuple[Line, Allocation]]


def withdraw(turn: Turn, line: Line, allocation: Allocation, qty: int) -> None:
    """Take units out of a release; the warehouse is told at the end of this turn (O11)."""
    turn.revisit(line.order)
    if allocation.release_id is None:
        return
    key = (line.order.key, allocation.source, allocation.release_id)
    lines = turn.withdrawn.setdefault(key, {})
    lines[line.line_id] = lines.get(line.line_id, 0) + qty


def tell(turn: Turn) -> None:
    """Emit what the turn withdrew, then what of the orders it touched may go now."""
    for ((shop, order_id), source, release_id), lines in turn.withdrawn.items():
        order = turn.state.orders[shop, order_id]
        turn.emit(
            ReleaseCancelled(
                shop=shop,
                order_id=order_id,
                source=source,
                release_id=release_id,
                lines=_lines(order, lines),
                caused_by=turn.cause,
            ),
            subject(order),
            release_id,
        )
    turn.withdrawn.clear()
    for key in turn.orders:
        order = turn.state.orders[key]
        _release(turn, order, list(_ready(order)))
    turn.orders.clear()


def together(line: Line) -> list[Line]:
    """Return the lines that leave only together with this one; itself alone: it leaves whole.

    Empty: it may leave in parts (O9).
    """
    order = line.order
    if order.ship_mode == ShipMode.COMPLETE:
        return list(order.lines.values())
    if line.group is not None:
        return [peer for peer in order.lines.values() if peer.group == line.group]
    return [line] if order.ship_mode == ShipMode.LINE else []


def _ready(order: Order) -> Iterable[tuple[Line, Allocation]]:
    """Yield the unreleased allocations that may go: whole, or asked for by a person (S11)."""
    if order.holds:
        return
    for line in order.lines.values():
        waiting = [row for row in line.allocations if row.release_id is None and row.qty]
        if not waiting:
            continue
        may_go = order.release != ReleaseMode.MANUAL and not any(
            peer.shortage or peer.pending for peer in together(line)
        )
        yield from ((line, row) for row in waiting if may_go or row.asked_for)


def _release(turn: Turn, order: Order, ready: Released) -> None:
    """Tell each source what to ship of an order, in the order of its allocations."""
    by_source: dict[str | None, Released] = {}
    for line, allocation in sorted(ready, key=lambda pair: pair[1].seq):
        by_source.setdefault(allocation.source, []).append((line, allocation))
    cause = turn.cause
    # Every release of an order knows of the others of this turn: `order_complete` is one answer.
    for source, released in by_source.items():
        first = str(released[0][1].seq)
        parts = (cause.source, cause.id, "release", *order.key, source or "", first)
        release_id = derived(*parts)
        for _line, allocation in released:
            allocation.release_id = release_id
    for source, released in by_source.items():
        _emit(turn, order, source, released)


def _emit(turn: Turn, order: Order, source: str | None, released: Released) -> None:
    quantities: dict[str, int] = {}
    for line, allocation in released:
        quantities[line.line_id] = quantities.get(line.line_id, 0) + allocation.qty
    release_id = released[0][1].release_id or ""
    lines = _lines(order, quantities)
    complete = _complete(order)
    if any(allocation.by_fill for _line, allocation in released):
        turn.emit(
            BackToShip(
                shop=order.shop,
                order_id=order.order_id,
                source=source,
                release_id=release_id,
                lines=lines,
                order_complete=complete,
                ship_to=order.ship_to,
                waited_since=min(_waited_since(line) for line, _allocation in released),
                caused_by=turn.cause,
            ),
            subject(order),
            release_id,
        )
    else:
        turn.emit(
            ReadyToShip(
                shop=order.shop,
                order_id=order.order_id,
                source=source,
                release_id=release_id,
                lines=lines,
                order_complete=complete,
                ship_to=order.ship_to,
            ),
            subject(order),
            release_id,
        )


def _waited_since(line: Line) -> datetime:
    return line.held_since if line.held_since is not None else line.order.placed_at


def _complete(order: Order) -> bool:
    """Has every unit that is not cancelled, rejected or with a vendor been released?"""
    return all(
        line.shortage == 0
        and line.pending == 0
        and all(row.release_id is not None for row in line.allocations if row.qty)
        for line in order.lines.values()
    )


def _lines(order: Order, quantities: dict[str, int]) -> tuple[ReleasedLine, ...]:
    chosen = sorted((order.lines[line_id] for line_id in quantities), key=lambda x: x.position)
    return tuple(
        ReleasedLine(line_id=line.line_id, sku=line.sku, qty=quantities[line.line_id])
        for line in chosen
    )


def subject(order: Order) -> str:
    """Return the CloudEvents subject of what concerns an order."""
    return f"{order.shop}/{order.order_id}"
