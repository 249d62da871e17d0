"""What moved before a count and is told after it changes nothing there (S8)."""

from datetime import datetime, timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
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


@rule("S8", "L1", "L2")
@pytest.mark.parametrize("hour", [3, 4], ids=["before", "in-the-same-moment"])
@pytest.mark.parametrize(
    ("late", "movements", "elsewhere"),
    [
        (_received, ("2 A vendor>WH received", "2 A WH>adjustment offset"), ()),
        (_returned, ("2 A customer>WH returned", "2 A WH>adjustment offset"), ()),
        (_moved, ("2 A adjustment>WH offset", "2 A WH>FAR transferred"), ("FAR: 2 A",)),
    ],
    ids=["receipt", "return", "transfer-out"],
)
def test_what_moved_before_the_count_and_is_told_late_changes_nothing_there(
    late: type, movements: tuple[str, ...], elsewhere: tuple[str, ...], hour: float
) -> None:
    scene = _five().given(_counted("c1", 1, hour=4))
    before = len(scene.house.movements)
    scene.when(late("m1", 2, hour)).told().kept("WH: 1 A", *elsewhere)
    rows = scene.house.movements[before:]
    assert {row.happened_at for row in rows} == {_at(hour)}
    scene.booked(*movements)


@rule("S8")
def test_of_a_transfer_each_side_has_its_own_count() -> None:
    scene = _five().given(_counted("c1", 4, hour=4, place="FAR"))
    scene.when(_moved("t1", 2, 3)).booked("2 A WH>FAR transferred", "2 A FAR>adjustment offset")
    scene.kept("WH: 3 A", "FAR: 4 A")


@rule("S8", "S9")
def test_a_shipment_before_the_count_is_shipped_and_leaves_the_count_as_it_was() -> None:
    scene = _five().given(order_placed("1", [("A", 2)]), _counted("c1", 3, hour=4))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)], shipped_at=_at(3)))
    scene.booked("2 A adjustment>WH offset", "2 A WH>customer shipped")
    scene.kept("main/1 [1] 2 A: 2 shipped", "WH: 3 A")


@rule("S8", "S1")
def test_a_late_receipt_before_the_count_is_received_and_serves_nobody() -> None:
    scene = _five().given(_counted("c1", 0, hour=4), order_placed("1", [("A", 3)]))
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.when(_received("r2", 3, 3, replenishment_id=name)).told(
        "ReplenishmentRaised V>WH#2 rev 1 [3 A]"
    ).kept("main/1 [1] 3 A: 3 held", "V>WH#1 received: 3 A, 3 in", "V>WH#2 open: 3 A")
