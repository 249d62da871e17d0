"""What no other test had noticed when a rule was changed (`scripts.mutate`), as proofs of it."""

from datetime import timedelta

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.stepwise import Stepwise
from tests.support.wire import T0, Fields

DAY = timedelta(days=1)
LINE: Fields = {"shop": "main", "order_id": "1", "line_id": "1"}


@rule("R11")
def test_what_is_open_for_another_place_brings_no_date() -> None:
    scene = Scene(
        place_changed("WH1"),
        place_changed("WH2"),
        shop_changed("a", sources=["WH1"]),
        shop_changed("b", sources=["WH2"]),
        item_changed("A", vendor="V", policy={"lead_time_days": 7, "auto_replenish": False}),
        replenishment_requested("V", [("A", 5)], destination="WH1"),
    )
    scene.when(order_placed("1", [("A", 2)], shop="b")).told(
        "OrderBackordered b/1 [1: 2 A until ?] until ?"
    )
    scene.when(order_placed("2", [("A", 2)], shop="a")).told(
        "OrderBackordered a/2 [1: 2 A until T0+7d] until T0+7d"
    )


@rule("R10", "R11", "R12")
def test_each_linked_line_has_the_date_of_its_own_part() -> None:
    scene = Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}),
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 2)]),
    )
    parts = [(2, T0 + DAY), (2, T0 + 2 * DAY)]
    scene.when(replenishment_closed(scene.replenishment_id("V>WH#1"), lines=[("A", parts)])).told(
        "ExpectedDateChanged main/1 [1: A ?>T0+1d]",
        "ExpectedDateChanged main/2 [1: A ?>T0+2d]",
    )


@rule("R2", "R10")
def test_only_what_automation_has_linked_moves_to_the_new_vendor() -> None:
    """The line a buyer has picked stands last in the queue, where links are cut first."""
    by_hand = {"sku": "A", "shop": "main", "order_id": "2", "line_id": "1"}
    scene = Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order", "auto_replenish": False}),
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 3)]),
        replenishment_requested("V", [by_hand]),
        item_changed("A", policy={"auto_replenish": True}),
    )
    scene.when(item_changed("A", vendor="W")).told(
        "ReplenishmentReduced V>WH#1 rev 3 [3 A] by hand",
        "ReplenishmentRaised W>WH#1 rev 1 [2 A]",
    ).kept(
        "main/1 [1] 2 A: 2 held",
        "main/2 [1] 3 A: 3 held",
        "V>WH#1 open: 3 A",
        "V>WH#1 brings main/2 [1] 3 by hand",
        "W>WH#1 open: 2 A",
        "W>WH#1 brings main/1 [1] 2",
    )


@rule("S4", "S6")
def test_an_urgent_line_of_this_batch_goes_before_those_that_are_loaded() -> None:
    stepwise = Stepwise.with_a_queue()
    urgent = order_placed("urgent", [("A", 2)], shop="a", priority=1)
    stepwise.scene.when(urgent, stock_received("r1", "WH", [("A", 2)])).told(
        "OrderBackordered a/urgent [1: 2 A until ?] until ?",
        "BackToShip a/urgent from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentExtended V>WH#1 rev 7 [10 A]",
    )


@rule("O2", "O9")
def test_what_comes_from_no_stock_keeps_nothing_of_its_order_waiting() -> None:
    without: Fields = {"manage_stock": False}
    scene = Scene.with_rules(
        Rules(keep_partial_allocations=False),
        place_changed("WH"),
        item_changed("POST", policy=without),
        item_changed("DROP", vendor="V", policy={"sourcing": "drop_ship"}),
        stock_received("r1", "WH", [("A", 1)]),
    )
    lines = [("A", 1), ("POST", 1), ("DROP", 1)]
    scene.when(order_placed("1", lines, ship_mode="complete")).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete",
        "ReadyToShip main/1 from anywhere [2: 1 POST] complete",
        "ReplenishmentRaised V>customer:main/1#1 rev 1 [1 DROP]",
        "StockStatusChanged main DROP in_stock, sellable unlimited",
        "StockStatusChanged main POST in_stock, sellable unlimited",
    )


@rule("O9", "C2")
def test_what_an_order_gets_on_top_waits_for_what_waits_already() -> None:
    scene = Scene.with_rules(
        Rules(keep_partial_allocations=False),
        place_changed("WH"),
        stock_received("r1", "WH", [("B", 1)]),
        order_placed("1", [("A", 1)], ship_mode="complete"),
    )
    scene.when(order_changed("1", [("A", 1), ("B", 1)])).kept(
        "main/1 [1] 1 A: 1 held", "main/1 [2] 1 B: 1 held", "WH: 1 B"
    )


@rule("S4", "R10")
def test_all_that_no_linked_line_takes_is_for_the_queue_whatever_the_safety_stock() -> None:
    scene = Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"safety_stock": 5}),
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 1)]),
        replenishment_requested("V", [{"sku": "A", **LINE}]),
    )
    arrived = {"replenishment_id": scene.replenishment_id("V>WH#1")}
    scene.when(stock_received("r1", "WH", [("A", 3)], **arrived)).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 1 A] waited since T0 complete",
    )


@rule("O6", "C2")
def test_what_was_rejected_counts_no_more_when_more_is_ordered() -> None:
    scene = Scene(item_changed("A", policy={"sale_increment": 3}), order_placed("1", [("A", 2)]))
    scene.when(order_changed("1", [("A", 5)])).kept("main/1 [1] 5 A: 3 held, 2 rejected")


@rule("R10", "R11")
def test_a_line_of_which_only_some_is_bought_has_no_date() -> None:
    policy: Fields = {"sourcing": "buy_to_order", "auto_replenish": False, "lead_time_days": 7}
    scene = Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy=policy),
        order_placed("1", [("A", 3)]),
        replenishment_requested("V", [{"sku": "A", "qty": 2, **LINE}]),
    )
    scene.when(order_changed("1", [("A", 4)])).told(
        "OrderBackordered main/1 [1: 4 A until ?] until ?"
    )
    scene.when(replenishment_requested("V", [{"sku": "A", "qty": 2, **LINE}])).told(
        "ExpectedDateChanged main/1 [1: A ?>T0+7d]",
        "ReplenishmentExtended V>WH#1 rev 2 [4 A] by hand",
    )


@rule("R10", "S8")
def test_of_two_that_lie_at_a_dock_only_the_later_loses_what_is_not_there() -> None:
    scene = Scene(
        place_changed("WH"),
        place_changed("DOCK", kind="dock"),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}),
    )
    for n in ("1", "2"):
        day = T0 + int(n) * DAY
        scene.given(order_placed(n, [("A", 2)], placed_at=day, time=day))
        bought = scene.replenishment_id(f"V>WH#{n}")
        scene.given(
            replenishment_closed(bought, time=day),
            stock_received(n, "DOCK", [("A", 2)], replenishment_id=bought, time=day),
        )
    scene.when(stock_counted("c1", "DOCK", [("A", 3)], counted_at=T0 + 3 * DAY)).kept(
        "main/1 [1] 2 A: 2 held",
        "main/2 [1] 2 A: 2 held",
        "DOCK: 3 A",
        "V>WH#1 received: 2 A, 2 in, 2 for lines at DOCK",
        "V>WH#1 brings main/1 [1] 2",
        "V>WH#2 received: 2 A, 2 in, 1 for lines at DOCK",
        "V>WH#2 brings main/2 [1] 1",
        "V>WH#3 open: 1 A",
        "V>WH#3 brings main/2 [1] 1",
    )


@rule("O9", "C2")
def test_what_an_order_has_already_is_not_asked_of_the_stock_again() -> None:
    scene = Scene.with_rules(
        Rules(keep_partial_allocations=False),
        place_changed("WH"),
        stock_received("r1", "WH", [("A", 3)]),
        order_placed("1", [("A", 2)], ship_mode="complete"),
    )
    scene.when(order_changed("1", [("A", 2), ("A", 1)])).told(
        "ReadyToShip main/1 from WH [2: 1 A] complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("S7")
def test_found_units_that_were_all_taken_back_are_owed_no_more() -> None:
    scene = Scene(place_changed("WH"), place_changed("EAST"))
    scene.given(stock_transferred("t1", "WH", "EAST", [("A", 2)], time=T0 + DAY))
    assert scene.house.state.items["A"].at("WH").owed == ((T0 + DAY, 2),)
    scene.when(stock_received("r1", "WH", [("A", 3)], time=T0)).kept("WH: 1 A", "EAST: 2 A")
    assert scene.house.state.items["A"].at("WH").owed == ()


@rule("R5")
def test_a_replenishment_says_when_it_was_closed() -> None:
    scene = Scene(item_changed("A", vendor="V"), order_placed("1", [("A", 2)]))
    bought = scene.replenishment_id("V>main#1")
    scene.given(replenishment_closed(bought, outcome="cancelled", time=T0 + DAY))
    assert scene.house.state.replenishments[bought].closed_at == T0 + DAY
