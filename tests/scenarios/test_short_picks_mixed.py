"""Short picks of units that were bought to order, reserved, or not yet whole (S10)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from events.outbound import ReadyToShip, ReleaseCancelled
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)


def _scene(qty: int, *orders: Event) -> Scene:
    return Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V"),
        stock_received("r0", "WH", [("A", qty)]),
        *orders,
    )


@rule("S10", "O11")
@pytest.mark.parametrize(
    ("reason", "taken"),
    [("short_pick", ["ReleaseCancelled main/1 from WH [1: 1 A]"]), ("hold", [])],
)
def test_a_picker_missed_what_was_told_to_him_and_staff_hold_what_was_not(
    reason: str, taken: list[str]
) -> None:
    scene = _scene(
        2,
        order_placed("1", [("A", 3)], release="manual"),
        back_to_ship_requested("1"),
        stock_received("r1", "WH", [("A", 1)]),  # not told to anyone yet
    )
    scene.when(line_backordered("1", ("1", 1), "WH", reason=reason))
    assert [row for row in scene.lines() if row.startswith("Release")] == taken


@rule("S10", "O11")
def test_of_two_releases_the_later_loses_first() -> None:
    scene = _scene(2, order_placed("1", [("A", 3)]), stock_received("r1", "WH", [("A", 1)]))
    first = next(row for row in scene.house.emitted if isinstance(row, ReadyToShip))
    scene.when(line_backordered("1", ("1", 1), "WH"))
    scene.when(line_backordered("1", ("1", 1), "WH", event_id="again")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "ReplenishmentExtended V>WH#2 rev 2 [2 A]",
    )
    (told,) = [row for row in scene.out if isinstance(row, ReleaseCancelled)]
    assert told.release_id == first.release_id


@rule("S10", "R10")
def test_what_is_bought_to_order_is_bought_again() -> None:
    scene = _scene(
        9,
        item_changed("A", policy={"sourcing": "buy_to_order"}),
        order_placed("1", [("A", 3)]),
    )
    name = scene.replenishment_id("V>WH#1")
    scene.given(stock_received("r1", "WH", [("A", 3)], replenishment_id=name))
    scene.when(line_backordered("1", ("1", 1), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#2 rev 1 [1 A]",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "WH: 11 A, 2 promised",
        "V>WH#1 received: 3 A, 3 in",
        "V>WH#2 open: 1 A",
        "V>WH#2 brings main/1 [1] 1",
    )


@rule("S10", "O9")
@pytest.mark.parametrize("mode", ["line", "complete"])
def test_only_what_was_not_found_is_taken_back_in_every_ship_mode(mode: str) -> None:
    scene = _scene(3, order_placed("1", [("A", 3)], ship_mode=mode))
    scene.when(line_backordered("1", ("1", 1), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("S10", "O10")
def test_of_what_a_hold_keeps_here_a_part_may_not_be_found() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)], holds=["fraud"]))
    scene.when(line_backordered("1", ("1", 1), "WH")).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?", "ReplenishmentRaised V>WH#1 rev 1 [1 A]"
    ).booked("1 A WH>adjustment written_off")


@rule("S10", "C1")
def test_what_waits_again_is_cancelled_first() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)]), line_backordered("1", ("1", 1), "WH"))
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "ReplenishmentCancelled V>WH#1 rev 2 []"
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 cancelled", "WH: 2 A, 2 promised", "V>WH#1 cancelled: nothing"
    )


@rule("S10", "S5")
def test_each_time_it_waits_anew_it_waited_since_then() -> None:
    scene = _scene(9, order_placed("1", [("A", 3)]))
    for hours in (1, 4):
        scene.when(line_backordered("1", ("1", 1), "WH", time=T0 + hours * HOUR)).told(
            "ReleaseCancelled main/1 from WH [1: 1 A]",
            f"BackToShip main/1 from WH [1: 1 A] waited since T0+{hours}h complete",
        )
