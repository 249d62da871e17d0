"""Goods received: booked always, told where they are not what was expected (S1, L1, P2)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

LATER = T0 + timedelta(days=3)

PLACES = (stock_received("r0", "WH", [("X", 1)]), place_changed("DOCK", kind="dock"))


def _ordered(*given: Event) -> Scene:
    """5 A are on order for main/1, to be delivered to WH."""
    return Scene(*PLACES, item_changed("A", vendor="V"), *given, order_placed("1", [("A", 5)]))


@rule("L1", "S1", "P2")
def test_a_receipt_is_one_movement_per_sku_from_the_vendor_when_it_happened() -> None:
    lines = [("A", 2), ("B", 1), ("A", 3)]
    scene = Scene().when(stock_received("r1", "WH", lines, received_at=LATER))
    scene.told().booked("5 A vendor>WH received", "1 B vendor>WH received")
    scene.kept("WH: 5 A", "WH: 1 B")
    assert {row.happened_at for row in scene.house.movements} == {LATER}


@rule("L1")
def test_without_a_time_of_its_own_a_fact_happened_at_the_envelopes_time_or_when_it_came() -> None:
    scene = Scene(
        stock_received("r1", "WH", [("A", 1)], time=LATER),
        stock_received("r2", "WH", [("A", 1)], time=None),
    )
    assert [row.happened_at for row in scene.house.movements] == [LATER, scene.house.now]


@rule("S1", "R4")
def test_a_receipt_takes_what_arrived_off_what_is_on_its_way() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.when(stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name)).told()
    scene.kept(
        "main/1 [1] 5 A: 5 held",
        "WH: 1 X",
        "DOCK: 2 A",
        "V>WH#1 partially_received: 5 A, 2 in",
    )
    scene.when(stock_received("r2", "DOCK", [("A", 3)], replenishment_id=name)).told()
    scene.kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 5 A", "V>WH#1 received: 5 A, 5 in")


@rule("S1")
def test_a_receipt_on_an_open_replenishment_finalizes_it_first() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name)).told()
    scene.kept(
        "main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 2 A", "V>WH#1 partially_received: 5 A, 2 in"
    )
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#2 rev 1 [1 A]",
    )


@rule("S1", "S2")
def test_what_is_received_straight_at_a_source_serves_who_waits() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete"
    ).kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 5 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )


@rule("S1", "R8")
def test_more_than_was_outstanding_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "WH", [("A", 7)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ExceptionRaised over_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).booked("7 A vendor>WH received")
    scene.kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 7 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )
    scene.when(stock_received("r2", "WH", [("A", 1)], replenishment_id=name)).told(
        "ExceptionRaised over_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V"
    )


@rule("S1")
def test_a_sku_that_was_not_ordered_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "DOCK", [("Z", 2)], replenishment_id=name)).told(
        "ExceptionRaised over_receipt: sku=Z place=DOCK replenishment_id=V>WH#1 vendor=V"
    ).kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 2 Z", "V>WH#1 finalized: 5 A")


@rule("S1", "R5")
@pytest.mark.parametrize(
    ("outcome", "state"), [("short_closed", "closed"), ("cancelled", "cancelled")]
)
def test_what_comes_after_the_replenishment_was_given_up_is_booked_and_is_an_exception(
    outcome: str, state: str
) -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.given(replenishment_closed(name, outcome=outcome))
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#2 rev 2 []",
        "ExceptionRaised late_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V",
    ).kept(
        "main/1 [1] 5 A: 5 at WH",
        "WH: 1 X",
        "WH: 5 A, 5 promised",
        f"V>WH#1 {state}: 5 A",
        "V>WH#2 cancelled: nothing",
    )


@rule("S1")
def test_a_receipt_for_a_replenishment_nobody_knows_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id="R-17")).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised unknown_replenishment: place=WH replenishment_id=R-17",
    ).booked("5 A vendor>WH received")


@rule("S1")
@pytest.mark.parametrize("place", ["FAR", "FARDOCK"])
def test_a_receipt_at_a_place_that_is_not_its_destination_nor_feeds_it_is_booked(
    place: str,
) -> None:
    scene = _ordered(
        stock_received("r9", "FAR", [("X", 1)]),
        place_changed("FARDOCK", kind="dock", feeds="FAR"),
        item_changed("A", policy={"safety_stock": 9}),
    )
    name = scene.replenishment_id("V>FAR#1")  # FAR comes before WH
    scene.given(replenishment_closed(name))
    scene.when(stock_received("r1", "DOCK", [("A", 1)], replenishment_id=name)).told(
        # What arrived lies where it serves nobody waiting for FAR: it is needed again.
        "ReplenishmentRaised V>FAR#2 rev 1 [1 A]",
        "ExceptionRaised wrong_place: place=DOCK replenishment_id=V>FAR#1 vendor=V",
    )
    scene.when(stock_received("r2", place, [("A", 4)], replenishment_id=name))
    assert not any("wrong_place" in row for row in map(str, scene.out))


@rule("S2", "S1")
def test_a_receipt_may_say_that_its_goods_went_on_to_a_source_at_once() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    receipt = stock_received("r1", "DOCK", [("A", 5)], transfer_to="WH", replenishment_id=name)
    scene.when(receipt).told("BackToShip main/1 from WH [1: 5 A] waited since T0 complete")
    scene.booked("5 A vendor>DOCK received", "5 A DOCK>WH transferred")
    scene.kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 5 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )
