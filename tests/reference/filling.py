"""Units for those who wait, in their order (S3, S4, O9)."""

from tests.reference import ledger, places, selling
from tests.reference.promises import Freed, give
from tests.reference.rows import Line
from tests.reference.world import World


def queue(world: World, sku: str, source: str) -> list[Line]:
    """Return the held lines a source may serve, in queue order (S4)."""
    waiting = [
        line
        for line in world.lines(sku)
        if line.shortage and line.fillable and source in places.sources_of(world, line.order.shop)
    ]
    return sorted(
        waiting,
        key=lambda line: (not places.serves(world, line.order.destination, source), line.rank),
    )


def arrive(world: World, sku: str, source: str, qty: int) -> None:
    """Serve who waits from units that arrived at a source or were freed there (S3)."""
    if qty > 0 and source in world.places and world.places[source].picks:
        _serve(world, sku, source, qty)


def serve_all(world: World, sku: str) -> None:
    """Serve who waits from everything that lies above the safety stock (S3)."""
    for place in places.by_priority(world):
        if place.picks:
            _serve(world, sku, place.name, 0)


def reuse(world: World, freed: Freed) -> None:
    """Serve who waits from freed units, in the order they were freed, then from the rest (S3)."""
    units: dict[tuple[str, str], int] = {}
    for sku, source, qty in freed:
        units[sku, source] = units.get((sku, source), 0) + qty
    for sku in dict.fromkeys(sku for sku, _source, _qty in freed):
        for (name, source), qty in units.items():
            if name == sku:
                arrive(world, sku, source, qty)
        serve_all(world, sku)


def shortages(world: World) -> dict[tuple[str, str, str], int]:
    """Return how much every line waits for."""
    return {
        (*key, line.line_id): line.shortage
        for key, order in world.orders.items()
        for line in order.lines
    }


def serve_rests(world: World, before: dict[tuple[str, str, str], int]) -> None:
    """Serve what orders can have whole of which a line waits for less now (O9).

    A cancelled shortage is no arrival (S3). But where units must be had together, it may be the
    last that was missing.
    """
    if world.keep_partial_allocations:
        return
    now = shortages(world)
    for key, order in list(world.orders.items()):
        if any(
            now[*key, line.line_id] < before.get((*key, line.line_id), 0) for line in order.lines
        ):
            for sku in sorted({line.sku for line in order.lines if line.shortage}):
                serve_all(world, sku)


def _serve(world: World, sku: str, source: str, arrived: int) -> None:
    for line in queue(world, sku, source):
        there = ledger.unpromised(world, sku, source)
        if not line.shortage or not there:
            continue  # served meanwhile with a line it leaves with; or nothing is left here
        above = selling.free(world, line.order.shop, sku)
        if must_be_had_whole(world, line):
            taken = _serve_whole(world, line, source, min(arrived, there), above)
        else:
            taken = min(line.shortage, there, max(arrived, above))
            if taken > 0:
                give(line, source, taken)
        arrived = max(0, arrived - max(0, taken))


def unit_of(line: Line) -> list[Line]:
    """Return the lines that must go together with a line, itself among them (O9)."""
    order = line.order
    if order.ship_mode == "complete":
        return list(order.lines)
    if line.group is not None:
        return [other for other in order.lines if other.group == line.group]
    return [line]


def must_be_had_whole(world: World, line: Line) -> bool:
    """Are its units reserved only together with all of its unit (O9)?"""
    restricted = line.order.ship_mode != "partial" or line.group is not None
    return restricted and not world.keep_partial_allocations


def _serve_whole(world: World, line: Line, source: str, arrived: int, above: int) -> int:
    """Serve all of a unit at once, or none of it; return the units taken at this source."""
    waiting = [other for other in unit_of(line) if other.shortage]
    if not all(other.fillable for other in waiting):
        return 0
    shop = line.order.shop
    for sku in {other.sku for other in waiting}:
        wanted = sum(other.shortage for other in waiting if other.sku == sku)
        may_have = max(arrived, above) if sku == line.sku else selling.free(world, shop, sku)
        if wanted > may_have:
            return 0
    before = ledger.allocated(world, line.sku, source)
    for sku in sorted({other.sku for other in waiting}):
        rows = [other for other in waiting if other.sku == sku]
        wanted = sum(other.shortage for other in rows)
        first = source if sku == line.sku else None
        shares = split(world, shop, sku, wanted, first)
        for other in rows:
            for place, qty in take(shares, other.shortage):
                give(other, place, qty)
    return ledger.allocated(world, line.sku, source) - before


def split(
    world: World, shop: str, sku: str, qty: int, first: str | None = None
) -> list[tuple[str, int]]:
    """Choose the sources of some units: the first that covers them alone, else several (O3)."""
    names = places.sources_of(world, shop)
    if first is not None:
        names = [first, *(name for name in names if name != first)]
    there = {name: ledger.unpromised(world, sku, name) for name in names}
    if first is None:
        for name in names:
            if qty and there[name] >= qty:
                return [(name, qty)]
    shares = []
    for name in names:
        units = min(qty, there[name])
        if units:
            shares.append((name, units))
            qty -= units
    return shares


def take(shares: list[tuple[str, int]], qty: int) -> list[tuple[str, int]]:
    """Take units off the front of `shares`, and return whose they are."""
    taken = []
    while qty and shares:
        name, there = shares.pop(0)
        units = min(qty, there)
        taken.append((name, units))
        qty -= units
        if there > units:
            shares.insert(0, (name, there - units))
    return taken
