"""Stock received (S1), transferred (S2, S7), counted (S8) and returned (S12)."""

from events.envelope import Event
from events.inbound import StockCounted, StockReceived, StockReturned, StockTransferred
from events.vocabulary import ExceptionCode, PlaceKind
from handlers.decision import Applied, Outcome
from handlers.facts import fact
from handlers.rules.filling import serve
from handlers.rules.links import bought, dock, servable, undock
from handlers.rules.replenishment import advance, finalize, replenish
from handlers.rules.stocks import Leaving, arrive, count, leave, summed
from handlers.state import Item, Replenishment, ReplenishmentState
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
    usable: dict[str, int] = {}
    for sku, qty in lines.items():
        item = state.item(sku)
        usable[sku] = arrive(turn, item, data.place, qty, "received")
        _reduce_incoming(turn, replenishment, item, qty, data.place)
    if replenishment is not None:
        advance(turn, replenishment)
    for sku, qty in lines.items():
        item = state.item(sku)
        if usable_at != data.place:
            usable[sku] = _transfer(turn, item, data.place, usable_at, qty)
        serve(turn, item, {usable_at: usable[sku]})
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
    turn: Turn, replenishment: Replenishment | None, item: Item, qty: int, place: str
) -> None:
    """Take received units off what was outstanding; the rest is a surprise (S1).

    Of the units expected, those bought for single lines are theirs from here on (R10).
    """
    if replenishment is None:
        return
    sku = item.sku
    line = replenishment.lines.get(sku)
    expected = 0
    if line is not None:
        expected = min(qty, replenishment.outstanding(sku))
        if not replenishment.drop_ship:
            dock(line, place, min(expected, line.for_lines - line.at_docks))
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
    usable = {
        sku: _transfer(turn, turn.state.item(sku), data.from_place, data.to, qty)
        for sku, qty in lines.items()
    }
    _serve_all(turn, data.to, usable)
    return Applied()


def _transfer(turn: Turn, item: Item, origin: str, to: str, qty: int) -> int:
    """Move units; those bought for single lines go first, as far as they are wanted there (S4)."""
    state = turn.state
    usable = leave(turn, item, Leaving(origin, to, qty, "transferred"))
    left = qty
    for replenishment, line in bought(state, item):
        here = min(left, line.docked.get(origin, 0))
        if here and state.places[to].picks:
            here = min(here, _wanted(turn, item, replenishment, to, here))
        if here:
            undock(line, origin, here)
            dock(line, to, here)
            left -= here
    return usable


def _wanted(turn: Turn, item: Item, replenishment: Replenishment, to: str, most: int) -> int:
    """Return how many units the lines linked to a replenishment could take at a source."""
    wanted = 0
    for link in servable(turn.state, item, replenishment.replenishment_id, to):
        if link is None or wanted >= most:
            return most
        wanted += link.qty
    return wanted


def counted(turn: Turn, event: Event, data: StockCounted) -> Outcome:
    """Set what is on hand to what was counted; more serves the queue, less gives back (S8)."""
    repeated = fact(turn, event, "count", data.place, data.count_id)
    if repeated is not None:
        return repeated
    turn.seen(data.place)
    more: dict[str, int] = {}
    for sku, qty in summed((line.sku, line.qty) for line in data.lines).items():
        item = turn.state.item(sku)
        turn.touch(item)
        more[sku] = count(turn, item, data.place, qty)
    _serve_all(turn, data.place, more)
    return Applied()


def _serve_all(turn: Turn, place: str, usable: dict[str, int]) -> None:
    """Serve skus from a place when all of what came there has been booked (S3)."""
    for sku, qty in usable.items():
        item = turn.state.item(sku)
        serve(turn, item, {place: qty})
        replenish(turn, item)


def returned(turn: Turn, event: Event, data: StockReturned) -> Outcome:
    """Book what a customer sent back, like a receipt (S12)."""
    repeated = fact(turn, event, "return", data.place, data.return_id)
    if repeated is not None:
        return repeated
    turn.seen(data.place)
    usable = {
        sku: arrive(turn, turn.state.item(sku), data.place, qty, "returned")
        for sku, qty in summed((line.sku, line.qty) for line in data.lines).items()
    }
    _serve_all(turn, data.place, usable)
    return Applied()
