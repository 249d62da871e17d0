"""Which replenishments are open, and whether automation may open one (R1, R3)."""

from tests.reference.rows import Replenishment
from tests.reference.world import World


def may_order(world: World, sku: str) -> bool:
    """May automation put a sku on a replenishment (domain.md §3)?"""
    if world.item(sku).vendor is None or not world.auto_replenish_enabled:
        return False
    return bool(world.setting(sku, "auto_replenish"))


def raise_replenishment(
    world: World, vendor: str, destination: str, *, automatic: bool
) -> Replenishment:
    """Return the open replenishment of a vendor and destination, raised where there is none."""
    row = world.open_replenishment(vendor, destination)
    if row is None:
        pair = (vendor, destination)
        before = [row for row in world.replenishments if (row.vendor, row.destination) == pair]
        name = f"{vendor}>{destination}#{len(before) + 1}"
        row = Replenishment(name, vendor, destination, world.at, automatic)
        world.replenishments.append(row)
    return row
