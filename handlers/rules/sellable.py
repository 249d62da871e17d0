"""What a shop may sell and from where: sources and destination (P4), free units, status (S13)."""

from events.vocabulary import BackorderPolicy, PlaceKind, Sourcing, StockStatus
from handlers.policy import Policy
from handlers.state import Item, Sourced, State

_SOURCED = {sourcing: Sourced(sourcing) for sourcing in Sourcing}

MAIN = "main"  # the destination of a shop that has no source at all (P4)


def sources_of(state: State, shop: str) -> tuple[str, ...]:
    """Return the enabled sources a shop may ship from, in the order they are tried (P4)."""
    found = state.sources.get(shop)
    if found is None:
        found = state.sources[shop] = tuple(
            place for place in _listed(state, shop) if _picks(state, place)
        )
    return found


def destination_of(state: State, shop: str | None) -> str:
    """Return where the shop's replenishments are delivered (P4); None: for no shop in particular.

    A destination that is neither one of its sources nor a dock feeding one is not used.
    """
    name = shop or ""
    row = state.shops.get(name)
    if row is not None and row.destination is not None and not destination_is_bad(state, name):
        return row.destination
    return next(iter(sources_of(state, name)), None) or next(iter(_listed(state, name)), MAIN)


def destination_is_bad(state: State, shop: str) -> bool:
    """Does the shop name a destination it can not be served from (P4)?"""
    row = state.shops.get(shop)
    if row is None or row.destination is None:
        return False
    return home_of(state, row.destination) not in _listed(state, shop)


def home_of(state: State, destination: str) -> str:
    """Return the source at which a delivery becomes usable: itself, or what the dock feeds."""
    place = state.places.get(destination)
    if place is not None and place.kind is PlaceKind.DOCK and place.feeds is not None:
        return place.feeds
    return destination


def available(item: Item, sources: tuple[str, ...]) -> int:
    """Return `on_hand - allocated` summed over sources; below zero after over-allocation."""
    stock = item.stock
    return sum([stock[source].available for source in sources if source in stock])


def free(state: State, item: Item, shop: str) -> int:
    """Return the units a new order of this shop may take: `available - safety_stock` (O3)."""
    return max(0, available(item, sources_of(state, shop)) - item.policy.safety_stock)


def sourced(policy: Policy) -> Sourced:
    """Return how a line of a sku is judged (O2)."""
    return _SOURCED[policy.sourcing] if policy.manage_stock else Sourced.UNMANAGED


def may_wait(item: Item) -> int | None:
    """Return how many more units of a sku may wait (O4, O5); None: no limit."""
    return room(item) if sourced(item.policy) is Sourced.STOCK else None


def room(item: Item) -> int | None:
    """Return how many more units of lines judged against stock may wait (O4, O5)."""
    policy = item.policy
    if policy.backorder_policy is BackorderPolicy.NONE:
        return 0
    if policy.backorder_limit is None:
        return None
    return max(0, policy.backorder_limit - item.shortage)


def sellable(state: State, item: Item, shop: str) -> int | None:
    """Return what a shop may sell of a sku now: free stock and what may wait; None: unlimited."""
    waiting = may_wait(item)
    if waiting is None:
        return None
    return free(state, item, shop) + waiting


def status(state: State, item: Item, shop: str) -> StockStatus:
    """Return what a shop may say of a sku now (S13).

    Somebody else's stock is there for the asking; what is bought per order always waits.
    """
    match sourced(item.policy):
        case Sourced.UNMANAGED | Sourced.DROP_SHIP:
            return StockStatus.IN_STOCK
        case Sourced.STOCK if free(state, item, shop) > 0:
            return StockStatus.IN_STOCK
        case _:
            return unseen_status(item)


def unseen_status(item: Item) -> StockStatus:
    """Return the status of a sku with nothing free, such as one not seen yet (S13)."""
    return StockStatus.OUT_OF_STOCK if may_wait(item) == 0 else StockStatus.BACKORDER


def _listed(state: State, shop: str) -> tuple[str, ...]:
    row = state.shops.get(shop)
    if row is not None and row.sources is not None:
        return row.sources
    every = (place for place in state.places.values() if place.kind is PlaceKind.SOURCE)
    return tuple(place.place for place in sorted(every, key=lambda p: (p.priority, p.place)))


def _picks(state: State, name: str) -> bool:
    place = state.places.get(name)
    return place is not None and place.picks
