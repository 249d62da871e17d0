"""What buyers tell of replenishments: sent, confirmed, short-closed, cancelled (R4-R6)."""

from events.envelope import Event
from events.inbound import ReplenishmentClosed
from events.vocabulary import ExceptionCode, ReplenishmentOutcome
from handlers.decision import Applied, Outcome
from handlers.refusals import later
from handlers.rules.replenishment import end, finalize, replenish, revise
from handlers.state import Part, Replenishment, ReplenishmentState
from handlers.turn import Turn


def closed(turn: Turn, _event: Event, data: ReplenishmentClosed) -> Outcome:
    """Finalize, confirm anew, short-close or cancel a replenishment (R4, R5)."""
    replenishment = turn.state.replenishments.get(data.replenishment_id)
    if replenishment is None:
        return later(
            "data.replenishment_id", "closing a replenishment before it is raised is not kept yet"
        )
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
    return Applied()


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
