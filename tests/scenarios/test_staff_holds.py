"""Staff hold a line: others get its units, and it waits until staff say otherwise (S10, S11)."""

import pytest

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene

SENT = back_to_ship_requested("1")


def _hold(qty: int, line: str = "1") -> Event:
    return line_backordered("1", (line, qty), "WH", reason="hold")


def _scene(qty: int, *events: Event, rules: Rules | None = None) -> Scene:
    return Scene.with_rules(
        rules or Rules(),
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V"),
        stock_received("r0", "WH", [("A", qty)]),
        *events,
    )


@rule("S10", "S3", "R2", "O8", "O11")
def test_its_units_go_to_who_waits_and_it_is_bought_for_and_told() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)]), order_placed("2", [("A", 2)]))
    scene.when(_hold(3)).told(
        "ReleaseCancelled main/1 from WH [1: 3 A]",
        "BackToShip main/2 from WH [1: 2 A] waited since T0 complete",
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "StockStatusChanged main A in_stock, sellable unlimited",
        # One is free at the destination, two are bought: as many as before.
    ).booked()
    scene.kept(
        "main/1 [1] 3 A: 3 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 3 A, 2 promised",
        "V>WH#1 open: 2 A",
    )


@rule("S10", "R2")
def test_free_units_are_sold_to_others_and_bought_for_it_then() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)]))
    scene.when(_hold(3)).told(
        "ReleaseCancelled main/1 from WH [1: 3 A]",
        "OrderBackordered main/1 [1: 3 A until T0] until T0",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 3 A: 3 held", "WH: 3 A")
    scene.when(order_placed("2", [("A", 2)])).told(
        "ReadyToShip main/2 from WH [1: 2 A] complete", "ReplenishmentRaised V>WH#1 rev 1 [2 A]"
    ).kept(
        "main/1 [1] 3 A: 3 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 3 A, 2 promised",
        "V>WH#1 open: 2 A",
    )


@rule("S10", "S3")
@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param(stock_received("x", "WH", [("A", 5)]), id="receipt"),
        pytest.param(stock_transferred("x", "D", "WH", [("A", 5)]), id="transfer"),
        pytest.param(order_cancelled("2"), id="cancellation"),
        pytest.param(item_changed("A", policy={"safety_stock": 0}), id="safety stock"),
    ],
)
def test_nothing_fills_it(arrival: Event) -> None:
    scene = _scene(
        3,
        order_placed("1", [("A", 3)]),
        _hold(3),
        order_placed("2", [("A", 3)]),
        place_changed("D", kind="dock", feeds="WH"),
        stock_received("r1", "D", [("A", 5)]),
        item_changed("A", policy={"safety_stock": 1}),
    )
    scene.when(arrival)
    line = scene.house.line("1")
    assert (line.shortage, line.allocated) == (3, 0)


@rule("S10")
def test_it_is_held_whole_with_what_it_waited_for_before() -> None:
    scene = _scene(2, order_placed("1", [("A", 3)]))
    scene.when(_hold(1)).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 3 A: 1 at WH, 2 held", "WH: 2 A, 1 promised", "V>WH#1 open: 1 A")
    scene.when(stock_received("r1", "WH", [("A", 9)])).told(
        "ReplenishmentCancelled V>WH#1 rev 2 []"
    )


@rule("S10")
def test_another_line_of_the_same_sku_is_served() -> None:
    scene = _scene(2, order_placed("1", [("A", 2), ("A", 1)]))
    scene.when(_hold(2)).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "BackToShip main/1 from WH [2: 1 A] waited since T0",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 2 A: 2 held",
        "main/1 [2] 1 A: 1 at WH",
        "WH: 2 A, 1 promised",
        "V>WH#1 open: 1 A",
    )


@rule("S10", "O5")
def test_what_staff_hold_counts_for_the_limit() -> None:
    scene = _scene(
        2, item_changed("A", policy={"backorder_limit": 3}), order_placed("1", [("A", 2)]), _hold(2)
    )
    scene.when(order_placed("2", [("A", 4)])).told(
        "OrderRejected main/2 [1: 4 A backorder_limit, sellable 3]"
    )


@rule("S10", "C1", "S9")
def test_its_units_are_cancelled_and_shipped_like_any_that_wait() -> None:
    scene = _scene(9, order_placed("1", [("A", 3)]), _hold(3))
    scene.when(order_cancelled("1", [("1", 1)])).told().kept(
        "main/1 [1] 3 A: 2 held, 1 cancelled", "WH: 9 A"
    )
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked("2 A WH>customer shipped")
    scene.kept("main/1 [1] 3 A: 2 shipped, 1 cancelled", "WH: 7 A")


@rule("S10", "R10")
def test_units_bought_for_it_are_ordinary_stock_while_staff_hold_it_and_are_bought_again() -> None:
    scene = _scene(
        9, item_changed("A", policy={"sourcing": "buy_to_order"}), order_placed("1", [("A", 3)])
    )
    name = scene.replenishment_id("V>WH#1")
    scene.given(stock_received("r1", "WH", [("A", 1)], replenishment_id=name), _hold(1))
    scene.when(stock_received("r2", "WH", [("A", 2)], replenishment_id=name)).told(
        "ReplenishmentExtended V>WH#2 rev 2 [3 A]"
    ).kept(
        "main/1 [1] 3 A: 3 held",
        "WH: 12 A",
        "V>WH#1 received: 3 A, 3 in",
        "V>WH#2 open: 3 A",
        "V>WH#2 brings main/1 [1] 3",
    )


@rule("S10")
def test_a_line_staff_hold_that_is_missed_by_a_picker_too_goes_on_being_held() -> None:
    scene = _scene(9, order_placed("1", [("A", 3)]), _hold(1))
    scene.when(line_backordered("1", ("1", 1), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 2 A until T0] until T0",
    ).booked("1 A WH>adjustment written_off")
    scene.kept("main/1 [1] 3 A: 1 at WH, 2 held", "WH: 8 A, 1 promised")
    scene.when(SENT).told("BackToShip main/1 from WH [1: 2 A] waited since T0 complete")


@rule("S10")
def test_units_promised_to_it_at_another_source_stay_promised() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH", "WH2"]),
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("A", 2)]),
        stock_received("r2", "WH2", [("A", 1)]),
        order_placed("1", [("A", 3)]),
    )
    scene.when(_hold(2)).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 2 A until T0] until T0",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 3 A: 1 at WH2, 2 held", "WH: 2 A", "WH2: 1 A, 1 promised")
