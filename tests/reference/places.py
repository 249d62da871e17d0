"""Places and shops: who may ship from where, and where replenishments go (P2, P4)."""

from tests.reference.rows import MAIN, Place, Shop
from tests.reference.world import World


def see_place(world: World, name: str, kind: str = "source") -> Place:
    """Return a place, made when first seen (P2)."""
    if name not in world.places:
        world.places[name] = Place(name, kind)
        feed_docks(world)
    return world.places[name]


def see_shop(world: World, name: str) -> Shop:
    """Return a shop, made when first seen (P2)."""
    return world.shops.setdefault(name, Shop(name))


def by_priority(world: World) -> list[Place]:
    """Return all sources by priority, then code."""
    sources = [place for place in world.places.values() if place.kind == "source"]
    return sorted(sources, key=lambda place: (place.priority, place.name))


def feed_docks(world: World) -> None:
    """Let every dock feed a source: the first one by priority when the dock is first seen (P4)."""
    sources = by_priority(world)
    for place in world.places.values():
        if place.kind == "dock" and place.feeds is None and sources:
            place.feeds = sources[0].name


def listed(world: World, shop: str) -> list[str]:
    """Return the sources of a shop in its order, whether they serve at present or not."""
    row = world.shops.get(shop)
    if row is None or row.sources is None:
        return [place.name for place in by_priority(world)]
    return [name for name in row.sources if see_place(world, name).kind == "source"]


def sources_of(world: World, shop: str) -> list[str]:
    """Return the sources a shop may ship from, in its order (P4)."""
    return [name for name in listed(world, shop) if world.places[name].picks]


def default_destination(world: World, names: list[str]) -> str:
    """Return the first that serves, else the first listed, else `main`, a source then (P4)."""
    serving = [name for name in names if world.places[name].picks]
    destination = [*serving, *names, MAIN][0]
    see_place(world, destination)
    return destination


def bad_destination(world: World, shop: str) -> str | None:
    """Return the destination a shop asked for where it can not be used (P4)."""
    row = world.shops.get(shop)
    if row is None or row.destination is None:
        return None
    own = listed(world, shop)
    place = world.places.get(row.destination)
    fed = place.feeds if place is not None and place.kind == "dock" else None
    return None if row.destination in own or fed in own else row.destination


def destination_of(world: World, shop: str) -> str:
    """Return where the replenishments of a shop's orders are delivered (P4)."""
    row = world.shops.get(shop)
    if row is not None and row.destination is not None and bad_destination(world, shop) is None:
        return row.destination
    return default_destination(world, listed(world, shop))


def serves(world: World, destination: str | None, source: str) -> bool:
    """Is a destination that source, or a dock feeding it (S4, P4)?"""
    if destination is None:
        return False
    place = world.places.get(destination)
    if place is not None and place.kind == "dock":
        return place.feeds == source
    return destination == source


def docks_of(world: World, destination: str) -> list[str]:
    """Return the docks feeding a destination, and the destination itself if it is a dock (R2)."""
    return [
        place.name
        for place in world.places.values()
        if place.kind == "dock" and destination in {place.name, place.feeds}
    ]
