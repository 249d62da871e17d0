"""What warehouses are told to ship, and not to ship (O9-O11)."""

from datetime import datetime
from typing import Any

from events.outbound import BackToShip, ReadyToShip, ReleaseCancelled, ReleasedLine
from events.values import Cause
from tests.reference.rows import Allocation, Line, Order
from tests.reference.world import World

Told = list[tuple[Line, Allocation]]


def release(world: World) -> None:
    """Release what every order lets go, one message for each of its sources (O9, O11)."""
    for order in list(world.orders.values()):
        rows = [
            (line, row)
            for line in order.lines
            for row in line.unreleased
            if row.wanted_now or _may_go(order, line)
        ]
        sources = sorted({row.source for _line, row in rows}, key=lambda name: name or "")
        parts = [[row for row in rows if row[1].source == source] for source in sources]
        for part in parts:
            world.releases += 1
            for _line, allocation in part:
                allocation.release = f"rel-{world.releases}"
                allocation.wanted_now = False
        for part in parts:
            _tell(world, order, part)


def _may_go(order: Order, line: Line) -> bool:
    """Do the holds and the ship mode of an order let the units of a line go (O9, O10)?"""
    if order.holds or order.manual:
        return False
    if order.ship_mode == "complete":
        return not any(_waits(other) for other in order.lines)
    if line.group is not None:
        return not any(_waits(other) for other in order.lines if other.group == line.group)
    return order.ship_mode == "partial" or not _waits(line)


def _waits(line: Line) -> bool:
    return bool(line.shortage or line.pending)


def is_complete(order: Order) -> bool:
    """Is every unit released that is not cancelled, rejected or with a vendor?"""
    return not any(_waits(line) or line.unreleased for line in order.lines)


def _tell(world: World, order: Order, rows: Told) -> None:
    quantities: dict[str, int] = {}
    for line, row in rows:
        quantities[line.line_id] = quantities.get(line.line_id, 0) + row.qty
    fields: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "source": rows[0][1].source,
        "release_id": rows[0][1].release,
        "lines": tuple(
            ReleasedLine(line_id=line.line_id, sku=line.sku, qty=quantities[line.line_id])
            for line in order.lines
            if line.line_id in quantities
        ),
        "order_complete": is_complete(order),
        "ship_to": order.ship_to,
    }
    if not any(row.by_fill for _line, row in rows):
        world.tell(ReadyToShip(**fields))
        return
    since: datetime = min(line.held_since or order.placed_at for line, _row in rows)
    world.tell(BackToShip(**fields, waited_since=since, caused_by=world.cause))


def tell_taken_back(world: World) -> None:
    """Tell warehouses which units of earlier releases not to ship, once for each release (O11)."""
    by_release: dict[tuple[str, Cause], list[tuple[Line, str | None, int]]] = {}
    for line, source, release_id, qty, cause in world.taken_back:
        by_release.setdefault((release_id, cause), []).append((line, source, qty))
    world.taken_back = []
    for (release_id, cause), rows in by_release.items():
        order = rows[0][0].order
        quantities = {
            line.line_id: sum(qty for other, _source, qty in rows if other is line)
            for line, _source, _qty in rows
        }
        world.tell(
            ReleaseCancelled(
                shop=order.shop,
                order_id=order.order_id,
                source=rows[0][1],
                release_id=release_id,
                lines=tuple(
                    ReleasedLine(line_id=line.line_id, sku=line.sku, qty=quantities[line.line_id])
                    for line in order.lines
                    if line.line_id in quantities
                ),
                caused_by=cause,
            )
        )
