"""Items, vendors, shops and places change (P1-P4, P3, S3).

What concerns one sku is done at once; what may concern many is left to a walk over them (S6).
"""

from collections.abc import Iterable
from typing import Any

from events.envelope import Event
from events.inbound import (
    Change,
    ItemChanged,
    OrderPlaced,
    PlaceChanged,
    PolicyChange,
    ShopChanged,
    VendorChanged,
)
from events.vocabulary import ExceptionCode, PlaceKind
from handlers.decision import Applied, Outcome
from handlers.rules.filling import serve
from handlers.rules.links import bought
from handlers.rules.replenishment import replenish
from handlers.rules.sellable import destination_is_bad
from handlers.rules.telling import redate
from handlers.state import Item, Place, Shop, State, Task, TaskKind, Vendor
from handlers.turn import Turn


def item_changed(turn: Turn, _event: Event, data: ItemChanged) -> Outcome:
    """Change a sku's vendor, alternatives and settings; what can be done now is done (P3)."""
    state = turn.state
    item = state.item(data.sku)
    told = data.told()
    had_vendor = item.vendor is not None
    if "vendor" in told:
        item.vendor = data.vendor
    if "name" in told:
        item.name = data.name
    if "alternatives" in told:
        item.alternatives = data.alternatives or ()
    if "policy" in told:
        item.overrides = _changed(item.overrides, data.policy)
    state.refresh(item)
    turn.touch(item)
    drop_shipped = _is_drop_shipped(state, item)
    _reconsider(turn, item)
    redate(turn, item)
    if had_vendor and item.vendor is None and (item.shortage or drop_shipped):
        turn.raise_exception(
            ExceptionCode.NO_VENDOR,
            f"customers wait for {item.sku} and it has no vendor any more",
            sku=item.sku,
        )
    return Applied()


def _is_drop_shipped(state: State, item: Item) -> bool:
    """Is a vendor to ship it to a customer, and not asked to for good yet (R10)?"""
    return any(line.drop_ship for line in item.wanting.lines) or any(
        row.drop_ship and row.is_open and line.for_lines for row, line in bought(state, item)
    )


def _reconsider(turn: Turn, item: Item) -> None:
    """Bring a sku to what its present policy and places allow: fill, then order (P3, S3)."""
    serve(turn, item, {})
    replenish(turn, item)


def reached(turn: Turn, walk: Task, item: Item) -> None:
    """Let the change a walk carries take effect on a sku (P3, S3, S13).

    What happened to the sku in this batch stays the cause of its status: a walk may come by more
    than once, long after its event.
    """
    turn.books.touched.setdefault(item.sku, turn.origin)
    if walk.scope == "shop" and walk.cause.type == OrderPlaced.__name__:
        return  # a shop became known by its first order: nothing became usable
    _reconsider(turn, item)
    if walk.scope == "vendor":
        redate(turn, item)


def vendor_changed(turn: Turn, _event: Event, data: VendorChanged) -> Outcome:
    """Change a vendor and the settings its items fall back to (P1)."""
    state = turn.state
    turn.catalogue(data.vendor)
    vendor = state.vendors.get(data.vendor)
    if vendor is None:
        vendor = state.vendors[data.vendor] = Vendor(data.vendor)
    told = data.told()
    if "name" in told:
        vendor.name = data.name
    if "email" in told:
        vendor.email = data.email
    if "policy" in told:
        vendor.policy = _changed(vendor.policy, data.policy)
        for item in state.items.values():
            if item.vendor == data.vendor:
                state.refresh(item)
        _walk(turn, "vendor", data.vendor)
    return Applied()


def shop_changed(turn: Turn, _event: Event, data: ShopChanged) -> Outcome:
    """Change where a shop's orders ship from and its replenishments go (P4)."""
    state = turn.state
    turn.catalogue(data.shop)
    shop = state.shops.get(data.shop)
    if shop is None:
        shop = state.shops[data.shop] = Shop(data.shop)
    told = data.told()
    if "sources" in told:
        shop.sources = data.sources if data.sources is None else tuple(dict.fromkeys(data.sources))
    if "destination" in told:
        shop.destination = data.destination
    for name in (*(shop.sources or ()), shop.destination):
        if name is not None:
            turn.seen(name)
    state.sources.clear()
    if destination_is_bad(state, shop.shop):
        turn.raise_exception(
            ExceptionCode.BAD_DESTINATION,
            f"{shop.destination} is no source of shop {shop.shop} and feeds none: it is not used",
            shop=shop.shop,
            place=shop.destination,
        )
    _walk(turn, "shop", data.shop)
    return Applied()


def place_changed(turn: Turn, _event: Event, data: PlaceChanged) -> Outcome:
    """Change a source or dock (P2, P4); what becomes usable fills (S3)."""
    state = turn.state
    turn.catalogue(data.place)
    new = data.place not in state.places
    place = state.places.setdefault(data.place, Place(data.place))
    _set(place, data)
    if data.feeds is not None:
        turn.seen(data.feeds)
    if place.kind is PlaceKind.SOURCE:
        turn.feed(place)
    elif place.feeds is None:
        place.feeds = _first_source(state.places.values())
    state.sources.clear()
    if not new:
        _walk(turn, "place", data.place)
    return Applied()


def _set(place: Place, data: PlaceChanged) -> None:
    """Set what was told of a place; null clears."""
    told = data.told()
    if "kind" in told:
        place.kind = data.kind or PlaceKind.SOURCE
    if "priority" in told:
        place.priority = 100 if data.priority is None else data.priority
    if "feeds" in told:
        place.feeds = data.feeds
    if "enabled" in told:
        place.enabled = data.enabled is not False


def place_disabled(turn: Turn, item: Item, place: Place) -> None:
    """Name units promised at a place that serves nobody any more (P4)."""
    stock = item.stock.get(place.place)
    if stock is not None and stock.allocated > 0 and not place.picks:
        turn.raise_exception(
            ExceptionCode.PLACE_DISABLED,
            f"{stock.allocated} of {item.sku} are promised at {place.place}, which serves nobody",
            sku=item.sku,
            place=place.place,
        )


def _first_source(places: Iterable[Place]) -> str | None:
    sources = [place for place in places if place.kind is PlaceKind.SOURCE]
    return min(((p.priority, p.place) for p in sources), default=(0, None))[1]


def _walk(turn: Turn, scope: str, name: str) -> None:
    task = turn.task(TaskKind.WALK, scope, name, scope=scope, name=name)
    turn.state.walks.append(task)


def _changed(overrides: dict[str, Any], policy: PolicyChange | None) -> dict[str, Any]:
    """Set what has a value, forget what is null; null for the whole clears it (contract.md §2)."""
    if policy is None:
        return {}
    told: Change = policy
    return {
        name: value for name, value in {**overrides, **told.told()}.items() if value is not None
    }
