"""`stock`: one sku as contract.md §6 shapes it."""

from handlers.policy import Rules
from store.transaction import Database
from store.views.shapes import StockView
from store.views.stock import stock
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.story import NOW, story
from tests.support.telling import deliver, tell
from tests.support.wire import T0, body_of


def _stock(database: Database, sku: str) -> StockView | None:
    with database.read() as tx:
        return stock(tx, Rules(), sku, NOW)


def test_on_hand_counts_docks_and_available_does_not(database: Database) -> None:
    tell(database, *story())
    assert _stock(database, "A") == {
        "sku": "A",
        "on_hand": 6,
        "allocated": 5,
        "available": 0,
        "shortage": 15,
        "incoming": 9,
        "net_position": -15,
        "sellable": {"main": None, "web": None},
        "places": [
            {"place": "DOCK", "kind": "dock", "on_hand": 1, "allocated": 0, "available": 1},
            {"place": "WH1", "kind": "source", "on_hand": 5, "allocated": 5, "available": 0},
        ],
    }


def test_what_is_only_ordered_is_not_incoming(database: Database) -> None:
    tell(database, item_changed("A", vendor="V"), order_placed("1", [("A", 3)]))
    found = _stock(database, "A")
    assert found is not None
    assert (found["incoming"], found["shortage"], found["net_position"]) == (0, 3, -3)
    assert found["places"] == []


def test_a_disabled_source_is_on_hand_and_not_available(database: Database) -> None:
    tell(
        database,
        stock_received("r1", "WH1", [("A", 4)]),
        stock_received("r2", "WH2", [("A", 1)]),
        place_changed("WH1", enabled=False),
    )
    found = _stock(database, "A")
    assert found is not None
    assert (found["on_hand"], found["available"]) == (5, 1)


def test_p4_places_stand_in_the_order_in_which_they_are_tried(database: Database) -> None:
    tell(
        database,
        place_changed("WH2", priority=1),
        *(stock_received("r", place, [("A", 1)]) for place in ("WH3", "WH1", "WH2")),
    )
    found = _stock(database, "A")
    assert found is not None
    assert [row["place"] for row in found["places"]] == ["WH2", "WH1", "WH3"]


def test_every_known_shop_has_its_sellable(database: Database) -> None:
    limited = {"backorder_limit": 2, "safety_stock": 1}
    tell(
        database,
        shop_changed("near", sources=["WH1"]),
        shop_changed("far", sources=["WH2"]),
        shop_changed("nowhere", sources=[]),
        item_changed("A", policy=limited),
        stock_received("r1", "WH1", [("A", 5)]),
        stock_received("r2", "WH2", [("A", 1)]),
        order_placed("1", [("B", 1)], shop="by-order"),
    )
    found = _stock(database, "A")
    assert found is not None
    # Free units above the safety stock at the shop's sources, and two that may wait.
    assert found["sellable"] == {"by-order": 7, "far": 2, "near": 6, "nowhere": 2}


def test_the_settings_of_a_shop_floor_reach_its_sellable(database: Database) -> None:
    tell(database, shop_changed("main"), item_changed("P", policy={"manage_stock": False}))
    found = _stock(database, "P")
    assert found is not None
    assert found["sellable"] == {"main": None}


def test_a_sku_nobody_knows_is_none(database: Database) -> None:
    tell(database, stock_received("r1", "WH1", [("A", 5)]))
    assert _stock(database, "B") is None


def test_a_sku_that_is_only_named_by_what_was_set_aside_is_not_known(database: Database) -> None:
    lines = [{"line_id": "1", "sku": "B"}]  # how many?
    data = {"shop": "main", "order_id": "1", "placed_at": T0, "lines": lines}
    deliver(database, body_of("OrderPlaced", data, source="/shops/main", event_id="no-qty"))
    assert _stock(database, "B") is None
