"""Goods received, moved, counted, sent back; promised and not there (S1-S3, S8, S12)."""

from collections.abc import Iterable
from typing import Protocol

from events.inbound import StockCounted, StockReceived, StockReturned, StockTransferred
from tests.reference import buying, filling, ledger, links, places, promises
from tests.reference.rows import Replenishment
from tests.reference.world import World


class _Quantity(Protocol):
    @property
    def sku(self) -> str: ...

    @property
    def qty(self) -> int: ...


def quantities(lines: Iterable[_Quantity]) -> dict[str, int]:
    """Sum the lines of a message by sku."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.sku] = sums.get(line.sku, 0) + line.qty
    return sums


def received(world: World, data: StockReceived) -> None:
    """Book a receipt, take it off what was on its way, serve who waits (S1, S2)."""
    places.see_place(world, data.place)
    target = data.transfer_to or data.place
    places.see_place(world, target)
    row = _named(world, data)
    if row is not None and row.is_open:
        finalize(world, row)
    arrived: dict[str, int] = {}
    for sku, qty in quantities(data.lines).items():
        linked = 0 if row is None else _take_off(world, row, sku, qty, data.place)
        missing = ("stock_missing", dict[str, str]())
        usable = ledger.move(world, sku, qty, None, data.place, "vendor", "received", missing)
        if target != data.place:
            usable = ledger.move(world, sku, qty, data.place, target, None, "transferred", missing)
        if row is not None:
            usable -= links.arrive_linked(world, row, sku, target, min(linked, usable))
        arrived[sku] = usable
    cover(world)
    for sku, qty in arrived.items():
        filling.arrive(world, sku, target, qty)
        filling.serve_all(world, sku)


def _named(world: World, data: StockReceived) -> Replenishment | None:
    """Return the replenishment a receipt is for; a person is told where it is not as expected."""
    name = data.replenishment_id
    if name is None:
        return None
    row = world.replenishment(name)
    if row is None:
        world.warn("unknown_replenishment", place=data.place, replenishment_id=name)
    elif data.place not in {row.destination, *_docks_feeding(world, row.destination)}:
        world.warn("wrong_place", place=data.place, **row.refs)
    return row


def _docks_feeding(world: World, destination: str) -> list[str]:
    return [
        place.name
        for place in world.places.values()
        if place.kind == "dock" and place.feeds == destination
    ]


def finalize(world: World, row: Replenishment) -> None:
    """Send an open replenishment to its vendor as it is; what it asks is told before (R4, S1)."""
    buying.tell_one(world, row)
    row.state, row.finalized_at = "finalized", world.at


def _take_off(world: World, row: Replenishment, sku: str, qty: int, place: str) -> int:
    """Take a receipt off what was outstanding; return how much of it is for linked lines (S1)."""
    was_late = row.state in {"closed", "cancelled"}
    outstanding = row.outstanding(sku)
    if qty > outstanding:
        code = "late_receipt" if was_late else "over_receipt"
        world.warn(code, sku=sku, place=place, **row.refs)
    units = min(qty, outstanding)
    before = links.linked_on(world, row, sku) - links.docked_of(world, row, sku)
    if units:
        row.lines[sku].received += units
        after_receipt(row)
    return 0 if row.for_customer else max(0, min(units, before))


def after_receipt(row: Replenishment) -> None:
    """Say what a replenishment is after something of it arrived (S1)."""
    if not any(line.received for line in row.lines.values()):
        return
    if any(row.outstanding(sku) for sku in row.lines):
        row.state = "partially_received"
    else:
        row.state = "received"


def transferred(world: World, data: StockTransferred) -> None:
    """Move goods; at a source they serve who waits (S2, S7)."""
    places.see_place(world, data.from_place)
    places.see_place(world, data.to)
    if data.from_place == data.to:
        return
    arrived: dict[str, int] = {}
    for sku, qty in quantities(data.lines).items():
        missing = ("stock_missing", dict[str, str]())
        usable = ledger.move(
            world, sku, qty, data.from_place, data.to, None, "transferred", missing
        )
        given = links.move_docked(world, sku, data.from_place, data.to, usable)
        arrived[sku] = usable - given
    cover(world)
    for sku, qty in arrived.items():
        filling.arrive(world, sku, data.to, qty)
        filling.serve_all(world, sku)


def returned(world: World, data: StockReturned) -> None:
    """Book what a customer sent back; at a source it serves who waits (S12)."""
    places.see_place(world, data.place)
    for sku, qty in quantities(data.lines).items():
        usable = ledger.move(
            world, sku, qty, None, data.place, "customer", "returned", ("stock_missing", {})
        )
        filling.arrive(world, sku, data.place, usable)
        filling.serve_all(world, sku)


def counted(world: World, data: StockCounted) -> None:
    """Believe a count; more serves who waits, less takes from who was not told yet (S8)."""
    places.see_place(world, data.place)
    differences = {
        sku: ledger.count(world, sku, data.place, qty)
        for sku, qty in quantities(data.lines).items()
    }
    cover(world)
    for sku, qty in differences.items():
        filling.arrive(world, sku, data.place, qty)
        filling.serve_all(world, sku)


def cover(world: World) -> None:
    """Where less is on hand than is promised, hold again who was not told yet (S8).

    The last in the queue loses first, of its promises the latest; what is still too much was told
    to a warehouse, and a person must look. What else is there serves them after (S3).
    """
    lowered, world.lowered = world.lowered, []
    done = []
    for sku, place, refs in lowered:
        if (sku, place) in done:
            continue
        done.append((sku, place))
        _hold_again(world, sku, place)
        if ledger.available(world, sku, place) < 0:
            world.warn("over_allocated", **{"sku": sku, "place": place, **refs})


def _hold_again(world: World, sku: str, place: str) -> None:
    for line in sorted(world.lines(sku), key=lambda line: line.rank, reverse=True):
        for row in reversed(line.unreleased):
            over = -ledger.available(world, sku, place)
            units = min(over, row.qty)
            if row.source == place and units > 0:
                promises.take_out(world, line, row, units)
                promises.hold_anew(world, line, units)
