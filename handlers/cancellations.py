"""Orders cancelled: what is open goes, the least promised first (C1); early ones wait (C3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from events.envelope import Event
from events.inbound import CancelledLine, OrderCancelled
from events.vocabulary import ExceptionCode
from handlers.decision import Applied, Deferred, Outcome
from handlers.rules.allocation import take_back, unhold
from handlers.rules.filling import serve
from handlers.rules.links import fit
from handlers.rules.replenishment import on_its_way, supply
from handlers.state import Allocation, Item, Line, Order, Sourced, State
from handlers.turn import Turn


@dataclass(slots=True)
class Tally:
    """What an event let go of: units freed, by sku and source; waiting units given up, by sku."""

    freed: dict[str, dict[str, int]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    def free(self, sku: str, source: str | None, qty: int) -> None:
        """Count allocated units that others may have now."""
        if source is not None:
            sources = self.freed.setdefault(sku, {})
            sources[source] = sources.get(source, 0) + qty

    def lose(self, sku: str, qty: int) -> None:
        """Count units that wait no more."""
        self.lost[sku] = self.lost.get(sku, 0) + qty

    def pass_on(self, turn: Turn, item: Item) -> None:
        """Give freed units to the queue; what is needed now is bought at the end (S3, R2)."""
        serve(turn, item, self.freed.get(item.sku, {}))
        turn.to_buy[item.sku] = item


def cancelled(turn: Turn, _event: Event, data: OrderCancelled) -> Outcome:
    """Cancel what is open of an order (C1); one not heard of yet waits for it (C3)."""
    key = (data.shop, data.order_id)
    order = turn.state.order(key)
    if order is None:
        return Deferred(order=key)
    cancel(turn, order, wanted(turn, order, data))
    return Applied()


def cancel(turn: Turn, order: Order, asked_of: Iterable[tuple[Line, int]]) -> None:
    """Cancel units of lines, the least promised first; others have what is freed (C1, R8)."""
    state = turn.state
    tally = Tally()
    items = [state.item(sku) for sku in {line.sku for line in order.lines.values()}]
    before = {item.sku: _unwanted(state, item) for item in items}
    for line, asked in asked_of:
        left = _cancel(turn, line, asked, tally)
        if left:
            over_cancelled(turn, order, line.line_id, line.sku, left)
    turn.revisit(order)
    for sku in sorted(tally.freed.keys() | tally.lost.keys()):
        item = state.item(sku)
        if sku in tally.freed:  # shortage that is given up is no arrival, and fills nobody (S3)
            tally.pass_on(turn, item)
        turn.to_buy[sku] = item
        turn.wanted_before.setdefault(sku, (order, before[sku]))


def wanted(turn: Turn, order: Order, data: OrderCancelled) -> Iterator[tuple[Line, int]]:
    """Yield how much of which line a cancellation asks for, row by row (C1).

    No quantity asks for everything not cancelled or rejected yet, shipped units included. Each row
    is read when the rows before it have had their effect: two may name the same line.
    """
    if data.lines is None:
        yield from [(line, _all(line)) for line in order.lines.values()]
    for row in data.lines or ():
        yield from _named(turn, order, row)


def _named(turn: Turn, order: Order, row: CancelledLine) -> list[tuple[Line, int]]:
    if row.sku is not None:
        return _by_sku(turn, order, row.sku, row.qty or 0)
    line = order.lines.get(row.line_id or "")
    if line is None:
        over_cancelled(turn, order, row.line_id, None, row.qty)
        return []
    return [(line, _all(line) if row.qty is None else row.qty)]


def _by_sku(turn: Turn, order: Order, sku: str, asked: int) -> list[tuple[Line, int]]:
    """Spread a quantity of a sku over its lines, the last line first (C1)."""
    lines = [line for line in reversed(order.lines.values()) if line.sku == sku]
    found = []
    for line in lines:
        qty = min(asked, _cancellable(turn.state, line))
        asked -= qty
        found.append((line, qty))
    if asked:
        over_cancelled(turn, order, lines[0].line_id if len(lines) == 1 else None, sku, asked)
    return found


def _cancellable(state: State, line: Line) -> int:
    """Return what of a line may go; before the order is judged all of it counts (C3)."""
    if line.sourced is Sourced.UNJUDGED and not line.pending:
        return line.ordered - line.cancelled - line.shipped
    return line.open - line.drop_ship + _not_sent(state, line)


def _all(line: Line) -> int:
    return line.ordered - line.cancelled - line.rejected


def _cancel(turn: Turn, line: Line, asked: int, tally: Tally) -> int:
    """Cancel units of a line, the least promised first (C1); return what was not open."""
    item = turn.state.item(line.sku)
    turn.touch(item)
    waiting = min(asked, line.shortage)
    if waiting:
        unhold(turn, item, line, waiting)
        line.short -= min(waiting, line.short)
        tally.lose(line.sku, waiting)
    left = asked - waiting
    unpaid = min(left, line.pending)
    line.pending -= unpaid
    left -= unpaid
    with_vendor = min(left, _not_sent(turn.state, line))
    if with_vendor:
        line.drop_ship -= with_vendor
        fit(turn.state, item, line)
        tally.lose(line.sku, with_vendor)
        left -= with_vendor
    for allocation in sorted(line.allocations, key=_latest_unreleased_first):
        units = min(left, allocation.qty)
        if units:
            tally.free(line.sku, take_back(turn, item, line, allocation, units), units)
            left -= units
    line.cancelled += asked - left
    line.short = min(line.short, line.ordered - line.cancelled - line.rejected)
    if asked > left:
        turn.because(line, "C1", qty=asked - left, waiting=waiting)
    return left


def _not_sent(state: State, line: Line) -> int:
    """Return the drop-ship units whose replenishment is open, or that are on none (C1)."""
    sent = (link for link in line.links if not state.replenishment(link.replenishment_id).is_open)
    return line.drop_ship - (sum(link.qty for link in sent) if line.drop_ship else 0)


def _latest_unreleased_first(allocation: Allocation) -> tuple[bool, int]:
    return (allocation.release_id is not None, -allocation.seq)


def over_cancelled(
    turn: Turn, order: Order, line_id: str | None, sku: str | None, qty: int | None
) -> None:
    """Name units that were to be cancelled and are not open (C1)."""
    turn.raise_exception(
        ExceptionCode.OVER_CANCELLED,
        f"{'it' if qty is None else qty} can not be cancelled: not open in the order",
        shop=order.shop,
        order_id=order.order_id,
        line_id=line_id,
        sku=sku,
    )


def _unwanted(state: State, item: Item) -> dict[str, int]:
    """Return how much of what is on its way nobody waits for, by destination (R8)."""
    coming: dict[str, int] = {}
    for replenishment, line in state.incoming(item):
        place = replenishment.destination
        coming[place] = coming.get(place, 0) + on_its_way(line)
    return {
        place: min(qty, max(0, supply(state, item, place) - item.queued_at(place)))
        for place, qty in coming.items()
    }


def name_surplus(turn: Turn) -> None:
    """Say that finalized supply has lost its demand, the waiting or the freed units' (R8)."""
    for sku, (order, before) in sorted(turn.wanted_before.items()):
        _name_surplus(turn, turn.state.item(sku), order, before)
    turn.wanted_before.clear()


def _name_surplus(turn: Turn, item: Item, order: Order, before: dict[str, int]) -> None:
    for place, unwanted in _unwanted(turn.state, item).items():
        more = unwanted - before.get(place, 0)
        if more <= 0:
            continue
        coming = [row for row, _line in turn.state.incoming(item) if row.destination == place]
        turn.raise_exception(
            ExceptionCode.SURPLUS,
            f"{more} of {item.sku} are on their way to {place} and no longer wanted",
            sku=item.sku,
            place=place,
            shop=order.shop,
            order_id=order.order_id,
            replenishment_id=coming[0].replenishment_id if len(coming) == 1 else None,
            vendor=coming[0].vendor if len(coming) == 1 else None,
        )
