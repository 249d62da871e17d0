"""What a shop may have of a sku, and what it is told of it (O3, S13)."""

from events.outbound import StockStatusChanged
from events.vocabulary import StockStatus
from tests.reference import ledger, places
from tests.reference.world import FACTORY, World


def free(world: World, shop: str, sku: str) -> int:
    """Return what is available at a shop's sources above the safety stock; may be below zero."""
    there = sum(ledger.available(world, sku, name) for name in places.sources_of(world, shop))
    return there - int(world.setting(sku, "safety_stock"))


def room(world: World, sku: str) -> int | None:
    """Return how many units more may wait; None: any number (O4, O5)."""
    if world.setting(sku, "backorder_policy") == "none":
        return 0
    limit: int | None = world.setting(sku, "backorder_limit")
    return None if limit is None else max(0, limit - world.shortage(sku))


def is_stocked(world: World, sku: str) -> bool:
    """Is it sold from our stock (O2)?"""
    return bool(world.setting(sku, "manage_stock")) and world.setting(sku, "sourcing") == "stock"


def sellable(world: World, shop: str, sku: str) -> int | None:
    """Return what an order could have; None: no limit (domain.md §1)."""
    more = room(world, sku)
    if not is_stocked(world, sku) or more is None:
        return None
    return max(0, free(world, shop, sku)) + more


def status(world: World, shop: str, sku: str) -> str:
    """Return what a shop may say of a sku (S13)."""
    if not world.setting(sku, "manage_stock"):
        return "in_stock"
    sourcing = world.setting(sku, "sourcing")
    if sourcing != "stock":
        return "in_stock" if sourcing == "drop_ship" else "backorder"
    if free(world, shop, sku) > 0:
        return "in_stock"
    return "out_of_stock" if room(world, sku) == 0 else "backorder"


def unseen(world: World) -> str:
    """Return the status of a sku nobody has named yet (S13)."""
    defaults = {**FACTORY, **world.defaults}
    none_waits = defaults["backorder_policy"] == "none" or defaults["backorder_limit"] == 0
    return "out_of_stock" if none_waits else "backorder"


def tell_statuses(world: World) -> None:
    """Tell every shop of every sku whose status is another than it was last told (S13)."""
    for shop in sorted(world.shops):
        for sku in sorted(world.items):
            now = status(world, shop, sku)
            if world.statuses.get((shop, sku), unseen(world)) != now:
                world.statuses[shop, sku] = now
                world.tell(
                    StockStatusChanged(
                        shop=shop,
                        sku=sku,
                        status=StockStatus(now),
                        sellable=sellable(world, shop, sku),
                    )
                )
