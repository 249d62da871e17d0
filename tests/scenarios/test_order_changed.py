"""An order is wanted otherwise: only the difference is judged or cancelled (C2)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import Fields


def _scene(qty: int = 0, **policy: object) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"))
    scene.given(item_changed("A", vendor="V", policy=policy))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


@rule("C2", "O3")
def test_the_extra_takes_what_is_there_and_the_rest_of_it_waits() -> None:
    scene = _scene(5).given(order_placed("1", [("A", 3)]))
    scene.when(order_changed("1", [("A", 6)])).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept("main/1 [1] 6 A: 5 at WH, 1 held", "WH: 5 A, 5 promised", "V>WH#1 open: 1 A").booked()


@rule("C2", "O8")
def test_a_line_that_waits_for_more_is_told_with_all_it_waits_for() -> None:
    scene = _scene().given(order_placed("1", [("A", 3), ("B", 1)]))
    scene.when(order_changed("1", [("A", 5), ("B", 1)])).told(
        "OrderBackordered main/1 [1: 5 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [5 A]",
    )


@rule("C2", "C1", "O11", "R2")
def test_less_is_cancelled_the_least_promised_first() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 5)]))
    scene.when(order_changed("1", [("A", 1)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 5 A: 1 at WH, 4 cancelled", "WH: 2 A, 1 promised", "V>WH#1 cancelled: nothing"
    ).booked()


@rule("C2", "C1")
def test_a_line_that_is_absent_is_cancelled_whole() -> None:
    scene = _scene(5).given(order_placed("1", [("A", 3), ("A", 1)]))
    scene.when(order_changed("1", [{"line_id": "2", "sku": "A", "qty": 1}])).told(
        "ReleaseCancelled main/1 from WH [1: 3 A]"
    ).kept("main/1 [1] 3 A: 3 cancelled", "main/1 [2] 1 A: 1 at WH", "WH: 5 A, 1 promised")


@rule("C2", "O3")
def test_a_line_that_is_new_is_judged_and_comes_after_the_others() -> None:
    scene = _scene(3).given(order_placed("1", [("A", 1)]))
    lines: list[Fields] = [
        {"line_id": "new", "sku": "A", "qty": 3},
        {"line_id": "1", "sku": "A", "qty": 2},
    ]
    scene.when(order_changed("1", lines)).told(
        "ReadyToShip main/1 from WH [1: 1 A, new: 1 A]",
        "OrderBackordered main/1 [new: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [new] 3 A: 1 at WH, 2 held",
        "WH: 3 A, 3 promised",
        "V>WH#1 open: 2 A",
    )


@rule("C2", "O9")
def test_a_new_line_may_leave_with_a_group_of_the_order() -> None:
    scene = _scene().given(order_placed("1", [{"sku": "A", "qty": 1, "group": "g"}]))
    scene.given(stock_received("r1", "WH", [("B", 1)]))
    scene.when(
        order_changed("1", [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 1, "group": "g"}])
    ).told("StockStatusChanged main B backorder, sellable unlimited")
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A, 2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("C2", "S3", "R2")
def test_what_one_line_gives_up_serves_who_waits_before_another_line_gets_more() -> None:
    scene = _scene(3).given(order_placed("1", [("A", 3)]), order_placed("2", [("A", 2)]))
    scene.when(order_changed("1", [("A", 1), ("A", 2)])).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "BackToShip main/2 from WH [1: 2 A] waited since T0 complete",
        "OrderBackordered main/1 [2: 2 A until ?] until ?",
    ).kept(
        "main/1 [1] 3 A: 1 at WH, 2 cancelled",
        "main/1 [2] 2 A: 2 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 3 A, 3 promised",
        "V>WH#1 open: 2 A",
    )


@rule("C2", "L3")
def test_what_was_cancelled_is_gone_and_more_is_ordered_on_top() -> None:
    scene = _scene(5).given(order_placed("1", [("A", 3)]), order_cancelled("1", [("1", 2)]))
    scene.when(order_changed("1", [("A", 2)])).told("ReadyToShip main/1 from WH [1: 1 A] complete")
    scene.kept("main/1 [1] 4 A: 2 at WH, 2 cancelled", "WH: 5 A, 2 promised")


@rule("C2", "C1")
def test_what_has_left_is_not_cancelled_and_a_person_is_told() -> None:
    scene = _scene(5).given(
        order_placed("1", [("A", 3)]), order_shipped("1", "s", "WH", [("1", 2)])
    )
    scene.when(order_changed("1", [("A", 1)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1 line_id=1",
    ).kept("main/1 [1] 3 A: 2 shipped, 1 cancelled", "WH: 3 A")


@rule("C2", "S9")
def test_what_has_left_is_wanted_and_counts() -> None:
    scene = _scene(5).given(
        order_placed("1", [("A", 3)]), order_shipped("1", "s", "WH", [("1", 3)])
    )
    scene.when(order_changed("1", [("A", 3)])).told()
    scene.when(order_changed("1", [("A", 4)], version=2)).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    ).kept("main/1 [1] 4 A: 1 at WH, 3 shipped", "WH: 2 A, 1 promised")


@rule("C2", "O4")
def test_rejected_units_are_neither_cancelled_nor_judged_again() -> None:
    scene = _scene(2, backorder_policy="none").given(order_placed("1", [("A", 5)]))
    rejected = ("main/1 [1] 5 A: 5 rejected", "WH: 2 A")
    scene.when(order_changed("1", [("A", 5)], version=1)).told().kept(*rejected)
    scene.when(order_changed("1", [("A", 3)], version=2)).told().kept(*rejected)
    scene.when(order_changed("1", [("A", 6)], version=3)).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    ).kept("main/1 [1] 6 A: 1 at WH, 5 rejected", "WH: 2 A, 1 promised")


@rule("C2", "O4", "O7")
def test_an_extra_that_is_rejected_leaves_the_rest_as_it_is() -> None:
    scene = _scene(3, backorder_policy="none").given(order_placed("1", [("A", 2)]))
    scene.when(order_changed("1", [("A", 4), ("A", 1)])).told(
        "OrderRejected main/1 [1: 2 A out_of_stock, sellable 1, 2: 1 A out_of_stock, sellable 1]"
    ).kept(
        "main/1 [1] 4 A: 2 at WH, 2 rejected", "main/1 [2] 1 A: 1 rejected", "WH: 3 A, 2 promised"
    )
    scene.when(order_changed("1", [("A", 2)], version=2)).told()


@rule("C2", "O8", "O4")
def test_a_line_that_waited_before_is_not_told_again_when_nothing_more_waits() -> None:
    scene = _scene().given(
        order_placed("1", [("A", 3)]), item_changed("A", policy={"backorder_policy": "none"})
    )
    scene.when(order_changed("1", [("A", 5)])).told(
        "OrderRejected main/1 [1: 2 A out_of_stock, sellable 0]"
    ).kept("main/1 [1] 5 A: 3 held, 2 rejected", "V>WH#1 open: 3 A")


@rule("C2", "O6")
@pytest.mark.parametrize(("wanted", "rejected"), [(6, False), (5, True)])
def test_rules_of_sale_are_asked_of_all_that_is_wanted(wanted: int, *, rejected: bool) -> None:
    scene = _scene(9, min_sale_qty=4, sale_increment=2).given(order_placed("1", [("A", 4)]))
    scene.when(order_changed("1", [("A", wanted)])).told(
        "OrderRejected main/1 [1: 1 A sale_increment, sellable None]"
        if rejected
        else "ReadyToShip main/1 from WH [1: 2 A] complete"
    )


@rule("C2", "O6", "C1")
def test_less_is_no_sale_and_breaks_no_rule_of_sale() -> None:
    scene = _scene(9, min_sale_qty=4).given(order_placed("1", [("A", 4)]))
    scene.when(order_changed("1", [("A", 3)])).told("ReleaseCancelled main/1 from WH [1: 1 A]")
