"""Orders placed: judged line by line, released, held, bought for (O1-O8)."""

from collections.abc import Iterable, Sequence

from events.envelope import Event, happened_at
from events.inbound import Customer, OrderCancelled, OrderPlaced
from events.outbound import BackorderedLine, OrderBackordered, OrderRejected, RejectedLine
from events.vocabulary import BackorderPolicy, ExceptionCode, RejectionReason
from handlers.cancellations import over_cancelled, wanted
from handlers.decision import Applied, Outcome, Repeated
from handlers.refusals import conflict
from handlers.rules.allocation import allocate, share
from handlers.rules.promises import expected_at, latest
from handlers.rules.queue import hold
from handlers.rules.release import subject
from handlers.rules.replenishment import replenish
from handlers.rules.sellable import destination_is_bad, destination_of, free, may_wait
from handlers.state import Item, Line, Order, Shop, TaskKind
from handlers.turn import Origin, Turn


def placed(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
    """Judge a new order line by line (O1-O8); an order known already changes nothing (C4)."""
    state = turn.state
    known = state.order((data.shop, data.order_id))
    if known is not None:
        if known.data_hash == event.data_hash:
            return Repeated()
        return conflict(f"order {data.shop}/{data.order_id} was placed with other content")
    _introduce(turn, data.shop)
    order = _order_of(turn, event, data)
    state.orders[order.key] = order
    _take_off(turn, order)
    by_sku: dict[str, list[Line]] = {}
    for line in order.lines.values():
        if line.ordered > line.cancelled:
            by_sku.setdefault(line.sku, []).append(line)
    rejected: list[RejectedLine] = []
    for sku, lines in by_sku.items():
        item = state.item(sku)
        turn.touch(item)
        rejected += _judge(turn, item, order, lines)
        # Even where nothing is short: what was taken may have been what another's need was less by.
        replenish(turn, item)
    if rejected:
        rejected.sort(key=lambda row: order.lines[row.line_id].position)
        turn.emit(
            OrderRejected(shop=order.shop, order_id=order.order_id, lines=tuple(rejected)),
            subject(order),
            order.shop,
            order.order_id,
        )
    held = [line for line in order.lines.values() if line.shortage]
    if held:
        _name_unserved(turn, order, held)
        tell_held(turn, order, held)
    return Applied()


def _introduce(turn: Turn, shop: str) -> None:
    """Get to know a shop by its first order (P2, S13)."""
    if shop not in turn.state.shops:
        turn.catalogue(shop)
        turn.state.shops[shop] = Shop(shop)
        turn.task(TaskKind.WALK, "shop", shop, scope="shop", name=shop)


def _order_of(turn: Turn, event: Event, data: OrderPlaced) -> Order:
    destination = destination_of(turn.state, data.shop)
    turn.seen(destination)
    order = Order(
        shop=data.shop,
        order_id=data.order_id,
        placed_at=data.placed_at,
        judged_at=turn.at,
        priority=100 if data.priority is None else data.priority,
        destination=destination,
        data_hash=event.data_hash,
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
            name=line.name,
            unit_price=line.unit_price,
        )
    return order


def _take_off(turn: Turn, order: Order) -> None:
    """Take off what was cancelled before the order came: nothing is told for it (C3)."""
    state = turn.state
    for early in state.waiting.pop(order.key, []):
        if not isinstance(early.data, OrderCancelled):
            continue
        cancelling = Turn(
            turn.books, Origin(early.cause, happened_at(early, turn.at), early.traceparent)
        )
        for line, asked in wanted(cancelling, order, early.data):
            qty = min(asked, line.ordered - line.cancelled)
            line.cancelled += qty
            cancelling.because(line, "C3", qty=qty)
            if qty < asked:
                over_cancelled(cancelling, order, line.line_id, line.sku, asked - qty)
        turn.books.decision.taken.append(early)


def _judge(turn: Turn, item: Item, order: Order, lines: list[Line]) -> list[RejectedLine]:
    """Decide all lines of one sku on their summed quantity (O1); return those rejected."""
    policy = item.policy
    if not policy.manage_stock:
        for line in lines:
            line.managed = False
            allocate(turn, item, line, None, line.ordered - line.cancelled, by_fill=False)
            turn.because(line, "O2", qty=line.ordered - line.cancelled)
        return []
    asked = sum(line.ordered - line.cancelled for line in lines)
    usable = free(turn.state, item, order.shop)
    waiting = may_wait(item)
    shares = share(turn, item, order.shop, asked)
    short = asked - sum(qty for _source, qty in shares)
    numbers = {"asked": asked, "usable": usable, "waiting": item.shortage}
    if waiting is not None and short > waiting:
        none = policy.backorder_policy is BackorderPolicy.NONE
        reason = RejectionReason.OUT_OF_STOCK if none else RejectionReason.BACKORDER_LIMIT
        return [_reject(turn, line, usable + waiting, reason) for line in lines]
    for line in lines:
        wanted = line.ordered - line.cancelled
        while wanted and shares:
            source, units = shares[0]
            qty = min(wanted, units)
            allocate(turn, item, line, source, qty, by_fill=False)
            turn.because(line, "O3", source=source, qty=qty, **numbers)
            wanted -= qty
            shares[0] = (source, units - qty)
            if units == qty:
                shares.pop(0)
        if wanted:
            hold(item, line, wanted, order.placed_at)
            turn.because(line, "O3", held=wanted, **numbers)
    return []


def _reject(turn: Turn, line: Line, sellable: int, reason: RejectionReason) -> RejectedLine:
    qty = line.ordered - line.cancelled
    line.rejected = qty
    rule = "O4" if reason is RejectionReason.OUT_OF_STOCK else "O5"
    turn.because(line, rule, qty=qty, sellable=sellable)
    return RejectedLine(
        line_id=line.line_id, sku=line.sku, qty=qty, sellable=sellable, reason=reason
    )


def _name_unserved(turn: Turn, order: Order, held: Iterable[Line]) -> None:
    """Name what no vendor can be asked for (R7), and a destination that is not used (P4)."""
    for line in held:
        if turn.state.item(line.sku).vendor is None:
            turn.raise_exception(
                ExceptionCode.NO_VENDOR,
                f"{line.shortage} of {line.sku} wait and no vendor is known for it",
                sku=line.sku,
                shop=order.shop,
                order_id=order.order_id,
                line_id=line.line_id,
            )
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


def tell_held(turn: Turn, order: Order, held: Sequence[Line]) -> None:
    """Tell that lines wait, until when, and what could be had instead (O8, R11)."""
    state = turn.state
    lines = []
    for line in held:
        item = state.item(line.sku)
        line.told = True
        line.told_expected_at = expected_at(state, item, line, turn.at)
        lines.append(
            BackorderedLine(
                line_id=line.line_id,
                sku=line.sku,
                qty=line.shortage,
                expected_at=line.told_expected_at,
                alternatives=item.alternatives,
                notify=item.policy.backorder_policy is BackorderPolicy.NOTIFY,
            )
        )
    turn.emit(
        OrderBackordered(
            shop=order.shop,
            order_id=order.order_id,
            lines=tuple(lines),
            expected_at=latest(line.expected_at for line in lines),
            customer=None if order.customer is None else Customer(**order.customer),
        ),
        subject(order),
        order.shop,
        order.order_id,
    )
