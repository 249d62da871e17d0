"""A replenishment closed before it was raised: it is closed as soon as it is (C3, R4, R5).

Its id derives from vendor, destination and number: the same history in another house tells it.
"""

from datetime import timedelta

import pytest

from events.envelope import Event
from handlers.decision import Repeated, SetAside
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

DAY = timedelta(days=1)
R1 = "V>WH#1"
R2 = "V>WH#2"
RAISES = order_placed("1", [("A", 5), ("B", 1)])


def _scene(**policy: object) -> Scene:
    return Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy=policy),
        item_changed("B", vendor="V", policy=policy),
    )


def _id_of(name: str, *raised_by: Event) -> str:
    """What a replenishment is called where these events are told."""
    return _scene().given(*raised_by).replenishment_id(name)


def _closed(
    outcome: str | None = None, *parts: tuple[int, Moment | None], name: str = R1, **rest: object
) -> Event:
    lines = [("A", list(parts))] if parts else None
    events = [RAISES] if name == R1 else [RAISES, replenishment_closed(_id_of(R1, RAISES)), MORE]
    return replenishment_closed(_id_of(name, *events), outcome=outcome, lines=lines, **rest)


MORE = order_placed("2", [("A", 2)])
HELD = ("main/1 [1] 5 A: 5 held", "main/1 [2] 1 B: 1 held")


@rule("C3", "L5")
def test_it_waits_and_nothing_is_told_or_booked() -> None:
    closed = _closed()
    scene = _scene().when(closed).told().booked().kept()
    assert not isinstance(scene.house.outcome(closed), SetAside)
    assert scene.outcome(closed).startswith("waits for")


@rule("C3", "R4", "R3")
def test_it_is_finalized_by_the_event_that_raises_it() -> None:
    scene = _scene().when(_closed())
    scene.when(RAISES).told(
        "OrderBackordered main/1 [1: 5 A until ?, 2: 1 B until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [5 A, 1 B]",
    ).kept(*HELD, f"{R1} finalized: 5 A, 1 B")
    scene.when(MORE).told(
        "OrderBackordered main/2 [1: 2 A until ?] until ?", f"ReplenishmentRaised {R2} rev 1 [2 A]"
    )


@rule("C3", "R4", "R6")
def test_what_it_confirms_less_is_bought_on_another_at_once() -> None:
    scene = _scene().when(_closed(None, (3, T0 + DAY)))
    scene.when(RAISES).kept(
        *HELD,
        f"{R1} finalized: 3 A (3 until T0+1d), 1 B",
        f"{R2} open: 2 A",
    )
    raised = [row for row in scene.lines() if row.startswith("Replenishment")]
    assert sorted(raised) == [
        f"ReplenishmentRaised {R1} rev 1 [5 A, 1 B]",
        f"ReplenishmentRaised {R2} rev 1 [2 A]",
    ]


@rule("C3", "R11", "R12")
def test_its_dates_are_those_of_who_waits_from_then_on() -> None:
    scene = _scene().when(_closed(None, (9, T0 + 4 * DAY), time=T0 + DAY))
    scene.when(RAISES).told(
        f"ReplenishmentRaised {R1} rev 1 [5 A, 1 B]",
        "OrderBackordered main/1 [1: 5 A until T0+4d, 2: 1 B until ?] until ?",
    )
    scene.when(MORE).told("OrderBackordered main/2 [1: 2 A until T0+4d] until T0+4d")


@rule("C3", "R5", "R3")
@pytest.mark.parametrize("outcome", ["short_closed", "cancelled"])
def test_given_up_before_it_was_raised_another_is_raised_in_its_place(outcome: str) -> None:
    scene = _scene().when(_closed(outcome))
    scene.when(RAISES).told(
        "OrderBackordered main/1 [1: 5 A until ?, 2: 1 B until ?] until ?",
        f"ReplenishmentCancelled {R1} rev 2 []",
        f"ReplenishmentRaised {R2} rev 1 [5 A, 1 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(*HELD, f"{R1} cancelled: 5 A, 1 B", f"{R2} open: 5 A, 1 B")


@rule("C3")
def test_two_that_wait_take_effect_in_the_order_they_came() -> None:
    scene = _scene().when(_closed(None, (4, T0 + DAY))).when(_closed(None, (5, T0 + 2 * DAY)))
    scene.when(RAISES).kept(
        *HELD, f"{R1} finalized: 5 A (5 until T0+2d), 1 B", f"{R2} cancelled: nothing"
    )


@rule("C3")
def test_it_waits_for_its_own_and_for_no_other() -> None:
    early = _closed(name=R2)
    scene = _scene().when(early)
    scene.given(RAISES).kept(*HELD, f"{R1} open: 5 A, 1 B")
    scene.given(_closed())
    scene.when(MORE).told(
        "OrderBackordered main/2 [1: 2 A until ?] until ?", f"ReplenishmentRaised {R2} rev 1 [2 A]"
    ).kept(*HELD, "main/2 [1] 2 A: 2 held", f"{R1} finalized: 5 A, 1 B", f"{R2} finalized: 2 A")


@rule("C3", "C4")
def test_told_twice_before_it_was_raised_it_has_one_effect() -> None:
    early = _closed(None, (4, T0 + DAY))
    scene = _scene().when(early).when(early)
    assert isinstance(scene.house.outcome(early), Repeated) or "waits" in scene.outcome(early)
    scene.when(RAISES).kept(*HELD, f"{R1} finalized: 4 A (4 until T0+1d), 1 B", f"{R2} open: 1 A")


@rule("C3", "R9")
def test_one_that_a_buyer_raises_is_closed_as_well() -> None:
    by_hand = replenishment_requested("V", [("A", 4)])
    scene = _scene().when(replenishment_closed(_id_of(R1, by_hand)))
    scene.when(by_hand).told(f"ReplenishmentRaised {R1} rev 1 [4 A] by hand")
    scene.kept(f"{R1} finalized: 4 A")


@rule("C3", "P3")
def test_one_that_a_change_raises_is_closed_as_well() -> None:
    scene = _scene(auto_replenish=False).given(RAISES)
    scene.when(_closed())
    scene.when(item_changed("A", policy={"auto_replenish": None}))
    rows = [row for row in scene.rows() if row.startswith(R1)]
    assert rows == [f"{R1} finalized: 5 A"]


@rule("C3")
def test_in_one_batch_with_what_raises_it_nothing_is_different() -> None:
    scene = _scene().when(_closed(None, (3, T0 + DAY)), RAISES)
    scene.kept(*HELD, f"{R1} finalized: 3 A (3 until T0+1d), 1 B", f"{R2} open: 2 A")


@rule("C3", "S1")
def test_a_receipt_before_it_was_raised_is_booked_at_once_and_does_not_wait() -> None:
    scene = _scene()
    early = stock_received("r1", "WH", [("A", 2)], replenishment_id=_id_of(R1, RAISES))
    scene.when(early).booked("2 A vendor>WH received")
    assert scene.outcome(early) == "applied"
    assert any("unknown_replenishment" in row for row in scene.lines())
    scene.when(RAISES).kept(
        "main/1 [1] 5 A: 2 at WH, 3 held",
        "main/1 [2] 1 B: 1 held",
        "WH: 2 A, 2 promised",
        f"{R1} open: 3 A, 1 B",
    )
