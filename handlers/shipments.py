"""Orders shipped: allocated becomes shipped, and the units leave the ledger (S9, R10)."""

from events.envelope import Event
from events.inbound import OrderShipped, ShippedLine
from events.vocabulary import ExceptionCode
from handlers.cancellations import Tally
from handlers.decision import Applied, Deferred, Outcome
from handlers.facts import fact
from handlers.rows.orders import VENDOR
from handlers.rules.allocation import take_back, unhold
from handlers.rules.links import bought, cut, fit
from handlers.rules.replenishment import advance, finalize
from handlers.rules.sellable import sourced
from handlers.rules.stocks import Leaving, leave
from handlers.state import Allocation, Item, Line, Order, Sourced
from handlers.turn import Turn


def shipped(turn: Turn, event: Event, data: OrderShipped) -> Outcome:
    """Turn allocated into shipped and move the units to the customer (S9).

    What a vendor ships moves no stock of ours; it is received and shipped at once (R10).
    """
    key = (data.shop, data.order_id)
    order = turn.state.order_in_part(key)
    if order is None:
        return Deferred(order=key)
    repeated = fact(
        turn, event, "shipment", data.shop, data.order_id, data.source, data.shipment_id
    )
    if repeated is not None:
        return repeated
    if not data.source.startswith(VENDOR):
        turn.seen(data.source)
    _book(turn, order, data)
    return Applied()


def not_found(turn: Turn, data: OrderShipped) -> None:
    """Name a shipment of an order that has not come in time (C3)."""
    for row in data.lines:
        turn.raise_exception(
            ExceptionCode.OVER_SHIPMENT,
            f"{row.qty} shipped of line {row.line_id} of an order nobody has placed",
            shop=data.shop,
            order_id=data.order_id,
            line_id=row.line_id,
            place=data.source,
        )


def _book(turn: Turn, order: Order, data: OrderShipped) -> None:
    tally = Tally()
    gone: dict[str, int] = {}
    touched: set[str] = set()
    by_vendor = data.source.startswith(VENDOR)
    for row in data.lines:
        line = order.lines.get(row.line_id)
        if line is None:
            _nobodys(turn, order, data.source, row)
            continue
        touched.add(line.sku)
        if _moves_stock(turn, line) and not by_vendor:
            gone[line.sku] = gone.get(line.sku, 0) + row.qty
        _ship(turn, line, data.source, row.qty, tally)
    for sku, qty in gone.items():
        leave(turn, turn.state.item(sku), Leaving(data.source, None, qty, "shipped", order))
    turn.revisit(order)
    for sku in sorted(touched):
        tally.pass_on(turn, turn.state.item(sku))


def _moves_stock(turn: Turn, line: Line) -> bool:
    """Do its units leave a source of ours (S9)? What was not judged yet, as its sku is now (O2)."""
    kind = line.sourced
    if kind is Sourced.UNJUDGED:
        kind = sourced(turn.state.item(line.sku).policy)
    return kind is not Sourced.UNMANAGED


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
    turn.touch(item)
    left = qty
    if source.startswith(VENDOR):
        left -= _from_vendor(turn, item, line, source.removeprefix(VENDOR), left)
    here = source if _moves_stock(turn, line) else None
    left = _from_allocations(turn, line, here, left, tally)
    waiting = min(left, line.shortage)
    if waiting:
        unhold(turn, item, line, waiting)
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


def _from_vendor(turn: Turn, item: Item, line: Line, vendor: str, qty: int) -> int:
    """Take units a vendor shipped from its drop-ship replenishments of the order (R10)."""
    units = min(qty, line.drop_ship)
    if not units:
        return 0
    left = units
    for replenishment, row in list(bought(turn.state, item)):
        if replenishment.vendor != vendor or replenishment.destination != line.destination:
            continue
        if replenishment.is_open:
            finalize(turn, replenishment, turn.at)
        received = min(left, replenishment.outstanding(item.sku))
        row.received += received
        left -= received
        for link in line.links:
            if link.replenishment_id == replenishment.replenishment_id:
                mine = min(received, link.qty)
                cut(turn.state, item, link, mine)
                received -= mine
        advance(turn, replenishment)
    line.drop_ship -= units
    fit(turn.state, item, line)
    return units


def _first_gone(allocation: Allocation, here: str | None) -> tuple[bool, bool, int]:
    """Order allocations: there first what was told to ship, elsewhere what was not."""
    elsewhere = allocation.source != here
    told = allocation.release_id is not None
    return (elsewhere, told == elsewhere, allocation.seq)


def _from_allocations(turn: Turn, line: Line, here: str | None, qty: int, tally: Tally) -> int:
    """Take shipped units from what is allocated there, then elsewhere; return what is left."""
    item = turn.state.item(line.sku)
    for allocation in sorted(line.allocations, key=lambda row: _first_gone(row, here)):
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
