"""Whatever is saved is loaded again as it was: every kind of row, on both engines."""

from datetime import UTC, datetime, timedelta

from events.vocabulary import PlaceKind
from handlers.policy import Rules
from handlers.state import (
    Demand,
    Item,
    Keys,
    Place,
    Shop,
    State,
    Stock,
    Vendor,
)
from store import schema
from store.transaction import Database
from tests.support.keeping import rows, save_state, stored

AT = datetime(2026, 3, 1, 7, 30, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(days=9)
HUGE = 123456789012345678901234567890
ODD = 'O\'Hara "the\\ 2nd"\n\tÅ 名前 🎁 {x} %s :y NULL'


def _state() -> State:
    return State(Rules(), catalogue_locked=True)


def test_places_come_back_as_they_were(database: Database) -> None:
    state = _state()
    state.places = {
        "WH1": Place("WH1"),
        "Æ-dock": Place("Æ-dock", PlaceKind.DOCK, 7, "WH1", enabled=False),
    }
    save_state(database, state)
    again = stored(database, Keys()).places
    assert {name: place.values() for name, place in again.items()} == {
        name: place.values() for name, place in state.places.items()
    }
    assert all(place.loaded == place.values() for place in again.values())


def test_a_shop_with_no_sources_is_not_one_with_all_of_them(database: Database) -> None:
    state = _state()
    state.shops = {
        "all": Shop("all"),
        "none": Shop("none", (), "WH1"),
        "two": Shop("two", ("B", "A")),
    }
    save_state(database, state)
    again = stored(database, Keys()).shops
    assert {name: shop.sources for name, shop in again.items()} == {
        "all": None,
        "none": (),
        "two": ("B", "A"),
    }
    assert again["none"].destination == "WH1"
    assert all(shop.loaded == shop.values() for shop in again.values())


def test_vendors_are_loaded_by_name_and_with_their_items(database: Database) -> None:
    state = _state()
    policy = {"lead_time_days": 14, "backorder_policy": "notify", "auto_replenish": False}
    state.vendors = {
        "acme": Vendor("acme", ODD, "a@b.example", policy),
        "other": Vendor("other"),
    }
    state.items = {"A": Item("A", vendor="acme", base_status="backorder")}
    save_state(database, state)
    again = stored(database, Keys(skus={"A"}, vendors={"other", "nobody"}))
    assert {name: vendor.values() for name, vendor in again.vendors.items()} == {
        name: vendor.values() for name, vendor in state.vendors.items()
    }
    assert again.items["A"].policy.lead_time_days == 14


def test_a_sku_comes_back_with_stock_demand_and_statuses(database: Database) -> None:
    state = _state()
    item = Item("A", "acme", ODD, ("B", "C"), {"safety_stock": 3}, busy=True)
    item.base_status = "in_stock"
    owed = ((AT, 3), (LATER, 10**12))
    item.stock = {
        "WH1": Stock("A", "WH1", 10**12, 4, LATER, owed),
        "DOCK": Stock("A", "DOCK", 7),
    }
    item.demand = {("WH1", "main"): Demand("A", "WH1", "main", 5, 4, 3)}
    item.statuses = {"main": "backorder"}
    state.items = {"A": item}
    save_state(database, state)
    again = stored(database, Keys(skus={"A"})).items["A"]
    assert again.values() == again.loaded == item.values()
    assert {name: row.values() for name, row in again.stock.items()} == {
        name: row.values() for name, row in item.stock.items()
    }
    assert again.demand["WH1", "main"].values() == ("A", "WH1", "main", 5, 4, 3)
    assert again.statuses == again.statuses_loaded == {"main": "backorder"}
    assert again.policy.safety_stock == 3


def test_a_sku_nobody_has_named_is_there_to_be_locked_and_still_to_be_saved(
    database: Database,
) -> None:
    for _ in range(2):
        item = stored(database, Keys(skus={"new"})).items["new"]
        assert item.loaded is None
        assert item.base_status is None
    assert rows(database, schema.items, "sku") == ["new"]
