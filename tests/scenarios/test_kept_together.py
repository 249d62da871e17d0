"""Nothing is reserved for an order that can not have the whole (O9, keep_partial_allocations)."""

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import Fields

RULES = Rules(keep_partial_allocations=False)


def _scene(**there: int) -> Scene:
    """`there` units lie at WH; A and B are bought from V."""
    scene = Scene.with_rules(RULES, place_changed("WH"), shop_changed("main"))
    scene.given(*(item_changed(sku, vendor="V") for sku in ("A", "B")))
    if there:
        scene.given(stock_received("r0", "WH", list(there.items())))
    return scene


def _grouped(*lines: tuple[str, int]) -> list[Fields]:
    return [{"sku": sku, "qty": qty, "group": "g"} for sku, qty in lines]


@rule("O9", "R2", "R11")
def test_what_is_there_stays_free_and_only_the_missing_is_bought() -> None:
    scene = _scene(A=2)
    scene.when(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete")).told(
        "OrderBackordered main/1 [1: 2 A until T0, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    ).kept(
        "main/1 [1] 2 A: 2 held", "main/1 [2] 1 B: 1 held", "WH: 2 A", "V>WH#1 open: 1 B"
    ).booked()


@rule("O9", "R2")
def test_a_later_smaller_order_takes_them_and_they_are_bought_then() -> None:
    scene = _scene(A=2).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(order_placed("2", [("A", 1)])).told(
        "ReadyToShip main/2 from WH [1: 1 A] complete",
        "ReplenishmentExtended V>WH#1 rev 2 [1 A, 1 B]",
    ).kept(
        "main/1 [1] 2 A: 2 held",
        "main/1 [2] 1 B: 1 held",
        "main/2 [1] 1 A: 1 at WH",
        "WH: 2 A, 1 promised",
        "V>WH#1 open: 1 A, 1 B",
    )


@rule("O9", "S4")
def test_the_whole_is_taken_as_soon_as_it_can_be_had() -> None:
    scene = _scene(A=3).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 at WH",
        "WH: 3 A, 2 promised",
        "WH: 1 B, 1 promised",
        "V>WH#1 cancelled: nothing",
    )


@rule("O9", "O3")
def test_what_can_be_had_whole_at_once_is_ready_like_any_other() -> None:
    scene = _scene(A=3, B=2)
    scene.when(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete")).told(
        "ReadyToShip main/1 from WH [1: 2 A, 2: 1 B] complete"
    )


@rule("O9")
def test_where_units_may_go_one_by_one_they_are_taken_one_by_one() -> None:
    scene = _scene(A=2, B=9)
    scene.when(order_placed("1", [("A", 3), ("B", 1)])).told(
        "ReadyToShip main/1 from WH [1: 2 A, 2: 1 B]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9")
def test_line_by_line_a_line_waits_alone() -> None:
    scene = _scene(A=2, B=3)
    scene.when(order_placed("1", [("A", 3), ("B", 2)], ship_mode="line")).told(
        "ReadyToShip main/1 from WH [2: 2 B]",
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
    ).kept(
        "main/1 [1] 3 A: 3 held",
        "main/1 [2] 2 B: 2 at WH",
        "WH: 2 A",
        "WH: 3 B, 2 promised",
        "V>WH#1 open: 1 A",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9")
def test_a_group_waits_together_and_a_line_outside_does_not() -> None:
    scene = _scene(A=2)
    scene.when(order_placed("1", [*_grouped(("A", 1), ("B", 1)), {"sku": "A", "qty": 1}])).told(
        "ReadyToShip main/1 from WH [3: 1 A]",
        "OrderBackordered main/1 [1: 1 A until T0, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    )
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A, 2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "S4")
def test_who_can_not_have_the_whole_is_passed_over_and_keeps_its_place() -> None:
    scene = _scene().given(
        order_placed("1", [("A", 5)], ship_mode="line"), order_placed("2", [("A", 2)])
    )
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "BackToShip main/2 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 3 [4 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 5 A: 5 held",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 3 A, 2 promised",
        "V>WH#1 open: 4 A",
    )
    scene.given(order_placed("3", [("A", 3)]))  # gets the one that is left
    scene.when(stock_received("r2", "WH", [("A", 5)])).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 5 [2 A]",
    )


@rule("O9", "S4")
def test_of_two_orders_that_want_the_same_whole_the_first_gets_it() -> None:
    scene = _scene(A=2).given(
        order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"),
        order_placed("2", [("A", 2), ("B", 1)], ship_mode="complete", priority=1),
    )
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "BackToShip main/2 from WH [1: 2 A, 2: 1 B] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 3 [2 A, 1 B]",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "O4")
def test_a_line_that_could_have_been_had_is_not_out_of_stock_though_it_waits() -> None:
    scene = _scene(A=2).given(item_changed("A", policy={"backorder_policy": "none"}))
    scene.when(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete")).told(
        "OrderBackordered main/1 [1: 2 A until T0, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    )


@rule("O9", "O4", "O7")
def test_a_rejected_line_is_no_part_of_the_whole() -> None:
    scene = _scene(A=3).given(item_changed("B", policy={"backorder_policy": "none"}))
    scene.when(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete")).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "OrderRejected main/1 [2: 1 B out_of_stock, sellable 0]",
    )
