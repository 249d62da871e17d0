"""Items, vendors, shops and places changed: it applies from then on (P1-P4, S3)."""

from typing import Any

from events.inbound import ItemChanged, PlaceChanged, PolicyChange, ShopChanged, VendorChanged
from tests.reference import changing, filling, ledger, links, places
from tests.reference.rows import Place
from tests.reference.world import World


def _change_policy(policy: dict[str, Any], told: PolicyChange | None) -> None:
    """A value sets, null clears; no policy at all clears every setting (P1)."""
    if told is None:
        policy.clear()
        return
    for name, value in told.told().items():
        if value is None:
            policy.pop(name, None)
        else:
            policy[name] = value


def item_changed(world: World, data: ItemChanged) -> set[str]:
    """Change an item; return the skus concerned."""
    item = world.item(data.sku)
    told = data.told()
    had_vendor = item.vendor is not None
    if "vendor" in told:
        item.vendor = data.vendor
    if "alternatives" in told:
        item.alternatives = data.alternatives or ()
    if "policy" in told:
        _change_policy(item.policy, data.policy)
    filling.serve_all(world, data.sku)
    if had_vendor and item.vendor is None:
        lines = world.lines(data.sku)
        demand = sum(line.shortage + changing.not_sent_for(world, line) for line in lines)
        if demand:
            world.warn("no_vendor", sku=data.sku)
    return {data.sku}


def vendor_changed(world: World, data: VendorChanged) -> set[str]:
    """Change a vendor; return the skus it sells to us."""
    policy = world.vendors.setdefault(data.vendor, {})
    if "policy" in data.told():
        _change_policy(policy, data.policy)
    skus = {item.sku for item in world.items.values() if item.vendor == data.vendor}
    _serve_every(world, skus)
    return skus


def shop_changed(world: World, data: ShopChanged) -> None:
    """Change where a shop ships from and where its goods are delivered (P4)."""
    shop = places.see_shop(world, data.shop)
    told = data.told()
    if "sources" in told:
        shop.sources = data.sources
        for name in data.sources or ():
            places.see_place(world, name)
    if "destination" in told:
        shop.destination = data.destination
        if data.destination is not None:
            places.see_place(world, data.destination)
    bad = places.bad_destination(world, data.shop)
    if bad is not None:
        world.warn("bad_destination", place=bad, shop=data.shop)
    _serve_every(world, set(world.items))


def place_changed(world: World, data: PlaceChanged) -> None:
    """Change a place; units promised where nobody picks any more are an exception (P4)."""
    place = places.see_place(world, data.place, str(data.kind or "source"))
    picked = place.picks
    _set_place(world, place, data)
    if place.picks and not picked:
        links.open_place(world, place.name)
    if not place.picks:
        for sku in sorted(world.items):
            if ledger.allocated(world, sku, place.name):
                world.warn("place_disabled", sku=sku, place=place.name)
    _serve_every(world, set(world.items))


def _set_place(world: World, place: Place, data: PlaceChanged) -> None:
    """What is named is set, null clears it (P4)."""
    told = data.told()
    if "kind" in told:
        place.kind = str(data.kind or "source")
    if "priority" in told:
        place.priority = 100 if data.priority is None else data.priority
    if "enabled" in told:
        place.enabled = data.enabled is not False
    if "feeds" in told:
        place.feeds = data.feeds
        if data.feeds is not None:
            places.see_place(world, data.feeds)
    places.feed_docks(world)


def _serve_every(world: World, skus: set[str]) -> None:
    for sku in sorted(skus):
        filling.serve_all(world, sku)
