"""What a batch names: the keys the store loads and locks before anything is decided."""

from collections.abc import Iterable

from events.envelope import Event
from events.inbound import (
    ItemChanged,
    OrderCancelled,
    OrderPlaced,
    OrderShipped,
    PlaceChanged,
    ReplenishmentClosed,
    ShopChanged,
    StockReceived,
    StockReturned,
    StockTransferred,
    VendorChanged,
)
from handlers.facts import fact_key
from handlers.refusals import not_yet
from handlers.rules.sellable import destination_of, free
from handlers.state import Item, Keys, SlotKey, State


def keys_of(events: Iterable[Event]) -> Keys:
    """Return what must be loaded to decide these events."""
    keys = Keys()
    for event in events:
        if not_yet(event.data) is None:
            _add(keys, event)
    return keys


def _add(keys: Keys, event: Event) -> None:  # noqa: C901, PLR0912 - one case per event
    match event.data:
        case OrderPlaced() as data:
            keys.shops.add(data.shop)
            keys.orders.add((data.shop, data.order_id))
            priority = 100 if data.priority is None else data.priority
            for line in data.lines:
                keys.skus.add(line.sku)
                keys.probes.add((line.sku, data.shop, data.order_id, priority, data.placed_at))
        case OrderCancelled() as data:
            keys.orders.add((data.shop, data.order_id))
            keys.usable_orders.add((data.shop, data.order_id))
        case OrderShipped() as data:
            keys.orders.add((data.shop, data.order_id))
            keys.usable_orders.add((data.shop, data.order_id))
            keys.places.add(data.source)
            names = (data.shop, data.order_id, data.source, data.shipment_id)
            keys.facts.add(fact_key("shipment", *names))
        case StockReceived() as data:
            keys.places.add(data.place)
            if data.transfer_to is not None:
                keys.places.add(data.transfer_to)
            if data.replenishment_id is not None:
                keys.replenishments.add(data.replenishment_id)
            keys.facts.add(fact_key("receipt", data.place, data.receipt_id))
            _moves(keys, (line.sku for line in data.lines))
        case StockTransferred() as data:
            keys.places |= {data.from_place, data.to}
            keys.facts.add(fact_key("transfer", data.from_place, data.transfer_id))
            _moves(keys, (line.sku for line in data.lines))
        case StockReturned() as data:
            keys.places.add(data.place)
            keys.facts.add(fact_key("return", data.place, data.return_id))
            _moves(keys, (line.sku for line in data.lines))
        case ReplenishmentClosed() as data:
            keys.replenishments.add(data.replenishment_id)
        case ItemChanged() as data:
            _moves(keys, (data.sku,))
            if data.vendor is not None:
                keys.vendors.add(data.vendor)
        case VendorChanged() as data:
            keys.vendors.add(data.vendor)
            keys.catalogue = True
        case ShopChanged() as data:
            keys.shops.add(data.shop)
            keys.catalogue = True
        case PlaceChanged() as data:
            keys.places.add(data.place)
            keys.catalogue = True
        case _:  # decoded, and set aside by `refusals.not_yet`
            pass


def _moves(keys: Keys, skus: Iterable[str]) -> None:
    for sku in skus:
        keys.skus.add(sku)
        keys.usable.add(sku)


def slots_of(state: State, events: Iterable[Event]) -> set[SlotKey]:
    """Return the (vendor, destination) pairs these events may order at, to be locked (L6, R1).

    Asked by the store once skus, stock and orders are loaded. A sku with nothing waiting, whose
    stock covers what the batch asks of it, orders nothing: batches that only ship from stock lock
    no slot and so do not wait for one another. A wrong guess costs a second load (`Unloaded`).
    """
    asked, vendors = _asked_of(events)
    slots: set[SlotKey] = set()
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


def _asked_of(
    events: Iterable[Event],
) -> tuple[dict[str, dict[str, int]], dict[str, set[str]]]:
    """Return what is ordered of each sku by each shop, and the vendors each sku is given."""
    asked: dict[str, dict[str, int]] = {}
    vendors: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event.data, OrderPlaced):
            for line in event.data.lines:
                shops = asked.setdefault(line.sku, {})
                shops[event.data.shop] = shops.get(event.data.shop, 0) + line.qty
        elif isinstance(event.data, ItemChanged) and event.data.vendor is not None:
            vendors.setdefault(event.data.sku, set()).add(event.data.vendor)
    return asked, vendors


def _short_at(state: State, item: Item, asked: dict[str, int]) -> set[str]:
    """Return the destinations of the shops whose orders may find too little."""
    total = sum(asked.values())
    return {
        destination_of(state, shop)
        for shop in asked
        if item.policy.manage_stock and free(state, item, shop) < total
    }
