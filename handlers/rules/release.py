"""Telling warehouses what to ship, and what not to ship after all (O9, O11).

A turn gathers; at its end each warehouse gets one message per order (and one per release that was
withdrawn), however many lines and skus it concerns.
"""

from datetime import datetime

from events.outbound import BackToShip, ReadyToShip, ReleaseCancelled, ReleasedLine
from handlers.rules.identity import derived
from handlers.state import Allocation, Line, Order
from handlers.turn import Turn


def release(turn: Turn, line: Line, allocation: Allocation) -> None:
    """Let an allocation go to its warehouse at the end of this turn (mode `partial`, O9)."""
    turn.releases.setdefault((line.order.key, allocation.source), []).append((line, allocation))


def withdraw(turn: Turn, line: Line, allocation: Allocation, qty: int) -> None:
    """Take units out of a release; the warehouse is told at the end of this turn (O11)."""
    if allocation.release_id is None:
        return
    key = (line.order.key, allocation.source, allocation.release_id)
    lines = turn.withdrawn.setdefault(key, {})
    lines[line.line_id] = lines.get(line.line_id, 0) + qty


def tell(turn: Turn) -> None:
    """Emit what the turn withdrew and released."""
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
    # Every release of an order knows of the others of this turn: `order_complete` is one answer.
    for (key, source), released in turn.releases.items():
        cause = turn.cause
        first = released[0][1]
        release_id = derived(cause.source, cause.id, "release", *key, source or "", str(first.seq))
        for _line, allocation in released:
            allocation.release_id = release_id
    for (key, source), released in turn.releases.items():
        _emit(turn, turn.state.orders[key], source, released)
    turn.releases.clear()


def _emit(
    turn: Turn, order: Order, source: str | None, released: list[tuple[Line, Allocation]]
) -> None:
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
        and all(allocation.release_id is not None for allocation in line.allocations)
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
