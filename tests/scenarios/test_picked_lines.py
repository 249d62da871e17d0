"""A buyer picks the order lines to buy for (R9), and what is bought for them is theirs (R10)."""

from datetime import timedelta

import pytest

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

R1 = "V>WH#1"
LATER = T0 + timedelta(minutes=1)


def _line(order_id: str, qty: int | None = None, **rest: object) -> dict[str, object]:
    """The first line of an order of shop main, as a buyer picks it."""
    row: dict[str, object] = {"sku": "A", "shop": "main", "order_id": order_id, "line_id": "1"}
    return {**row, **({} if qty is None else {"qty": qty}), **rest}


def _two_wait(**policy: object) -> Scene:
    """main/1 waits for 5 A, main/2 behind it for 3."""
    return Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy=policy),
        order_placed("1", [("A", 5)]),
        order_placed("2", [("A", 3), ("B", 1)], placed_at=LATER),
    )


HELD = ("main/1 [1] 5 A: 5 held", "main/2 [1] 3 A: 3 held", "main/2 [2] 1 B: 1 held")


@rule("R9", "R10", "R2")
@pytest.mark.parametrize(("qty", "linked"), [(2, 2), (3, 3), (None, 3)])
def test_picking_a_line_names_it_and_buys_no_more_than_before(qty: int | None, linked: int) -> None:
    scene = _two_wait().when(replenishment_requested("V", [_line("2", qty)])).told()
    scene.kept(*HELD, f"{R1} open: 8 A", f"{R1} brings main/2 [1] {linked} by hand")


@rule("R9", "R3")
def test_picking_a_line_automation_may_not_buy_for_raises_one_by_hand() -> None:
    scene = _two_wait(auto_replenish=False).when(replenishment_requested("V", [_line("2", 2)]))
    scene.told(f"ReplenishmentRaised {R1} rev 1 [2 A] by hand")
    scene.kept(*HELD, f"{R1} open: 2 A", f"{R1} brings main/2 [1] 2 by hand")


@rule("R9", "R7")
def test_a_line_without_a_vendor_may_be_picked_for_any() -> None:
    scene = _two_wait().when(replenishment_requested("Z", [_line("2", sku="B", line_id="2")]))
    scene.told("ReplenishmentRaised Z>WH#1 rev 1 [1 B] by hand")
    scene.kept(*HELD, f"{R1} open: 8 A", "Z>WH#1 open: 1 B", "Z>WH#1 brings main/2 [2] 1 by hand")


@rule("R9")
def test_a_named_destination_goes_before_that_of_the_order() -> None:
    scene = _two_wait().given(place_changed("X"))
    scene.when(replenishment_requested("V", [_line("2")], destination="X")).told(
        f"ReplenishmentReduced {R1} rev 3 [5 A]", "ReplenishmentRaised V>X#1 rev 1 [3 A] by hand"
    ).kept(*HELD, f"{R1} open: 5 A", "V>X#1 open: 3 A", "V>X#1 brings main/2 [1] 3 by hand")


@rule("R9")
@pytest.mark.parametrize(
    ("vendor", "row", "reason", "about"),
    [
        ("W", _line("2"), "other_vendor", "main/2 1 A"),
        ("V", _line("2", 4), "more_than_shortage", "main/2 1 A"),
        ("V", _line("2", line_id="7"), "unknown_line", "main/2 7 A"),
        ("V", _line("2", line_id="2"), "unknown_line", "main/2 2 A"),
    ],
    ids=["another-vendor", "more-than-it-needs", "no-such-line", "another-sku"],
)
def test_what_can_not_be_picked_is_refused_and_the_rest_is_done(
    vendor: str, row: dict[str, object], reason: str, about: str
) -> None:
    order, line_id, sku = about.split()
    scene = _two_wait()
    scene.when(replenishment_requested(vendor, [row, ("C", 1)]))
    refused = [text for text in scene.lines() if text.startswith("ExceptionRaised")]
    assert len(refused) == 1
    assert refused[0].startswith(f"ExceptionRaised refused {reason}: sku={sku} ")
    assert f"shop=main order_id={order.split('/')[1]} line_id={line_id}" in refused[0]
    assert f"vendor={vendor}" in refused[0]
    assert not any("brings" in text for text in scene.rows())
    assert any("1 C" in text for text in scene.rows())


@rule("R9")
def test_a_line_can_not_be_bought_for_twice() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2", 2)]))
    scene.when(replenishment_requested("V", [_line("2", 2)])).told(
        "ExceptionRaised refused more_than_shortage: sku=A shop=main order_id=2 line_id=1 vendor=V"
    )
    scene.when(replenishment_requested("V", [_line("2")], event_id="rest")).told()
    scene.kept(*HELD, f"{R1} open: 8 A", f"{R1} brings main/2 [1] 3 by hand")
    scene.when(replenishment_requested("V", [_line("2")], event_id="more")).told(
        "ExceptionRaised refused more_than_shortage: sku=A shop=main order_id=2 line_id=1 vendor=V"
    )


@rule("R9")
def test_lines_of_several_orders_are_picked_in_one_go() -> None:
    scene = _two_wait().when(replenishment_requested("V", [_line("2"), ("A", 1), _line("1", 1)]))
    scene.told(f"ReplenishmentExtended {R1} rev 3 [9 A]").kept(
        *HELD,
        f"{R1} open: 9 A",
        f"{R1} brings main/1 [1] 1 by hand",
        f"{R1} brings main/2 [1] 3 by hand",
    )


@rule("R9", "C3")
def test_picking_a_line_of_an_order_nobody_knows_waits_for_it() -> None:
    asked = replenishment_requested("V", [("A", 2), _line("3", 1)])
    scene = _two_wait().when(asked).told()
    assert scene.outcome(asked) == "waits for main/3"
    scene.kept(*HELD, f"{R1} open: 8 A")
    scene.when(order_placed("3", [("A", 4)], placed_at=LATER + timedelta(minutes=1))).told(
        "OrderBackordered main/3 [1: 4 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 4 [14 A]",
    ).kept(
        *HELD,
        "main/3 [1] 4 A: 4 held",
        f"{R1} open: 14 A",
        f"{R1} brings main/3 [1] 1 by hand",
    )


@rule("R10", "P3")
def test_a_picked_line_stays_with_its_vendor_when_the_item_gets_another() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2", 2)]))
    scene.when(item_changed("A", vendor="W")).told(
        f"ReplenishmentReduced {R1} rev 3 [2 A]", "ReplenishmentRaised W>WH#1 rev 1 [6 A]"
    )
    scene.kept(*HELD, f"{R1} open: 2 A", "W>WH#1 open: 6 A", f"{R1} brings main/2 [1] 2 by hand")


@rule("R10", "S4")
def test_what_arrives_for_a_picked_line_goes_to_it_before_the_queue() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2", 2)]))
    scene.when(stock_received("r1", "WH", [("A", 4)], replenishment_id=scene.replenishment_id(R1)))
    scene.told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m",
    )
    scene.kept(
        "main/1 [1] 5 A: 2 at WH, 3 held",
        "main/2 [1] 3 A: 2 at WH, 1 held",
        "main/2 [2] 1 B: 1 held",
        "WH: 4 A, 4 promised",
        f"{R1} partially_received: 8 A, 4 in",
    )


@rule("R10", "S4", "R2")
def test_a_picked_line_served_from_the_queue_meanwhile_needs_its_own_no_more() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2", 2)]))
    scene.when(stock_received("r1", "WH", [("A", 7)])).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m",
        f"ReplenishmentReduced {R1} rev 3 [1 A]",
    ).kept(
        "main/1 [1] 5 A: 5 at WH",
        "main/2 [1] 3 A: 2 at WH, 1 held",
        "main/2 [2] 1 B: 1 held",
        "WH: 7 A, 7 promised",
        f"{R1} open: 1 A",
        f"{R1} brings main/2 [1] 1 by hand",
    )


@rule("R10", "R8")
def test_served_from_the_queue_after_it_was_sent_what_comes_is_for_the_others() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2", 3)]))
    scene.given(
        replenishment_closed(scene.replenishment_id(R1)), stock_received("r1", "WH", [("A", 8)])
    )
    scene.when(order_placed("3", [("A", 8)])).told(
        "OrderBackordered main/3 [1: 8 A until ?] until ?"
    )


@rule("R10", "C1")
def test_a_picked_line_that_is_cancelled_is_no_longer_bought_for() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2")]))
    scene.when(order_cancelled("2", [("1", 2)])).told(f"ReplenishmentReduced {R1} rev 3 [6 A]")
    scene.kept(
        "main/1 [1] 5 A: 5 held",
        "main/2 [1] 3 A: 1 held, 2 cancelled",
        "main/2 [2] 1 B: 1 held",
        f"{R1} open: 6 A",
        f"{R1} brings main/2 [1] 1 by hand",
    )


@rule("R10", "R4", "R2")
def test_a_picked_line_the_vendor_does_not_confirm_is_ordinary_need_again() -> None:
    scene = _two_wait().given(replenishment_requested("V", [_line("2")]))
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(1, None)])])
    scene.when(closed).told("ReplenishmentRaised V>WH#2 rev 1 [7 A]").kept(
        *HELD,
        f"{R1} finalized: 1 A (1 until ?)",
        "V>WH#2 open: 7 A",
        f"{R1} brings main/2 [1] 1 by hand",
    )
