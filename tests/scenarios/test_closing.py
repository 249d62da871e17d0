"""Replenishments finalized, short-closed and cancelled (R4-R6)."""

import pytest

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


def _ordered(**policy: int) -> Scene:
    """5 A and 2 B are on order for WH; held by main/1."""
    return Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy=policy),
        item_changed("B", vendor="V", policy=policy),
        order_placed("1", [("A", 5), ("B", 2)]),
    )


HELD = ("main/1 [1] 5 A: 5 held", "main/1 [2] 2 B: 2 held")


@rule("R4")
@pytest.mark.parametrize("outcome", [None, "finalized"])
def test_a_finalized_replenishment_is_on_its_way_as_it_was_asked(outcome: str | None) -> None:
    scene = _ordered()
    scene.when(replenishment_closed(scene.replenishment_id(R1), outcome=outcome)).told().booked()
    scene.kept(*HELD, f"{R1} finalized: 5 A, 2 B")


@rule("R4")
def test_a_finalized_replenishment_is_never_extended() -> None:
    scene = _ordered()
    scene.given(replenishment_closed(scene.replenishment_id(R1)))
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?", f"ReplenishmentRaised {R2} rev 1 [1 A]"
    ).kept(*HELD, "main/2 [1] 1 A: 1 held", f"{R1} finalized: 5 A, 2 B", f"{R2} open: 1 A")


@rule("R5")
def test_short_closing_gives_up_what_has_not_arrived_and_it_is_needed_again() -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 2)], replenishment_id=name))
    scene.when(replenishment_closed(name, outcome="short_closed")).told(
        f"ReplenishmentRaised {R2} rev 1 [3 A, 2 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(
        "main/1 [1] 5 A: 2 at WH, 3 held",
        "main/1 [2] 2 B: 2 held",
        "WH: 2 A, 2 promised",
        f"{R1} closed: 5 A, 2 in, 2 B",
        f"{R2} open: 3 A, 2 B",
    )


@rule("R5")
@pytest.mark.parametrize("outcome", ["short_closed", "cancelled"])
def test_an_open_one_that_is_closed_short_or_cancelled_is_cancelled(outcome: str) -> None:
    scene = _ordered()
    scene.when(replenishment_closed(scene.replenishment_id(R1), outcome=outcome)).told(
        f"ReplenishmentCancelled {R1} rev 2 []",
        f"ReplenishmentRaised {R2} rev 1 [5 A, 2 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(*HELD, f"{R1} cancelled: 5 A, 2 B", f"{R2} open: 5 A, 2 B")


@rule("R5")
def test_a_finalized_one_that_is_cancelled_is_needed_again_whole() -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(replenishment_closed(name))
    scene.when(replenishment_closed(name, outcome="cancelled")).told(
        f"ReplenishmentCancelled {R1} rev 2 []",
        f"ReplenishmentRaised {R2} rev 1 [5 A, 2 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(*HELD, f"{R1} cancelled: 5 A, 2 B", f"{R2} open: 5 A, 2 B")


@rule("R5")
@pytest.mark.parametrize("outcome", ["finalized", "short_closed", "cancelled"])
@pytest.mark.parametrize("state", ["closed", "cancelled", "received"])
def test_closing_what_is_closed_is_refused_and_changes_nothing(state: str, outcome: str) -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(replenishment_closed(name))
    ending = {
        "closed": replenishment_closed(name, outcome="short_closed"),
        "cancelled": replenishment_closed(name, outcome="cancelled"),
        "received": stock_received("r1", "WH", [("A", 5), ("B", 2)], replenishment_id=name),
    }
    scene.given(ending[state])
    before = scene.rows()
    again = replenishment_closed(name, outcome=outcome, event_id="again", lines=[("A", [(9, T0)])])
    scene.when(again).told(
        f"ExceptionRaised refused already_{state}: place=WH replenishment_id={R1} vendor=V"
    ).kept(*before)


@rule("R6", "R3")
def test_shortage_in_the_batch_that_closes_lands_in_exactly_one_replenishment() -> None:
    scene = _ordered()
    scene.when(
        order_placed("2", [("A", 1)]),
        replenishment_closed(scene.replenishment_id(R1)),
        order_placed("3", [("A", 2)]),
    ).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "OrderBackordered main/3 [1: 2 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 2 [6 A, 2 B]",
        f"ReplenishmentRaised {R2} rev 1 [2 A]",
    ).kept(
        *HELD,
        "main/2 [1] 1 A: 1 held",
        "main/3 [1] 2 A: 2 held",
        f"{R1} finalized: 6 A, 2 B",
        f"{R2} open: 2 A",
    )
