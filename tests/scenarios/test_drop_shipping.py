"""What the vendor ships to the customer: one replenishment per vendor and order (O2, R10, S9)."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

TO = "V>customer:main/1#1"
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


@rule("O2", "R10", "R1")
def test_of_one_order_each_vendor_gets_one_replenishment_to_the_customer() -> None:
    scene = _given(stock_received("r1", "WH", [("A", 9), ("D", 1)]))
    scene.when(
        order_placed("1", [("A", 3), ("B", 1), ("C", 2), ("A", 1), ("D", 1)], ship_to=HOME)
    ).booked()
    told = [row for row in scene.lines() if not row.startswith("StockStatusChanged")]
    assert sorted(told) == [
        "ReadyToShip main/1 from WH [5: 1 D] to {'city': 'Ulm'} complete",
        f"ReplenishmentRaised {TO} rev 1 [4 A, 1 B] to {{'city': 'Ulm'}}",
        "ReplenishmentRaised W>customer:main/1#1 rev 1 [2 C] to {'city': 'Ulm'}",
    ]
    scene.kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        "main/1 [2] 1 B: 1 drop-shipped",
        "main/1 [3] 2 C: 2 drop-shipped",
        "main/1 [4] 1 A: 1 drop-shipped",
        "main/1 [5] 1 D: 1 at WH",
        "WH: 9 A",
        "WH: 1 D, 1 promised",
        f"{TO} open: 4 A, 1 B",
        "W>customer:main/1#1 open: 2 C",
        f"{TO} brings main/1 [1] 3",
        f"{TO} brings main/1 [2] 1",
        "W>customer:main/1#1 brings main/1 [3] 2",
        f"{TO} brings main/1 [4] 1",
    )


@rule("R10", "R2")
def test_what_goes_to_a_customer_is_never_rounded_and_each_order_has_its_own() -> None:
    scene = _given(pack_size=10, min_order_qty=20)
    scene.given(order_placed("1", [("A", 3)]), order_placed("2", [("A", 1)]))
    scene.kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        "main/2 [1] 1 A: 1 drop-shipped",
        f"{TO} open: 3 A",
        "V>customer:main/2#1 open: 1 A",
        f"{TO} brings main/1 [1] 3",
        "V>customer:main/2#1 brings main/2 [1] 1",
    )


@rule("O2", "S3")
def test_stock_that_comes_is_not_for_it() -> None:
    scene = _ordered(stock_received("r1", "WH", [("A", 9)]))
    scene.kept(
        "main/1 [1] 5 A: 5 drop-shipped",
        "WH: 9 A",
        f"{TO} open: 5 A",
        f"{TO} brings main/1 [1] 5",
    )


@rule("R10", "S9", "R4")
@pytest.mark.parametrize("finalized", [True, False], ids=["it-was-sent", "it-was-open"])
def test_the_vendor_ships_in_parts_and_no_stock_of_ours_moves(finalized: bool) -> None:  # noqa: FBT001
    scene = _ordered()
    if finalized:
        scene.given(replenishment_closed(scene.replenishment_id(TO)))
    scene.when(_shipped(2)).told().booked().kept(
        "main/1 [1] 5 A: 3 drop-shipped, 2 shipped",
        f"{TO} partially_received: 5 A, 2 in",
        f"{TO} brings main/1 [1] 3",
    )
    scene.when(_shipped(3, name="s2")).told().booked().kept(
        "main/1 [1] 5 A: 5 shipped", f"{TO} received: 5 A, 5 in"
    )


@rule("R10", "S9")
def test_more_than_was_ordered_is_told_and_moves_nothing() -> None:
    scene = _ordered().when(_shipped(7))
    (told,) = scene.lines()
    assert told.startswith("ExceptionRaised over_shipment: sku=A ")
    scene.booked().kept("main/1 [1] 5 A: 5 shipped", f"{TO} received: 5 A, 5 in")


@rule("R10", "S9", "R8")
def test_shipped_by_another_vendor_the_line_is_shipped_and_nothing_is_received() -> None:
    scene = _ordered().when(_shipped(2, vendor="W"))
    scene.told(f"ReplenishmentReduced {TO} rev 2 [3 A] to {{'city': 'Ulm'}}").booked().kept(
        "main/1 [1] 5 A: 3 drop-shipped, 2 shipped",
        f"{TO} open: 3 A",
        f"{TO} brings main/1 [1] 3",
    )


@rule("R10", "S9", "R3")
def test_shipped_whole_by_another_vendor_an_open_one_is_cancelled() -> None:
    scene = _ordered().when(_shipped(5, vendor="W"))
    scene.told(f"ReplenishmentCancelled {TO} rev 2 [] to {{'city': 'Ulm'}}").booked().kept(
        "main/1 [1] 5 A: 5 shipped", f"{TO} cancelled: nothing"
    )


@rule("S9", "R10")
def test_a_vendor_may_ship_what_waits_for_our_stock() -> None:
    scene = Scene(place_changed("WH"), item_changed("A", vendor="V"), order_placed("1", [("A", 5)]))
    scene.when(_shipped(2)).told("ReplenishmentReduced V>WH#1 rev 2 [3 A]").booked()
    scene.kept("main/1 [1] 5 A: 3 held, 2 shipped", "V>WH#1 open: 3 A")
