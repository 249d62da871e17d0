"""A count says what is there as of its moment, and is a checkpoint from then on (S8)."""

from datetime import datetime, timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0


def _at(hour: float) -> datetime:
    return T0 + timedelta(hours=hour)


def _received(name: str, qty: int, hour: float, place: str = "WH", **rest: object) -> Event:
    return stock_received(name, place, [("A", qty)], received_at=_at(hour), **rest)


def _moved(name: str, qty: int, hour: float, origin: str = "WH", to: str = "FAR") -> Event:
    return stock_transferred(name, origin, to, [("A", qty)], transferred_at=_at(hour))


def _returned(name: str, qty: int, hour: float, place: str = "WH") -> Event:
    return stock_returned(name, place, [("A", qty)], returned_at=_at(hour))


def _counted(name: str, *qtys: int, hour: float, place: str = "WH", **rest: object) -> Event:
    rows = [("A", qty) for qty in qtys]
    return stock_counted(name, place, rows, counted_at=_at(hour), **rest)


def _five() -> Scene:
    """Since 1 o'clock 5 A lie at WH, which the only shop ships from."""
    return Scene(
        place_changed("WH"),
        place_changed("FAR"),
        place_changed("DOCK", kind="dock", feeds="WH"),
        shop_changed("main", sources=["WH"]),
        item_changed("A", vendor="V"),
        _received("r1", 5, 1),
    )


@rule("S8", "L1")
@pytest.mark.parametrize(
    ("counted", "left", "movements"),
    [
        ((8,), "WH: 8 A", ("3 A adjustment>WH counted",)),
        ((3,), "WH: 3 A", ("2 A WH>adjustment counted",)),
        ((0,), None, ("5 A WH>adjustment counted",)),
        ((5,), "WH: 5 A", ()),
        ((2, 1), "WH: 3 A", ("2 A WH>adjustment counted",)),
        ((0, 5), "WH: 5 A", ()),
    ],
    ids=["more", "less", "nothing", "the-same", "on-two-rows", "on-two-rows-the-same"],
)
def test_a_count_sets_what_is_there(
    counted: tuple[int, ...], left: str | None, movements: tuple[str, ...]
) -> None:
    scene = _five().when(_counted("c1", *counted, hour=3)).booked(*movements)
    scene.kept(*([left] if left else []))
    assert {row.happened_at for row in scene.house.movements[1:]} <= {_at(3)}


@rule("S8", "P2")
def test_a_count_where_nothing_was_ever_heard_of_makes_it_a_source() -> None:
    scene = Scene().when(_counted("c1", 4, hour=1, place="NEW"))
    scene.told().booked("4 A adjustment>NEW counted").kept("NEW: 4 A")
    scene.when(order_placed("1", [("A", 4)]))
    assert "ReadyToShip main/1 from NEW [1: 4 A] complete" in scene.lines()


@rule("S8")
def test_what_moved_after_it_is_applied_again() -> None:
    scene = _five().given(_moved("t1", 2, 4), _received("r2", 1, 5), _returned("x1", 1, 3))
    scene.kept("WH: 5 A", "FAR: 2 A")
    # 6 were there at 3, the return among them; then 2 left and 1 came.
    scene.when(_counted("c1", 6, hour=3)).booked().kept("WH: 5 A", "FAR: 2 A")
    scene.when(_counted("c2", 4, hour=3.5)).booked("2 A WH>adjustment counted")
    scene.kept("WH: 3 A", "FAR: 2 A")


@rule("S8", "S7")
def test_more_moved_after_it_than_it_found_is_found_and_owed() -> None:
    scene = _five().given(_moved("t1", 4, 4)).when(_counted("c1", 1, hour=3))
    scene.booked("1 A WH>adjustment counted").kept("FAR: 4 A")
    scene.when(_received("r2", 5, 3.5)).booked(
        "5 A vendor>WH received", "3 A WH>adjustment taken_back"
    )
    scene.kept("WH: 2 A", "FAR: 4 A")  # 1 + 5 - 4


@rule("S8")
@pytest.mark.parametrize("hour", [3, 2], ids=["as-old", "older"])
def test_a_count_that_is_not_newer_than_the_last_changes_nothing(hour: float) -> None:
    scene = _five().given(_counted("c1", 7, hour=3))
    scene.when(_counted("c2", 1, hour=hour)).told().booked().kept("WH: 7 A")


@rule("S8")
def test_the_last_count_is_that_of_the_sku_and_the_place() -> None:
    scene = _five().given(_counted("c1", 7, hour=3))
    scene.when(_counted("c2", 2, hour=2, place="FAR")).kept("WH: 7 A", "FAR: 2 A")
    scene.when(stock_counted("c3", "WH", [("B", 1)], counted_at=_at(2)))
    scene.kept("WH: 7 A", "FAR: 2 A", "WH: 1 B")


@rule("S8", "S3", "S2")
def test_counting_more_serves_who_waits() -> None:
    scene = _five().given(order_placed("1", [("A", 9)]))
    scene.when(_counted("c1", 7, hour=3)).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 2 [2 A]",
    ).kept("main/1 [1] 9 A: 7 at WH, 2 held", "WH: 7 A, 7 promised", "V>WH#1 open: 2 A")


@rule("S8", "S4")
def test_what_is_counted_more_is_given_out_whatever_the_safety_stock() -> None:
    scene = _five().given(order_placed("1", [("A", 9)]))
    scene.given(item_changed("A", policy={"safety_stock": 50}))
    scene.when(_counted("c1", 7, hour=3))
    assert "BackToShip main/1 from WH [1: 2 A] waited since T0" in scene.lines()


@rule("S8", "R2")
@pytest.mark.parametrize(
    ("counted", "told", "bought"),
    [
        (5, "ReplenishmentReduced V>WH#1 rev 3 [1 A]", 1),
        (1, "ReplenishmentExtended V>WH#1 rev 3 [5 A]", 5),
    ],
    ids=["more", "less"],
)
def test_at_a_dock_a_count_changes_what_is_bought(counted: int, told: str, bought: int) -> None:
    scene = _five().given(order_placed("1", [("A", 11)]), _received("r2", 3, 1, place="DOCK"))
    scene.when(_counted("c1", counted, hour=3, place="DOCK")).told(told).kept(
        "main/1 [1] 11 A: 5 at WH, 6 held",
        "WH: 5 A, 5 promised",
        f"DOCK: {counted} A",
        f"V>WH#1 open: {bought} A",
    )


@rule("S8", "R10")
def test_less_at_a_dock_than_lines_were_to_have_is_bought_for_them_again() -> None:
    scene = _five().given(item_changed("A", policy={"sourcing": "buy_to_order"}))
    scene.given(order_placed("1", [("A", 3)]))
    name = scene.replenishment_id("V>WH#1")
    scene.given(_received("r2", 3, 2, place="DOCK", replenishment_id=name))
    scene.when(_counted("c1", 1, hour=3, place="DOCK")).told(
        "ReplenishmentRaised V>WH#2 rev 1 [2 A]"
    ).kept(
        "main/1 [1] 3 A: 3 held",
        "WH: 5 A",
        "DOCK: 1 A",
        "V>WH#1 received: 3 A, 3 in, 1 for lines at DOCK",
        "V>WH#2 open: 2 A",
        "V>WH#1 brings main/1 [1] 1",
        "V>WH#2 brings main/1 [1] 2",
    )


@rule("S8", "O2")
def test_a_count_of_an_unmanaged_sku_is_booked_and_nobody_loses() -> None:
    scene = _five().given(item_changed("A", policy={"manage_stock": False}))
    scene.given(order_placed("1", [("A", 9)]))
    scene.when(_counted("c1", 2, hour=3)).told().booked("3 A WH>adjustment counted")
    scene.kept("main/1 [1] 9 A: 9 anywhere", "WH: 2 A")
