"""Lines that staff held and let go again, and what waits for them (S11, S10)."""

from datetime import timedelta

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
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


@rule("S11", "S10", "S5")
def test_a_persons_word_lets_it_be_filled_and_sent() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)], placed_at=T0 - HOUR), _hold(3))
    scene.when(SENT).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept("main/1 [1] 3 A: 3 at WH", "WH: 3 A, 3 promised")


@rule("S11", "S4")
def test_what_can_not_be_filled_now_is_filled_like_any_other_from_then_on() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)]), _hold(3), order_placed("2", [("A", 2)]))
    scene.when(SENT).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
    scene.when(stock_received("r1", "WH", [("A", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("S11", "S10")
def test_a_hold_that_is_lifted_is_no_refusal_though_nothing_is_there() -> None:
    scene = _scene(2, order_placed("1", [("A", 2)]), _hold(2), order_placed("2", [("A", 2)]))
    scene.when(SENT).told().kept(
        "main/1 [1] 2 A: 2 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 2 A",
    )
    scene.when(back_to_ship_requested("1", event_id="again")).told(
        "ExceptionRaised refused nothing_allocated: shop=main order_id=1"
    )


@rule("S11", "S10")
def test_all_lines_of_the_order_are_let_go_at_once() -> None:
    scene = _scene(
        2,
        stock_received("r1", "WH", [("B", 1)]),
        order_placed("1", [("A", 2), ("B", 1)]),
        _hold(2),
        _hold(1, "2"),
    )
    scene.when(SENT).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    )


@rule("S11", "S10", "O10")
def test_a_hold_of_the_order_keeps_the_hold_of_the_line() -> None:
    scene = _scene(2, order_placed("1", [("A", 2)], holds=["fraud"]), _hold(2))
    scene.when(SENT).told("ExceptionRaised refused on_hold: shop=main order_id=1")
    scene.when(order_hold_cleared("1", "fraud")).told()
    scene.when(back_to_ship_requested("1", event_id="again")).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("S10", "O9")
def test_in_a_complete_order_the_other_lines_wait_for_it() -> None:
    scene = _scene(
        2,
        stock_received("r1", "WH", [("B", 2)]),
        order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete", holds=["fraud"]),
        _hold(2),
    )
    scene.when(order_hold_cleared("1", "fraud")).told()
    scene.when(SENT).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("S10", "O9")
def test_nothing_is_taken_for_a_whole_that_staff_hold_a_part_of() -> None:
    scene = _scene(
        2,
        order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"),
        stock_received("r1", "WH", [("B", 1)]),
        _hold(2),
        line_backordered("1", ("2", 1), "WH"),
        rules=Rules(keep_partial_allocations=False),
    )
    scene.when(stock_received("r2", "WH", [("B", 1)])).told(
        "StockStatusChanged main B in_stock, sellable unlimited"
    )
    scene.when(SENT).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    )


@rule("S10", "S11", "C3")
def test_held_and_let_go_before_the_order_came_it_goes_as_it_is() -> None:
    scene = _scene(9)
    scene.when(_hold(2), SENT)
    scene.when(order_placed("1", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete"
    )


@rule("S10", "S4")
def test_what_staff_let_go_of_is_given_out_whatever_the_safety_stock() -> None:
    scene = _scene(
        3,
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)]),
        item_changed("A", policy={"safety_stock": 9}),
    )
    scene.when(_hold(3)).kept(
        "main/1 [1] 3 A: 3 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 3 A, 2 promised",
        "V>WH#1 open: 3 A",
    )
