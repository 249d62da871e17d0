"""What must leave whole, and an order that changes meanwhile (O9, keep_partial_allocations)."""

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

RULES = Rules(keep_partial_allocations=False)


def _scene(**there: int) -> Scene:
    """`there` units lie at WH; A and B are bought from V."""
    scene = Scene.with_rules(RULES, place_changed("WH"), shop_changed("main"))
    scene.given(*(item_changed(sku, vendor="V") for sku in ("A", "B")))
    if there:
        scene.given(stock_received("r0", "WH", list(there.items())))
    return scene


@rule("O9", "C1", "S3")
def test_a_whole_that_became_smaller_by_a_cancelled_line_is_taken_at_once() -> None:
    scene = _scene(A=3).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(order_cancelled("1", ["2"])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 cancelled",
        "WH: 3 A, 2 promised",
        "V>WH#1 cancelled: nothing",
    )


@rule("O9", "C1", "S3")
def test_a_line_that_became_smaller_by_a_cancelled_part_is_taken_at_once() -> None:
    scene = _scene(A=3).given(order_placed("1", [("A", 4)], ship_mode="line"))
    scene.when(order_cancelled("1", [("1", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9", "O10", "S11")
def test_a_whole_that_may_not_leave_yet_is_reserved_all_the_same() -> None:
    scene = _scene(A=2, B=1)
    scene.when(
        order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete", release="manual")
    ).told(
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 at WH",
        "WH: 2 A, 2 promised",
        "WH: 1 B, 1 promised",
    )


@rule("O9", "O10")
def test_a_paid_order_takes_the_whole_or_nothing() -> None:
    scene = _scene(A=2).given(
        order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete", holds=["payment"])
    )
    scene.when(order_hold_cleared("1")).told(
        "OrderBackordered main/1 [1: 2 A until T0, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    ).kept("main/1 [1] 2 A: 2 held", "main/1 [2] 1 B: 1 held", "WH: 2 A", "V>WH#1 open: 1 B")


@rule("O9", "C2")
def test_the_extra_of_an_order_that_grows_is_taken_whole_or_not_at_all() -> None:
    scene = _scene(A=5).given(order_placed("1", [("A", 2)], ship_mode="complete"))
    scene.when(order_changed("1", [("A", 3), ("B", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until T0, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/1 [2] 1 B: 1 held",
        "WH: 5 A, 2 promised",
        "V>WH#1 open: 1 B",
    )
    scene.when(order_changed("1", [("A", 3)], version=2)).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9", "S10")
def test_what_was_promised_stays_promised_when_a_picker_misses_another_line() -> None:
    scene = _scene(A=2, B=1).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(line_backordered("1", ("2", 1), "WH")).told(
        "ReleaseCancelled main/1 from WH [2: 1 B]",
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    )
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "BackToShip main/1 from WH [2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9", "S9", "S3")
def test_a_whole_that_became_smaller_by_what_left_is_taken_at_once() -> None:
    scene = _scene(A=2).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(order_shipped("1", "s1", "WH", [("2", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised over_shipment: sku=B place=WH shop=main order_id=1",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
