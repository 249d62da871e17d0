"""When a held line may expect its units, and who is told of a new date (R11, R12)."""

from datetime import datetime, timedelta

from events.outbound import BackorderedLine, ExpectedDateChanged, OrderBackordered, RedatedLine
from tests.reference import buying, ledger, links, places
from tests.reference.rows import Line, Link, Order, Replenishment
from tests.reference.world import World

# A date, and how many days from now it is where mere time moves it.
Date = tuple[datetime | None, int | None]
UNKNOWN: Date = (None, None)


def expected(world: World, line: Line, at: datetime) -> Date:
    """Return when the last unit of a held line may be expected (R11)."""
    dates = [_date_of_link(world, link, at) for link in world.links if link.line is line]
    unlinked = line.shortage - world.linked(line)
    if unlinked > 0:
        bought = line.way == "buy_to_order"
        dates.append(UNKNOWN if bought else _date_in_queue(world, line, unlinked, at))
    return latest(dates)


def latest(dates: list[Date]) -> Date:
    """Return the latest of some dates, unknown when one is."""
    known = [(day, days) for day, days in dates if day is not None]
    if len(known) < len(dates) or not known:
        return UNKNOWN
    return max(known, key=lambda date: (date[0], date[1] is not None))


def order_date(dates: list[Date]) -> datetime | None:
    """Return the date of an order by those of its held lines (R11)."""
    return latest(dates)[0]


def _lead(world: World, sku: str, at: datetime) -> Date:
    days: int | None = world.setting(sku, "lead_time_days")
    return UNKNOWN if days is None else (at + timedelta(days=days), days)


def parts_left(world: World, row: Replenishment, sku: str) -> list[tuple[int, datetime | None]]:
    """Return what is still on its way of a sku, earliest first: that arrived first (R4, R11)."""
    line = row.lines[sku]
    lead: int | None = world.setting(sku, "lead_time_days")
    unconfirmed = None
    if lead is not None and row.finalized_at is not None:
        unconfirmed = row.finalized_at + timedelta(days=lead)
    parts = [(qty, day or unconfirmed) for qty, day in line.parts or [(line.qty, None)]]
    parts.sort(key=_by_date)
    return _without_first(parts, line.received)


def _by_date(part: tuple[int, datetime | None]) -> tuple[bool, float]:
    return (part[1] is None, part[1].timestamp() if part[1] is not None else 0)


def _without_first(
    parts: list[tuple[int, datetime | None]], qty: int
) -> list[tuple[int, datetime | None]]:
    left = []
    for units, day in parts:
        gone = min(units, qty)
        qty -= gone
        if units > gone:
            left.append((units - gone, day))
    return left


def _date_of_link(world: World, link: Link, at: datetime) -> Date:
    """Return when the units bought for a line arrive: its place among the links (K6)."""
    row, sku = link.replenishment, link.line.sku
    position = 0
    for other in links.links_on(world, row, sku):
        position += other.qty
        if other is link:
            break
    position -= links.docked_of(world, row, sku)
    if position <= 0:
        return (at, 0)
    if row.is_open:
        return _lead(world, sku, at)
    if row.incoming:
        for qty, day in parts_left(world, row, sku):
            position -= qty
            if position <= 0:
                return (day, None)
    return UNKNOWN


def _date_in_queue(world: World, line: Line, unlinked: int, at: datetime) -> Date:
    """Return when the supply of everybody reaches a line in the queue of its destination."""
    destination = line.order.destination
    assert destination is not None
    before = sum(
        other.shortage - world.linked(other)
        for other in world.lines(line.sku)
        if other.order.destination == destination
        and other.way not in {"buy_to_order", "drop_ship"}
        and other.rank < line.rank
    )
    position = before + unlinked - lying_now(world, line.sku, destination)
    if position <= 0:
        return (at, 0)
    parts = []
    for row in world.replenishments:
        if row.destination == destination and row.outstanding(line.sku):
            linked = links.linked_on(world, row, line.sku) - links.docked_of(world, row, line.sku)
            parts += _without_first(parts_left(world, row, line.sku), max(0, linked))
    for qty, day in sorted(parts, key=_by_date):
        position -= qty
        if position <= 0:
            return (day, None)
    asked = sum(
        row.lines[line.sku].qty - links.linked_on(world, row, line.sku)
        for row in world.replenishments
        if row.is_open and row.destination == destination and line.sku in row.lines
    )
    return _lead(world, line.sku, at) if position <= asked else UNKNOWN


def lying_now(world: World, sku: str, destination: str) -> int:
    """Return what lies where it serves a destination now: at its docks, and free at itself."""
    place = world.places.get(destination)
    if place is not None and (place.picks or place.kind == "dock"):
        return buying.lying(world, sku, destination)
    docks = places.docks_of(world, destination)
    return sum(
        max(0, ledger.unpromised(world, sku, name) - links.docked_at(world, sku, name))
        for name in docks
    )


def tell_backordered(world: World, about: tuple[str, str] | None) -> None:
    """Tell each shop once which lines of an order wait anew, and until when (O8).

    `about`: the order this transaction is about, whose dates count from its own event.
    """
    by_order: dict[tuple[str, str], list[tuple[Line, datetime]]] = {}
    for line, at in world.held_anew:
        rows = by_order.setdefault(line.order.key, [])
        if line.shortage and line not in [known for known, _at in rows]:
            rows.append((line, world.at if line.order.key == about else at))
    world.held_anew = []
    for rows in by_order.values():
        if rows:
            _tell_backordered(world, rows[0][0].order, rows)


def _tell_backordered(world: World, order: Order, rows: list[tuple[Line, datetime]]) -> None:
    lines = []
    for line, at in sorted(rows, key=lambda row: row[0].position):
        line.told = expected(world, line, at)
        lines.append(
            BackorderedLine(
                line_id=line.line_id,
                sku=line.sku,
                qty=line.shortage,
                expected_at=line.told[0],
                alternatives=world.item(line.sku).alternatives,
                notify=world.setting(line.sku, "backorder_policy") == "notify",
            )
        )
    told = [line.told or UNKNOWN for line, _at in rows]
    world.tell(
        OrderBackordered(
            shop=order.shop,
            order_id=order.order_id,
            lines=tuple(lines),
            expected_at=order_date(told),
            customer=order.customer,
        )
    )


def tell_changed(world: World, skus: set[str]) -> None:
    """Tell each shop once which held lines are expected at another date than it was told (R12)."""
    for order in world.orders.values():
        rows = []
        for line in order.lines:
            if line.sku not in skus or not line.shortage or line.told is None:
                continue
            now = expected(world, line, world.at)
            same_days = now[1] is not None and now[1] == line.told[1]
            if now[0] != line.told[0] and not same_days:
                rows.append(
                    RedatedLine(
                        line_id=line.line_id, sku=line.sku, was=line.told[0], expected_at=now[0]
                    )
                )
                line.told = now
        if rows:
            world.tell(
                ExpectedDateChanged(
                    shop=order.shop,
                    order_id=order.order_id,
                    lines=tuple(rows),
                    customer=order.customer,
                )
            )
