"""What is needed: a function of what waits and what there is (R2, R8)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene

VENDOR = item_changed("A", vendor="V")


@rule("R2")
@pytest.mark.parametrize(
    ("policy", "short", "ordered"),
    [
        pytest.param({"pack_size": 6}, 1, 6, id="whole packs"),
        pytest.param({"pack_size": 6}, 6, 6, id="an exact pack"),
        pytest.param({"pack_size": 6}, 7, 12, id="one more"),
        pytest.param({"min_order_qty": 10}, 3, 10, id="the minimum"),
        pytest.param({"min_order_qty": 10}, 11, 11, id="beyond the minimum"),
        pytest.param({"min_order_qty": 10, "pack_size": 4}, 3, 12, id="the minimum, then packs"),
    ],
)
def test_a_quantity_is_raised_to_the_minimum_and_then_rounded_up_to_packs(
    policy: dict[str, int], short: int, ordered: int
) -> None:
    scene = Scene(item_changed("A", vendor="V", policy=policy))
    scene.when(order_placed("1", [("A", short)])).told(
        f"OrderBackordered main/1 [1: {short} A until ?] until ?",
        f"ReplenishmentRaised V>main#1 rev 1 [{ordered} A]",
    )


@rule("R2", "R3")
def test_a_shortage_that_fits_into_the_pack_ordered_already_changes_nothing() -> None:
    scene = Scene(item_changed("A", vendor="V", policy={"pack_size": 6}))
    scene.given(order_placed("1", [("A", 4)]))
    scene.when(order_placed("2", [("A", 2)])).told(
        "OrderBackordered main/2 [1: 2 A until ?] until ?"
    )
    scene.when(order_cancelled("1", [("1", 3)])).told()


@rule("R2", "S2")
@pytest.mark.parametrize("feeds", ["WH", "OTHER"])
def test_what_lies_at_a_dock_is_not_bought_again_where_the_dock_feeds(feeds: str) -> None:
    scene = Scene(
        place_changed("WH"),
        place_changed("D", kind="dock", feeds=feeds),
        shop_changed("main", sources=["WH"]),
        VENDOR,
        stock_received("r1", "D", [("A", 3)]),
    )
    ordered = 5 - (3 if feeds == "WH" else 0)
    scene.when(order_placed("1", [("A", 5)])).told(
        "OrderBackordered main/1 [1: 5 A until ?] until ?",
        f"ReplenishmentRaised V>WH#1 rev 1 [{ordered} A]",
    )


@rule("R2", "P4")
def test_what_lies_at_a_dock_that_is_itself_the_destination_is_not_bought_again() -> None:
    scene = Scene(
        place_changed("WH"),
        place_changed("D", kind="dock", feeds="WH"),
        shop_changed("main", sources=["WH"], destination="D"),
        VENDOR,
        stock_received("r1", "D", [("A", 3)]),
    )
    scene.when(order_placed("1", [("A", 5)])).told(
        "OrderBackordered main/1 [1: 5 A until ?] until ?", "ReplenishmentRaised V>D#1 rev 1 [2 A]"
    )
    scene.when(stock_transferred("t1", "D", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0"
    ).kept("main/1 [1] 5 A: 3 at WH, 2 held", "WH: 3 A, 3 promised", "V>D#1 open: 2 A")


@rule("R2", "P4")
@pytest.mark.parametrize(
    ("closed", "ordered"),
    [
        pytest.param(None, 5, id="below the safety stock of an enabled source"),
        pytest.param({"enabled": False}, 3, id="all of it where nothing is picked"),
    ],
)
def test_what_lies_at_the_destination_counts_above_its_safety_stock_or_whole(
    closed: dict[str, bool] | None, ordered: int
) -> None:
    scene = Scene(
        place_changed("WH"),
        shop_changed("main", sources=["WH"]),
        item_changed("A", vendor="V", policy={"safety_stock": 2}),
        stock_received("r1", "WH", [("A", 2)]),
    )
    if closed is not None:
        scene.when(place_changed("WH", **closed))
    scene.when(order_placed("1", [("A", 5)])).told(
        "OrderBackordered main/1 [1: 5 A until ?] until ?",
        f"ReplenishmentRaised V>WH#1 rev 1 [{ordered} A]",
    )


@rule("R2")
def test_stock_that_covered_a_line_which_may_not_use_it_is_bought_when_others_take_it() -> None:
    scene = Scene(
        VENDOR,
        shop_changed("two"),
        shop_changed("one", sources=["WH"]),
        order_placed("1", [("A", 3)], shop="one"),
        shop_changed("one", sources=["ELSE"]),
        stock_received("r1", "WH", [("A", 4)]),
    )
    scene.kept("one/1 [1] 3 A: 3 held", "WH: 4 A", "V>WH#1 cancelled: nothing")
    scene.when(order_placed("2", [("A", 2)], shop="two")).told(
        "ReadyToShip two/2 from WH [1: 2 A] complete",
        "ReplenishmentRaised V>WH#2 rev 1 [1 A]",
    )


@rule("R2", "R8")
def test_what_is_on_its_way_covers_shortage_first_and_only_the_rest_is_bought() -> None:
    scene = Scene(
        item_changed("A", vendor="V", policy={"pack_size": 10}), order_placed("1", [("A", 4)])
    )
    scene.given(replenishment_closed(scene.replenishment_id("V>main#1")))
    scene.when(order_placed("2", [("A", 6)])).told(
        "OrderBackordered main/2 [1: 6 A until ?] until ?"
    )
    scene.when(order_placed("3", [("A", 1)])).told(
        "OrderBackordered main/3 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>main#2 rev 1 [10 A]",
    )


@rule("R2")
def test_what_is_on_its_way_to_one_destination_covers_no_other() -> None:
    scene = Scene(
        VENDOR,
        shop_changed("east", sources=["E"]),
        shop_changed("west", sources=["W"]),
        order_placed("1", [("A", 2)], shop="east"),
    )
    scene.given(replenishment_closed(scene.replenishment_id("V>E#1")))
    scene.given(order_cancelled("1", shop="east"))
    scene.when(order_placed("2", [("A", 2)], shop="west")).told(
        "OrderBackordered west/2 [1: 2 A until ?] until ?", "ReplenishmentRaised V>W#1 rev 1 [2 A]"
    )


@rule("R2")
def test_a_new_pack_size_changes_what_is_asked_and_a_new_lead_time_does_not() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy={"lead_time_days": 30})).told(
        "ExpectedDateChanged main/1 [1: A ?>T0+30d]"
    )
    scene.when(item_changed("A", policy={"pack_size": 5})).told(
        "ReplenishmentExtended V>main#1 rev 2 [5 A]"
    )
    scene.when(item_changed("A", policy={"pack_size": None})).told(
        "ReplenishmentReduced V>main#1 rev 3 [3 A]"
    )


@rule("R2", "S3")
def test_what_arrives_by_another_way_is_not_bought_any_more() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.when(stock_received("r1", "main", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0",
        "ReplenishmentReduced V>main#1 rev 2 [1 A]",
    ).kept("main/1 [1] 3 A: 2 at main, 1 held", "main: 2 A, 2 promised", "V>main#1 open: 1 A")
