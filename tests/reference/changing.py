"""Orders cancelled and changed (C1, C2)."""

from events.inbound import CancelledLine, OrderCancelled, OrderChanged
from tests.reference import filling, judging
from tests.reference.promises import Freed, take_out_of, unreleased_first
from tests.reference.rows import Line, Order
from tests.reference.world import World


def cancelled(world: World, order: Order, data: OrderCancelled) -> Freed:
    """Cancel an order, lines of it, or units of a sku; return what is freed (C1)."""
    freed: Freed = []
    if data.lines is None:
        for line in order.lines:
            freed += _cancel_whole(world, line)
        return freed
    for row in data.lines:
        freed += _cancel_row(world, order, row)
    return freed


def _cancel_row(world: World, order: Order, row: CancelledLine) -> Freed:
    if row.line_id is None:
        assert row.sku is not None
        return _cancel_sku(world, order, row.sku, row.qty or 0)
    line = order.line(row.line_id)
    if line is None:
        world.warn("over_cancelled", **order.refs, line_id=row.line_id)
        return []
    if row.qty is None:
        return _cancel_whole(world, line)
    taken, freed = cancel(world, line, row.qty)
    if taken < row.qty:
        world.warn("over_cancelled", **line.refs)
    return freed


def _cancel_whole(world: World, line: Line) -> Freed:
    _taken, freed = cancel(world, line, line.open)
    if line.shipped or line.open:
        world.warn("over_cancelled", **line.refs)
    return freed


def _cancel_sku(world: World, order: Order, sku: str, qty: int) -> Freed:
    freed: Freed = []
    for line in reversed(order.lines):
        if line.sku == sku:
            taken, units = cancel(world, line, qty)
            qty -= taken
            freed += units
    if qty:
        rows = [line for line in order.lines if line.sku == sku]
        world.warn(
            "over_cancelled", **(rows[0].refs if len(rows) == 1 else {**order.refs, "sku": sku})
        )
    return freed


def cancel(world: World, line: Line, qty: int) -> tuple[int, Freed]:
    """Cancel up to `qty` units: what waits, what a vendor may still drop, what is promised (C1)."""
    before = line.open
    wanted = qty
    for term in ("shortage", "pending"):
        units = min(qty, getattr(line, term))
        setattr(line, term, getattr(line, term) - units)
        qty -= units
    units = min(qty, not_sent_for(world, line))
    line.drop_ship -= units
    qty -= units
    _taken, freed = take_out_of(world, line, qty, unreleased_first)
    taken = min(wanted, before - line.open)
    line.cancelled += taken
    return taken, freed


def not_sent_for(world: World, line: Line) -> int:
    """Return the drop-ship units whose replenishment is open, or that have none (C1, K8)."""
    sent = sum(
        link.qty for link in world.links if link.line is line and not link.replenishment.is_open
    )
    return line.drop_ship - sent if line.way == "drop_ship" else 0


def other_sku(order: Order, data: OrderChanged) -> str | None:
    """Return the field where a known line comes with another sku: that is a conflict."""
    for index, row in enumerate(data.lines):
        line = order.line(row.line_id)
        if line is not None and line.sku != row.sku:
            return f"data.lines.{index}.sku"
    return None


def changed(world: World, order: Order, data: OrderChanged) -> None:
    """Make an order what is wanted now: less is cancelled, more is judged like new (C2)."""
    order.version = data.version
    order.customer, order.ship_to = data.customer, data.ship_to
    freed: Freed = []
    for line in order.lines:
        wanted = sum(row.qty for row in data.lines if row.line_id == line.line_id)
        less = max(0, line.ordered - line.cancelled - wanted - line.rejected)
        taken, units = cancel(world, line, less)
        freed += units
        if taken < less:
            world.warn("over_cancelled", **line.refs)
    filling.reuse(world, freed)
    extras = _extras(order, data)
    if order.waits_for_payment:
        for line, qty in extras:
            line.pending += qty
        return
    if extras:
        judging.judge(world, order, extras, judging.wanted_of(order))


def _extras(order: Order, data: OrderChanged) -> list[tuple[Line, int]]:
    """Add what is ordered on top, and return it: new lines come after those there are (C2)."""
    extras = []
    for row in data.lines:
        line = order.line(row.line_id)
        if line is None:
            line = Line(order, row.line_id, len(order.lines), row.sku, 0, row.group)
            order.lines.append(line)
        more = row.qty - (line.ordered - line.cancelled)
        if more > 0:
            line.ordered += more
            extras.append((line, more))
    return extras
