"""A line that nothing is promised to can not be put back (S10)."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_cancelled,
    order_placed,
    order_shipped,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

PLACED = order_placed("1", [("A", 2)])


def _scene(qty: int = 0, *events: Event) -> Scene:
    there = [stock_received("r0", "WH1", [("A", qty)])] if qty else []
    return Scene(shop_changed("main", sources=["WH1", "WH2"]), *there, *events)


@rule("S10")
@pytest.mark.parametrize("reason", ["short_pick", "hold"])
@pytest.mark.parametrize(
    ("scene", "place"),
    [
        pytest.param(_scene(2, PLACED), "WH2", id="promised elsewhere"),
        pytest.param(_scene(0, PLACED), "WH1", id="held"),
        pytest.param(
            _scene(2, order_placed("1", [("A", 2)], holds=["payment"])), "WH1", id="not paid"
        ),
        pytest.param(
            _scene(2, PLACED, order_shipped("1", "s", "WH1", [("1", 2)])), "WH1", id="shipped"
        ),
        pytest.param(_scene(2, PLACED, order_cancelled("1")), "WH1", id="cancelled"),
        pytest.param(
            _scene(2, item_changed("A", policy={"manage_stock": False}), PLACED),
            "WH1",
            id="unmanaged",
        ),
        pytest.param(
            _scene(2, item_changed("A", vendor="V", policy={"sourcing": "drop_ship"}), PLACED),
            "WH1",
            id="with the vendor",
        ),
        pytest.param(
            _scene(1, item_changed("A", policy={"backorder_policy": "none"}), PLACED),
            "WH1",
            id="rejected",
        ),
    ],
)
def test_where_nothing_is_promised_nothing_is_put_back(
    scene: Scene, place: str, reason: str
) -> None:
    kept = scene.rows()
    scene.when(line_backordered("1", ("1", 1), place, reason=reason)).told(
        f"ExceptionRaised refused nothing_allocated: sku=A place={place} "
        "shop=main order_id=1 line_id=1"
    ).kept(*kept).booked()


@rule("S10")
@pytest.mark.parametrize("reason", ["short_pick", "hold"])
def test_a_line_the_order_does_not_have_is_refused(reason: str) -> None:
    scene = _scene(2, PLACED)
    kept = scene.rows()
    scene.when(line_backordered("1", ("7", 1), "WH1", reason=reason)).told(
        "ExceptionRaised refused unknown_line: place=WH1 shop=main order_id=1 line_id=7"
    ).kept(*kept).booked()


@rule("S10", "S11")
def test_a_refused_hold_is_no_hold() -> None:
    scene = _scene(0, PLACED, line_backordered("1", ("1", 1), "WH1", reason="hold"))
    scene.when(stock_received("r1", "WH1", [("A", 2)])).told(
        "BackToShip main/1 from WH1 [1: 2 A] waited since T0 complete"
    )
