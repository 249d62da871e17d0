"""Judging what is ordered: what ships now, what waits, what is refused (O1-O7, O9).

1. Per sku: is its sum in the order allowed at all (O4-O6), and what can be had of it (O3)?
2. Where units are not to be kept for the rest, lines that leave together get all or nothing (O9).
3. What a line gets is promised, what it does not get waits; what is to be bought is bought (R2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from events.outbound import RejectedLine
from events.vocabulary import BackorderPolicy, ExceptionCode, RejectionReason
from handlers.rules.allocation import allocate, share
from handlers.rules.queue import hold
from handlers.rules.release import together
from handlers.rules.replenishment import replenish
from handlers.rules.sellable import free, room, sellable, sourced
from handlers.state import Item, Line, Order, Sourced, State
from handlers.turn import Turn


@dataclass(slots=True)
class _Asked:
    """What one judging asks of a sku: units by line, and of them what each gets from stock.

    `usable`: what the shop may take of it (O3); `left`: what nobody has been given of that yet.
    """

    item: Item
    units: dict[str, int] = field(default_factory=dict)  # by line id
    gets: dict[str, int] = field(default_factory=dict)
    usable: int = 0
    left: int = 0


def judge(turn: Turn, order: Order, units: Mapping[str, int]) -> list[RejectedLine]:
    """Decide `units` of the lines of an order, by line id; return those rejected (O1-O7)."""
    asked: dict[str, _Asked] = {}
    for line_id, qty in units.items():
        line = order.lines[line_id]
        if qty:
            of_sku = asked.get(line.sku)
            if of_sku is None:
                of_sku = asked[line.sku] = _Asked(turn.state.item(line.sku))
            of_sku.units[line_id] = qty
    totals = _totals(order)
    rejected: list[RejectedLine] = []
    for sku, of_sku in list(asked.items()):
        turn.touch(of_sku.item)
        of_sku.usable = of_sku.left = free(turn.state, of_sku.item, order.shop)
        _source(order, of_sku)
        reason = _refused(order, of_sku, totals[sku])
        if reason is not None:
            rejected += _reject(turn, order, of_sku, reason)
            if not of_sku.units:
                del asked[sku]
    _grant(turn, order, asked)
    for of_sku in asked.values():
        _settle(turn, order, of_sku)
    for of_sku in asked.values():
        # Even where nothing is short: what was taken may have been what another's need was less by.
        replenish(turn, of_sku.item)
    turn.revisit(order)
    rejected.sort(key=lambda row: order.lines[row.line_id].position)
    return rejected


def _source(order: Order, asked: _Asked) -> None:
    """Fix how new lines are judged (O2); one that has something open keeps to it (P1)."""
    for line_id in asked.units:
        line = order.lines[line_id]
        if not line.open:
            line.sourced = sourced(asked.item.policy)


def _from_stock(order: Order, asked: _Asked) -> dict[str, int]:
    """Return the units that are to come from stock, by line."""
    lines = order.lines
    return {
        line_id: qty
        for line_id, qty in asked.units.items()
        if lines[line_id].sourced is Sourced.STOCK
    }


def _totals(order: Order) -> dict[str, int]:
    """Return the units an order is for by sku, over all its lines (O6)."""
    totals: dict[str, int] = {}
    for line in order.lines.values():
        units = line.ordered - line.cancelled - line.rejected
        totals[line.sku] = totals.get(line.sku, 0) + units
    return totals


def _refused(order: Order, asked: _Asked, total: int) -> RejectionReason | None:
    """Return why a sku of which the order is for `total` units is not accepted (O4-O6)."""
    item = asked.item
    policy = item.policy
    if total < policy.min_sale_qty:
        return RejectionReason.MIN_SALE_QTY
    if total % policy.sale_increment:
        return RejectionReason.SALE_INCREMENT
    waiting = room(item)
    wanted = sum(_from_stock(order, asked).values())
    short = wanted - min(wanted, asked.usable)
    if waiting is None or short <= waiting:
        return None
    if policy.backorder_policy is BackorderPolicy.NONE:
        return RejectionReason.OUT_OF_STOCK
    return RejectionReason.BACKORDER_LIMIT


_RULES = {
    RejectionReason.OUT_OF_STOCK: "O4",
    RejectionReason.BACKORDER_LIMIT: "O5",
    RejectionReason.MIN_SALE_QTY: "O6",
    RejectionReason.SALE_INCREMENT: "O6",
}


def _could(state: State, order: Order, asked: _Asked, reason: RejectionReason) -> int | None:
    """Return how much of a sku this order could have had (O7); None: nothing limits it."""
    if _RULES[reason] == "O6":
        return sellable(state, asked.item, order.shop)
    return asked.usable + (room(asked.item) or 0)


def _reject(turn: Turn, order: Order, asked: _Asked, reason: RejectionReason) -> list[RejectedLine]:
    could = _could(turn.state, order, asked, reason)
    policy = asked.item.policy
    limits: dict[RejectionReason, dict[str, int | None]] = {
        RejectionReason.BACKORDER_LIMIT: {"limit": policy.backorder_limit},
        RejectionReason.MIN_SALE_QTY: {"minimum": policy.min_sale_qty},
        RejectionReason.SALE_INCREMENT: {"increment": policy.sale_increment},
    }
    numbers = limits.get(reason, {})
    rows = []
    # O4 and O5 are about stock: what is bought per order or shipped by a vendor goes on.
    units = dict(asked.units) if _RULES[reason] == "O6" else _from_stock(order, asked)
    for line_id, qty in units.items():
        line = order.lines[line_id]
        del asked.units[line_id]
        line.rejected += qty
        turn.because(line, _RULES[reason], qty=qty, sellable=could, reason=str(reason), **numbers)
        rows.append(
            RejectedLine(line_id=line_id, sku=line.sku, qty=qty, sellable=could, reason=reason)
        )
    return rows


def _grant(turn: Turn, order: Order, asked: Mapping[str, _Asked]) -> None:
    """Say what each line gets from stock, in line order; all or nothing of what must be whole."""
    done: set[str] = set()
    lines = (order.lines[line_id] for of_sku in asked.values() for line_id in of_sku.units)
    for line in sorted(lines, key=lambda row: row.position):
        peers = [] if turn.keeps_parts else together(line)
        if line.line_id in done:
            continue
        if not peers:
            _give(asked[line.sku], line)
            continue
        done.update(peer.line_id for peer in peers)
        if _can_be_had(asked, peers):
            for peer in peers:
                if peer.sku in asked:
                    _give(asked[peer.sku], peer)


def _give(asked: _Asked, line: Line) -> None:
    qty = min(asked.units.get(line.line_id, 0), asked.left)
    if line.sourced is Sourced.STOCK and qty:
        asked.gets[line.line_id] = qty
        asked.left -= qty


def _can_be_had(asked: Mapping[str, _Asked], peers: list[Line]) -> bool:
    """Can all that these lines still want be had from stock now (O9)?"""
    wanted: dict[str, int] = {}
    for peer in peers:
        units = asked[peer.sku].units.get(peer.line_id, 0) if peer.sku in asked else 0
        if peer.shortage or (units and peer.sourced is Sourced.BUY_TO_ORDER):
            return False
        if units and peer.sourced is Sourced.STOCK:
            wanted[peer.sku] = wanted.get(peer.sku, 0) + units
    return all(qty <= asked[sku].left for sku, qty in wanted.items())


def _settle(turn: Turn, order: Order, asked: _Asked) -> None:
    """Promise what the lines of a sku get, and let the rest wait (O2, O3)."""
    item = asked.item
    granted = sum(asked.gets.values())
    shares = share(turn.state, item, order.shop, granted) if granted else []
    numbers = {
        "asked": sum(asked.units.values()),
        "usable": asked.usable,
        "waiting": item.shortage,
    }
    for line_id, qty in asked.units.items():
        line = order.lines[line_id]
        if line.sourced is Sourced.UNMANAGED:
            allocate(turn, item, line, None, qty, by_fill=False)
            turn.because(line, "O2", qty=qty)
            continue
        if line.sourced is Sourced.DROP_SHIP:
            line.drop_ship += qty
            item.wanting.lines.append(line)
            turn.because(line, "O2", drop_ship=qty)
            continue
        wanted = asked.gets.get(line_id, 0)
        waits = qty - wanted
        while wanted:
            source, units = shares[0]
            part = min(wanted, units)
            allocate(turn, item, line, source, part, by_fill=False)
            turn.because(line, "O3", source=source, qty=part, **numbers)
            wanted -= part
            shares[0] = (source, units - part)
            if units == part:
                shares.pop(0)
        if waits:
            hold(item, line, waits, order.placed_at)
            rule = "O2" if line.sourced is Sourced.BUY_TO_ORDER else "O3"
            turn.because(line, rule, held=waits, **numbers)


def name_unserved(turn: Turn, order: Order, lines: Iterable[Line]) -> None:
    """Name what no vendor can be asked for (R7)."""
    for line in lines:
        waits = line.shortage + line.drop_ship
        if waits and turn.state.item(line.sku).vendor is None:
            turn.raise_exception(
                ExceptionCode.NO_VENDOR,
                f"{waits} of {line.sku} wait and no vendor is known for it",
                sku=line.sku,
                shop=order.shop,
                order_id=order.order_id,
                line_id=line.line_id,
            )
