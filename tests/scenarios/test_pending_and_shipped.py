"""Units that leave although their order was not paid yet (O10, S9)."""

from tests.support.builders import (
    item_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

PAID = order_hold_cleared("1")


def _scene(qty: int, asked: int) -> Scene:
    return Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V"),
        stock_received("r0", "WH", [("A", qty)]),
        order_placed("1", [("A", asked)], holds=["payment"]),
    )


@rule("S9", "O10")
def test_pending_units_that_left_are_shipped() -> None:
    scene = _scene(5, 3)
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked("2 A WH>customer shipped")
    scene.kept("main/1 [1] 3 A: 1 pending, 2 shipped", "WH: 3 A")


@rule("S9", "O10", "O3")
def test_only_what_did_not_leave_is_judged_when_it_is_paid() -> None:
    scene = _scene(5, 3).given(order_shipped("1", "s1", "WH", [("1", 2)]))
    scene.when(PAID).told("ReadyToShip main/1 from WH [1: 1 A] complete").kept(
        "main/1 [1] 3 A: 1 at WH, 2 shipped", "WH: 3 A, 1 promised"
    )


@rule("S9", "O10")
def test_nothing_is_judged_when_all_of_it_has_left() -> None:
    scene = _scene(5, 3).given(order_shipped("1", "s1", "WH", [("1", 3)]))
    scene.when(PAID).told().kept("main/1 [1] 3 A: 3 shipped", "WH: 2 A")


@rule("S9", "O10", "C3")
def test_a_shipment_and_then_a_payment_that_came_before_their_order() -> None:
    scene = Scene(place_changed("WH"), shop_changed("main"), stock_received("r0", "WH", [("A", 5)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 1)]), PAID)
    scene.when(order_placed("1", [("A", 3)], holds=["payment"])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete"
    ).kept("main/1 [1] 3 A: 2 at WH, 1 shipped", "WH: 4 A, 2 promised")


@rule("S9", "O10", "S7")
def test_more_than_was_ordered_is_booked_and_told() -> None:
    scene = _scene(5, 3)
    scene.when(order_shipped("1", "s1", "WH", [("1", 4)])).told(
        "ExceptionRaised over_shipment: sku=A place=WH shop=main order_id=1 line_id=1"
    ).booked("4 A WH>customer shipped")
    scene.kept("main/1 [1] 3 A: 3 shipped", "WH: 1 A")


@rule("S9", "O2", "O10")
def test_a_sku_that_is_not_managed_moves_no_stock_before_it_is_paid_either() -> None:
    scene = Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("U", policy={"manage_stock": False}),
        order_placed("1", [("U", 3)], holds=["payment"]),
    )
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked().kept(
        "main/1 [1] 3 U: 1 pending, 2 shipped"
    )
