"""Orders changed: only quantities matter, and only as far as they differ (C2)."""

from events.envelope import Event
from events.inbound import OrderChanged, OrderLine
from handlers.cancellations import cancel
from handlers.decision import Applied, Deferred, Outcome, Repeated, SetAside
from handlers.orders import judge_lines
from handlers.refusals import conflict
from handlers.state import Line, Order
from handlers.turn import Turn


def changed(turn: Turn, event: Event, data: OrderChanged) -> Outcome:
    """Bring an order to what is wanted now: what is less is cancelled, what is more judged (C2)."""
    key = (data.shop, data.order_id)
    order = turn.state.order(key)
    if order is None:
        return Deferred(order=key)
    if data.version < order.version:
        return Repeated()
    if data.version == order.version:
        if event.data_hash == order.version_hash:
            return Repeated()
        return conflict(
            f"version {data.version} of {data.shop}/{data.order_id} came with other content"
        )
    other = _other_sku(order, data)
    if other is not None:
        return other
    order.version, order.version_hash = data.version, event.data_hash
    order.customer = None if data.customer is None else data.customer.model_dump(exclude_none=True)
    order.ship_to = data.ship_to
    wanted = {row.line_id: row for row in data.lines}
    less = {line_id: _less(line, wanted.get(line_id)) for line_id, line in order.lines.items()}
    cancel(turn, order, [(order.lines[line_id], qty) for line_id, qty in less.items() if qty])
    _judge_more(turn, order, data, less)
    return Applied()


def _other_sku(order: Order, data: OrderChanged) -> SetAside | None:
    for index, row in enumerate(data.lines):
        line = order.lines.get(row.line_id)
        if line is not None and line.sku != row.sku:
            message = f"line {row.line_id} is of sku {line.sku}: another sku is another line"
            return SetAside("conflict", f"data.lines.{index}.sku", message)
    return None


def _less(line: Line, wanted: OrderLine | None) -> int:
    """Return the units to cancel: what was rejected is not wanted already (C2)."""
    less = line.ordered - line.cancelled - (0 if wanted is None else wanted.qty)
    return max(0, less - line.rejected)


def _judge_more(turn: Turn, order: Order, data: OrderChanged, less: dict[str, int]) -> None:
    """Order what is wanted on top: it waits for the payment, or is judged like a new line."""
    more: dict[str, int] = {}
    for row in data.lines:
        line = order.lines.get(row.line_id)
        if line is None:
            line = _new_line(order, row)
        else:
            line.name, line.unit_price = row.name, row.unit_price
        if row.line_id in less:
            extra = max(0, row.qty - (line.ordered - line.cancelled))
            line.ordered += extra
        else:
            extra = row.qty
        if extra:
            more[line.line_id] = extra
            turn.because(line, "C2", more=extra, version=data.version)
    if not more:
        return
    if order.pending:
        for line_id, extra in more.items():
            order.lines[line_id].pending += extra
        turn.revisit(order)
        return
    judge_lines(turn, order, more)


def _new_line(order: Order, row: OrderLine) -> Line:
    position = max(line.position for line in order.lines.values()) + 1
    line = order.lines[row.line_id] = Line(
        order,
        row.line_id,
        position,
        row.sku,
        row.qty,
        group=row.group,
        name=row.name,
        unit_price=row.unit_price,
    )
    return line
