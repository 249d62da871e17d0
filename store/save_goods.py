"""Places, shops, vendors, skus, stock and demand: what changed of them."""

from collections.abc import Collection

from handlers.state import Item, State, Stock
from store import schema
from store.columns import instant_text, json_text
from store.statements import Query, Row
from store.transaction import Transaction

_NEXT_VERSION = Query("UPDATE catalogue SET version = version + 1 WHERE id = 1")


def save(tx: Transaction, state: State, concerned: Collection[str], clock: int) -> None:
    """Write what changed; `concerned`: skus of which something is told."""
    _catalogue(tx, state)
    items: list[Row] = []
    statuses: list[Row] = []
    forgotten: list[Row] = []
    new_stock: list[Row] = []
    stock: list[Row] = []
    demand: list[Row] = []
    for item in state.items.values():
        sku = item.sku
        noted = False
        for row in item.stock.values():
            values = row.values()
            if values != row.loaded:
                (stock if row.loaded is not None else new_stock).append(_stock(row, clock))
                noted = True
        for waits in item.demand.values():
            values = waits.values()
            if values != waits.loaded:
                demand.append((*values, clock))
                noted = True
        if item.statuses != item.statuses_loaded:
            before = item.statuses_loaded
            statuses += [
                (sku, shop, status)
                for shop, status in item.statuses.items()
                if before.get(shop) != status
            ]
            forgotten += [(sku, shop) for shop in before if shop not in item.statuses]
        if item.values() != item.loaded or (sku in concerned and not noted):
            items.append(_item(item, clock))
    tx.upsert(schema.items, items)
    tx.update(schema.stock, stock)
    tx.append(schema.stock, new_stock)
    tx.upsert(schema.demand, demand)
    tx.upsert(schema.item_statuses, statuses)
    tx.delete(schema.item_statuses, forgotten)


def _catalogue(tx: Transaction, state: State) -> None:
    places: list[Row] = [
        (place.place, str(place.kind), place.priority, place.feeds, place.enabled)
        for place in state.places.values()
        if place.values() != place.loaded
    ]
    shops: list[Row] = [
        (
            shop.shop,
            None if shop.sources is None else json_text(list(shop.sources)),
            shop.destination,
        )
        for shop in state.shops.values()
        if shop.values() != shop.loaded
    ]
    vendors: list[Row] = [
        (vendor.vendor, vendor.name, vendor.email, json_text(vendor.policy))
        for vendor in state.vendors.values()
        if vendor.values() != vendor.loaded
    ]
    if not (places or shops or vendors):
        return
    # Without the lock two workers would overwrite each other: a bug, and better found here.
    assert state.catalogue_locked, "places, shops or vendors were changed without their lock"
    tx.run(_NEXT_VERSION)
    tx.upsert(schema.places, places)
    tx.upsert(schema.shops, shops)
    tx.upsert(schema.vendors, vendors)


def _stock(row: Stock, clock: int) -> Row:
    owed = [(instant_text(at), qty) for at, qty in row.owed]
    return (
        row.sku,
        row.place,
        row.on_hand,
        row.allocated,
        None if row.counted_at is None else instant_text(row.counted_at),
        json_text(owed) if owed else None,
        clock,
    )


def _item(item: Item, clock: int) -> Row:
    return (
        item.sku,
        item.vendor,
        item.name,
        json_text(list(item.alternatives)),
        json_text(item.overrides),
        item.busy,
        item.base_status,
        clock,
    )
