"""Events that came before their order: what is told and bought of it all, and when (C3)."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_requested,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Fields

HOUR = timedelta(hours=1)
PLACED = order_placed("1", [("A", 3)])
UNPAID = order_placed("1", [("A", 3)], holds=["payment"])
PAID = order_hold_cleared("1")
BOTH_WAYS = pytest.mark.parametrize("one_batch", [False, True], ids=["before", "in one batch"])


def _scene(qty: int = 9) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


def _early(scene: Scene, early: Sequence[Event], order: Event, *, one_batch: bool) -> Scene:
    """Let the early events come, each in a batch of its own or all with their order."""
    if one_batch:
        scene.when(*early, order)
    else:
        for event in early:
            scene.when(event).told().booked()
            assert scene.outcome(event) == "waits for main/1"
        scene.when(order)
    return scene


@rule("C3", "O8")
@BOTH_WAYS
def test_the_customer_is_told_once_what_waits_when_all_has_had_its_effect(
    *, one_batch: bool
) -> None:
    early = [order_changed("1", [("A", 5), ("B", 1)])]
    _early(_scene(2), early, PLACED, one_batch=one_batch).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 3 A until ?, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 2 [3 A]",  # changed by two events
        "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=2",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("C3", "O8")
@BOTH_WAYS
def test_nothing_is_told_to_wait_that_left_before(*, one_batch: bool) -> None:
    scene = _early(
        _scene(2), [order_shipped("1", "s1", "WH", [("1", 3)])], PLACED, one_batch=one_batch
    )
    assert not [row for row in scene.lines() if row.startswith(("Order", "Ready", "Release"))]
    scene.booked("1 A adjustment>WH found", "3 A WH>customer shipped")


@rule("C3")
@BOTH_WAYS
def test_what_was_cancelled_is_taken_off_first_whenever_it_came(*, one_batch: bool) -> None:
    early = [order_shipped("1", "s1", "WH", [("1", 1)]), order_cancelled("1", [("1", 1)])]
    _early(_scene(), early, PLACED, one_batch=one_batch).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    ).kept("main/1 [1] 3 A: 1 at WH, 1 shipped, 1 cancelled", "WH: 8 A, 1 promised")


@rule("C3")
@BOTH_WAYS
def test_several_take_effect_in_the_order_they_came(*, one_batch: bool) -> None:
    early = [
        PAID,
        order_changed("1", [("A", 5)], version=2),
        order_changed("1", [("A", 1)], version=1),
        order_shipped("1", "s1", "WH", [("1", 1)]),
        line_backordered("1", ("1", 3), "WH"),
    ]
    scene = _early(_scene(6), early, UNPAID, one_batch=one_batch)
    scene.told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).booked("1 A WH>customer shipped", "3 A WH>adjustment written_off").kept(
        "main/1 [1] 5 A: 2 at WH, 2 held, 1 shipped", "WH: 2 A, 2 promised", "V>WH#1 open: 2 A"
    )


@rule("C3")
def test_each_has_its_own_time() -> None:
    scene = _scene()
    scene.when(order_shipped("1", "s1", "WH", [("1", 3)], shipped_at=T0 - HOUR, time=T0 + HOUR))
    scene.when(order_placed("1", [("A", 3)], time=T0 + 2 * HOUR))
    assert scene.house.movements[-1].happened_at == T0 - HOUR


@rule("C3", "R9", "R10")
@BOTH_WAYS
def test_a_buyer_may_pick_a_line_before_its_order_comes(*, one_batch: bool) -> None:
    line: Fields = {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1", "qty": 2}
    early = [replenishment_requested("V", [line])]
    _early(_scene(0), early, PLACED, one_batch=one_batch).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [3 A]",
    ).kept("main/1 [1] 3 A: 3 held", "V>WH#1 open: 3 A", "V>WH#1 brings main/1 [1] 2 by hand")


@rule("C3", "R9")
def test_a_request_that_names_two_orders_waits_for_both() -> None:
    lines: list[Fields] = [
        {"sku": "A", "shop": "main", "order_id": order, "line_id": "1"} for order in ("1", "2")
    ]
    early = replenishment_requested("V", lines)
    scene = _scene(0).when(early).told()
    scene.when(PLACED).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?", "ReplenishmentRaised V>WH#1 rev 1 [3 A]"
    ).kept("main/1 [1] 3 A: 3 held", "V>WH#1 open: 3 A")
    scene.when(order_placed("2", [("A", 1)])).kept(
        "main/1 [1] 3 A: 3 held",
        "main/2 [1] 1 A: 1 held",
        "V>WH#1 open: 4 A",
        "V>WH#1 brings main/1 [1] 3 by hand",
        "V>WH#1 brings main/2 [1] 1 by hand",
    )


@rule("C3", "S10")
@BOTH_WAYS
def test_units_a_picker_did_not_find_are_taken_from_the_order_when_it_comes(
    *, one_batch: bool
) -> None:
    early = line_backordered("1", ("1", 2), "WH")
    _early(_scene(3), [early], PLACED, one_batch=one_batch).told(
        "ReadyToShip main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).booked("2 A WH>adjustment written_off").kept(
        "main/1 [1] 3 A: 1 at WH, 2 held", "WH: 1 A, 1 promised", "V>WH#1 open: 2 A"
    )
