"""Orders shipped: allocated becomes shipped, and the units leave the ledger (S9)."""

from events.envelope import Event
from events.inbound import OrderShipped, ShippedLine
from events.vocabulary import ExceptionCode
from handlers.cancellations import Tally
from handlers.decision import Applied, Outcome
from handlers.facts import fact
from handlers.refusals import later
from handlers.rules.allocation import take_back
from handlers.rules.queue import unhold
from handlers.rules.stocks import Leaving, leave
from handlers.state import Line, Order
from handlers.turn import Turn


def shipped(turn: Turn, event: Event, data: OrderShipped) -> Outcome:
    """Turn allocated into shipped and move the units to the customer (S9)."""
    order = turn.state.order((data.shop, data.order_id))
    if order is None:
        return later(
            "data.order_id", "a shipment before its order is not kept until the order comes yet"
        )
    if data.source.startswith("vendor:"):
        return later("data.source", "a shipment by a vendor is not applied yet")
    repeated = fact(
        turn, event, "shipment", data.shop, data.order_id, data.source, data.shipment_id
    )
    if repeated is not None:
        return repeated
    turn.seen(data.source)
    _book(turn, order, data)
    return Applied()


def _book(turn: Turn, order: Order, data: OrderShipped) -> None:
    tally = Tally()
    gone: dict[str, int] = {}
    for row in data.lines:
        line = order.lines.get(row.line_id)
        if line is None:
            _nobodys(turn, order, data.source, row)
            continue
        if line.managed:
            gone[line.sku] = gone.get(line.sku, 0) + row.qty
        _ship(turn, line, data.source, row.qty, tally)
    for sku, qty in gone.items():
        leave(turn, turn.state.item(sku), Leaving(data.source, None, qty, "shipped", order))
    for sku in sorted(gone):
        tally.pass_on(turn, turn.state.item(sku))


def _nobodys(turn: Turn, order: Order, source: str, row: ShippedLine) -> None:
    turn.raise_exception(
        ExceptionCode.OVER_SHIPMENT,
        f"{row.qty} shipped of line {row.line_id}, which the order does not have",
        shop=order.shop,
        order_id=order.order_id,
        line_id=row.line_id,
        place=source,
    )


def _ship(turn: Turn, line: Line, source: str, qty: int, tally: Tally) -> None:
    """Take shipped units from a line: allocated there, allocated elsewhere, waiting, ... (S9)."""
    item = turn.state.item(line.sku)
    here = source if line.managed else None
    left = _from_allocations(turn, line, here, qty, tally)
    waiting = min(left, line.shortage)
    if waiting:
        unhold(item, line, waiting)
        tally.lose(line.sku, waiting)
        left -= waiting
    for name in ("pending", "cancelled", "rejected"):
        units = min(left, getattr(line, name))
        setattr(line, name, getattr(line, name) - units)
        left -= units
    line.shipped += qty - left
    turn.because(line, "S9", source=source, qty=qty - left)
    if left:
        turn.raise_exception(
            ExceptionCode.OVER_SHIPMENT,
            f"{left} of {line.sku} shipped beyond what was ordered",
            shop=line.order.shop,
            order_id=line.order.order_id,
            line_id=line.line_id,
            sku=line.sku,
            place=source,
        )


def _from_allocations(turn: Turn, line: Line, here: str | None, qty: int, tally: Tally) -> int:
    """Take shipped units from what is allocated there, then elsewhere; return what is left."""
    item = turn.state.item(line.sku)
    for allocation in sorted(line.allocations, key=lambda row: (row.source != here, row.seq)):
        units = min(qty, allocation.qty)
        if not units:
            continue
        qty -= units
        if allocation.source != here:
            tally.free(line.sku, take_back(turn, item, line, allocation, units), units)
            continue
        allocation.qty -= units
        if here is not None:
            item.at(here).allocated -= units
    return qty
