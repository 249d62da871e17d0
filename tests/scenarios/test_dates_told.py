"""A buyer's or vendor's act that changes a date is told to who waits, once per order (R12)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

DAY = timedelta(days=1)
R1 = "V>WH#1"
R2 = "V>WH#2"
ADA = {"email": "ada@example.org"}


def _waits(lead: int | None = 7, *given: Event, **policy: object) -> Scene:
    """main/1 waits for 2 A and 1 B, which V has in `lead` days."""
    return Scene(
        place_changed("WH"),
        place_changed("DOCK", kind="dock"),
        vendor_changed("V", policy={"lead_time_days": lead}),
        vendor_changed("W", policy={"lead_time_days": 3}),
        item_changed("A", vendor="V", policy=policy),
        item_changed("B", vendor="V", policy=policy),
        *given,
        order_placed("1", [("A", 2), ("B", 1)]),
    )


def _confirmed(
    scene: Scene, *lines: tuple[str, list[tuple[int, Moment | None]]], name: str = R1
) -> Event:
    return replenishment_closed(scene.replenishment_id(name), lines=lines)


def _line(sku: str = "A", line_id: str = "1") -> dict[str, object]:
    return {"sku": sku, "shop": "main", "order_id": "1", "line_id": line_id}


@rule("R12", "R4")
def test_a_confirmed_date_is_told_with_the_one_told_before() -> None:
    scene = _waits()
    scene.when(_confirmed(scene, ("A", [(2, T0 + 9 * DAY)]))).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+9d]"
    )
    scene.when(_confirmed(scene, ("A", [(2, T0 + 5 * DAY)]))).told(
        "ExpectedDateChanged main/1 [1: A T0+9d>T0+5d]"
    )


@rule("R12")
def test_the_lines_of_one_order_are_told_together_and_each_order_once() -> None:
    scene = _waits()
    scene.given(order_placed("2", [("B", 1), ("A", 1)], shop="b", customer=ADA))
    late = T0 + 9 * DAY
    scene.when(_confirmed(scene, ("A", [(3, late)]), ("B", [(2, late)]))).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+9d, 2: B T0+7d>T0+9d]",
        "ExpectedDateChanged b/2 [1: B T0+7d>T0+9d, 2: A T0+7d>T0+9d] for ada@example.org",
    )


@rule("R12")
def test_only_lines_whose_date_changes_are_told() -> None:
    scene = _waits()
    scene.when(_confirmed(scene, ("A", [(2, T0 + 7 * DAY)]), ("B", [(1, T0 + 8 * DAY)]))).told(
        "ExpectedDateChanged main/1 [2: B T0+7d>T0+8d]"
    )


@rule("R12")
def test_confirming_the_date_that_was_told_tells_nobody() -> None:
    scene = _waits()
    confirmed: list[tuple[int, Moment | None]] = [(9, T0 + 7 * DAY)]
    scene.when(_confirmed(scene, ("A", confirmed), ("B", confirmed))).told()


@rule("R12", "R11")
def test_finalizing_at_once_tells_nobody_and_days_later_tells_the_date_it_has_now() -> None:
    scene = _waits()
    name = scene.replenishment_id(R1)
    scene.when(replenishment_closed(name)).told()
    later = _waits()
    later.when(replenishment_closed(name, time=T0 + 2 * DAY)).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+9d, 2: B T0+7d>T0+9d]"
    )


@rule("R12", "R4")
def test_only_those_are_told_whom_the_later_part_brings_their_units() -> None:
    scene = _waits()
    scene.given(order_placed("2", [("A", 1)]))
    parts: list[tuple[int, Moment | None]] = [(2, T0 + 7 * DAY), (1, T0 + 20 * DAY)]
    scene.when(_confirmed(scene, ("A", parts), ("B", [(1, T0 + 7 * DAY)]))).told(
        "ExpectedDateChanged main/2 [1: A T0+7d>T0+20d]"
    )


@rule("R12", "R5")
def test_a_supply_that_is_given_up_moves_them_to_the_next() -> None:
    scene = _waits()
    scene.given(_confirmed(scene, ("A", [(2, T0 + 2 * DAY)]), ("B", [(1, T0 + 8 * DAY)])))
    scene.when(
        replenishment_closed(scene.replenishment_id(R1), outcome="short_closed", time=T0 + 4 * DAY)
    ).told(
        f"ReplenishmentRaised {R2} rev 1 [2 A, 1 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
        "ExpectedDateChanged main/1 [1: A T0+2d>T0+11d, 2: B T0+8d>T0+11d]",
    )


@rule("R12", "R9")
def test_what_a_buyer_asks_for_is_told_to_who_waits_without_a_date() -> None:
    scene = _waits(7, auto_replenish=False)
    scene.when(replenishment_requested("V", [_line()])).told(
        f"ReplenishmentRaised {R1} rev 1 [2 A] by hand",
        "ExpectedDateChanged main/1 [1: A ?>T0+7d]",
    )
    scene.when(replenishment_requested("V", [("B", 1)])).told(
        f"ReplenishmentExtended {R1} rev 2 [2 A, 1 B] by hand",
        "ExpectedDateChanged main/1 [2: B ?>T0+7d]",
    )
    scene.when(replenishment_requested("V", [("B", -1)])).told(
        f"ReplenishmentReduced {R1} rev 3 [2 A] by hand",
        "ExpectedDateChanged main/1 [2: B T0+7d>?]",
    )


@rule("R12", "P1")
def test_another_vendor_or_lead_time_of_an_item_is_told() -> None:
    scene = _waits()
    scene.when(item_changed("A", vendor="W")).told(
        f"ReplenishmentReduced {R1} rev 2 [1 B]",
        "ReplenishmentRaised W>WH#1 rev 1 [2 A]",
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+3d]",
    )
    scene.when(item_changed("B", policy={"lead_time_days": 1})).told(
        "ExpectedDateChanged main/1 [2: B T0+7d>T0+1d]"
    )
    scene.when(item_changed("B", policy={"lead_time_days": None})).told(
        "ExpectedDateChanged main/1 [2: B T0+1d>T0+7d]"
    )


@rule("R12", "P1", "S6")
def test_another_lead_time_of_a_vendor_is_told_for_all_its_skus() -> None:
    scene = _waits()
    scene.when(vendor_changed("V", policy={"lead_time_days": 9})).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+9d, 2: B T0+7d>T0+9d]"
    )


@rule("R12")
@pytest.mark.parametrize("days", [1, 30])
@pytest.mark.parametrize("kind", ["item", "vendor", "request"])
def test_that_time_passed_is_told_to_nobody(kind: str, days: int) -> None:
    scene = _waits()
    time = T0 + days * DAY
    acts = {
        "item": item_changed("A", name="Anvil", time=time),
        "vendor": vendor_changed("V", name="Vulcan", time=time),
        "request": replenishment_requested("V", [_line()], time=time),
    }
    scene.when(acts[kind]).told()


@rule("R12")
def test_what_was_last_told_is_named_though_time_passed() -> None:
    scene = _waits()
    scene.when(item_changed("A", policy={"lead_time_days": 9}, time=T0 + 4 * DAY)).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+13d]"
    )
    scene.when(item_changed("A", policy={"lead_time_days": 5}, time=T0 + 6 * DAY)).told(
        "ExpectedDateChanged main/1 [1: A T0+13d>T0+11d]"
    )


@rule("R12", "S1")
def test_what_a_warehouse_changed_is_told_with_the_next_act_of_a_buyer() -> None:
    scene = _waits()
    name = scene.replenishment_id(R1)
    scene.given(_confirmed(scene, ("A", [(2, T0 + 9 * DAY)])))
    scene.when(stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name)).told()
    scene.when(_confirmed(scene, ("B", [(1, T0 + 7 * DAY)]))).told(
        "ExpectedDateChanged main/1 [1: A T0+9d>T0]"
    )


@rule("R12", "R9")
def test_who_does_not_wait_any_more_is_told_nothing() -> None:
    scene = _waits()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 2)], replenishment_id=name))
    scene.when(_confirmed(scene, ("A", [(5, T0 + 30 * DAY)]), ("B", [(1, T0 + 30 * DAY)]))).told(
        "ExpectedDateChanged main/1 [2: B T0+7d>T0+30d]"
    )


@rule("R12", "O2")
def test_what_the_vendor_ships_is_not_held_and_has_no_date_to_change() -> None:
    scene = _waits(7, sourcing="drop_ship")
    name = scene.replenishment_id("V>customer:main/1#1")
    scene.when(replenishment_closed(name, lines=[("A", [(2, T0 + 30 * DAY)])])).told()


@rule("R12", "O10")
def test_what_waits_for_its_payment_has_no_date_to_change() -> None:
    scene = _waits()
    scene.given(order_placed("2", [("A", 1)], holds=["payment"]))
    scene.when(_confirmed(scene, ("A", [(9, T0 + 9 * DAY)]))).told(
        "ExpectedDateChanged main/1 [1: A T0+7d>T0+9d]"
    )
