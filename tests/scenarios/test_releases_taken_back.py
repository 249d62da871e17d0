"""A warehouse that was told to ship is told when it must not (O11)."""

from collections.abc import Mapping
from typing import Any

import pytest

from events.envelope import Event
from events.outbound import BackToShip, ReadyToShip, ReleaseCancelled
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_placed,
    order_shipped,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

WAYS = pytest.mark.parametrize(
    "event",
    [
        pytest.param(order_cancelled("1", [("1", 2)]), id="cancelled"),
        pytest.param(order_changed("1", [("A", 1), ("B", 1)]), id="changed"),
        pytest.param(line_backordered("1", ("1", 2), "WH1"), id="found short"),
        pytest.param(line_backordered("1", ("1", 2), "WH1", reason="hold"), id="held by staff"),
        pytest.param(order_shipped("1", "s1", "WH2", [("1", 2)]), id="shipped from elsewhere"),
    ],
)


def _scene(how: Mapping[str, Any] | None = None) -> Scene:
    """3 A and 1 B of main/1 are promised at WH1; there is nothing else there."""
    return Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        stock_received("r1", "WH1", [("A", 3), ("B", 1)]),
        order_placed("1", [("A", 3), ("B", 1)], **(how or {})),
    )


def _releases(scene: Scene) -> list[ReadyToShip | BackToShip]:
    return [row for row in scene.house.emitted if isinstance(row, ReadyToShip | BackToShip)]


@rule("O11", "C1", "C2", "S9", "S10")
@WAYS
def test_units_taken_out_of_a_release_are_told_with_its_name_and_the_cause(event: Event) -> None:
    scene = _scene()
    (release,) = _releases(scene)
    scene.when(event)
    assert "ReleaseCancelled main/1 from WH1 [1: 2 A]" in scene.lines()
    (told,) = [row for row in scene.out if isinstance(row, ReleaseCancelled)]
    assert (told.release_id, told.source) == (release.release_id, "WH1")
    assert told.caused_by == event.cause


@rule("O11", "C1", "C2", "S9", "S10")
@pytest.mark.parametrize(
    "how", [{"holds": ["fraud"]}, {"release": "manual"}], ids=["hold", "manual"]
)
@WAYS
def test_of_what_no_warehouse_was_told_none_is_told_to_keep_it(
    event: Event, how: dict[str, Any]
) -> None:
    scene = _scene(how).when(event)
    assert not [row for row in scene.out if isinstance(row, ReleaseCancelled)]


@rule("O11", "C1")
def test_each_release_is_taken_back_by_its_own_name() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH"]),
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("A", 2)]),
        order_placed("1", [("A", 3)]),
        stock_received("r2", "WH", [("A", 1)]),
    )
    first, second = _releases(scene)
    scene.when(order_cancelled("1", [("1", 2)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
    told = [row.release_id for row in scene.out if isinstance(row, ReleaseCancelled)]
    assert sorted(told) == sorted([first.release_id, second.release_id])


@rule("O11", "C1")
def test_only_the_warehouses_that_lose_something_are_told() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        stock_received("r1", "WH1", [("A", 2)]),
        stock_received("r2", "WH2", [("A", 3), ("B", 1)]),
        order_placed("1", [("A", 5), ("B", 1)]),
    )
    scene.when(order_cancelled("1", [("1", 2)])).told(
        "ReleaseCancelled main/1 from WH2 [1: 2 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )


@rule("O11", "S9")
def test_what_left_from_where_it_was_told_to_is_not_taken_back() -> None:
    scene = _scene()
    scene.when(order_shipped("1", "s1", "WH1", [("1", 3), ("2", 1)])).told()
    scene.when(order_cancelled("1")).told(
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1 line_id=1",
        "ExceptionRaised over_cancelled: sku=B shop=main order_id=1 line_id=2",
    )


@rule("O11", "S10", "S11")
def test_units_that_are_told_again_are_told_under_another_name() -> None:
    scene = _scene()
    scene.given(line_backordered("1", ("1", 3), "WH1", reason="hold"))
    scene.when(back_to_ship_requested("1")).told(
        "BackToShip main/1 from WH1 [1: 3 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
    first, second = _releases(scene)
    assert first.release_id != second.release_id
