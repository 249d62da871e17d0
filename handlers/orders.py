"""Orders placed and their holds: judged line by line, released, held, bought for (O1-O10)."""

from events.envelope import Event, happened_at
from events.inbound import OrderCancelled, OrderHoldCleared, OrderPlaced
from events.outbound import OrderRejected
from events.vocabulary import ExceptionCode, ReleaseMode, ShipMode
from handlers.cancellations import over_cancelled, wanted
from handlers.decision import Applied, Deferred, Outcome, Repeated
from handlers.refusals import conflict
from handlers.rows.orders import PAYMENT
from handlers.rules.judging import judge, name_unserved
from handlers.rules.release import subject
from handlers.rules.sellable import destination_is_bad, destination_of
from handlers.state import Line, Order, Shop, TaskKind
from handlers.turn import Origin, Turn


def placed(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
    """Judge a new order line by line (O1-O8); an order known already changes nothing (C4).

    One that waits for its payment is judged when it has come (O10).
    """
    state = turn.state
    known = state.order((data.shop, data.order_id))
    if known is not None:
        if known.data_hash == event.data_hash:
            return Repeated()
        return conflict(f"order {data.shop}/{data.order_id} was placed with other content")
    _introduce(turn, data.shop)
    order = _order_of(turn, event, data)
    state.orders[order.key] = order
    turn.placed.append(order)
    _take_off(turn, order)
    if order.pending:
        for line in order.lines.values():
            line.pending = line.ordered - line.cancelled
            turn.because(line, "O10", pending=line.pending)
    else:
        lines = order.lines.values()
        judge_lines(turn, order, {line.line_id: line.ordered - line.cancelled for line in lines})
    return Applied()


def hold_cleared(turn: Turn, _event: Event, data: OrderHoldCleared) -> Outcome:
    """Lift a hold; without the last one its units may go, without `payment` it is judged (O10)."""
    key = (data.shop, data.order_id)
    order = turn.state.order(key)
    if order is None:
        return Deferred(order=key)
    if data.hold not in order.holds:
        return Applied()
    order.holds = tuple(hold for hold in order.holds if hold != data.hold)
    turn.revisit(order)
    for line in order.lines.values():
        turn.because(line, "O10", cleared=data.hold)
    if data.hold == PAYMENT:
        order.destination = turn.seen(destination_of(turn.state, order.shop)).place
        order.judged_at = turn.at
        units = {line.line_id: line.pending for line in order.lines.values()}
        for line in order.lines.values():
            line.pending = 0
        judge_lines(turn, order, units)
    return Applied()


def judge_lines(turn: Turn, order: Order, units: dict[str, int]) -> None:
    """Judge units of an order by line id, and say what is refused or nobody brings (O7, R7)."""
    before = {line_id: _waiting(order.lines[line_id]) for line_id in units}
    rejected = judge(turn, order, units)
    if rejected:
        turn.emit(
            OrderRejected(shop=order.shop, order_id=order.order_id, lines=tuple(rejected)),
            subject(order),
            order.shop,
            order.order_id,
        )
    lines = [order.lines[line_id] for line_id in units]
    more = [line for line in lines if _waiting(line) > before[line.line_id]]
    name_unserved(turn, order, more)
    if any(line.shortage for line in more):
        _name_bad_destination(turn, order)
    turn.judged += more


def _waiting(line: Line) -> int:
    return line.shortage + line.drop_ship


def _introduce(turn: Turn, shop: str) -> None:
    """Get to know a shop by its first order (P2, S13)."""
    if shop not in turn.state.shops:
        turn.catalogue(shop)
        turn.state.shops[shop] = Shop(shop)
        turn.task(TaskKind.WALK, "shop", shop, scope="shop", name=shop)


def _order_of(turn: Turn, event: Event, data: OrderPlaced) -> Order:
    holds = tuple(dict.fromkeys(data.holds or ()))
    place = destination_of(turn.state, data.shop)
    if PAYMENT not in holds:
        turn.seen(place)
    order = Order(
        shop=data.shop,
        order_id=data.order_id,
        placed_at=data.placed_at,
        judged_at=turn.at,
        priority=100 if data.priority is None else data.priority,
        destination=place,
        data_hash=event.data_hash,
        ship_mode=data.ship_mode or ShipMode.PARTIAL,
        release=data.release or ReleaseMode.AUTO,
        holds=holds,
        customer=None if data.customer is None else data.customer.model_dump(exclude_none=True),
        ship_to=data.ship_to,
    )
    for position, line in enumerate(data.lines):
        order.lines[line.line_id] = Line(
            order,
            line.line_id,
            position,
            line.sku,
            line.qty,
            group=line.group,
            name=line.name,
            unit_price=line.unit_price,
        )
    return order


def _take_off(turn: Turn, order: Order) -> None:
    """Take off what was cancelled before the order came: nothing is told for it (C3)."""
    state = turn.state
    early = state.waiting.get(order.key, [])
    state.waiting[order.key] = [row for row in early if not isinstance(row[0].data, OrderCancelled)]
    for event, received_at in early:
        if not isinstance(event.data, OrderCancelled):
            continue
        origin = Origin(event.cause, happened_at(event, received_at), event.traceparent)
        cancelling = Turn(turn.books, origin)
        for line, asked in wanted(cancelling, order, event.data):
            qty = min(asked, line.ordered - line.cancelled)
            line.cancelled += qty
            cancelling.because(line, "C3", qty=qty)
            if qty < asked:
                over_cancelled(cancelling, order, line.line_id, line.sku, asked - qty)
        turn.books.decision.taken.append(event)


def _name_bad_destination(turn: Turn, order: Order) -> None:
    """Name a destination that the shop's order could not use (P4)."""
    row = turn.state.shops.get(order.shop)
    if row is not None and destination_is_bad(turn.state, order.shop):
        turn.raise_exception(
            ExceptionCode.BAD_DESTINATION,
            f"{row.destination} is no source of shop {order.shop} and feeds none: "
            f"{order.destination} serves",
            shop=order.shop,
            order_id=order.order_id,
            place=row.destination,
        )
