"""Sources and docks: first seen, fed, disabled (P2, P4)."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene


@rule("P2")
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(stock_received("x", "NEW", [("A", 3)]), id="receipt"),
        pytest.param(stock_received("x", "D", [("A", 3)], transfer_to="NEW"), id="straight on"),
        pytest.param(stock_transferred("x", "D", "NEW", [("A", 3)]), id="transfer"),
        pytest.param(stock_returned("x", "NEW", [("A", 3)]), id="return"),
    ],
)
def test_a_place_first_seen_where_goods_are_is_a_source_and_serves_at_once(seen: Event) -> None:
    scene = Scene(
        place_changed("main"),
        place_changed("D", kind="dock"),
        stock_received("r1", "D", [("A", 3)]),
        order_placed("1", [("A", 2)]),
    )
    scene.when(seen)
    assert scene.house.line("1").allocations[0].source == "NEW"
    place = scene.house.state.places["NEW"]
    assert (place.kind, place.priority, place.enabled) == ("source", 100, True)


@rule("P2", "S9")
def test_a_place_first_seen_in_a_shipment_is_a_source() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 2)]), order_placed("1", [("A", 2)]))
    scene.when(order_shipped("1", "s1", "NEW", [("1", 1)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ExceptionRaised over_shipment: sku=A place=NEW shop=main order_id=1",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
    assert scene.house.state.places["NEW"].picks


@rule("P4")
@pytest.mark.parametrize(
    ("changes", "feeds"),
    [
        pytest.param([place_changed("D", kind="dock")], "B", id="the first source by priority"),
        pytest.param([place_changed("D", kind="dock", feeds="C")], "C", id="the one it names"),
        pytest.param(
            [place_changed("D", kind="dock"), place_changed("A", priority=1)],
            "B",
            id="the first when it was first seen",
        ),
        pytest.param(
            [place_changed("D", kind="dock", feeds="C"), place_changed("D", feeds=None)],
            "B",
            id="cleared",
        ),
        pytest.param(
            [place_changed("D", kind="dock", feeds="NEW")], "NEW", id="a place not seen before"
        ),
        pytest.param(
            [place_changed("D"), place_changed("D", kind="dock")], "B", id="once a source"
        ),
    ],
)
def test_a_dock_feeds_one_source(changes: list[Event], feeds: str) -> None:
    scene = Scene(place_changed("C"), place_changed("B", priority=5), *changes)
    assert scene.house.state.places["D"].feeds == feeds
    assert scene.house.state.places[feeds].picks


@rule("P4", "R2")
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(place_changed("WH"), id="told"),
        pytest.param(shop_changed("main", sources=["WH"]), id="a shop's"),
        pytest.param(stock_received("r0", "WH", [("Y", 1)]), id="where goods are"),
    ],
)
def test_a_dock_that_is_seen_before_any_source_feeds_the_first_one_seen(first: Event) -> None:
    scene = Scene(
        place_changed("D", kind="dock"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
        first,
        place_changed("A", priority=1),
    )
    assert scene.house.state.places["D"].feeds == "WH"
    scene.when(shop_changed("main", sources=["WH"]))
    scene.when(order_placed("1", [("X", 4)])).told(
        "OrderBackordered main/1 [1: 4 X until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 X]",
    )


@rule("P4", "R2", "P3")
def test_what_waits_is_bought_no_more_once_the_dock_it_lies_at_feeds_its_destination() -> None:
    scene = Scene(
        place_changed("D", kind="dock"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
    )
    scene.when(order_placed("1", [("X", 4)])).told(
        # `main` is a source from now on, the first one.
        "OrderBackordered main/1 [1: 4 X until ?] until ?",
        "ReplenishmentRaised V>main#1 rev 1 [1 X]",
    )


@rule("P4", "R2", "P3")
def test_a_dock_that_feeds_another_source_is_counted_there_from_then_on() -> None:
    scene = Scene(
        place_changed("A"),
        place_changed("B"),
        place_changed("D", kind="dock", feeds="A"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
        shop_changed("main", sources=["B"]),
        order_placed("1", [("X", 4)]),
    )
    scene.when(place_changed("D", feeds="B")).told("ReplenishmentReduced V>B#1 rev 2 [1 X]")
    scene.when(place_changed("D", feeds="A")).told("ReplenishmentExtended V>B#1 rev 3 [4 X]")


@rule("P4")
def test_units_promised_at_a_place_that_is_disabled_stay_promised_and_a_person_is_told() -> None:
    scene = Scene(
        stock_received("r1", "WH", [("A", 5), ("B", 5), ("C", 5)]),
        order_placed("1", [("A", 3), ("C", 1)]),
        order_shipped("1", "s1", "WH", [("2", 1)]),
    )
    scene.when(place_changed("WH", enabled=False)).told(
        "ExceptionRaised place_disabled: sku=A place=WH",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
        "StockStatusChanged main C backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/1 [2] 1 C: 1 shipped",
        "WH: 5 A, 3 promised",
        "WH: 5 B",
        "WH: 4 C",
    )
    scene.when(order_shipped("1", "s2", "WH", [("1", 3)])).told().booked("3 A WH>customer shipped")


@rule("P4", "S3")
def test_a_source_that_had_promised_too_much_and_is_disabled_keeps_nobody_from_the_others() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 4)]),
        order_placed("1", [("A", 4)]),
        place_changed("D", kind="dock"),
        stock_transferred("t1", "WH1", "D", [("A", 4)]),
        stock_received("r2", "WH2", [("A", 3)]),
        order_placed("2", [("A", 2)]),
    )
    scene.when(place_changed("WH1", enabled=False)).told(
        "BackToShip main/2 from WH2 [1: 2 A] waited since T0 complete",
        "ExceptionRaised place_disabled: sku=A place=WH1",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
