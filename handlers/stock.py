"""Stock received (S1), transferred (S2, S7) and returned (S12)."""

from events.envelope import Event
from events.inbound import StockReceived, StockReturned, StockTransferred
from events.vocabulary import ExceptionCode, PlaceKind
from handlers.decision import Applied, Outcome
from handlers.facts import fact
from handlers.rules.allocation import serve
from handlers.rules.replenishment import end, finalize, replenish
from handlers.rules.stocks import Leaving, leave, summed
from handlers.state import Replenishment, ReplenishmentState
from handlers.turn import Turn


def received(turn: Turn, event: Event, data: StockReceived) -> Outcome:
    """Book goods that arrived, always; what is odd about them is an exception (S1)."""
    repeated = fact(turn, event, "receipt", data.place, data.receipt_id)
    if repeated is not None:
        return repeated
    state = turn.state
    lines = summed((line.sku, line.qty) for line in data.lines)
    turn.seen(data.place)
    usable_at = turn.seen(data.transfer_to or data.place).place
    replenishment = _replenishment(turn, data)
    for sku, qty in lines.items():
        item = state.item(sku)
        turn.move(item, qty, None, data.place, "received")
        _reduce_incoming(turn, replenishment, sku, qty, data.place)
    _advance(turn, replenishment)
    for sku, qty in lines.items():
        item = state.item(sku)
        if usable_at != data.place:
            leave(turn, item, Leaving(data.place, usable_at, qty, "transferred"))
        serve(turn, item, {usable_at: qty})
    for sku in dict.fromkeys((*lines, *(replenishment.lines if replenishment else ()))):
        replenish(turn, state.item(sku))
    return Applied()


def _replenishment(turn: Turn, data: StockReceived) -> Replenishment | None:
    """Return what the receipt is for; one still open is finalized first (S1)."""
    name = data.replenishment_id
    if name is None:
        return None
    replenishment = turn.state.replenishments.get(name)
    if replenishment is None:
        turn.raise_exception(
            ExceptionCode.UNKNOWN_REPLENISHMENT,
            f"receipt {data.receipt_id} names replenishment {name}, which is not known",
            place=data.place,
            replenishment_id=name,
        )
        return None
    place = turn.state.places[data.place]
    feeds = place.feeds if place.kind is PlaceKind.DOCK else None
    if replenishment.destination not in {data.place, feeds}:
        turn.raise_exception(
            ExceptionCode.WRONG_PLACE,
            f"{name} is to be delivered to {replenishment.destination}, not to {data.place}",
            place=data.place,
            replenishment_id=name,
            vendor=replenishment.vendor,
        )
    if replenishment.is_open:
        finalize(turn, replenishment, turn.at)
    return replenishment


def _reduce_incoming(
    turn: Turn, replenishment: Replenishment | None, sku: str, qty: int, place: str
) -> None:
    """Take received units off what was outstanding; the rest is a surprise (S1)."""
    if replenishment is None:
        return
    line = replenishment.lines.get(sku)
    expected = 0
    if line is not None:
        expected = min(qty, replenishment.outstanding(sku))
        line.received += expected
    if qty == expected:
        return
    late = replenishment.state in {ReplenishmentState.CLOSED, ReplenishmentState.CANCELLED}
    turn.raise_exception(
        ExceptionCode.LATE_RECEIPT if late else ExceptionCode.OVER_RECEIPT,
        f"{qty} of {sku} received, {expected} of them outstanding on "
        f"{replenishment.replenishment_id} ({replenishment.state})",
        sku=sku,
        place=place,
        replenishment_id=replenishment.replenishment_id,
        vendor=replenishment.vendor,
    )


def _advance(turn: Turn, replenishment: Replenishment | None) -> None:
    """Let the state follow what has been received (S1)."""
    if replenishment is None or not replenishment.incoming:
        return
    if not any(line.short_of for line in replenishment.lines.values()):
        end(turn, replenishment, ReplenishmentState.RECEIVED)
    elif any(line.received for line in replenishment.lines.values()):
        replenishment.state = ReplenishmentState.PARTIALLY_RECEIVED


def transferred(turn: Turn, event: Event, data: StockTransferred) -> Outcome:
    """Move goods between places; those that reach a source serve held lines first (S2, S7)."""
    repeated = fact(turn, event, "transfer", data.from_place, data.transfer_id)
    if repeated is not None:
        return repeated
    turn.seen(data.from_place)
    turn.seen(data.to)
    if data.from_place == data.to:  # nothing moved
        return Applied()
    lines = summed((line.sku, line.qty) for line in data.lines)
    for sku, qty in lines.items():
        leaving = Leaving(data.from_place, data.to, qty, "transferred")
        leave(turn, turn.state.item(sku), leaving)
    for sku, qty in lines.items():
        item = turn.state.item(sku)
        serve(turn, item, {data.to: qty})
        replenish(turn, item)
    return Applied()


def returned(turn: Turn, event: Event, data: StockReturned) -> Outcome:
    """Book what a customer sent back, like a receipt (S12)."""
    repeated = fact(turn, event, "return", data.place, data.return_id)
    if repeated is not None:
        return repeated
    turn.seen(data.place)
    for sku, qty in summed((line.sku, line.qty) for line in data.lines).items():
        item = turn.state.item(sku)
        turn.move(item, qty, None, data.place, "returned")
        serve(turn, item, {data.place: qty})
        replenish(turn, item)
    return Applied()
