"""Which skus an event acts on: together they wait for an unfinished fill, or a walk (S6)."""

from collections.abc import Iterable

from events.envelope import Event
from events.inbound import (
    BackToShipRequested,
    ItemChanged,
    LineBackordered,
    OrderCancelled,
    OrderChanged,
    OrderHoldCleared,
    OrderPlaced,
    OrderShipped,
    ReplenishmentClosed,
    ReplenishmentRequested,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
)
from handlers.rows.orders import VENDOR
from handlers.state import Item, OrderKey, State


def items_of(state: State, event: Event) -> Iterable[Item]:  # noqa: C901 - one case per event
    """Return the skus an event acts on; they wait together while one of them is busy (S6)."""
    skus: set[str] = set()
    match event.data:
        case (
            StockTransferred(lines=lines)
            | StockReturned(lines=lines)
            | StockCounted(lines=lines)
            | ReplenishmentRequested(lines=lines)
        ):
            skus = {line.sku for line in lines}
        case OrderPlaced() | OrderChanged() as data:
            skus = {line.sku for line in data.lines}
            skus |= _skus_of(state, (data.shop, data.order_id))
        case StockReceived() as data:
            skus = {line.sku for line in data.lines}
            replenishment = state.replenishments.get(data.replenishment_id or "")
            if replenishment is not None:
                skus |= set(replenishment.lines)
        case OrderShipped() as data if not data.source.startswith(VENDOR):
            order = state.order_in_part((data.shop, data.order_id))
            there = {} if order is None else order.lines
            skus = {there[row.line_id].sku for row in data.lines if row.line_id in there}
        case (
            OrderCancelled()
            | OrderShipped()
            | OrderHoldCleared()
            | BackToShipRequested()
            | LineBackordered()
        ) as data:
            skus = _skus_of(state, (data.shop, data.order_id))
        case ReplenishmentClosed() as data:
            replenishment = state.replenishments.get(data.replenishment_id)
            if replenishment is not None:
                skus = set(replenishment.lines)
        case ItemChanged() as data:
            skus = {data.sku}
        case _:
            pass
    return [state.item(sku) for sku in skus]


def _skus_of(state: State, key: OrderKey) -> set[str]:
    """Return the skus of an order, and those that changes which came before it bring along."""
    order = state.order(key)
    skus = set() if order is None else {line.sku for line in order.lines.values()}
    for event, _received_at in state.waiting.get(key, ()):
        if isinstance(event.data, OrderChanged | ReplenishmentRequested):
            skus |= {line.sku for line in event.data.lines}
    return skus
