"""Bought for one line: what is bought to order is linked from placing to filling (O2, R10, S4)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

R1 = "V>WH#1"
R2 = "V>WH#2"
MINUTE = timedelta(minutes=1)


def _given(*given: Event, **policy: object) -> Scene:
    """The shop ships from WH, which a dock feeds; FAR is a source it may not use."""
    return Scene(
        place_changed("WH"),
        place_changed("FAR"),
        place_changed("DOCK", kind="dock", feeds="WH"),
        shop_changed("main", sources=["WH"]),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order", **policy}),
        *given,
    )


def _two_wait(**policy: object) -> Scene:
    """main/1 waits for 3 A, main/2 behind it for 2, all of it bought for them."""
    return _given(
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)], placed_at=T0 + MINUTE),
        **policy,
    )


HELD = ("main/1 [1] 3 A: 3 held", "main/2 [1] 2 A: 2 held")
LINKED = (f"{R1} brings main/1 [1] 3", f"{R1} brings main/2 [1] 2")


@rule("O2", "R10", "R3")
def test_whatever_is_there_the_whole_quantity_is_held_and_bought() -> None:
    scene = _given(stock_received("r1", "WH", [("A", 9)]))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [3 A]",
    ).booked()
    scene.kept("main/1 [1] 3 A: 3 held", "WH: 9 A", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3")


@rule("R10", "S4", "S3")
@pytest.mark.parametrize(
    "arrival",
    [
        stock_received("r1", "WH", [("A", 9)]),
        stock_returned("x1", "WH", [("A", 9)]),
        stock_transferred("t1", "FAR", "WH", [("A", 9)]),
        item_changed("A", policy={"safety_stock": None}),
    ],
    ids=["receipt", "return", "transfer", "safety-stock"],
)
def test_free_stock_never_serves_what_is_bought_to_order(arrival: Event) -> None:
    scene = _two_wait(safety_stock=1).given(stock_received("r0", "FAR", [("A", 9)]))
    scene.when(arrival)
    assert scene.house.line("1").shortage == 3
    assert scene.house.line("2").shortage == 2
    assert {*LINKED, f"{R1} open: 5 A"} <= set(scene.rows())


@rule("R10", "S4")
def test_what_arrives_for_them_serves_the_lines_in_their_order() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "WH", [("A", 4)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 1 A] waited since T0+1m",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 1 at WH, 1 held",
        "WH: 4 A, 4 promised",
        f"{R1} partially_received: 5 A, 4 in",
        f"{R1} brings main/2 [1] 1",
    )


@rule("R2", "R10", "R8")
def test_a_pack_rounds_what_is_bought_for_lines_and_the_rest_is_ordinary_stock() -> None:
    scene = _two_wait(pack_size=4)
    scene.kept(*HELD, f"{R1} open: 8 A", *LINKED)
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "WH", [("A", 8)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m complete",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 8 A, 5 promised",
        f"{R1} received: 8 A, 8 in",
    )


@rule("R2", "R10", "P1")
def test_linked_and_ordinary_need_are_summed_before_they_are_rounded() -> None:
    scene = _given(order_placed("1", [("A", 3)]), pack_size=4)
    scene.given(item_changed("A", policy={"sourcing": "stock"}))
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?"
    )
    scene.when(order_placed("3", [("A", 1)])).told(
        "OrderBackordered main/3 [1: 1 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 2 [8 A]",
    )


@rule("R10", "S4")
def test_of_one_delivery_the_linked_lines_are_served_before_the_queue() -> None:
    scene = _given(item_changed("A", policy={"sourcing": None}), order_placed("1", [("A", 3)]))
    scene.given(
        item_changed("A", policy={"sourcing": "buy_to_order"}),
        order_placed("2", [("A", 2)], placed_at=T0 + MINUTE),
    )
    scene.kept(*HELD, f"{R1} open: 5 A", f"{R1} brings main/2 [1] 2")
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "WH", [("A", 3)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0",
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m complete",
    )


@rule("R10", "R6", "R4")
def test_what_is_ordered_after_it_was_sent_is_bought_on_another() -> None:
    scene = _two_wait()
    scene.given(replenishment_closed(scene.replenishment_id(R1)))
    scene.when(order_placed("3", [("A", 1)])).told(
        "OrderBackordered main/3 [1: 1 A until ?] until ?",
        f"ReplenishmentRaised {R2} rev 1 [1 A]",
    ).kept(
        *HELD,
        "main/3 [1] 1 A: 1 held",
        f"{R1} finalized: 5 A",
        f"{R2} open: 1 A",
        *LINKED,
        f"{R2} brings main/3 [1] 1",
    )
