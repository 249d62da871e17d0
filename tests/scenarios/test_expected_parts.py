"""When lines may expect units of several supplies and several parts (R4, R10, R11)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from events.envelope import Event
from events.outbound import OrderBackordered
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_received,
)
from tests.support.retelling import moment
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

Parts = list[tuple[int, Moment | None]]

DAY = timedelta(days=1)
R1 = "V>WH#1"
LEFT: Parts = [(2, T0 + 2 * DAY), (2, T0 + 4 * DAY), (2, T0 + 6 * DAY)]


def _given(*given: Event, **policy: object) -> Scene:
    return Scene(
        place_changed("WH"),
        place_changed("DOCK", kind="dock"),
        item_changed("A", vendor="V", policy=policy),
        *given,
    )


def _dates(scene: Scene, *lines: tuple[str, int], order_id: str = "new") -> list[str]:
    """Place an order and return what each of its held lines, and then all of it, was told."""
    scene.when(order_placed(order_id, lines))
    (told,) = [row for row in scene.out if isinstance(row, OrderBackordered)]
    return [moment(row.expected_at) for row in told.lines] + [moment(told.expected_at)]


def _in_parts(**policy: object) -> tuple[Scene, str]:
    """6 A come in three parts for main/1, who waits for one of them."""
    scene = _given(order_placed("1", [("A", 1)]), pack_size=6, **policy)
    name = scene.replenishment_id(R1)
    scene.given(replenishment_closed(name, lines=[("A", LEFT)]))
    return scene, name


@rule("R4", "R11", "S1")
@pytest.mark.parametrize(
    ("arrived", "date"),
    [
        # main/1 waits for one, "new" for two behind it: the second and third to come.
        (0, "T0+4d"),
        # 1 for main/1: then the second unit (T0+2d) and the third (T0+4d).
        (1, "T0+4d"),
    ],
)
def test_what_arrived_was_of_the_earliest_part(arrived: int, date: str) -> None:
    scene, name = _in_parts()
    if arrived:
        scene.given(stock_received("r1", "WH", [("A", arrived)], replenishment_id=name))
    assert _dates(scene, ("A", 2)) == [date, date]


@rule("R4", "R11", "S1")
def test_part_by_part_those_who_wait_move_to_the_parts_that_are_left() -> None:
    scene, name = _in_parts()
    scene.given(order_placed("2", [("A", 4)]))
    scene.given(stock_received("r1", "WH", [("A", 2)], replenishment_id=name))  # main/2 has one
    assert _dates(scene, ("A", 1), order_id="3") == ["T0+6d", "T0+6d"]
    scene.given(stock_received("r2", "WH", [("A", 3)], replenishment_id=name))  # and now all
    scene.kept(
        "main/1 [1] 1 A: 1 at WH",
        "main/2 [1] 4 A: 4 at WH",
        "main/3 [1] 1 A: 1 held",
        "WH: 5 A, 5 promised",
        f"{R1} partially_received: 6 A (2 until T0+2d + 2 until T0+4d + 2 until T0+6d), 5 in",
    )
    assert _dates(scene, ("A", 1), order_id="4") == ["?", "?"]


@rule("R4", "R11")
def test_given_up_its_parts_bring_nobody_anything() -> None:
    scene, name = _in_parts(lead_time_days=9)
    scene.given(replenishment_closed(name, outcome="short_closed"))
    assert _dates(scene, ("A", 1)) == ["T0+9d", "T0+9d"]


@rule("R10", "R11")
def test_linked_lines_have_the_earliest_parts_and_the_queue_what_is_left() -> None:
    scene = _given(order_placed("1", [("A", 3)]), order_placed("2", [("A", 3)]))
    row = {"sku": "A", "shop": "main", "order_id": "2", "line_id": "1", "qty": 2}
    scene.given(replenishment_requested("V", [row]))
    name = scene.replenishment_id(R1)
    scene.when(replenishment_closed(name, lines=[("A", LEFT)])).told(
        # 2 of main/2 come first, then main/1's three, then its third.
        "ExpectedDateChanged main/1 [1: A ?>T0+6d]",
        "ExpectedDateChanged main/2 [1: A ?>T0+6d]",
    )


@rule("R10", "R11")
def test_a_linked_line_has_the_date_of_its_own_links_whatever_comes_elsewhere() -> None:
    to_order = {"sourcing": "buy_to_order"}
    scene = _given(policy_of(to_order), order_placed("1", [("A", 2)]), lead_time_days=7)
    scene.given(
        replenishment_closed(
            scene.replenishment_id(R1), lines=[("A", [(2, T0 + 2 * DAY), (8, T0 + 3 * DAY)])]
        )
    )
    assert _dates(scene, ("A", 1), order_id="2") == ["T0+7d", "T0+7d"]
    scene.given(item_changed("A", policy={"sourcing": None}))
    assert _dates(scene, ("A", 1), order_id="3") == ["T0+3d", "T0+3d"]


def policy_of(policy: Mapping[str, object]) -> Event:
    """Change some settings of A."""
    return item_changed("A", policy=policy)


@rule("R10", "R11", "S2")
def test_linked_units_at_a_dock_are_expected_now_and_are_nobody_elses() -> None:
    scene = _given(policy_of({"sourcing": "buy_to_order"}), lead_time_days=7)
    scene.given(order_placed("1", [("A", 2)]))
    name = scene.replenishment_id(R1)
    scene.given(
        stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name),
        item_changed("A", policy={"sourcing": None}),
    )
    assert _dates(scene, ("A", 1)) == ["T0+7d", "T0+7d"]
    told = [row for row in scene.all_lines() if row.startswith("ExpectedDateChanged")]
    assert told == ["ExpectedDateChanged main/1 [1: A T0+7d>T0]"]


@rule("R11", "S10")
def test_a_line_that_staff_hold_keeps_its_place_in_the_queue() -> None:
    scene = _given(
        stock_received("r0", "WH", [("A", 1)]), order_placed("1", [("A", 1)]), lead_time_days=7
    )
    scene.when(line_backordered("1", ("1", 1), "WH", reason="hold"))
    scene.given(order_placed("2", [("A", 2)]))
    scene.given(
        replenishment_closed(
            scene.replenishment_id(R1), lines=[("A", [(1, T0 + DAY), (1, T0 + 2 * DAY)])]
        )
    )
    # main/1 before all, then main/2 with what is at hand.
    line = scene.house.line("1")
    assert (line.shortage, scene.house.line("2").shortage) == (1, 1)
    assert _dates(scene, ("A", 1), order_id="3") == ["T0+7d", "T0+7d"]


@rule("R11")
@pytest.mark.parametrize(
    ("first", "second", "latest"),
    [
        ((T0 + DAY), (T0 + 3 * DAY), "T0+3d"),
        ((T0 + 3 * DAY), (T0 + DAY), "T0+3d"),
        ((T0 + DAY), None, "?"),
    ],
    ids=["second-later", "first-later", "second-unknown"],
)
def test_an_order_is_expected_when_the_last_of_its_lines_is(
    first: Moment, second: Moment | None, latest: str
) -> None:
    scene = _given(item_changed("B", vendor="V", policy={"pack_size": 9}), pack_size=9)
    scene.given(order_placed("1", [("A", 1), ("B", 1)]))
    parts: list[tuple[str, Parts]] = [("A", [(9, first)]), ("B", [(9, second)])]
    scene.given(replenishment_closed(scene.replenishment_id(R1), lines=parts))
    *lines, order = _dates(scene, ("A", 1), ("B", 1))
    assert lines == [moment(first), latest if second is None else moment(second)]  # type: ignore[arg-type]
    assert order == latest


@rule("R11")
def test_the_supplies_reach_the_queue_one_after_the_other() -> None:
    scene = _given(
        shop_changed("main", sources=["WH"]),
        order_placed("1", [("A", 1)]),
        pack_size=3,
        lead_time_days=7,
    )
    scene.given(
        replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(3, T0 + 5 * DAY)])])
    )
    scene.given(stock_received("r1", "DOCK", [("A", 2)]))
    dates = [_dates(scene, ("A", 1), order_id=str(n))[0] for n in range(2, 7)]
    # main/1 has one of the dock, main/2 the other; three are on their way; then the open one.
    assert dates == ["T0", "T0+5d", "T0+5d", "T0+5d", "T0+7d"]
