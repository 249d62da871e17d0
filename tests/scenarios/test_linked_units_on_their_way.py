"""Units bought for single lines come to them by way of docks, or elsewhere (R10, S2, S4)."""

from datetime import timedelta

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
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


@rule("R10", "S2", "S4")
def test_at_a_dock_it_waits_for_them_and_a_transfer_brings_it_to_them() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "DOCK", [("A", 4)], replenishment_id=name)).told().kept(
        *HELD, "DOCK: 4 A", f"{R1} partially_received: 5 A, 4 in, 4 for lines at DOCK", *LINKED
    )
    scene.when(stock_transferred("t1", "DOCK", "WH", [("A", 4)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 1 A] waited since T0+1m",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 1 at WH, 1 held",
        "WH: 4 A, 4 promised",
        f"{R1} partially_received: 5 A, 4 in",
        f"{R1} brings main/2 [1] 1",
    )


@rule("R10", "S2", "S4")
def test_a_transfer_brings_their_units_before_others_that_lie_at_the_dock() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.given(
        stock_received("r0", "DOCK", [("A", 6)]),
        stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name),
    )
    scene.when(stock_transferred("t1", "DOCK", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/2 [1] 2 A: 2 held",
        "WH: 3 A, 2 promised",
        "DOCK: 5 A",
        f"{R1} partially_received: 5 A, 2 in",
        f"{R1} brings main/1 [1] 1",
        f"{R1} brings main/2 [1] 2",
    )


@rule("R10", "S2")
def test_a_receipt_may_bring_it_to_them_at_once() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.when(
        stock_received("r1", "DOCK", [("A", 5)], replenishment_id=name, transfer_to="WH")
    ).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m complete",
    ).booked("5 A vendor>DOCK received", "5 A DOCK>WH transferred")
    scene.kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 5 A, 5 promised",
        f"{R1} received: 5 A, 5 in",
    )


@rule("R10", "S4")
def test_moved_to_where_their_shop_may_not_ship_from_it_is_bought_for_them_again() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "DOCK", [("A", 5)], replenishment_id=name))
    scene.when(stock_transferred("t1", "DOCK", "FAR", [("A", 5)])).told(
        f"ReplenishmentRaised {R2} rev 1 [5 A]"
    ).kept(
        *HELD,
        "FAR: 5 A",
        f"{R1} received: 5 A, 5 in",
        f"{R2} open: 5 A",
        f"{R2} brings main/1 [1] 3",
        f"{R2} brings main/2 [1] 2",
    )


@rule("R10", "S4")
def test_what_is_moved_there_is_taken_from_what_is_not_theirs_first() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.given(
        stock_received("r0", "DOCK", [("A", 2)]),
        stock_received("r1", "DOCK", [("A", 5)], replenishment_id=name),
    )
    scene.when(stock_transferred("t1", "DOCK", "FAR", [("A", 2)])).told().kept(
        *HELD,
        "FAR: 2 A",
        "DOCK: 5 A",
        f"{R1} received: 5 A, 5 in, 5 for lines at DOCK",
        *LINKED,
    )


@rule("R10", "S1")
def test_received_where_their_shop_may_not_ship_from_it_is_bought_for_them_again() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "FAR", [("A", 2)], replenishment_id=name)).told(
        f"ReplenishmentRaised {R2} rev 1 [2 A]",
        f"ExceptionRaised wrong_place: place=FAR replenishment_id={R1} vendor=V",
    ).kept(
        *HELD,
        "FAR: 2 A",
        f"{R1} partially_received: 5 A, 2 in",
        f"{R2} open: 2 A",
        f"{R1} brings main/1 [1] 3",
        f"{R2} brings main/2 [1] 2",
    )
