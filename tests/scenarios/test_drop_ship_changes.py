"""What the vendor is to ship is cancelled, changed, given up or bought elsewhere (R10, C1, C2)."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_changed,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

TO = "V>customer:main/1#1"
AGAIN = "V>customer:main/1#2"
HOME = {"city": "Ulm"}
DROP = {"sourcing": "drop_ship"}


def _given(*given: Event, **policy: object) -> Scene:
    """A and B come from V's own store, C from that of W."""
    return Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={**DROP, **policy}),
        item_changed("B", vendor="V", policy={**DROP, **policy}),
        item_changed("C", vendor="W", policy={**DROP, **policy}),
        *given,
    )


def _ordered(*given: Event) -> Scene:
    """main/1 has 5 A."""
    return _given(order_placed("1", [("A", 5)], ship_to=HOME), *given)


def _shipped(qty: int, vendor: str = "V", name: str = "s1") -> Event:
    return order_shipped("1", name, f"vendor:{vendor}", [("1", qty)])


@rule("C1", "R10", "R3")
@pytest.mark.parametrize("by_change", [True, False], ids=["changed", "cancelled"])
def test_cancelled_while_it_is_open_it_is_asked_of_the_vendor_no_more(by_change: bool) -> None:  # noqa: FBT001
    less = order_changed("1", [("A", 3)], ship_to=HOME)
    scene = _ordered().when(less if by_change else order_cancelled("1", [("1", 2)]))
    scene.told(f"ReplenishmentReduced {TO} rev 2 [3 A] to {{'city': 'Ulm'}}").kept(
        "main/1 [1] 5 A: 3 drop-shipped, 2 cancelled",
        f"{TO} open: 3 A",
        f"{TO} brings main/1 [1] 3",
    )
    scene.when(order_cancelled("1")).told(
        f"ReplenishmentCancelled {TO} rev 3 [] to {{'city': 'Ulm'}}"
    ).kept("main/1 [1] 5 A: 5 cancelled", f"{TO} cancelled: nothing")


@rule("C1", "R10", "C2")
@pytest.mark.parametrize("by_change", [True, False], ids=["changed", "cancelled"])
def test_once_it_was_sent_to_the_vendor_it_can_not_be_cancelled(by_change: bool) -> None:  # noqa: FBT001
    scene = _ordered()
    scene.given(replenishment_closed(scene.replenishment_id(TO)))
    less = order_changed("1", [("A", 3)], ship_to=HOME)
    scene.when(less if by_change else order_cancelled("1", [("1", 2)]))
    (told,) = scene.lines()
    assert told.startswith("ExceptionRaised over_cancelled: sku=A ")
    scene.kept(
        "main/1 [1] 5 A: 5 drop-shipped", f"{TO} finalized: 5 A", f"{TO} brings main/1 [1] 5"
    )


@rule("C2", "R10")
def test_more_of_it_is_asked_while_it_is_open_and_on_another_once_it_was_sent() -> None:
    scene = _ordered().when(order_changed("1", [("A", 6)], ship_to=HOME))
    scene.told(f"ReplenishmentExtended {TO} rev 2 [6 A] to {{'city': 'Ulm'}}")
    scene.given(replenishment_closed(scene.replenishment_id(TO)))
    scene.when(order_changed("1", [("A", 8)], version=2, ship_to=HOME)).told(
        f"ReplenishmentRaised {AGAIN} rev 1 [2 A] to {{'city': 'Ulm'}}"
    ).kept(
        "main/1 [1] 8 A: 8 drop-shipped",
        f"{TO} finalized: 6 A",
        f"{AGAIN} open: 2 A",
        f"{TO} brings main/1 [1] 6",
        f"{AGAIN} brings main/1 [1] 2",
    )
    scene.when(order_cancelled("1", [("1", 3)]))
    assert f"ReplenishmentCancelled {AGAIN} rev 2 [] to {{'city': 'Ulm'}}" in scene.lines()
    assert any(row.startswith("ExceptionRaised over_cancelled") for row in scene.lines())
    assert scene.house.line("1").cancelled == 2


@rule("R5", "R10")
@pytest.mark.parametrize(
    ("outcome", "state"), [("short_closed", "closed"), ("cancelled", "cancelled")]
)
def test_what_the_vendor_does_not_ship_is_asked_of_it_again(outcome: str, state: str) -> None:
    scene = _ordered()
    name = scene.replenishment_id(TO)
    scene.given(replenishment_closed(name), _shipped(2))
    scene.when(replenishment_closed(name, outcome=outcome))
    assert f"ReplenishmentRaised {AGAIN} rev 1 [3 A] to {{'city': 'Ulm'}}" in scene.lines()
    assert any(row.startswith("ExceptionRaised supply_lost") for row in scene.lines())
    scene.kept(
        "main/1 [1] 5 A: 3 drop-shipped, 2 shipped",
        f"{TO} {state}: 5 A, 2 in",
        f"{AGAIN} open: 3 A",
        f"{AGAIN} brings main/1 [1] 3",
    )


@rule("R4", "R10")
def test_what_the_vendor_does_not_confirm_is_asked_again() -> None:
    scene = _ordered()
    closed = replenishment_closed(scene.replenishment_id(TO), lines=[("A", [(4, None)])])
    scene.when(closed).told(f"ReplenishmentRaised {AGAIN} rev 1 [1 A] to {{'city': 'Ulm'}}")


@rule("R10", "P3")
def test_bought_from_another_vendor_an_open_one_moves_there() -> None:
    scene = _ordered().when(item_changed("A", vendor="W"))
    scene.told(
        f"ReplenishmentCancelled {TO} rev 2 [] to {{'city': 'Ulm'}}",
        "ReplenishmentRaised W>customer:main/1#1 rev 1 [5 A] to {'city': 'Ulm'}",
    )


@rule("R10", "P3", "R9")
def test_while_automation_is_off_it_waits_for_a_buyer() -> None:
    scene = _given(auto_replenish=False)
    scene.when(order_placed("1", [("A", 5), ("B", 1)], ship_to=HOME)).kept(
        "main/1 [1] 5 A: 5 drop-shipped", "main/1 [2] 1 B: 1 drop-shipped"
    )
    row = {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1", "qty": 2}
    scene.when(replenishment_requested("V", [row], destination="WH")).told(
        f"ReplenishmentRaised {TO} rev 1 [2 A] by hand to {{'city': 'Ulm'}}"
    )
    scene.when(item_changed("A", policy={"auto_replenish": True})).told(
        f"ReplenishmentExtended {TO} rev 2 [5 A] by hand to {{'city': 'Ulm'}}"
    ).kept(
        "main/1 [1] 5 A: 5 drop-shipped",
        "main/1 [2] 1 B: 1 drop-shipped",
        f"{TO} open: 5 A",
        f"{TO} brings main/1 [1] 2 by hand",
        f"{TO} brings main/1 [1] 3",
    )


@rule("R7", "P3")
def test_without_a_vendor_it_waits_for_one() -> None:
    scene = Scene(place_changed("WH"), item_changed("A", policy=DROP))
    scene.when(order_placed("1", [("A", 5)]))
    assert "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1" in scene.lines()
    assert not any(row.startswith("OrderBackordered") for row in scene.lines())
    scene.when(item_changed("A", vendor="V")).told(f"ReplenishmentRaised {TO} rev 1 [5 A]")


@rule("R10", "P3")
def test_when_automation_stops_what_is_open_is_taken_back_until_it_goes_on() -> None:
    scene = _ordered().when(item_changed("A", policy={"auto_replenish": False}))
    scene.told(f"ReplenishmentCancelled {TO} rev 2 [] to {{'city': 'Ulm'}}")
    scene.kept("main/1 [1] 5 A: 5 drop-shipped", f"{TO} cancelled: nothing")
    scene.when(item_changed("A", policy={"auto_replenish": None})).told(
        f"ReplenishmentRaised {AGAIN} rev 1 [5 A] to {{'city': 'Ulm'}}"
    )


@rule("R10", "P1", "O2")
def test_what_was_ordered_to_be_drop_shipped_stays_so_when_the_item_changes() -> None:
    scene = _ordered().given(item_changed("A", policy={"sourcing": "stock"}))
    scene.when(stock_received("r1", "WH", [("A", 9)])).kept(
        "main/1 [1] 5 A: 5 drop-shipped",
        "WH: 9 A",
        f"{TO} open: 5 A",
        f"{TO} brings main/1 [1] 5",
    )
