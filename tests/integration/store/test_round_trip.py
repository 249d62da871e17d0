"""Whatever is saved is loaded again as it was: every kind of row, on both engines."""

from datetime import UTC, datetime, timedelta

from events.vocabulary import PlaceKind
from handlers.policy import Rules
from handlers.state import (
    Allocation,
    Demand,
    Item,
    Keys,
    Line,
    Order,
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
    item.stock = {"WH1": Stock("A", "WH1", 10**12, 4), "DOCK": Stock("A", "DOCK", 7)}
    item.demand = {("WH1", "main"): Demand("A", "WH1", "main", 5)}
    item.statuses = {"main": "backorder"}
    state.items = {"A": item}
    save_state(database, state)
    again = stored(database, Keys(skus={"A"})).items["A"]
    assert again.values() == again.loaded == item.values()
    assert {name: row.values() for name, row in again.stock.items()} == {
        name: row.values() for name, row in item.stock.items()
    }
    assert again.demand["WH1", "main"].values() == ("A", "WH1", "main", 5)
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


def _order() -> Order:
    order = Order(
        shop="main",
        order_id=ODD.replace("\n", "").replace("\t", ""),
        placed_at=AT,
        judged_at=LATER,
        priority=3,
        destination="WH1",
        data_hash="h",
        ship_mode="complete",
        release="manual",
        holds=("fraud", "payment"),
        version=2,
        customer={"email": "a@b.example", "ids": [HUGE, 1.5, None, True]},
        ship_to={"street": ODD},
        allocation_count=3,
    )
    held = Line(order, "b", 1, "A", 9, shortage=2, shipped=1, cancelled=1, short=2)
    held.held_since, held.told, held.told_expected_at = AT, True, LATER
    held.name, held.unit_price = ODD, HUGE
    held.allocations = [
        Allocation(1, "WH1", 3, release_id="r1"),
        Allocation(2, "WH1", 2, by_fill=True),
    ]
    free = Line(order, "a", 0, "B", 1, managed=False, unit_price="12.50")
    free.allocations = [Allocation(3, None, 1)]
    other = Line(order, "c", 2, "A", 6, pending=1, drop_ship=2, rejected=3, unit_price=0)
    order.lines = {"a": free, "b": held, "c": other}
    return order


def test_an_order_comes_back_whole_with_its_lines_in_order(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    again = stored(database, Keys(orders={order.key, ("main", "nobody")}))
    found = again.orders[order.key]
    assert found.values() == found.loaded == order.values()
    assert list(found.lines) == ["a", "b", "c"]
    for line_id, line in order.lines.items():
        same = found.lines[line_id]
        assert same.order is found
        assert same.values() == same.loaded == line.values()
        assert [row.values() for row in same.allocations] == [
            row.values() for row in line.allocations
        ]
        assert all(row.loaded == row.values() for row in same.allocations)
    assert again.unknown_orders == {("main", "nobody")}


def test_the_skus_of_a_named_order_are_locked_with_it(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    assert set(stored(database, Keys(orders={order.key})).items) == {"A", "B"}


def test_what_changed_of_an_order_is_written_and_nothing_else(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    again = stored(database, Keys(orders={order.key}))
    line = again.orders[order.key].lines["b"]
    line.allocations[0].qty = 0  # gone
    line.allocations[1].qty = 4
    line.allocations[1].release_id = "r2"
    line.allocations.append(Allocation(4, "WH2", 1))
    again.orders[order.key].allocation_count = 4
    save_state(database, again)
    last = stored(database, Keys(orders={order.key})).orders[order.key]
    assert [row.values() for row in last.lines["b"].allocations] == [
        (2, "WH1", 4, True, "r2"),
        (4, "WH2", 1, False, None),
    ]
    assert last.allocation_count == 4
    assert rows(database, schema.order_lines, "line_id", "allocated") == [
        ("a", 1),
        ("b", 5),
        ("c", 0),
    ]
