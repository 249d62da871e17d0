"""Places, shops and vendors: few, read whole (vendors: those named), under one lock.

Many batches hold that lock together; one that may change a row, or that names a place or shop
nobody has seen yet, holds it alone.
"""

from collections.abc import Iterable

from events.vocabulary import PlaceKind
from handlers.state import Keys, Place, Shop, State, Vendor
from store import tasks
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


def load(tx: Transaction, state: State, keys: Keys) -> None:
    """Lock the catalogue; read all places, all shops, and the policy walks under way (S6)."""
    state.catalogue_locked = keys.catalogue or _names_new_ones(tx, keys)
    tx.query(_LOCK_ALONE if state.catalogue_locked else _LOCK_SHARED)
    places_and_shops(tx, state)
    state.walks = tasks.walks(tx)


def places_and_shops(tx: Transaction, state: State) -> None:
    """Read all places and all shops; whoever decides on them holds their lock."""
    for name, kind, priority, feeds, enabled in tx.query(_PLACES):
        place = Place(name, PlaceKind(kind), priority, feeds, bool(enabled))
        place.loaded = place.values()
        state.places[name] = place
    for name, sources, destination in tx.query(_SHOPS):
        shop = Shop(name, None if sources is None else tuple(json_value(sources)), destination)
        shop.loaded = shop.values()
        state.shops[name] = shop


def vendors(tx: Transaction, state: State, named: Iterable[str]) -> None:
    """Read the vendors of the loaded items and those named; then resolve the items' policies."""
    wanted = {item.vendor for item in state.items.values() if item.vendor is not None}
    wanted.update(named)
    for name, title, email, policy in tx.query(_VENDORS, [(name,) for name in sorted(wanted)]):
        vendor = Vendor(name, title, email, json_value(policy))
        vendor.loaded = vendor.values()
        state.vendors[name] = vendor
    for item in state.items.values():
        state.refresh(item)


def _names_new_ones(tx: Transaction, keys: Keys) -> bool:
    named = {("place", name) for name in keys.places} | {("shop", name) for name in keys.shops}
    return len(tx.query(_KNOWN, sorted(named))) < len(named)
