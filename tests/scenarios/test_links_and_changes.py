"""What is bought for a line follows it, and comes to it anew where it is lost (R10, R4, R5, R8)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_received,
    vendor_changed,
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
LINKED = (f"{R1} brings main/1 [1] 3", f"{R1} brings main/2 [1] 2")


@rule("R10", "C1", "R3")
def test_cancelled_while_it_is_open_it_is_not_bought() -> None:
    scene = _two_wait().when(order_cancelled("1", [("1", 2)]))
    scene.told(f"ReplenishmentReduced {R1} rev 3 [3 A]").kept(
        "main/1 [1] 3 A: 1 held, 2 cancelled",
        "main/2 [1] 2 A: 2 held",
        f"{R1} open: 3 A",
        f"{R1} brings main/1 [1] 1",
        f"{R1} brings main/2 [1] 2",
    )
    scene.when(order_cancelled("1"), order_cancelled("2")).told(
        f"ReplenishmentCancelled {R1} rev 5 []"
    )


@rule("R10", "C2", "R3")
@pytest.mark.parametrize(
    ("wanted", "kind", "bought"), [(5, "Extended", 7), (1, "Reduced", 3)], ids=["more", "less"]
)
def test_changed_while_it_is_open_it_follows(wanted: int, kind: str, bought: int) -> None:
    scene = _two_wait().when(order_changed("1", [("A", wanted)]))
    assert f"Replenishment{kind} {R1} rev 3 [{bought} A]" in scene.lines()
    line = scene.house.line("1")
    assert (line.shortage, line.linked) == (wanted, wanted)


@rule("R10", "R8", "C1")
def test_cancelled_after_it_was_sent_it_is_surplus_that_later_shortage_uses() -> None:
    scene = _sent().when(order_cancelled("1"))
    scene.told(
        "ExceptionRaised surplus: "
        f"sku=A place=WH shop=main order_id=1 replenishment_id={R1} vendor=V"
    ).kept(
        "main/1 [1] 3 A: 3 cancelled",
        "main/2 [1] 2 A: 2 held",
        f"{R1} finalized: 5 A",
        f"{R1} brings main/2 [1] 2",
    )
    scene.given(item_changed("A", policy={"sourcing": "stock"}))
    scene.when(order_placed("3", [("A", 4)])).told(
        "OrderBackordered main/3 [1: 4 A until ?] until ?",
        f"ReplenishmentRaised {R2} rev 1 [1 A]",
    )


@rule("R10", "R8", "S4")
def test_what_comes_for_a_cancelled_line_is_ordinary_stock() -> None:
    scene = _sent(order_cancelled("1"))
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id=name)).told(
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1m complete"
    ).kept(
        "main/1 [1] 3 A: 3 cancelled",
        "main/2 [1] 2 A: 2 at WH",
        "WH: 5 A, 2 promised",
        f"{R1} received: 5 A, 5 in",
    )


@rule("R10", "P3")
def test_bought_from_another_vendor_the_lines_move_there_while_it_is_open() -> None:
    scene = _two_wait().when(item_changed("A", vendor="W"))
    scene.told(
        f"ReplenishmentCancelled {R1} rev 3 []", "ReplenishmentRaised W>WH#1 rev 1 [5 A]"
    ).kept(
        *HELD,
        f"{R1} cancelled: nothing",
        "W>WH#1 open: 5 A",
        "W>WH#1 brings main/1 [1] 3",
        "W>WH#1 brings main/2 [1] 2",
    )


@rule("R10", "R4")
def test_what_was_sent_stays_with_its_vendor() -> None:
    scene = _sent().when(item_changed("A", vendor="W")).told()
    scene.kept(*HELD, f"{R1} finalized: 5 A", *LINKED)


@rule("R10", "P3")
def test_while_automation_is_off_the_lines_wait_for_a_buyer() -> None:
    scene = _two_wait().when(item_changed("A", policy={"auto_replenish": False}))
    scene.told(f"ReplenishmentCancelled {R1} rev 3 []").kept(*HELD, f"{R1} cancelled: nothing")
    scene.when(order_placed("3", [("A", 1)], placed_at=T0 + 2 * MINUTE)).told(
        "OrderBackordered main/3 [1: 1 A until ?] until ?"
    )
    scene.when(item_changed("A", policy={"auto_replenish": True})).told(
        f"ReplenishmentRaised {R2} rev 1 [6 A]"
    ).kept(
        *HELD,
        "main/3 [1] 1 A: 1 held",
        f"{R1} cancelled: nothing",
        f"{R2} open: 6 A",
        f"{R2} brings main/1 [1] 3",
        f"{R2} brings main/2 [1] 2",
        f"{R2} brings main/3 [1] 1",
    )


@rule("R10", "P3")
def test_the_switch_of_the_vendor_serves_as_well() -> None:
    scene = _two_wait(vendor_changed("V", policy={"auto_replenish": False}))
    scene.kept(*HELD, f"{R1} cancelled: nothing")
    scene.when(vendor_changed("V", policy={"auto_replenish": None})).told(
        f"ReplenishmentRaised {R2} rev 1 [5 A]"
    )


@rule("R10", "R7", "P3")
def test_without_a_vendor_the_lines_wait_for_one() -> None:
    scene = Scene(
        place_changed("WH"),
        item_changed("A", policy={"sourcing": "buy_to_order"}),
    )
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
    )
    scene.when(item_changed("A", vendor="V")).told(f"ReplenishmentRaised {R1} rev 1 [3 A]")
    scene.kept("main/1 [1] 3 A: 3 held", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3")
