"""`backship stock SKU`: what there is of a sku, where, and what it is good for."""

from datetime import datetime

from handlers.policy import Rules
from handlers.rules.sellable import available, sellable
from handlers.state import Item, Place, State
from store.transaction import Transaction
from store.views.known import known
from store.views.shapes import PlaceStock, StockView


def stock(tx: Transaction, rules: Rules, sku: str, now: datetime) -> StockView | None:
    """Return a sku as of now; None where nobody has heard of it."""
    found = known(tx, rules, {sku}, now)
    item = found.item(sku)
    if item is None:
        return None
    state = found.state
    places = [_place(state, item, name) for name in _in_order(state, item)]
    free = available(item, tuple(place.place for place in state.places.values() if place.picks))
    return {
        "sku": sku,
        "on_hand": sum(place["on_hand"] for place in places),
        "allocated": sum(place["allocated"] for place in places),
        "available": free,
        "shortage": item.shortage,
        "incoming": sum(line.short_of for row, line in state.incoming(item) if not row.drop_ship),
        "net_position": free - item.shortage,
        "sellable": {shop: sellable(state, item, shop) for shop in sorted(state.shops)},
        "places": places,
    }


def _in_order(state: State, item: Item) -> list[str]:
    """Return its places as they are tried: by priority, then code (P4)."""
    return sorted(item.stock, key=lambda name: (_known_place(state, name).priority, name))


def _known_place(state: State, name: str) -> Place:
    return state.places.get(name) or Place(name)


def _place(state: State, item: Item, name: str) -> PlaceStock:
    row = item.stock[name]
    return {
        "place": name,
        "kind": _known_place(state, name).kind.value,
        "on_hand": row.on_hand,
        "allocated": row.allocated,
        "available": row.available,
    }
