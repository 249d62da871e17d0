"""Customers are told again when what was promised to them waits after all (O8, S8, S10, R7)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    place_changed,
    shop_changed,
    stock_counted,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)
PLACED = order_placed("1", [("A", 2), ("B", 1)], release="manual", customer={"email": "ada@x.org"})
NOT_FOUND = pytest.param(line_backordered("1", ("1", 2), "WH", time=T0 + HOUR), id="not found")
HELD_BY_STAFF = pytest.param(
    line_backordered("1", ("1", 2), "WH", reason="hold", time=T0 + HOUR), id="held by staff"
)
COUNTED = pytest.param(
    stock_counted("c", "WH", [("A", 0)], counted_at=T0 + HOUR, time=T0 + HOUR), id="counted"
)
WAYS = pytest.mark.parametrize("event", [NOT_FOUND, HELD_BY_STAFF, COUNTED])


def _scene(qty: int = 2, **policy: object) -> Scene:
    return Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V", alternatives=["C", "D"], policy=policy),
        stock_received("r1", "WH", [("A", qty), ("B", 9)]),
        PLACED,
    )


@rule("O8", "S8", "S10", "R11")
@WAYS
def test_the_line_that_waits_again_is_told_with_all_that_belongs_to_it(event: Event) -> None:
    scene = _scene(backorder_policy="notify", lead_time_days=3).when(event)
    until = "T0+1h" if "hold" in str(event.data) else "T0+3d1h"
    assert [row for row in scene.lines() if row.startswith("OrderBackordered")] == [
        f"OrderBackordered main/1 [1: 2 A until {until} or C D notify] until {until} for ada@x.org"
    ]


@rule("O8", "S3", "S10")
def test_nobody_is_told_of_a_line_that_was_served_from_what_else_is_there() -> None:
    _scene(9).when(line_backordered("1", ("1", 2), "WH")).told().kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 at WH",
        "WH: 7 A, 2 promised",
        "WH: 9 B, 1 promised",
    )


@rule("O8", "S10", "P1", "O4")
@WAYS
def test_a_line_waits_again_though_nothing_new_may_wait(event: Event) -> None:
    scene = _scene().given(item_changed("A", policy={"backorder_policy": "none"})).when(event)
    line = scene.house.line("1")
    assert (line.shortage, line.rejected) == (2, 0)


@rule("R7", "S8", "S10")
@pytest.mark.parametrize("event", [NOT_FOUND, COUNTED])
def test_a_line_that_waits_again_and_has_no_vendor_is_named(event: Event) -> None:
    scene = _scene().given(item_changed("A", vendor=None)).when(event)
    assert "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1" in scene.lines()
