"""What people say of one order: it goes as it is (S11), or a line waits after all (S10)."""

from events.envelope import Event
from events.inbound import BackToShipRequested, LineBackordered
from events.vocabulary import BackorderReason, ExceptionCode
from handlers.decision import Applied, Deferred, Outcome
from handlers.rules.allocation import hold_again, take_back
from handlers.rules.filling import serve
from handlers.rules.queue import behind, counted, recount
from handlers.rules.replenishment import at_docks, replenish
from handlers.rules.stocks import Leaving, leave
from handlers.state import Allocation, Line, Order, State
from handlers.turn import Turn


def back_to_ship(turn: Turn, _event: Event, data: BackToShipRequested) -> Outcome:
    """Lift staff holds and release what is allocated, whatever the ship mode (S11)."""
    key = (data.shop, data.order_id)
    order = turn.state.order(key)
    if order is None:
        return Deferred(order=key)
    reason = _why_not(turn.state, order)
    if reason is not None:
        _refuse(turn, order, None, reason)
        return Applied()
    lifted = [line for line in order.lines.values() if line.staff_held]
    for line in lifted:
        _keep_out(turn, line, staff_held=False)
        turn.because(line, "S11", lifted=line.shortage)
    for sku in dict.fromkeys(line.sku for line in lifted):
        item = turn.state.item(sku)
        serve(turn, item, {})
        replenish(turn, item)
    for line in order.lines.values():
        if line.unreleased:
            turn.because(line, "S11", qty=line.unreleased)
        for row in line.allocations:
            row.asked_for = True
    turn.revisit(order)
    return Applied()


def _why_not(state: State, order: Order) -> str | None:
    """Return why nothing of an order can be sent by a person's word; None: something can (S11)."""
    if order.holds:
        return "on_hold"
    lines = order.lines.values()
    if any((line.staff_held and line.shortage) or line.unreleased for line in lines):
        return None
    return (
        "at_dock_only" if any(_is_at_dock(state, line) for line in lines) else "nothing_allocated"
    )


def _is_at_dock(state: State, line: Line) -> bool:
    """Do units that will serve a held line lie at a dock (S11)?"""
    if not line.shortage:
        return False
    item = state.item(line.sku)
    for link in line.links:
        row = state.replenishment(link.replenishment_id).lines.get(line.sku)
        if link.qty and row is not None and row.docked:
            return True
    if not line.queued:
        return False
    place = line.order.destination
    before = item.queued_at(place) - behind(state, item, line) - line.queued
    return before < at_docks(state, item, place)


def backordered(turn: Turn, _event: Event, data: LineBackordered) -> Outcome:
    """Let units of a line wait again: they were not found, or staff hold the line (S10)."""
    key = (data.shop, data.order_id)
    order = turn.state.order(key)
    if order is None:
        return Deferred(order=key)
    line = order.lines.get(data.line_id)
    if line is None:
        _refuse(turn, order, data, "unknown_line")
        return Applied()
    there = sum(row.qty for row in line.allocations if row.source == data.source)
    if not there:
        _refuse(turn, order, data, "nothing_allocated")
        return Applied()
    item = turn.state.item(line.sku)
    qty = min(data.qty, there)
    short_pick = data.reason == BackorderReason.SHORT_PICK
    left = qty
    for allocation in sorted(line.allocations, key=lambda row: _first_back(row, told=short_pick)):
        units = min(left, allocation.qty) if allocation.source == data.source else 0
        if units:
            take_back(turn, item, line, allocation, units)
            left -= units
    hold_again(turn, item, line, qty)
    turn.because(line, "S10", qty=qty, source=data.source, reason=str(data.reason))
    if short_pick:
        leave(turn, item, Leaving(data.source, None, qty, "written_off", order, line))
    else:
        _keep_out(turn, line, staff_held=True)
    serve(turn, item, {} if short_pick else {data.source: qty})
    replenish(turn, item)
    if data.qty > there:
        _refuse(turn, order, data, "more_than_allocated")
    return Applied()


def _keep_out(turn: Turn, line: Line, *, staff_held: bool) -> None:
    """Keep a line out of fills, or let it back in (S10, S11)."""
    before = counted(line)
    line.staff_held = staff_held
    recount(turn.state.item(line.sku), line, before)


def _first_back(allocation: Allocation, *, told: bool) -> tuple[bool, int]:
    """Order allocations: first what the picker was told of, or what nobody was; latest first."""
    return ((allocation.release_id is not None) != told, -allocation.seq)


def _refuse(turn: Turn, order: Order, data: LineBackordered | None, reason: str) -> None:
    what = "sending it" if data is None else f"holding line {data.line_id} at {data.source} back"
    line = None if data is None else order.lines.get(data.line_id)
    turn.raise_exception(
        ExceptionCode.REFUSED,
        f"{order.shop}/{order.order_id}: {what} is refused, {reason.replace('_', ' ')}",
        reason=reason,
        shop=order.shop,
        order_id=order.order_id,
        line_id=None if data is None else data.line_id,
        sku=None if line is None else line.sku,
        place=None if data is None else data.source,
    )
