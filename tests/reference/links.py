"""What is bought for one order line alone, and follows it (R10)."""

from tests.reference import ledger, places
from tests.reference.documents import may_order, raise_replenishment
from tests.reference.promises import give
from tests.reference.rows import Docked, Line, Link, Replenishment
from tests.reference.world import World


def links_on(world: World, row: Replenishment, sku: str) -> list[Link]:
    """Return the links of a sku on a replenishment, in queue order."""
    found = [link for link in world.links if link.replenishment is row and link.line.sku == sku]
    return sorted(found, key=lambda link: (link.line.rank, link.by_hand))


def linked_on(world: World, row: Replenishment, sku: str) -> int:
    """Return the linked units of a sku on a replenishment, those at docks included."""
    return sum(link.qty for link in links_on(world, row, sku))


def docked_of(world: World, row: Replenishment, sku: str) -> int:
    """Return the linked units of a replenishment that arrived where nobody picks."""
    return sum(d.qty for d in world.docked if d.replenishment is row and d.sku == sku)


def docked_at(world: World, sku: str, place: str) -> int:
    """Return the linked units of a sku that lie at a place."""
    return sum(d.qty for d in world.docked if (d.sku, d.place) == (sku, place))


def add_link(world: World, line: Line, row: Replenishment, qty: int, *, by_hand: bool) -> None:
    """Link units of a replenishment to a line."""
    for link in world.links:
        if link.line is line and link.replenishment is row and link.by_hand is by_hand:
            link.qty += qty
            return
    world.links.append(Link(line, row, qty, by_hand))


def serve(world: World, line: Line, row: Replenishment, qty: int) -> None:
    """Count units that a vendor shipped as come to the line they were bought for (K7)."""
    for link in world.links:
        if link.line is line and link.replenishment is row:
            units = min(link.qty, qty)
            link.qty -= units
            qty -= units
    world.links = [link for link in world.links if link.qty]


def arrive_linked(world: World, row: Replenishment, sku: str, place: str, qty: int) -> int:
    """Let linked units of a replenishment arrive; return how many lines were given (S4).

    Where nobody picks they stay linked, else they go to the lines they were bought for at once.
    """
    if qty <= 0:
        return 0
    if not world.places[place].picks:
        world.docked.append(Docked(row, sku, place, qty))
        return 0
    return _give_linked(world, row, sku, place, qty)


def _give_linked(world: World, row: Replenishment, sku: str, place: str, qty: int) -> int:
    given = 0
    for link in servable(world, row, sku, place):
        there = ledger.unpromised(world, sku, place)
        units = min(link.qty, link.line.shortage, qty - given, there)
        if units > 0:
            link.qty -= units
            give(link.line, place, units)
            given += units
    world.links = [link for link in world.links if link.qty]
    return given


def servable(world: World, row: Replenishment, sku: str, place: str) -> list[Link]:
    """Return the links of a replenishment whose lines may be served at a source (K4)."""
    return [
        link
        for link in links_on(world, row, sku)
        if link.line.way != "drop_ship"
        and not link.line.staff_held
        and place in places.sources_of(world, link.line.order.shop)
    ]


def move_docked(world: World, sku: str, origin: str, target: str, qty: int) -> int:
    """Let linked units go along with a transfer, those raised first; return how many were given."""
    given = 0
    for docked in _docked_rows(world, sku, origin):
        units = min(docked.qty, qty)
        if world.places[target].picks:
            wanted = servable(world, docked.replenishment, sku, target)
            units = min(units, sum(min(link.qty, link.line.shortage) for link in wanted))
        if units <= 0:
            continue
        docked.qty -= units
        qty -= units
        given += arrive_linked(world, docked.replenishment, sku, target, units)
    world.docked = [docked for docked in world.docked if docked.qty]
    return given


def open_place(world: World, place: str) -> None:
    """Serve linked lines from a place that was no source and is one now (K4)."""
    for sku in sorted({docked.sku for docked in world.docked if docked.place == place}):
        for docked in _docked_rows(world, sku, place):
            _give_linked(world, docked.replenishment, sku, place, docked.qty)
            docked.qty = 0
    world.docked = [docked for docked in world.docked if docked.qty]


def _docked_rows(world: World, sku: str, place: str) -> list[Docked]:
    rows = [docked for docked in world.docked if (docked.sku, docked.place) == (sku, place)]
    return sorted(rows, key=lambda docked: world.replenishments.index(docked.replenishment))


def settle(world: World) -> None:
    """Make every link what it should be: a function of the present state (R10)."""
    _keep_docked_to_what_is_there(world)
    for line in list(world.lines()):
        _cut_to_need(world, line)
    _take_off_automatic(world)
    for row in world.replenishments:
        for sku in sorted({link.line.sku for link in world.links if link.replenishment is row}):
            _cut_to_capacity(world, row, sku)
    _keep_docked_to_links(world)
    for line in list(world.lines()):
        _link_what_must_be_bought(world, line)


def _keep_docked_to_what_is_there(world: World) -> None:
    """Linked units at a place never exceed what is on hand there (K4)."""
    for sku, place in sorted({(docked.sku, docked.place) for docked in world.docked}):
        over = docked_at(world, sku, place) - ledger.on_hand(world, sku, place)
        for docked in reversed(_docked_rows(world, sku, place)):
            units = max(0, min(over, docked.qty))
            docked.qty -= units
            over -= units
    world.docked = [docked for docked in world.docked if docked.qty]


def _keep_docked_to_links(world: World) -> None:
    """Units nobody is linked to any more lie there for everybody."""
    for row in world.replenishments:
        for sku in sorted({docked.sku for docked in world.docked if docked.replenishment is row}):
            over = docked_of(world, row, sku) - linked_on(world, row, sku)
            rows = [d for d in world.docked if d.replenishment is row and d.sku == sku]
            for docked in sorted(rows, key=lambda d: d.place, reverse=True):
                units = max(0, min(over, docked.qty))
                docked.qty -= units
                over -= units
    world.docked = [docked for docked in world.docked if docked.qty]


def _cut_to_need(world: World, line: Line) -> None:
    """Links never exceed what the line needs: open ones go first, the latest raised first (K2)."""
    over = world.linked(line) - line.need
    order = world.replenishments.index
    mine = [link for link in world.links if link.line is line]
    mine.sort(key=lambda link: (link.by_hand,))
    mine.sort(key=lambda link: order(link.replenishment), reverse=True)
    mine.sort(key=lambda link: not link.replenishment.is_open)
    for link in mine:
        units = max(0, min(over, link.qty))
        link.qty -= units
        over -= units
    world.links = [link for link in world.links if link.qty]


def _take_off_automatic(world: World) -> None:
    """Take automatic links off what is open with another vendor, or may not be ordered (K1)."""
    world.links = [
        link
        for link in world.links
        if link.by_hand
        or not link.replenishment.is_open
        or (
            may_order(world, link.line.sku)
            and link.replenishment.vendor == world.item(link.line.sku).vendor
        )
    ]


def _cut_to_capacity(world: World, row: Replenishment, sku: str) -> None:
    """A replenishment that brings less serves the first of its lines in queue order (K3)."""
    if row.is_open:
        return
    over = linked_on(world, row, sku) - row.outstanding(sku) - docked_of(world, row, sku)
    for link in reversed(links_on(world, row, sku)):
        units = max(0, min(over, link.qty))
        link.qty -= units
        over -= units
    world.links = [link for link in world.links if link.qty]


def _link_what_must_be_bought(world: World, line: Line) -> None:
    """Buy for the line alone what is always bought per order (K1, O2)."""
    if line.way not in {"buy_to_order", "drop_ship"} or not may_order(world, line.sku):
        return
    missing = line.need - world.linked(line)
    vendor = world.item(line.sku).vendor
    if missing > 0 and vendor is not None:
        row = raise_replenishment(world, vendor, destination_of(line), automatic=True)
        add_link(world, line, row, missing, by_hand=False)


def destination_of(line: Line) -> str:
    """Return where what is bought for a line is delivered (R10)."""
    if line.way == "drop_ship":
        return f"customer:{line.order.shop}/{line.order.order_id}"
    assert line.order.destination is not None
    return line.order.destination
