"""A cancellation that comes before its order waits for it, and takes off first (C3)."""

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene


def _scene() -> Scene:
    return Scene(
        shop_changed("main"), item_changed("A", vendor="V"), stock_received("r1", "WH", [("A", 2)])
    )


@rule("C3")
def test_an_order_that_was_cancelled_before_it_came_is_nothing_to_anyone() -> None:
    early = order_cancelled("1")
    scene = _scene().when(early).told()
    assert scene.outcome(early) == "waits for main/1"
    scene.when(order_placed("1", [("A", 5), ("B", 1)])).told().booked().kept(
        "main/1 [1] 5 A: 5 cancelled", "main/1 [2] 1 B: 1 cancelled", "WH: 2 A"
    )


@rule("C3")
def test_what_was_cancelled_early_is_neither_released_nor_bought_nor_told() -> None:
    scene = _scene()
    scene.when(order_cancelled("1", [("1", 2)]), order_cancelled("1", ["2"]))
    scene.when(order_placed("1", [("A", 5), ("A", 1)])).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 5 A: 2 at WH, 1 held, 2 cancelled",
        "main/1 [2] 1 A: 1 cancelled",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 A",
    )


@rule("C3", "C1")
def test_early_by_sku_the_last_line_of_it_loses_first() -> None:
    scene = _scene()
    rows = [{"sku": "A", "qty": 2}, {"sku": "A", "qty": 1}]
    scene.when(order_cancelled("1", rows))
    scene.when(order_placed("1", [("A", 2), ("B", 1), ("A", 2)])).told(
        "ReadyToShip main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=2",
    ).kept(
        "main/1 [1] 2 A: 1 at WH, 1 cancelled",
        "main/1 [2] 1 B: 1 held",
        "main/1 [3] 2 A: 2 cancelled",
        "WH: 2 A, 1 promised",
    )


@rule("C3", "C1")
def test_more_than_was_ordered_is_taken_off_as_far_as_it_goes() -> None:
    scene = _scene()
    early = order_cancelled("1", [("1", 3), ("7", 1)])
    scene.when(early)
    scene.when(order_placed("1", [("A", 1)])).told(
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1 line_id=1",
        "ExceptionRaised over_cancelled: shop=main order_id=1 line_id=7",
    ).kept("main/1 [1] 1 A: 1 cancelled", "WH: 2 A")
    raised = [row for row in scene.house.emitted if getattr(row, "code", None) == "over_cancelled"]
    assert [row.caused_by for row in raised] == [early.cause, early.cause]  # type: ignore[union-attr]


@rule("C3", "O4")
def test_what_was_cancelled_early_is_not_judged() -> None:
    scene = _scene().given(item_changed("A", policy={"backorder_policy": "none"}))
    scene.when(order_cancelled("1", [("1", 3)]))
    scene.when(order_placed("1", [("A", 5)])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "StockStatusChanged main A out_of_stock, sellable 0",
    ).kept("main/1 [1] 5 A: 2 at WH, 3 cancelled", "WH: 2 A, 2 promised")


@rule("C3")
def test_in_one_batch_an_early_cancellation_is_applied_with_its_order() -> None:
    early = order_cancelled("1", [("1", 4)])
    scene = (
        _scene()
        .when(early, order_placed("1", [("A", 5)]))
        .told("ReadyToShip main/1 from WH [1: 1 A] complete")
    )
    assert scene.outcome(early) == "applied"
    scene.kept("main/1 [1] 5 A: 1 at WH, 4 cancelled", "WH: 2 A, 1 promised")


@rule("C3", "C4")
def test_the_order_told_again_finds_no_cancellation_waiting() -> None:
    scene = _scene()
    scene.when(order_cancelled("1", [("1", 1)]))
    scene.given(order_placed("1", [("A", 2)]))
    again = order_placed("1", [("A", 2)], event_id="again")
    scene.when(again).told()
    assert scene.outcome(again) == "repeated"
    scene.kept("main/1 [1] 2 A: 1 at WH, 1 cancelled", "WH: 2 A, 1 promised")


@rule("C3")
def test_a_cancellation_waits_for_the_order_of_its_own_shop() -> None:
    scene = _scene()
    early = order_cancelled("1", shop="other")
    scene.when(early, order_placed("1", [("A", 1)])).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    )
    assert scene.outcome(early) == "waits for other/1"


@rule("C3", "C1")
def test_a_cancellation_after_the_order_does_not_wait_whatever_its_time_says() -> None:
    scene = _scene().given(order_placed("1", [("A", 1)]))
    scene.when(order_cancelled("1", time="2020-01-01T00:00:00Z")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
    ).kept("main/1 [1] 1 A: 1 cancelled", "WH: 2 A")
