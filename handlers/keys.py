"""What a batch names: the keys the store loads and locks before anything is decided."""

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
    PlaceChanged,
    ReplenishmentClosed,
    ReplenishmentRequested,
    ShopChanged,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
    VendorChanged,
)
from handlers.facts import event_key, fact_key
from handlers.rows.orders import VENDOR, customer
from handlers.rules.sellable import destination_of, free, sourced
from handlers.state import Item, Keys, OrderKey, SlotKey, Sourced, State


def keys_of(events: Iterable[Event]) -> Keys:
    """Return what must be loaded to decide these events."""
    keys = Keys()
    for event in events:
        keys.facts.add(event_key(event.source, event.id))
        _add(keys, event)
    return keys


def _add(keys: Keys, event: Event) -> None:
    match event.data:
        case (
            OrderPlaced()
            | OrderChanged()
            | OrderCancelled()
            | OrderHoldCleared()
            | BackToShipRequested()
            | LineBackordered()
            | OrderShipped()
        ) as data:
            _add_order(keys, data)
        case StockReceived() | StockTransferred() | StockReturned() | StockCounted() as data:
            _add_stock(keys, data)
        case ReplenishmentClosed() | ReplenishmentRequested() as data:
            _add_supply(keys, data)
        case ItemChanged() | VendorChanged() | ShopChanged() | PlaceChanged() as data:
            _add_catalogue(keys, data)


def _add_order(
    keys: Keys,
    data: OrderPlaced
    | OrderChanged
    | OrderCancelled
    | OrderHoldCleared
    | BackToShipRequested
    | LineBackordered
    | OrderShipped,
) -> None:
    key = (data.shop, data.order_id)
    if isinstance(data, OrderShipped):
        _add_shipment(keys, data, key)
        return
    keys.orders.add(key)
    match data:
        case OrderPlaced():
            keys.shops.add(data.shop)
            priority = 100 if data.priority is None else data.priority
            for line in data.lines:
                keys.skus.add(line.sku)
                keys.probes.add((line.sku, *key, priority, data.placed_at))
            return
        case OrderChanged():
            keys.skus |= {line.sku for line in data.lines}
            keys.told_orders.add(key)
        case OrderHoldCleared() | BackToShipRequested() | LineBackordered():
            keys.told_orders.add(key)
        case _:
            pass
    keys.usable_orders.add(key)


def _add_shipment(keys: Keys, data: OrderShipped, key: OrderKey) -> None:
    keys.facts.add(fact_key("shipment", *key, data.source, data.shipment_id))
    if data.source.startswith(VENDOR):
        keys.orders.add(key)
        keys.usable_orders.add(key)
        return
    keys.places.add(data.source)
    for row in data.lines:
        shipped = (*key, row.line_id, data.source)
        keys.shipped[shipped] = keys.shipped.get(shipped, 0) + row.qty


def _add_stock(
    keys: Keys, data: StockReceived | StockTransferred | StockReturned | StockCounted
) -> None:
    skus = {line.sku for line in data.lines}
    keys.skus |= skus
    match data:
        case StockReceived():
            to = data.transfer_to or data.place
            keys.places |= {data.place, to}
            keys.arriving.setdefault(to, set()).update(skus)
            if data.replenishment_id is not None:
                keys.replenishments.add(data.replenishment_id)
            keys.facts.add(fact_key("receipt", data.place, data.receipt_id))
        case StockTransferred():
            keys.places |= {data.from_place, data.to}
            keys.arriving.setdefault(data.to, set()).update(skus)
            keys.facts.add(fact_key("transfer", data.from_place, data.transfer_id))
        case StockReturned():
            keys.places.add(data.place)
            keys.arriving.setdefault(data.place, set()).update(skus)
            keys.facts.add(fact_key("return", data.place, data.return_id))
        case StockCounted():
            keys.places.add(data.place)
            keys.facts.add(fact_key("count", data.place, data.count_id))
            keys.usable |= skus
            keys.reserved |= skus
            keys.counts |= {(line.sku, data.place, data.counted_at) for line in data.lines}


def _add_supply(keys: Keys, data: ReplenishmentClosed | ReplenishmentRequested) -> None:
    if isinstance(data, ReplenishmentClosed):
        keys.replenishments.add(data.replenishment_id)
        keys.closed.add(data.replenishment_id)
        return
    for row in data.lines:
        keys.skus.add(row.sku)
        keys.usable.add(row.sku)
        keys.dated[row.sku] = None
        if row.order_line is not None:
            keys.orders.add(row.order_line[:2])


def _add_catalogue(
    keys: Keys, data: ItemChanged | VendorChanged | ShopChanged | PlaceChanged
) -> None:
    keys.catalogue = keys.catalogue or not isinstance(data, ItemChanged)
    match data:
        case ItemChanged():
            keys.skus.add(data.sku)
            keys.usable.add(data.sku)
            keys.orderable.add(data.sku)
            keys.dated[data.sku] = None
            if data.vendor is not None:
                keys.vendors.add(data.vendor)
        case VendorChanged():
            keys.vendors.add(data.vendor)
        case ShopChanged():
            keys.shops.add(data.shop)
        case PlaceChanged():
            keys.places.add(data.place)


def slots_of(state: State, events: Iterable[Event]) -> set[SlotKey]:
    """Return the (vendor, destination) pairs these events may order at, to be locked (L6, R1).

    Asked by the store once skus, stock and orders are loaded. A sku with nothing waiting, whose
    stock covers what the batch asks of it, orders nothing: batches that only ship from stock lock
    no slot and so do not wait for one another. A wrong guess costs a second load (`Unloaded`).
    """
    asked, vendors = _asked_of(state, events)
    slots = _requested(state, events)
    for item in state.items.values():
        slots |= {
            (replenishment.vendor, replenishment.destination)
            for replenishment_id in item.supply
            if (replenishment := state.replenishments[replenishment_id]).is_open
        }
        sellers = vendors.get(item.sku, set()) | ({item.vendor} if item.vendor else set())
        if sellers:
            destinations = {key[0] for key, row in item.demand.items() if row.shortage}
            destinations |= _short_at(state, item, asked.get(item.sku, {}))
            slots |= {(vendor, place) for vendor in sellers for place in destinations}
    return slots


Asked = dict[OrderKey, int]  # units of one sku by order


def _asked_of(
    state: State, events: Iterable[Event]
) -> tuple[dict[str, Asked], dict[str, set[str]]]:
    """Return what is ordered of each sku by which orders, and the vendors each sku is given."""
    asked: dict[str, Asked] = {}
    vendors: dict[str, set[str]] = {}

    def ask(sku: str, order: OrderKey, qty: int) -> None:
        orders = asked.setdefault(sku, {})
        orders[order] = orders.get(order, 0) + qty

    for event in events:
        match event.data:
            case OrderPlaced() | OrderChanged() as data:
                for line in data.lines:
                    ask(line.sku, (data.shop, data.order_id), line.qty)
            case OrderHoldCleared() as data:
                order = state.orders.get((data.shop, data.order_id))
                for row in order.lines.values() if order is not None else ():
                    ask(row.sku, row.order.key, row.pending)
            case ItemChanged(sku=sku, vendor=str(vendor)):
                vendors.setdefault(sku, set()).add(vendor)
            case _:
                pass
    return asked, vendors


def _requested(state: State, events: Iterable[Event]) -> set[SlotKey]:
    """Return where buyers add to what is bought, by hand (R9)."""
    slots: set[SlotKey] = set()
    for event in events:
        if not isinstance(event.data, ReplenishmentRequested):
            continue
        for row in event.data.lines:
            place = event.data.destination or destination_of(state, None)
            if row.order_line is not None:
                order = state.orders.get(row.order_line[:2])
                line = order.lines.get(row.order_line[2]) if order is not None else None
                place = event.data.destination or (line.destination if line is not None else place)
            slots.add((event.data.vendor, place))
    return slots


def _short_at(state: State, item: Item, asked: Asked) -> set[str]:
    """Return where what orders may find too little of would be delivered."""
    match sourced(item.policy):
        case Sourced.UNMANAGED:
            return set()
        case Sourced.DROP_SHIP:
            return {customer(order) for order in asked}
        case Sourced.BUY_TO_ORDER:
            return {destination_of(state, shop) for shop, _order_id in asked}
        case _:
            total = sum(asked.values())
            shops = {shop for shop, _order_id in asked}
            return {
                destination_of(state, shop) for shop in shops if free(state, item, shop) < total
            }
