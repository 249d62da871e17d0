"""What buyers tell of replenishments: sent, confirmed, given up (R4-R6), added to by hand (R9)."""

from events.envelope import Event
from events.inbound import ReplenishmentClosed, ReplenishmentRequested, RequestedLine
from events.vocabulary import ExceptionCode, ReplenishmentOutcome
from handlers.decision import Applied, Deferred, Outcome
from handlers.rules import links
from handlers.rules.replenishment import at_slot, end, finalize, replenish, revise
from handlers.rules.sellable import destination_of
from handlers.rules.telling import redate
from handlers.state import (
    Item,
    Line,
    Part,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Sourced,
)
from handlers.turn import Turn


def closed(turn: Turn, _event: Event, data: ReplenishmentClosed) -> Outcome:
    """Finalize, confirm anew, short-close or cancel a replenishment (R4, R5)."""
    replenishment = turn.state.replenishments.get(data.replenishment_id)
    if replenishment is None:
        return Deferred(replenishment=data.replenishment_id)
    if not (replenishment.is_open or replenishment.incoming):
        _refused(turn, replenishment, f"already_{replenishment.state}")
        return Applied()
    match data.outcome or ReplenishmentOutcome.FINALIZED:
        case ReplenishmentOutcome.FINALIZED:
            _finalized(turn, replenishment, data)
        case ReplenishmentOutcome.SHORT_CLOSED if not replenishment.is_open:
            _lost(turn, replenishment, ReplenishmentState.CLOSED)
        case _:  # cancelled; and an open one that is short-closed has nothing left either (R5)
            _lost(turn, replenishment, ReplenishmentState.CANCELLED)
    for sku in sorted(replenishment.lines):
        item = turn.state.item(sku)
        turn.touch(item)
        replenish(turn, item)
        redate(turn, item)
    return Applied()


def requested(turn: Turn, _event: Event, data: ReplenishmentRequested) -> Outcome:
    """Add what a buyer asks for to open replenishments, line by line (R9)."""
    for row in data.lines:
        if row.order_line is not None and turn.state.order(row.order_line[:2]) is None:
            return Deferred(order=row.order_line[:2])
    for row in data.lines:
        reason = _add(turn, data, row)
        if reason is not None:
            _not_added(turn, data, row, reason)
    for sku in dict.fromkeys(row.sku for row in data.lines):
        item = turn.state.item(sku)
        turn.touch(item)
        replenish(turn, item)
        redate(turn, item)
    return Applied()


def _add(turn: Turn, data: ReplenishmentRequested, row: RequestedLine) -> str | None:
    """Add a line of a request; return why it is refused (R9)."""
    item = turn.state.item(row.sku)
    if item.vendor is not None and item.vendor != data.vendor:
        return "other_vendor"
    if row.order_line is not None:
        return _pick(turn, data, row, item)
    qty = row.qty or 0
    # The default of P4, for no shop in particular.
    destination = data.destination or turn.seen(destination_of(turn.state, None)).place
    slot = turn.state.slot(data.vendor, destination)
    if qty < 0:
        known = turn.state.replenishments[slot.open_id] if slot.open_id is not None else None
        line = known.lines.get(item.sku) if known is not None else None
        if line is None or line.manual + qty < 0:
            return "more_than_by_hand"
    replenishment = at_slot(turn, slot, by_hand=True)
    line = replenishment.lines.setdefault(item.sku, ReplenishmentLine(item.sku))
    line.manual += qty
    if replenishment.replenishment_id not in item.supply:
        item.supply.append(replenishment.replenishment_id)
    return None


def _pick(turn: Turn, data: ReplenishmentRequested, row: RequestedLine, item: Item) -> str | None:
    """Link a held order line to the vendor's open replenishment (R9, R10)."""
    assert row.order_line is not None
    order = turn.state.order(row.order_line[:2])
    line = order.lines.get(row.order_line[2]) if order is not None else None
    if line is None or line.sku != row.sku:
        return "unknown_line"
    free = _not_linked(line)
    qty = free if row.qty is None else row.qty
    if qty > free or not free:
        return "more_than_shortage"
    destination = line.destination
    if line.sourced is not Sourced.DROP_SHIP and data.destination is not None:
        destination = data.destination
    replenishment = at_slot(turn, turn.state.slot(data.vendor, destination), by_hand=True)
    links.add(item, line, replenishment, qty, by_hand=True)
    turn.because(line, "R9", qty=qty, replenishment=replenishment.replenishment_id)
    return None


def _not_linked(line: Line) -> int:
    wanted = line.drop_ship if line.sourced is Sourced.DROP_SHIP else line.shortage
    return wanted - line.linked


def _not_added(turn: Turn, data: ReplenishmentRequested, row: RequestedLine, reason: str) -> None:
    shop, order_id, line_id = row.order_line or (None, None, None)
    turn.raise_exception(
        ExceptionCode.REFUSED,
        f"{row.sku} is not added to what is bought from {data.vendor}: {reason.replace('_', ' ')}",
        reason=reason,
        sku=row.sku,
        vendor=data.vendor,
        place=data.destination,
        shop=shop,
        order_id=order_id,
        line_id=line_id,
    )


def _finalized(turn: Turn, replenishment: Replenishment, data: ReplenishmentClosed) -> None:
    """Book what the vendor confirmed; skus not named stay as they are (R4)."""
    confirmed: dict[str, tuple[Part, ...]] = {}
    for row in data.lines or ():
        line = replenishment.lines.get(row.sku)
        if line is None:
            _refused(turn, replenishment, "not_on_replenishment", sku=row.sku)
            continue
        confirmed[row.sku] = confirmed.get(row.sku, ()) + tuple(
            Part(part.qty, part.expected_at) for part in row.parts
        )
    after = {
        line.sku: sum(part.qty for part in confirmed[line.sku])
        if line.sku in confirmed
        else line.qty
        for line in replenishment.lines.values()
    }
    if not any(after.values()):  # 0 throughout
        _lost(turn, replenishment, ReplenishmentState.CANCELLED)
        return
    if replenishment.is_open:
        finalize(turn, replenishment, turn.at)
    for sku, parts in confirmed.items():
        line = replenishment.lines[sku]
        line.qty = after[sku]
        line.parts = tuple(part for part in parts if part.qty)
    if any(row.received for row in replenishment.lines.values()) and not any(
        row.short_of for row in replenishment.lines.values()
    ):
        end(turn, replenishment, ReplenishmentState.RECEIVED)


def _lost(turn: Turn, replenishment: Replenishment, state: ReplenishmentState) -> None:
    """Give up what has not arrived: it is need again, and a person is told (R5)."""
    units = sum(line.short_of for line in replenishment.lines.values())
    end(turn, replenishment, state)
    if state is ReplenishmentState.CANCELLED:
        revise(turn, replenishment)
    turn.raise_exception(
        ExceptionCode.SUPPLY_LOST,
        f"{units} units of {replenishment.replenishment_id} will not come ({state})",
        replenishment_id=replenishment.replenishment_id,
        vendor=replenishment.vendor,
        place=replenishment.destination,
    )


def _refused(
    turn: Turn, replenishment: Replenishment, reason: str, *, sku: str | None = None
) -> None:
    what = f"sku {sku}" if sku is not None else "this"
    turn.raise_exception(
        ExceptionCode.REFUSED,
        f"{replenishment.replenishment_id}: closing refused for {what}, {reason.replace('_', ' ')}",
        reason=reason,
        replenishment_id=replenishment.replenishment_id,
        vendor=replenishment.vendor,
        place=replenishment.destination,
        sku=sku,
    )
