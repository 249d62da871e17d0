"""Units reaching and leaving places: what the ledger books, and what that brings about (S1-S12).

A count is a checkpoint (S8): what happened at or before it, and is told later, is booked with an
equal movement the other way. Units found missing are owed (S7): what turns out to have come in
before they were found takes them back first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from events.vocabulary import ExceptionCode
from handlers.rules.allocation import trim
from handlers.state import Item, Line, Order, Stock, Unloaded
from handlers.turn import Turn

# Reasons of movements that no goods made: they are left out where a count looks at what happened.
BOOKED = frozenset({"found", "taken_back", "counted", "offset"})


@dataclass(frozen=True, slots=True)
class Leaving:
    """`qty` units that leave a place for another (None: outside), for an order, a line, or none."""

    place: str
    target: str | None
    qty: int
    reason: str
    order: Order | None = None
    line: Line | None = None


def arrive(turn: Turn, item: Item, place: str, qty: int, reason: str) -> int:
    """Book units that come from outside; return how many of them are usable there now."""
    turn.move(item, qty, None, place, reason)
    return _arrived(turn, item, place, qty)


def leave(turn: Turn, item: Item, leaving: Leaving) -> int:
    """Book units that leave a place; those the ledger did not know of were found there (S7).

    Returns how many of them are usable where they went to.
    """
    place, qty = leaving.place, leaving.qty
    stock = item.at(place)
    checked = _is_checked(turn, stock)
    if checked:
        turn.move(item, qty, None, place, "offset")  # the count has seen them gone
    missing = qty - stock.on_hand
    if missing > 0:
        _find(turn, item, leaving, missing)
    turn.move(item, qty, place, leaving.target, leaving.reason)
    if not checked:
        trim(turn, item, place, leaving.order)
    return 0 if leaving.target is None else _arrived(turn, item, leaving.target, qty)


def count(turn: Turn, item: Item, place: str, counted: int) -> int:
    """Set what was on hand when it was counted; return how many more there are now (S8).

    What happened after the count is applied to it again; where that would leave less than nothing,
    units were found since.
    """
    stock = item.at(place)
    if stock.counted_at is not None and stock.counted_at >= turn.at:
        return 0
    level, lowest, lowest_at = counted, 0, turn.at
    for at, net in _since(turn, item, place):
        level += net
        if level < lowest:
            lowest, lowest_at = level, at
    found = -lowest
    change = level + found - stock.on_hand
    stock.counted_at = turn.at
    stock.owed = ((lowest_at, found),) if found else ()
    if change > 0:
        turn.move(item, change, None, place, "counted")
    elif change < 0:
        turn.move(item, -change, place, None, "counted")
        trim(turn, item, place)
    return max(0, change)


def summed(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up the quantities of a sku that stands on several lines, in order of first mention."""
    total: dict[str, int] = {}
    for sku, qty in lines:
        total[sku] = total.get(sku, 0) + qty
    return total


def _arrived(turn: Turn, item: Item, place: str, qty: int) -> int:
    """Let units that have reached a place settle what is known of it; return what is usable."""
    stock = item.at(place)
    if _is_checked(turn, stock):
        turn.move(item, qty, place, None, "offset")  # the count has seen them there
        return 0
    owed = []
    left = qty
    for at, units in stock.owed:
        back = min(left, units) if at >= turn.at else 0
        left -= back
        if units > back:
            owed.append((at, units - back))
    if left < qty:
        stock.owed = tuple(owed)
        turn.move(item, qty - left, place, None, "taken_back")
    return left


def _is_checked(turn: Turn, stock: Stock) -> bool:
    return stock.counted_at is not None and turn.at <= stock.counted_at


def _find(turn: Turn, item: Item, leaving: Leaving, missing: int) -> None:
    """Book units nobody knew of, and owe them to what has come in before (S7).

    They are missed by the latest time at which units left: what came in until then may be they.
    """
    place, order, line = leaving.place, leaving.order, leaving.line
    at = max(turn.at, _last_left(turn, item, place) or turn.at)
    turn.move(item, missing, None, place, "found", at=at)
    stock = item.at(place)
    stock.owed = tuple(sorted((*stock.owed, (at, missing))))
    shipped = leaving.reason == "shipped"
    turn.raise_exception(
        ExceptionCode.OVER_SHIPMENT if shipped else ExceptionCode.STOCK_MISSING,
        f"{leaving.qty} of {item.sku} left {place}, {missing} more than were known there",
        sku=item.sku,
        place=place,
        shop=None if order is None else order.shop,
        order_id=None if order is None else order.order_id,
        line_id=None if line is None else line.line_id,
    )


def _last_left(turn: Turn, item: Item, place: str) -> datetime | None:
    """Return when units of a sku last left a place, as far as the ledger knows."""
    state = turn.state
    if state.left is None:
        raise Unloaded("left", item.sku)
    times = [
        row.happened_at
        for row in turn.books.decision.movements
        if row.sku == item.sku and row.origin == place and row.reason not in BOOKED
    ]
    before = state.left.get((item.sku, place))
    return max([*times, *([] if before is None else [before])], default=None)


def _since(turn: Turn, item: Item, place: str) -> list[tuple[datetime, int]]:
    """Return what really moved at a place after this moment, netted by instant, in order (S8)."""
    net: dict[datetime, int] = {}
    for at, units in turn.state.since.get((item.sku, place), ()):
        if at > turn.at:
            net[at] = net.get(at, 0) + units
    for row in turn.books.decision.movements:
        if row.sku == item.sku and row.happened_at > turn.at and row.reason not in BOOKED:
            units = (row.qty if row.target == place else 0) - (
                row.qty if row.origin == place else 0
            )
            if units:
                net[row.happened_at] = net.get(row.happened_at, 0) + units
    return sorted(net.items())
