"""Places, shops and vendors: few, read whole (vendors: those named), under one lock.

Many batches hold that lock together; one that may change a row, or that names a place or shop
nobody has seen yet, holds it alone.
"""

from collections.abc import Callable, Iterable

from events.vocabulary import PlaceKind
from handlers.state import Keys, Place, Shop, State, Vendor
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction

_KNOWN = Query(
    """
    SELECT given.kind, given.name FROM {given}
    WHERE CASE given.kind
        WHEN 'place' THEN EXISTS (SELECT 1 FROM places WHERE place = given.name)
        ELSE EXISTS (SELECT 1 FROM shops WHERE shop = given.name) END
    """,
    (("kind", "text"), ("name", "text")),
)
_LOCK_SHARED = Query("SELECT t.version FROM catalogue AS t WHERE t.id = 1 {share}")
_LOCK_ALONE = Query("SELECT t.version FROM catalogue AS t WHERE t.id = 1 {lock}")
_PLACES = Query("SELECT place, kind, priority, feeds, enabled FROM places ORDER BY place")
_SHOPS = Query("SELECT shop, sources, destination FROM shops ORDER BY shop")
_VENDORS = Query(
    """
    SELECT t.vendor, t.name, t.email, t.policy
    FROM {given} CROSS JOIN vendors AS t
    WHERE t.vendor = given.vendor
    """,
    (("vendor", "text"),),
)


def names_new_ones(tx: Transaction, keys: Keys) -> Callable[[], bool]:
    """Ask, without a lock, whether a batch names a place or shop nobody has seen yet."""
    named = {("place", name) for name in keys.places} | {("shop", name) for name in keys.shops}
    known = tx.ask(_KNOWN, sorted(named))
    return lambda: len(known()) < len(named)


def load(tx: Transaction, state: State, *, alone: bool) -> Callable[[], None]:
    """Lock the catalogue; ask for all places and all shops."""
    state.catalogue_locked = alone
    tx.ask(_LOCK_ALONE if alone else _LOCK_SHARED)
    return places_and_shops(tx, state)


def places_and_shops(tx: Transaction, state: State) -> Callable[[], None]:
    """Ask for all places and all shops; whoever decides on them holds their lock."""
    places, shops = tx.ask(_PLACES), tx.ask(_SHOPS)

    def read() -> None:
        for name, kind, priority, feeds, enabled in places():
            place = Place(name, PlaceKind(kind), priority, feeds, bool(enabled))
            place.loaded = place.values()
            state.places[name] = place
        for name, sources, destination in shops():
            listed = None if sources is None else tuple(json_value(sources))
            shop = Shop(name, listed, destination)
            shop.loaded = shop.values()
            state.shops[name] = shop

    return read


def vendors(tx: Transaction, state: State, named: Iterable[str]) -> Callable[[], None]:
    """Ask for the vendors of the loaded items and those named; then resolve the items' policies."""
    wanted = {item.vendor for item in state.items.values() if item.vendor is not None}
    wanted.update(named)
    asked = tx.ask(_VENDORS, [(name,) for name in sorted(wanted)])

    def read() -> None:
        for name, title, email, policy in asked():
            vendor = Vendor(name, title, email, json_value(policy))
            vendor.loaded = vendor.values()
            state.vendors[name] = vendor
        for item in state.items.values():
            state.refresh(item)

    return read
