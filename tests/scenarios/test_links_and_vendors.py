"""What a vendor does not confirm or deliver of linked lines is bought again (R10, R4, R5)."""

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

R1 = "V>WH#1"
R2 = "V>WH#2"
MINUTE = timedelta(minutes=1)


def _two_wait(*given: Event) -> Scene:
    """main/1 waits for 3 A, main/2 behind it for 2, all of it bought for them."""
    return Scene(
        place_changed("WH"),
        place_changed("DOCK", kind="dock"),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)], placed_at=T0 + MINUTE),
        *given,
    )


def _sent(*given: Event) -> Scene:
    """The same, and it was sent to the vendor."""
    scene = _two_wait()
    return scene.given(replenishment_closed(scene.replenishment_id(R1)), *given)


HELD = ("main/1 [1] 3 A: 3 held", "main/2 [1] 2 A: 2 held")


@rule("R10", "R4")
def test_confirmed_less_the_last_in_rank_lose_and_are_bought_for_again() -> None:
    scene = _two_wait()
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(2, None)])])
    scene.when(closed).told(f"ReplenishmentRaised {R2} rev 1 [3 A]").kept(
        *HELD,
        f"{R1} finalized: 2 A (2 until ?)",
        f"{R2} open: 3 A",
        f"{R1} brings main/1 [1] 2",
        f"{R2} brings main/1 [1] 1",
        f"{R2} brings main/2 [1] 2",
    )


@rule("R10", "R4")
def test_confirmed_anew_with_more_the_lines_stay_where_they_are() -> None:
    scene = _two_wait()
    name = scene.replenishment_id(R1)
    scene.given(replenishment_closed(name, lines=[("A", [(2, None)])]))
    scene.given(replenishment_closed(scene.replenishment_id(R2)))
    scene.when(replenishment_closed(name, lines=[("A", [(5, None)])])).told().kept(
        *HELD,
        f"{R1} finalized: 5 A (5 until ?)",
        f"{R2} finalized: 3 A",
        f"{R1} brings main/1 [1] 2",
        f"{R2} brings main/1 [1] 1",
        f"{R2} brings main/2 [1] 2",
    )


@rule("R10", "R5")
@pytest.mark.parametrize(
    ("outcome", "state", "told"),
    [
        ("short_closed", "closed", ()),
        ("cancelled", "cancelled", (f"ReplenishmentCancelled {R1} rev 3 []",)),
    ],
    ids=["short", "cancelled"],
)
def test_given_up_it_is_bought_for_them_again(
    outcome: str, state: str, told: tuple[str, ...]
) -> None:
    scene = _sent()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 1)], replenishment_id=name))
    scene.when(replenishment_closed(name, outcome=outcome)).told(
        *told,
        f"ReplenishmentRaised {R2} rev 1 [4 A]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(
        "main/1 [1] 3 A: 1 at WH, 2 held",
        "main/2 [1] 2 A: 2 held",
        "WH: 1 A, 1 promised",
        f"{R1} {state}: 5 A, 1 in",
        f"{R2} open: 4 A",
        f"{R2} brings main/1 [1] 2",
        f"{R2} brings main/2 [1] 2",
    )


@rule("R10", "R5")
@pytest.mark.parametrize("outcome", ["short_closed", "cancelled"])
def test_given_up_while_it_is_open_it_is_bought_for_them_on_another(outcome: str) -> None:
    scene = _two_wait()
    scene.when(replenishment_closed(scene.replenishment_id(R1), outcome=outcome)).told(
        f"ReplenishmentCancelled {R1} rev 3 []",
        f"ReplenishmentRaised {R2} rev 1 [5 A]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(
        *HELD,
        f"{R1} cancelled: 5 A",
        f"{R2} open: 5 A",
        f"{R2} brings main/1 [1] 3",
        f"{R2} brings main/2 [1] 2",
    )


@rule("R10", "R5", "S2")
def test_what_lies_at_a_dock_for_them_stays_theirs_when_the_rest_is_given_up() -> None:
    scene = _sent()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "DOCK", [("A", 4)], replenishment_id=name))
    scene.when(replenishment_closed(name, outcome="short_closed")).told(
        "ExpectedDateChanged main/1 [1: A ?>T0]",
        f"ReplenishmentRaised {R2} rev 1 [1 A]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(
        *HELD,
        "DOCK: 4 A",
        f"{R1} closed: 5 A, 4 in, 4 for lines at DOCK",
        f"{R2} open: 1 A",
        f"{R1} brings main/1 [1] 3",
        f"{R1} brings main/2 [1] 1",
        f"{R2} brings main/2 [1] 1",
    )
