"""What left: from where it was promised or not, from us or from a vendor (S9, R10)."""

from events.inbound import OrderShipped
from tests.reference import filling, ledger, links, places, stock
from tests.reference.judging import way_of
from tests.reference.promises import Freed, take_out_of
from tests.reference.rows import Allocation, Line, Order
from tests.reference.world import World

VENDOR = "vendor:"


def shipped(world: World, order: Order, data: OrderShipped) -> None:
    """Book a shipment: what a line gives for it, what leaves the place, what is too much (S9)."""
    vendor = _vendor(data.source)
    if vendor is None:
        places.see_place(world, data.source)
    left: dict[str, int] = {}
    freed: Freed = []
    for row in data.lines:
        line = order.line(row.line_id)
        over, units = (row.qty, []) if line is None else _take(world, line, row.qty, data.source)
        freed += units
        if over:
            refs = {**order.refs, "line_id": row.line_id} if line is None else line.refs
            world.warn("over_shipment", place=data.source, **refs)
        if line is not None and (line.way or way_of(world, line.sku)) != "unmanaged":
            left[line.sku] = left.get(line.sku, 0) + row.qty
    if vendor is None:
        for sku, qty in left.items():
            missing = ("over_shipment", order.refs)
            ledger.move(world, sku, qty, data.source, None, "customer", "shipped", missing)
        stock.cover(world)
    filling.reuse(world, freed)
    for sku in sorted(left):
        filling.serve_all(world, sku)


def _vendor(source: str) -> str | None:
    return source.removeprefix(VENDOR) if source.startswith(VENDOR) else None


def _take(world: World, line: Line, qty: int, source: str) -> tuple[int, Freed]:
    """Turn units of a line into shipped ones, in the order of S9; return what is too much."""
    asked, vendor = qty, _vendor(source)
    if vendor is not None:
        units = min(qty, line.drop_ship)
        line.drop_ship -= units
        qty -= units
        if units:
            _receive_from(world, line, vendor, units)
    for row in _told_first(line, source):
        units = min(qty, row.qty)
        row.qty -= units
        qty -= units
    line.allocations = [row for row in line.allocations if row.qty]
    taken, freed = take_out_of(world, line, qty, _untold_first)
    qty -= taken
    for term in ("shortage", "pending", "cancelled", "rejected"):
        units = min(qty, getattr(line, term))
        setattr(line, term, getattr(line, term) - units)
        qty -= units
    line.shipped += asked - qty
    return qty, freed


def _untold_first(line: Line) -> list[Allocation]:
    """Return what is promised elsewhere: better take what no warehouse was told of."""
    return sorted(line.allocations, key=lambda row: row.release is not None)


def _told_first(line: Line, source: str) -> list[Allocation]:
    """Return what is promised at a source, or anywhere: what was released is what left."""
    there = [row for row in line.allocations if row.source in {source, None}]
    return sorted(there, key=lambda row: row.release is None)


def _receive_from(world: World, line: Line, vendor: str, qty: int) -> None:
    """Count shipped units as received on what the vendor was asked to ship (K7)."""
    destination = links.destination_of(line)
    for row in list(world.replenishments):
        if (row.vendor, row.destination) != (vendor, destination) or not qty:
            continue
        if row.is_open:
            stock.finalize(world, row)
        units = min(qty, row.outstanding(line.sku))
        if units:
            qty -= units
            row.lines[line.sku].received += units
            stock.after_receipt(row)
            links.serve(world, line, row, units)
