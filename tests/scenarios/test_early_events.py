"""Events that come before the order they name wait for it, and take effect with it (C3)."""

from collections.abc import Sequence

import pytest

from events.envelope import Event
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_returned,
)
from tests.support.rules import rule
from tests.support.scene import Scene

PLACED = order_placed("1", [("A", 3)])
UNPAID = order_placed("1", [("A", 3)], holds=["payment"])
PAID = order_hold_cleared("1")
ELSEWHERE = "sku=A place=ELSEWHERE shop=main order_id=1 line_id=1"
ALL_PROMISED = ("main/1 [1] 3 A: 3 at WH", "WH: 9 A, 3 promised")
ALL_READY = "ReadyToShip main/1 from WH [1: 3 A] complete"
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


@rule("C3")
@BOTH_WAYS
@pytest.mark.parametrize(
    ("early", "order", "told", "kept", "booked"),
    [
        pytest.param(PAID, UNPAID, [ALL_READY], ALL_PROMISED, [], id="paid"),
        pytest.param(
            order_hold_cleared("1", "fraud"),
            order_placed("1", [("A", 3)], holds=["fraud"]),
            [ALL_READY],
            ALL_PROMISED,
            [],
            id="another hold",
        ),
        pytest.param(
            order_hold_cleared("1", "fraud"),
            UNPAID,
            [],
            ("main/1 [1] 3 A: 3 pending", "WH: 9 A"),
            [],
            id="a hold it does not have",
        ),
        pytest.param(
            order_changed("1", [("A", 5)]),
            PLACED,
            ["ReadyToShip main/1 from WH [1: 5 A] complete"],
            ("main/1 [1] 5 A: 5 at WH", "WH: 9 A, 5 promised"),
            [],
            id="more is wanted",
        ),
        pytest.param(
            order_changed("1", [("A", 1)]),
            PLACED,
            ["ReadyToShip main/1 from WH [1: 1 A] complete"],
            ("main/1 [1] 3 A: 1 at WH, 2 cancelled", "WH: 9 A, 1 promised"),
            [],
            id="less is wanted",
        ),
        pytest.param(
            order_shipped("1", "s1", "WH", [("1", 3)]),
            PLACED,
            [],
            ("main/1 [1] 3 A: 3 shipped", "WH: 6 A"),
            ["3 A WH>customer shipped"],
            id="shipped",
        ),
        pytest.param(
            order_shipped("1", "s1", "WH", [("1", 1)]),
            PLACED,
            ["ReadyToShip main/1 from WH [1: 2 A] complete"],
            ("main/1 [1] 3 A: 2 at WH, 1 shipped", "WH: 8 A, 2 promised"),
            ["1 A WH>customer shipped"],
            id="shipped in part",
        ),
        pytest.param(
            back_to_ship_requested("1"),
            order_placed("1", [("A", 3)], release="manual"),
            [ALL_READY],
            ALL_PROMISED,
            [],
            id="a person's word",
        ),
        pytest.param(
            back_to_ship_requested("1"),
            UNPAID,
            ["ExceptionRaised refused on_hold: shop=main order_id=1"],
            ("main/1 [1] 3 A: 3 pending", "WH: 9 A"),
            [],
            id="a person's word, refused",
        ),
        pytest.param(
            line_backordered("1", ("1", 2), "ELSEWHERE"),
            PLACED,
            [
                ALL_READY,
                f"ExceptionRaised refused nothing_allocated: {ELSEWHERE}",
            ],
            ALL_PROMISED,
            [],
            id="not found where it was not promised",
        ),
        pytest.param(
            line_backordered("1", ("1", 2), "WH", reason="hold"),
            PLACED,
            [
                "ReadyToShip main/1 from WH [1: 1 A]",
                "OrderBackordered main/1 [1: 2 A until T0] until T0",
            ],
            ("main/1 [1] 3 A: 1 at WH, 2 held", "WH: 9 A, 1 promised"),
            [],
            id="held by staff",
        ),
    ],
)
def test_it_takes_effect_with_the_order_before_anything_is_released(  # noqa: PLR0913 - a whole story
    early: Event,
    order: Event,
    told: list[str],
    kept: tuple[str, ...],
    booked: list[str],
    *,
    one_batch: bool,
) -> None:
    scene = _early(_scene(), [early], order, one_batch=one_batch)
    scene.told(*told).kept(*kept).booked(*booked)
    assert scene.outcome(early) == "applied"


@rule("C3", "C2")
@BOTH_WAYS
def test_a_change_that_contradicts_the_order_is_set_aside_when_it_comes(*, one_batch: bool) -> None:
    early = order_changed("1", [("B", 5)])
    scene = _early(_scene(), [early], PLACED, one_batch=one_batch).told(ALL_READY)
    scene.kept(*ALL_PROMISED)
    assert scene.outcome(early) == "conflict at data.lines.0.sku"


@rule("C3", "C4")
def test_the_order_told_again_brings_nothing_back() -> None:
    scene = _scene()
    scene.when(order_shipped("1", "s1", "WH", [("1", 1)]))
    scene.given(PLACED)
    kept = scene.rows()
    scene.when(order_placed("1", [("A", 3)], event_id="again")).told().booked().kept(*kept)


@rule("C3")
def test_it_waits_for_the_order_of_its_own_shop() -> None:
    scene = _scene()
    early = order_shipped("1", "s1", "WH", [("1", 3)], shop="other")
    scene.when(early, PLACED).told(ALL_READY).booked()
    assert scene.outcome(early) == "waits for other/1"


@rule("C3", "S12")
def test_goods_that_come_back_are_booked_at_once_though_nobody_knows_their_order() -> None:
    scene = _scene(1)
    scene.when(stock_returned("x", "WH", [("A", 2)], shop="main", order_id="1")).told().booked(
        "2 A customer>WH returned"
    )
