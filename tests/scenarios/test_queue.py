"""Who is served first, and of what (S4)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from events.envelope import Event
from events.inbound import OrderPlaced
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)


def _allocated_to(scene: Scene, placed: Event) -> int:
    assert isinstance(placed.data, OrderPlaced)
    return scene.house.line(placed.data.order_id, shop=placed.data.shop).allocated


def _allocated(scene: Scene) -> Mapping[str, int]:
    """Units promised, by order; two shops may not use one order id here."""
    lines = [line for order in scene.house.state.orders.values() for line in order.lines.values()]
    found: dict[str, int] = {}
    for line in lines:
        found[line.order.order_id] = found.get(line.order.order_id, 0) + line.allocated
    return {order_id: qty for order_id, qty in found.items() if qty}


# The first of each pair is served first.
PAIRS = {
    "lower priority before earlier": (
        order_placed("b", [("A", 2)], priority=1, placed_at=T0 + HOUR),
        order_placed("a", [("A", 2)], placed_at=T0),
    ),
    "100 is what an order has when it says nothing": (
        order_placed("b", [("A", 2)], placed_at=T0),
        order_placed("a", [("A", 2)], priority=101, placed_at=T0 - HOUR),
    ),
    "earlier before shop": (
        order_placed("b", [("A", 2)], placed_at=T0, shop="z"),
        order_placed("a", [("A", 2)], placed_at=T0 + HOUR, shop="a"),
    ),
    "shop by code point before order id": (
        order_placed("b", [("A", 2)], shop="Z"),
        order_placed("a", [("A", 2)], shop="a"),
    ),
    "order id as text": (order_placed("10", [("A", 2)]), order_placed("9", [("A", 2)])),
}


@pytest.mark.parametrize("heard", ["in order", "out of order"])
@pytest.mark.parametrize("pair", PAIRS)
@rule("S4")
def test_the_queue_has_one_order_whatever_came_first(pair: str, heard: str) -> None:
    first, second = PAIRS[pair]
    scene = Scene(*((first, second) if heard == "in order" else (second, first)))
    scene.when(stock_received("r1", "main", [("A", 3)]))
    assert [_allocated_to(scene, event) for event in (first, second)] == [2, 1]


@rule("S4")
def test_lines_of_one_order_are_served_in_the_order_they_stand_in_it() -> None:
    lines = [{"line_id": "z", "sku": "A", "qty": 2}, {"line_id": "b", "sku": "A", "qty": 2}]
    Scene(order_placed("1", lines)).when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [z: 2 A, b: 1 A] waited since T0"
    ).kept(
        "main/1 [z] 2 A: 2 at main", "main/1 [b] 2 A: 1 at main, 1 held", "main: 3 A, 3 promised"
    )


@rule("S4", "P4")
@pytest.mark.parametrize("destination", ["WH2", "DOCK2"])
def test_orders_delivered_to_a_source_are_served_there_before_all_others(destination: str) -> None:
    scene = Scene(
        place_changed("WH1"),
        place_changed("WH2"),
        place_changed("DOCK2", kind="dock", feeds="WH2"),
        shop_changed("far", sources=["WH1", "WH2"], destination="WH1"),
        shop_changed("near", sources=["WH1", "WH2"], destination=destination),
        order_placed("1", [("A", 2)], shop="far", priority=1),
        order_placed("2", [("A", 2)], shop="near", priority=50),
        order_placed("3", [("A", 2)], shop="near", priority=40),
    )
    scene.when(stock_received("r1", "WH2", [("A", 5)]))
    assert _allocated(scene) == {"3": 2, "2": 2, "1": 1}
    scene.when(stock_received("r2", "WH1", [("A", 9)]))
    assert _allocated(scene) == {"3": 2, "2": 2, "1": 2}


@rule("S4")
def test_what_is_filled_in_part_waits_on_in_its_old_place() -> None:
    scene = Scene(order_placed("1", [("A", 4)]), order_placed("2", [("A", 1)]))
    scene.when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [1: 3 A] waited since T0"
    )
    scene.when(order_placed("0", [("A", 1)], priority=200)).told(
        "OrderBackordered main/0 [1: 1 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=0 line_id=1",
    )
    scene.when(stock_received("r2", "main", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 1 A] waited since T0 complete",
        "BackToShip main/2 from main [1: 1 A] waited since T0 complete",
    ).kept(
        "main/1 [1] 4 A: 4 at main",
        "main/2 [1] 1 A: 1 at main",
        "main/0 [1] 1 A: 1 held",
        "main: 5 A, 5 promised",
    )


@rule("S4")
@pytest.mark.parametrize(
    ("safety_stock", "before", "arrives", "filled"),
    [
        pytest.param(5, 0, 3, 3, id="all that arrived, though below the safety stock"),
        pytest.param(5, 4, 3, 3, id="what arrived, not what lay there below it"),
        pytest.param(5, 5, 3, 3, id="what arrived, the safety stock stays"),
        pytest.param(0, 0, 3, 3, id="no safety stock"),
        pytest.param(5, 0, 12, 9, id="no more than waits"),
    ],
)
def test_a_fill_may_take_what_arrived_whatever_the_safety_stock(
    safety_stock: int, before: int, arrives: int, filled: int
) -> None:
    given = [item_changed("A", policy={"safety_stock": safety_stock})]
    given += [stock_received("r0", "main", [("A", before)])] if before else []
    scene = Scene(*given, order_placed("1", [("A", 9)]))
    scene.when(stock_received("r1", "main", [("A", arrives)]))
    assert scene.house.line("1").allocated == filled


@rule("S4")
def test_what_arrived_is_given_out_once_and_what_lay_there_below_the_safety_stock_stays() -> None:
    scene = Scene(
        item_changed("A", policy={"safety_stock": 5}),
        stock_received("r0", "main", [("A", 4)]),
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 9)]),
    )
    scene.when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0 complete",
        "BackToShip main/2 from main [1: 1 A] waited since T0",
    ).kept(
        "main/1 [1] 2 A: 2 at main", "main/2 [1] 9 A: 1 at main, 8 held", "main: 7 A, 3 promised"
    )
