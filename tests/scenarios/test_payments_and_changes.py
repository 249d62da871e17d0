"""Orders that change while they wait for their payment, and holds lifted for nothing (O10)."""

from datetime import timedelta

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_hold_cleared,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)
PAID = order_hold_cleared("1", time=T0 + 5 * HOUR)


def _scene(qty: int = 0) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


@rule("O10", "C1")
def test_pending_units_are_cancelled_silently_and_not_judged() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3), ("A", 2)], holds=["payment"]))
    scene.when(order_cancelled("1", [{"sku": "A", "qty": 3}])).told().booked().kept(
        "main/1 [1] 3 A: 2 pending, 1 cancelled", "main/1 [2] 2 A: 2 cancelled", "WH: 2 A"
    )
    scene.when(PAID).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 cancelled", "main/1 [2] 2 A: 2 cancelled", "WH: 2 A, 2 promised"
    )


@rule("O10", "C1")
def test_a_pending_order_cancelled_whole_is_nothing_when_it_is_paid() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], holds=["payment"]))
    scene.when(order_cancelled("1")).told()
    scene.when(PAID).told().kept("main/1 [1] 3 A: 3 cancelled", "WH: 2 A")


@rule("O10")
def test_paid_twice_is_paid_once() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], holds=["payment", "payment"]), PAID)
    kept = scene.rows()
    scene.when(order_hold_cleared("1", event_id="again")).told().booked().kept(*kept)


@rule("O10")
def test_another_hold_that_is_lifted_is_no_payment() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)], holds=["payment", "fraud"]))
    scene.when(order_hold_cleared("1", "fraud")).told().kept("main/1 [1] 1 A: 1 pending", "WH: 2 A")
    scene.when(PAID).told("ReadyToShip main/1 from WH [1: 1 A] complete")


@rule("O10", "O6", "C1")
def test_rules_of_sale_are_asked_of_what_is_still_wanted_when_it_is_paid() -> None:
    scene = _scene(9).given(
        item_changed("A", policy={"min_sale_qty": 4}),
        order_placed("1", [("A", 5)], holds=["payment"]),
        order_cancelled("1", [("1", 2)]),
    )
    scene.when(PAID).told("OrderRejected main/1 [1: 3 A min_sale_qty, sellable None]").kept(
        "main/1 [1] 5 A: 2 cancelled, 3 rejected", "WH: 9 A"
    )
