"""Orders shipped: what was promised leaves, then what waited or was given up (S9)."""

from datetime import timedelta

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

VENDOR = item_changed("A", vendor="V")


@rule("S9", "L1")
def test_shipped_units_leave_the_place_and_the_line() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 5)]), order_placed("1", [("A", 3)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)], shipped_at=T0 + timedelta(days=1)))
    scene.told().booked("2 A WH>customer shipped")
    scene.kept("main/1 [1] 3 A: 1 at WH, 2 shipped", "WH: 3 A, 1 promised")
    assert scene.house.movements[-1].happened_at == T0 + timedelta(days=1)


@rule("S9", "R2")
def test_a_held_line_that_was_shipped_all_the_same_waits_no_more() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.when(order_shipped("1", "s1", "main", [("1", 2)])).told(
        "ReplenishmentReduced V>main#1 rev 2 [1 A]",
        "ExceptionRaised over_shipment: sku=A place=main shop=main order_id=1",
    ).booked("2 A adjustment>main found", "2 A main>customer shipped")
    scene.kept("main/1 [1] 3 A: 1 held, 2 shipped", "V>main#1 open: 1 A")


@rule("S9")
def test_a_line_gives_promised_units_first_then_waiting_then_cancelled_ones() -> None:
    scene = Scene(
        VENDOR,
        stock_received("r1", "WH", [("A", 2)]),
        order_placed("1", [("A", 6)]),
        order_cancelled("1", [("1", 1)]),
        stock_received("r2", "WH2", [("A", 1)]),
        order_placed("2", [("A", 1)]),
        stock_received("r3", "WH", [("B", 9)]),
    )
    scene.kept(
        "main/1 [1] 6 A: 2 at WH, 1 at WH2, 2 held, 1 cancelled",
        "main/2 [1] 1 A: 1 held",
        "WH: 2 A, 2 promised",
        "WH: 9 B",
        "WH2: 1 A, 1 promised",
        "V>WH#1 open: 3 A",
    )
    scene.when(order_shipped("1", "s1", "WH", [("1", 6)])).told(
        "ReleaseCancelled main/1 from WH2 [1: 1 A]",
        "BackToShip main/2 from WH2 [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 5 []",
        "ExceptionRaised over_shipment: sku=A place=WH shop=main order_id=1",
    ).booked("4 A adjustment>WH found", "6 A WH>customer shipped")
    scene.kept(
        "main/1 [1] 6 A: 6 shipped",
        "main/2 [1] 1 A: 1 at WH2",
        "WH: 9 B",
        "WH2: 1 A, 1 promised",
        "V>WH#1 cancelled: nothing",
    )


@rule("S9")
def test_rejected_units_that_were_shipped_are_shipped() -> None:
    scene = Scene(
        item_changed("A", policy={"backorder_policy": "none"}),
        stock_received("r1", "WH", [("A", 1)]),
        order_placed("1", [("A", 2)]),
    )
    scene.when(order_shipped("1", "s1", "WH", [("1", 1)])).told(
        "StockStatusChanged main A out_of_stock, sellable 0"
    ).booked("1 A WH>customer shipped").kept("main/1 [1] 2 A: 1 shipped, 1 rejected")


@rule("S9")
def test_what_is_shipped_beyond_the_line_leaves_the_place_and_is_an_exception() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 9)]), order_placed("1", [("A", 2)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 5)])).told(
        "ExceptionRaised over_shipment: sku=A place=WH shop=main order_id=1 line_id=1"
    ).booked("5 A WH>customer shipped").kept("main/1 [1] 2 A: 2 shipped", "WH: 4 A")


@rule("S9")
def test_a_line_nobody_knows_moves_nothing() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 9)]), order_placed("1", [("A", 2)]))
    scene.when(order_shipped("1", "s1", "WH", [("7", 5), ("1", 1)])).told(
        "ExceptionRaised over_shipment: place=WH shop=main order_id=1 line_id=7"
    ).booked("1 A WH>customer shipped")
    scene.kept("main/1 [1] 2 A: 1 at WH, 1 shipped", "WH: 8 A, 1 promised")


@rule("S9")
def test_unmanaged_lines_move_no_stock_wherever_they_ship_from() -> None:
    scene = Scene(
        item_changed("GIFT", policy={"manage_stock": False}),
        stock_received("r1", "WH", [("GIFT", 5)]),
        order_placed("1", [("GIFT", 3)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 2)])).told().booked()
    scene.kept("main/1 [1] 3 GIFT: 1 anywhere, 2 shipped", "WH: 5 GIFT")
    scene.when(order_shipped("1", "s2", "WH2", [("1", 2)])).told(
        "ExceptionRaised over_shipment: sku=GIFT place=WH2 shop=main order_id=1 line_id=1"
    ).booked()
    scene.kept("main/1 [1] 3 GIFT: 3 shipped", "WH: 5 GIFT")


@rule("S9")
def test_a_line_keeps_being_what_it_was_judged_as() -> None:
    scene = Scene(
        stock_received("r1", "WH", [("A", 5)]),
        order_placed("1", [("A", 3)]),
        item_changed("A", policy={"manage_stock": False}),
    )
    scene.when(order_shipped("1", "s1", "WH", [("1", 3)])).told().booked(
        "3 A WH>customer shipped"
    ).kept("main/1 [1] 3 A: 3 shipped", "WH: 2 A")


@rule("S9")
def test_several_lines_of_one_sku_leave_in_one_movement() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 9)]), order_placed("1", [("A", 2), ("A", 3)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2), ("2", 1)])).told().booked(
        "3 A WH>customer shipped"
    )
    scene.kept(
        "main/1 [1] 2 A: 2 shipped", "main/1 [2] 3 A: 2 at WH, 1 shipped", "WH: 6 A, 2 promised"
    )


@rule("S9", "O9")
def test_the_rest_of_a_shipped_order_is_complete_when_its_last_unit_is_released() -> None:
    scene = Scene(
        VENDOR,
        stock_received("r1", "WH", [("A", 2)]),
        order_placed("1", [("A", 3)]),
        order_shipped("1", "s1", "WH", [("1", 2)]),
    )
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    ).kept("main/1 [1] 3 A: 1 at WH, 2 shipped", "WH: 1 A, 1 promised", "V>WH#1 cancelled: nothing")
