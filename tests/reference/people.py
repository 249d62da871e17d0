"""What people ask for: let it go, put it back (S10, S11)."""

from events.inbound import BackToShipRequested, LineBackordered
from tests.reference import filling, ledger, links, places, promises, stock
from tests.reference.rows import Line, Order
from tests.reference.world import World


def back_to_ship_requested(world: World, order: Order, _data: BackToShipRequested) -> None:
    """Lift staff holds, and release what is allocated, whatever the ship mode (S11)."""
    if order.holds:
        world.warn("refused", "on_hold", **order.refs)
        return
    held = [line for line in order.lines if line.staff_held]
    if not held and not any(line.unreleased for line in order.lines):
        at_dock = any(line.shortage and _is_next_at_a_dock(world, line) for line in order.lines)
        world.warn("refused", "at_dock_only" if at_dock else "nothing_allocated", **order.refs)
        return
    for line in held:
        line.staff_held = False
    for sku in sorted({line.sku for line in held}):
        filling.serve_all(world, sku)
    for line in order.lines:
        for row in line.unreleased:
            row.wanted_now = True


def _is_next_at_a_dock(world: World, line: Line) -> bool:
    """Do units for the first that waits of a line lie at a dock (S11)?"""
    for link in world.links:
        if link.line is line and links.docked_of(world, link.replenishment, line.sku):
            ahead = 0
            for other in links.links_on(world, link.replenishment, line.sku):
                if other is link:
                    break
                ahead += other.qty
            if ahead < links.docked_of(world, link.replenishment, line.sku):
                return True
    if line.way == "buy_to_order" or line.shortage <= world.linked(line):
        return False
    destination = line.order.destination or ""
    ahead = sum(
        other.shortage - world.linked(other)
        for other in world.lines(line.sku)
        if other.order.destination == destination
        and other.way not in {"buy_to_order", "drop_ship"}
        and other.rank < line.rank
    )
    at_docks = sum(
        max(0, ledger.unpromised(world, line.sku, name) - links.docked_at(world, line.sku, name))
        for name in places.docks_of(world, destination)
    )
    return ahead < at_docks


def line_backordered(world: World, order: Order, data: LineBackordered) -> None:
    """Put units of a line back: a picker did not find them, or staff hold it (S10)."""
    line = order.line(data.line_id)
    refs = {"place": data.source, **order.refs, "line_id": data.line_id}
    if line is None:
        world.warn("refused", "unknown_line", **refs)
        return
    refs["sku"] = line.sku
    there = sum(row.qty for row in line.allocations if row.source == data.source)
    if not there:
        world.warn("refused", "nothing_allocated", **refs)
        return
    qty = min(data.qty, there)
    if data.qty > there:
        world.warn("refused", "more_than_allocated", **refs)
    short_pick = data.reason == "short_pick"
    in_order = promises.released_first if short_pick else promises.unreleased_first
    _taken, freed = promises.take_out_of(
        world, line, qty, lambda row: [a for a in in_order(row) if a.source == data.source]
    )
    promises.hold_anew(world, line, qty)
    if short_pick:
        missing = ("stock_missing", refs)
        ledger.move(world, line.sku, qty, data.source, None, "adjustment", "written_off", missing)
        stock.cover(world)
        filling.serve_all(world, line.sku)
    else:
        line.staff_held = True
        filling.reuse(world, freed)
