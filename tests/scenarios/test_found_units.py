"""More left than was known: the found units are owed to what arrives late (S7)."""

from datetime import datetime, timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

PLACES = (place_changed("WH"), place_changed("DOCK", kind="dock"))


def _at(hour: float) -> datetime:
    return T0 + timedelta(hours=hour)


def _received(name: str, qty: int, hour: float, place: str = "DOCK", **rest: object) -> Event:
    return stock_received(name, place, [("A", qty)], received_at=_at(hour), **rest)


def _moved(name: str, qty: int, hour: float, origin: str = "DOCK", to: str = "WH") -> Event:
    return stock_transferred(name, origin, to, [("A", qty)], transferred_at=_at(hour))


def _returned(name: str, qty: int, hour: float, place: str = "DOCK") -> Event:
    return stock_returned(name, place, [("A", qty)], returned_at=_at(hour))


def _owed() -> Scene:
    """At 5 o'clock 3 A left the dock for WH, and none was known there."""
    scene = Scene(*PLACES).when(_moved("t1", 3, 5))
    scene.told("ExceptionRaised stock_missing: sku=A place=DOCK")
    return scene.booked("3 A adjustment>DOCK found", "3 A DOCK>WH transferred").kept("WH: 3 A")


@rule("S7", "L2")
@pytest.mark.parametrize("hour", [2, 5], ids=["before", "in-the-same-moment"])
@pytest.mark.parametrize(
    ("arrives", "moved"),
    [
        (_received, "5 A vendor>DOCK received"),
        (_returned, "5 A customer>DOCK returned"),
    ],
    ids=["receipt", "return"],
)
def test_what_came_before_and_is_told_late_gives_the_found_units_back(
    arrives: type, moved: str, hour: float
) -> None:
    scene = _owed().when(arrives("x1", 5, hour)).told()
    scene.booked(moved, "3 A DOCK>adjustment taken_back").kept("WH: 3 A", "DOCK: 2 A")


@rule("S7", "L2")
def test_a_transfer_that_is_told_late_gives_them_back_as_well() -> None:
    scene = _owed().given(_received("r1", 5, 1, place="FAR"))
    scene.when(_moved("t2", 5, 2, origin="FAR", to="DOCK")).told()
    scene.booked("5 A FAR>DOCK transferred", "3 A DOCK>adjustment taken_back")
    scene.kept("WH: 3 A", "DOCK: 2 A")


@rule("S7")
def test_what_came_after_the_finding_is_other_units() -> None:
    scene = _owed().when(_received("r1", 5, 5.1)).told().booked("5 A vendor>DOCK received")
    scene.kept("WH: 3 A", "DOCK: 5 A")


@rule("S7")
def test_found_units_are_taken_back_once_however_many_receipts_it_takes() -> None:
    scene = _owed().given(_received("r1", 2, 2)).kept("WH: 3 A")
    scene.when(_received("r2", 2, 3)).booked(
        "2 A vendor>DOCK received", "1 A DOCK>adjustment taken_back"
    )
    scene.when(_received("r3", 2, 4)).booked("2 A vendor>DOCK received")
    scene.kept("WH: 3 A", "DOCK: 3 A")


@rule("S7")
def test_of_two_findings_an_arrival_between_them_settles_the_later_one() -> None:
    scene = Scene(*PLACES, _moved("t1", 2, 3), _moved("t2", 2, 6)).kept("WH: 4 A")
    scene.when(_received("r1", 5, 4)).booked(
        "5 A vendor>DOCK received", "2 A DOCK>adjustment taken_back"
    )
    scene.when(_received("r2", 3, 2)).booked(
        "3 A vendor>DOCK received", "2 A DOCK>adjustment taken_back"
    )
    scene.kept("WH: 4 A", "DOCK: 4 A")


@rule("S7", "S9")
def test_units_found_by_a_shipment_are_owed() -> None:
    scene = Scene(*PLACES, order_placed("1", [("A", 2)]), order_placed("2", [("A", 9)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)], shipped_at=_at(5))).told(
        "ExceptionRaised over_shipment: sku=A place=WH shop=main order_id=1"
    ).booked("2 A adjustment>WH found", "2 A WH>customer shipped")
    scene.when(_received("r1", 3, 2, place="WH")).told(
        "BackToShip main/2 from WH [1: 1 A] waited since T0"
    ).booked("3 A vendor>WH received", "2 A WH>adjustment taken_back")
    scene.kept(
        "main/1 [1] 2 A: 2 shipped",
        "main/2 [1] 9 A: 1 at WH, 8 held",
        "WH: 1 A, 1 promised",
    )


@rule("S7", "S10")
def test_units_found_by_a_short_pick_are_owed() -> None:
    scene = Scene(
        *PLACES,
        _received("r0", 3, 1, place="WH"),
        order_placed("1", [("A", 3)]),
        _moved("t1", 3, 3, origin="WH", to="DOCK"),
    )
    scene.when(line_backordered("1", ("1", 2), "WH", time=_at(6))).booked(
        "2 A adjustment>WH found", "2 A WH>adjustment written_off"
    )
    assert "ExceptionRaised stock_missing: sku=A place=WH" in "\n".join(scene.lines())
    scene.given(_received("r1", 5, 4, place="WH"))
    scene.kept("main/1 [1] 3 A: 3 at WH", "WH: 3 A, 3 promised", "DOCK: 3 A")


@rule("S7", "S1", "R4")
def test_a_late_receipt_is_received_though_its_units_left_long_ago() -> None:
    scene = Scene(*PLACES, item_changed("A", vendor="V"), order_placed("1", [("A", 4)]))
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.given(_moved("t1", 4, 5))
    scene.kept("main/1 [1] 4 A: 4 at WH", "WH: 4 A, 4 promised", "V>WH#1 finalized: 4 A")
    scene.when(_received("r1", 4, 2, replenishment_id=name)).told()
    scene.booked("4 A vendor>DOCK received", "4 A DOCK>adjustment taken_back")
    scene.kept("main/1 [1] 4 A: 4 at WH", "WH: 4 A, 4 promised", "V>WH#1 received: 4 A, 4 in")


@rule("S7", "S8")
def test_a_newer_count_settles_what_was_found() -> None:
    scene = _owed().given(stock_counted("c1", "DOCK", [("A", 0)], counted_at=_at(6)))
    scene.when(_received("r1", 5, 2)).booked(
        "5 A vendor>DOCK received", "5 A DOCK>adjustment offset"
    )
    scene.when(_received("r2", 5, 7)).booked("5 A vendor>DOCK received")
    scene.kept("WH: 3 A", "DOCK: 5 A")


@rule("S7", "S8")
def test_a_count_before_the_finding_says_how_much_of_it_was_there() -> None:
    scene = _owed().given(stock_counted("c1", "DOCK", [("A", 1)], counted_at=_at(4)))
    scene.kept("WH: 3 A")  # 1 was there, so 2 are found
    scene.when(_received("r1", 4, 4.5)).booked(
        "4 A vendor>DOCK received", "2 A DOCK>adjustment taken_back"
    )
    scene.kept("WH: 3 A", "DOCK: 2 A")


@rule("S7", "S8")
def test_a_count_before_the_finding_that_knew_them_all_leaves_nothing_owed() -> None:
    scene = _owed().given(stock_counted("c1", "DOCK", [("A", 4)], counted_at=_at(4)))
    scene.kept("WH: 3 A", "DOCK: 1 A")
    scene.when(_received("r1", 2, 4.5)).booked("2 A vendor>DOCK received")
    scene.kept("WH: 3 A", "DOCK: 3 A")
