"""What of an order can be had, what waits, and what is rejected (O1-O8)."""

from dataclasses import dataclass, field

from events.outbound import OrderRejected, RejectedLine
from events.vocabulary import RejectionReason
from tests.reference import filling, places, selling
from tests.reference.promises import allocate, hold
from tests.reference.rows import Line, Order
from tests.reference.world import World


@dataclass
class Verdict:
    """What judging decided of one line: its units by source, how many wait, why none may."""

    line: Line
    asked: int
    shares: list[tuple[str | None, int]] = field(default_factory=list)
    short: int = 0
    drop_ship: int = 0
    reason: str | None = None
    sellable: int | None = None


def way_of(world: World, sku: str) -> str:
    """Return where the units of a new line come from (O2)."""
    if not world.setting(sku, "manage_stock"):
        return "unmanaged"
    return str(world.setting(sku, "sourcing"))


def judge_order(world: World, order: Order) -> None:
    """Judge an order whole: what was pending is pending no more (O10)."""
    order.destination = places.destination_of(world, order.shop)
    asked = []
    for line in order.lines:
        if line.pending:
            asked.append((line, line.pending))
            line.pending = 0
    judge(world, order, asked, wanted_of(order))


def wanted_of(order: Order) -> dict[str, int]:
    """Return how much an order wants of each sku: what is neither cancelled nor rejected (O6)."""
    wanted: dict[str, int] = {}
    for line in order.lines:
        units = line.ordered - line.cancelled - line.rejected
        wanted[line.sku] = wanted.get(line.sku, 0) + units
    return wanted


def judge(
    world: World,
    order: Order,
    asked: list[tuple[Line, int]],
    wanted: dict[str, int],
) -> None:
    """Judge units asked of some lines, and tell what is rejected of them (O7).

    `wanted`: what the whole order wants of each sku (O6).
    """
    for line, _qty in asked:
        if not line.open:  # else it keeps to the way it was judged
            line.way = way_of(world, line.sku)
    verdicts = [Verdict(line, qty) for line, qty in asked]
    for sku in _skus(asked):
        rows = [row for row in verdicts if row.line.sku == sku]
        _judge_sku(world, order, rows, wanted[sku])
    _share_out(world, order, verdicts)
    for row in verdicts:
        _apply(world, row)
    _warn(world, order, verdicts)
    _tell_rejected(world, order, verdicts)


def _warn(world: World, order: Order, verdicts: list[Verdict]) -> None:
    """Tell a person of what can not be bought as the shop or the item says (P4, R7)."""
    if any(row.short for row in verdicts):
        bad = places.bad_destination(world, order.shop)
        if bad is not None:
            world.warn("bad_destination", place=bad, **order.refs)
    for row in verdicts:
        if (row.short or row.drop_ship) and world.item(row.line.sku).vendor is None:
            world.warn("no_vendor", **row.line.refs)


def _skus(asked: list[tuple[Line, int]]) -> list[str]:
    return list(dict.fromkeys(line.sku for line, _qty in asked))


def _judge_sku(world: World, order: Order, rows: list[Verdict], wanted: int) -> None:
    """Judge the lines of one sku together, on their sum (O1)."""
    sku = rows[0].line.sku
    broken = _broken(world, sku, wanted)
    if broken is not None:
        _reject(rows, broken, selling.sellable(world, order.shop, sku))
        return
    for row in rows:
        match row.line.way:
            case "unmanaged":
                row.shares = [(None, row.asked)]
            case "drop_ship":
                row.drop_ship = row.asked
            case "buy_to_order":
                row.short = row.asked
            case _:
                pass
    stocked = [row for row in rows if row.line.way == "stock"]
    if stocked:
        _judge_stocked(world, order, sku, stocked)


def _broken(world: World, sku: str, wanted: int) -> str | None:
    """Return which rule of sale the sum of a sku breaks (O6)."""
    if wanted < world.setting(sku, "min_sale_qty"):
        return "min_sale_qty"
    if wanted % world.setting(sku, "sale_increment"):
        return "sale_increment"
    return None


def _judge_stocked(world: World, order: Order, sku: str, rows: list[Verdict]) -> None:
    """Take what is there above the safety stock; the rest waits, or all is rejected (O3-O5)."""
    asked = sum(row.asked for row in rows)
    can_have = min(asked, max(0, selling.free(world, order.shop, sku)))
    short = asked - can_have
    more = selling.room(world, sku)
    if short and more is not None and short > more:
        none_waits = world.setting(sku, "backorder_policy") == "none"
        reason = "out_of_stock" if none_waits else "backorder_limit"
        free = max(0, selling.free(world, order.shop, sku))
        _reject(rows, reason, free + more)
        return


def _reject(rows: list[Verdict], reason: str, sellable: int | None) -> None:
    for row in rows:
        row.reason, row.sellable = reason, sellable


def _share_out(world: World, order: Order, verdicts: list[Verdict]) -> None:
    """Give the lines what can be had, in their order; the rest is short (O3).

    Units that are reserved only together get all of theirs or nothing (O9).
    """
    stocked = [row for row in verdicts if row.line.way == "stock" and row.reason is None]
    skus = {row.line.sku for row in stocked}
    left = {sku: max(0, selling.free(world, order.shop, sku)) for sku in skus}
    granted: dict[Line, int] = {}
    for row in stocked:
        if row.line in granted:
            continue
        unit = [row]
        if filling.must_be_had_whole(world, row.line):
            unit = [other for other in stocked if other.line in filling.unit_of(row.line)]
            if not _can_be_had(verdicts, unit, left):
                granted |= {other.line: 0 for other in unit}
                continue
        for other in unit:
            granted[other.line] = min(other.asked, left[other.line.sku])
            left[other.line.sku] -= granted[other.line]
    for sku in skus:
        rows = [row for row in stocked if row.line.sku == sku]
        total = sum(granted[row.line] for row in rows)
        shares = filling.split(world, order.shop, sku, total)
        for row in rows:
            row.shares = list(filling.take(shares, granted[row.line]))
            row.short = row.asked - granted[row.line]


def _can_be_had(verdicts: list[Verdict], unit: list[Verdict], left: dict[str, int]) -> bool:
    """Is there enough for all of a unit, and is no line of it short otherwise?"""
    lines = filling.unit_of(unit[0].line)
    if any(line.shortage for line in lines):
        return False
    if any(row.short for row in verdicts if row.line in lines):
        return False
    return all(
        sum(row.asked for row in unit if row.line.sku == sku) <= left[sku]
        for sku in {row.line.sku for row in unit}
    )


def _apply(world: World, row: Verdict) -> None:
    line = row.line
    if row.reason is not None:
        line.rejected += row.asked
        return
    for source, qty in row.shares:
        allocate(line, source, qty, by_fill=False)
    if row.short:
        hold(line, row.short, line.order.placed_at)
        world.held_anew.append((line, world.at))
    line.drop_ship += row.drop_ship


def _tell_rejected(world: World, order: Order, verdicts: list[Verdict]) -> None:
    lines = [
        RejectedLine(
            line_id=row.line.line_id,
            sku=row.line.sku,
            qty=row.asked,
            sellable=row.sellable,
            reason=RejectionReason(row.reason),
        )
        for row in verdicts
        if row.reason is not None
    ]
    if lines:
        world.tell(OrderRejected(shop=order.shop, order_id=order.order_id, lines=tuple(lines)))
