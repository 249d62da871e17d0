"""When a held line may expect its units: supply against the queue of its destination (R10, R11)."""

from datetime import timedelta

import pytest

from events.outbound import OrderBackordered
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    vendor_changed,
)
from tests.support.retelling import moment
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

DAY = timedelta(days=1)
R1 = "V>WH#1"


def _scene(**policy: int) -> Scene:
    return Scene(
        place_changed("WH"),
        place_changed("DOCK", kind="dock"),
        item_changed("A", vendor="V", policy=policy),
    )


def _expected(  # noqa: PLR0913 - what an order's place in the queue depends on
    scene: Scene,
    order_id: str,
    qty: int,
    *,
    shop: str = "main",
    priority: int | None = None,
    time: Moment = T0,
) -> str:
    """Place an order and return the date it was told."""
    scene.when(order_placed(order_id, [("A", qty)], shop=shop, priority=priority, time=time))
    (answer,) = [row for row in scene.out if isinstance(row, OrderBackordered)]
    assert answer.expected_at == answer.lines[0].expected_at
    return moment(answer.expected_at)


@rule("R11")
def test_the_lead_time_of_an_open_replenishment_counts_from_the_causing_event() -> None:
    scene = _scene(lead_time_days=7)
    assert _expected(scene, "1", 1) == "T0+7d"
    assert _expected(scene, "2", 1, time=T0 + 2 * DAY) == "T0+9d"


@rule("R11")
def test_without_a_lead_time_the_date_is_unknown() -> None:
    assert _expected(_scene(), "1", 1) == "?"


@rule("R11")
def test_without_a_vendor_the_date_is_unknown() -> None:
    scene = Scene(item_changed("A", policy={"lead_time_days": 7}))
    assert _expected(scene, "1", 1) == "?"


@rule("R11", "R7")
def test_where_automation_is_off_the_date_is_unknown() -> None:
    scene = _scene(lead_time_days=7)
    scene.given(item_changed("A", policy={"auto_replenish": False}))
    assert _expected(scene, "1", 1) == "?"


@rule("R11", "P1")
def test_the_lead_time_of_the_vendor_serves_where_the_item_has_none() -> None:
    scene = _scene()
    scene.when(vendor_changed("V", policy={"lead_time_days": 3}))
    assert _expected(scene, "1", 1) == "T0+3d"


@rule("R11")
def test_what_is_not_confirmed_is_expected_a_lead_time_after_it_was_finalized() -> None:
    scene = _scene(lead_time_days=7, pack_size=10)
    scene.given(order_placed("1", [("A", 1)]))
    scene.given(replenishment_closed(scene.replenishment_id(R1), closed_at=T0 + 5 * DAY))
    assert _expected(scene, "2", 1, time=T0 + 6 * DAY) == "T0+12d"


@rule("R11", "R10", "R4")
def test_confirmed_parts_serve_the_queue_in_the_order_of_their_dates() -> None:
    scene = _scene(lead_time_days=7, pack_size=10)
    scene.given(order_placed("1", [("A", 2)]))
    parts: list[tuple[int, Moment | None]] = [(3, T0 + 20 * DAY), (3, T0 + 4 * DAY), (4, None)]
    scene.given(replenishment_closed(scene.replenishment_id(R1), lines=[("A", parts)]))
    assert _expected(scene, "2", 1) == "T0+4d"  # the 3rd
    assert _expected(scene, "3", 1) == "T0+7d"  # the 4th: not confirmed, finalized at T0
    assert _expected(scene, "4", 4) == "T0+20d"  # the 5th to 8th: its last unit
    assert _expected(scene, "5", 3) == "T0+7d"  # the 9th to 11th: the open replenishment


@rule("R11", "S1")
def test_what_has_arrived_was_the_earliest_part() -> None:
    scene = _scene(pack_size=10)
    scene.given(order_placed("1", [("A", 1)]))
    name = scene.replenishment_id(R1)
    parts: list[tuple[int, Moment | None]] = [(8, T0 + 9 * DAY), (2, T0 + 4 * DAY)]
    scene.given(
        replenishment_closed(name, lines=[("A", parts)]),
        stock_received("r1", "WH", [("A", 2)], replenishment_id=name),
    )
    scene.given(order_placed("2", [("A", 1)]))  # the second unit that arrived
    assert _expected(scene, "3", 1) == "T0+9d"


@rule("R11")
def test_past_dates_are_told_as_they_are() -> None:
    scene = _scene(pack_size=10)
    scene.given(order_placed("1", [("A", 1)]))
    late: list[tuple[int, Moment | None]] = [(10, T0 - 30 * DAY)]
    scene.given(replenishment_closed(scene.replenishment_id(R1), lines=[("A", late)]))
    assert _expected(scene, "2", 1) == "T0-30d"


@rule("R11")
def test_a_unit_without_a_date_comes_after_all_that_have_one() -> None:
    scene = _scene(pack_size=5)
    scene.given(order_placed("1", [("A", 1)]))
    scene.given(replenishment_closed(scene.replenishment_id(R1)))  # 5, no lead time: unknown
    scene.given(order_placed("2", [("A", 5)]))
    scene.given(
        replenishment_closed(scene.replenishment_id("V>WH#2"), lines=[("A", [(5, T0 + 90 * DAY)])])
    )
    assert _expected(scene, "0", 1, priority=1) == "T0+90d"
    assert _expected(scene, "3", 1) == "?"


@rule("R11", "S4")
def test_an_order_that_goes_before_others_is_expected_before_them() -> None:
    scene = _scene(lead_time_days=7, pack_size=6)
    scene.given(order_placed("1", [("A", 4)]))
    scene.given(
        replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(6, T0 + 2 * DAY)])])
    )
    assert _expected(scene, "2", 4) == "T0+7d"
    assert _expected(scene, "3", 2, priority=1) == "T0+2d"
    assert _expected(scene, "4", 5, priority=1) == "T0+7d"


@rule("R11", "S4")
def test_the_queue_of_a_destination_is_one_whatever_the_shop() -> None:
    scene = _scene(lead_time_days=7, pack_size=6)
    scene.given(order_placed("1", [("A", 4)], shop="b"))
    scene.given(
        replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(6, T0 + 2 * DAY)])])
    )
    assert _expected(scene, "1", 2, shop="a") == "T0+2d"
    assert _expected(scene, "1", 1, shop="c") == "T0+7d"


@rule("R11")
def test_cancelled_demand_brings_those_behind_it_forward() -> None:
    scene = _scene(lead_time_days=7, pack_size=6)
    scene.given(order_placed("1", [("A", 6)]))
    scene.given(
        replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(6, T0 + 2 * DAY)])]),
        order_cancelled("1", [("1", 3)]),
    )
    assert _expected(scene, "2", 3) == "T0+2d"


@rule("R11", "S2")
@pytest.mark.parametrize("destination", ["WH", "DOCK"])
def test_what_lies_at_a_dock_is_expected_now(destination: str) -> None:
    scene = _scene(lead_time_days=7)
    scene.when(shop_changed("main", sources=["WH"], destination=destination))
    scene.when(stock_received("r1", "DOCK", [("A", 3)]))
    assert _expected(scene, "1", 3, time=T0 + DAY) == "T0+1d"
    assert _expected(scene, "2", 1, time=T0 + DAY) == "T0+8d"


@rule("R11")
def test_what_is_on_its_way_elsewhere_is_not_expected_here() -> None:
    scene = _scene(lead_time_days=7)
    scene.when(shop_changed("east", sources=["E"]))
    scene.when(shop_changed("west", sources=["W"]))
    scene.given(order_placed("1", [("A", 2)], shop="east"))
    scene.given(
        replenishment_closed(scene.replenishment_id("V>E#1"), lines=[("A", [(9, T0 + DAY)])])
    )
    assert _expected(scene, "2", 1, shop="east") == "T0+1d"
    assert _expected(scene, "2", 1, shop="west") == "T0+7d"


@rule("R11", "O1")
def test_two_lines_of_one_sku_are_expected_one_after_the_other() -> None:
    scene = _scene(lead_time_days=7, pack_size=6)
    scene.given(order_placed("1", [("A", 4)]))
    scene.given(
        replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(6, T0 + 2 * DAY)])])
    )
    scene.when(order_placed("2", [("A", 2), ("A", 1)])).told(
        "OrderBackordered main/2 [1: 2 A until T0+2d, 2: 1 A until T0+7d] until T0+7d",
        "ReplenishmentRaised V>WH#2 rev 1 [6 A]",
    )
