"""How many of a sku may be sold at once: too few, or not by the dozen (O6)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene


def _scene(**policy: object) -> Scene:
    return Scene(
        place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V", policy=policy)
    )


@rule("O6")
@pytest.mark.parametrize(
    ("least", "step", "asked", "reason"),
    [
        (4, 1, 3, "min_sale_qty"),
        (4, 1, 4, None),
        (4, 1, 5, None),
        (1, 6, 5, "sale_increment"),
        (1, 6, 6, None),
        (1, 6, 7, "sale_increment"),
        (1, 6, 12, None),
        (4, 3, 3, "min_sale_qty"),
        (4, 3, 4, "sale_increment"),
        (4, 3, 6, None),
        pytest.param(4, 3, 2, "min_sale_qty", id="both are broken: the least is named"),
    ],
)
def test_an_order_that_breaks_a_sale_rule_is_rejected_and_told_which(
    least: int, step: int, asked: int, reason: str | None
) -> None:
    scene = _scene(min_sale_qty=least, sale_increment=step)
    scene.given(stock_received("r1", "WH", [("A", 99)]))
    scene.when(order_placed("1", [("A", asked)]))
    if reason is None:
        scene.told(f"ReadyToShip main/1 from WH [1: {asked} A] complete")
    else:
        scene.told(f"OrderRejected main/1 [1: {asked} A {reason}, sellable None]").booked()
        scene.kept(f"main/1 [1] {asked} A: {asked} rejected", "WH: 99 A")


@rule("O6", "O1", "O7")
def test_all_lines_of_the_sku_are_rejected_for_their_sum_and_the_others_go_on() -> None:
    scene = _scene(sale_increment=4).given(stock_received("r1", "WH", [("A", 9), ("B", 3)]))
    scene.when(order_placed("1", [("A", 4), ("B", 2), ("A", 1)])).told(
        "ReadyToShip main/1 from WH [2: 2 B] complete",
        "OrderRejected main/1 "
        "[1: 4 A sale_increment, sellable None, 3: 1 A sale_increment, sellable None]",
    ).kept(
        "main/1 [1] 4 A: 4 rejected",
        "main/1 [2] 2 B: 2 at WH",
        "main/1 [3] 1 A: 1 rejected",
        "WH: 9 A",
        "WH: 3 B, 2 promised",
    )


@rule("O6", "O1")
def test_lines_that_are_right_only_together_are_sold() -> None:
    scene = _scene(min_sale_qty=4, sale_increment=4).given(stock_received("r1", "WH", [("A", 9)]))
    scene.when(order_placed("1", [("A", 3), ("A", 1)])).told(
        "ReadyToShip main/1 from WH [1: 3 A, 2: 1 A] complete"
    )


@rule("O6", "C3")
@pytest.mark.parametrize(("cancelled", "left"), [(1, 5), (3, 3)])
def test_what_was_cancelled_before_the_order_came_does_not_count(cancelled: int, left: int) -> None:
    scene = _scene(min_sale_qty=4).given(stock_received("r1", "WH", [("A", 9)]))
    scene.when(order_cancelled("1", [("1", cancelled)]))
    scene.when(order_placed("1", [("A", 6)]))
    if left >= 4:
        scene.told("ReadyToShip main/1 from WH [1: 5 A] complete")
    else:
        scene.told("OrderRejected main/1 [1: 3 A min_sale_qty, sellable None]")
        scene.kept("main/1 [1] 6 A: 3 cancelled, 3 rejected", "WH: 9 A")


@rule("O6", "C3")
def test_an_order_cancelled_whole_before_it_came_breaks_no_rule() -> None:
    scene = _scene(min_sale_qty=4)
    scene.when(order_cancelled("1"))
    scene.when(order_placed("1", [("A", 2)])).told().kept("main/1 [1] 2 A: 2 cancelled")


@rule("O6", "O2")
@pytest.mark.parametrize(
    "policy",
    [{"manage_stock": False}, {"sourcing": "drop_ship"}, {"sourcing": "buy_to_order"}],
    ids=str,
)
def test_it_is_asked_of_every_sku_wherever_its_units_come_from(policy: dict[str, object]) -> None:
    scene = _scene(min_sale_qty=4, **policy)
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderRejected main/1 [1: 3 A min_sale_qty, sellable None]"
    ).kept("main/1 [1] 3 A: 3 rejected")


@rule("O7", "O6", "O3")
@pytest.mark.parametrize(
    ("policy", "sellable"),
    [
        ({}, None),
        ({"backorder_policy": "none"}, 5),
        ({"backorder_policy": "none", "safety_stock": 2}, 3),
        ({"backorder_policy": "none", "safety_stock": 7}, 0),
        ({"backorder_limit": 4}, 9),
        ({"backorder_limit": 4, "safety_stock": 2}, 7),
        ({"backorder_limit": 0, "safety_stock": 2}, 3),
    ],
    ids=str,
)
def test_what_the_order_could_have_had_is_told(
    policy: dict[str, object], sellable: int | None
) -> None:
    scene = _scene(min_sale_qty=4, **policy).given(stock_received("r1", "WH", [("A", 5)]))
    scene.when(order_placed("1", [("A", 3)])).told(
        f"OrderRejected main/1 [1: 3 A min_sale_qty, sellable {sellable}]"
    )


@rule("O7", "O6", "O5")
def test_what_others_wait_for_is_not_offered() -> None:
    scene = _scene(backorder_limit=4).given(order_placed("0", [("A", 3)]))
    scene.given(item_changed("A", policy={"sale_increment": 5}))
    scene.when(order_placed("1", [("A", 1)])).told(
        "OrderRejected main/1 [1: 1 A sale_increment, sellable 1]"
    )


@rule("O6", "O4", "O7")
def test_the_rule_of_sale_is_named_before_the_shortage() -> None:
    scene = _scene(min_sale_qty=4, backorder_policy="none")
    scene.given(item_changed("B", policy={"backorder_policy": "none"}))
    scene.when(order_placed("1", [("A", 3), ("B", 2)])).told(
        "OrderRejected main/1 [1: 3 A min_sale_qty, sellable 0, 2: 2 B out_of_stock, sellable 0]"
    )


@rule("O6", "P1")
def test_a_new_rule_is_for_new_orders() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)]))
    scene.when(vendor_changed("V", policy={"min_sale_qty": 4})).told()
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )
    scene.when(order_placed("2", [("A", 3)])).told(
        "OrderRejected main/2 [1: 3 A min_sale_qty, sellable None]"
    )
