"""A buyer asks for quantities by hand: where they go, how long they stay, what is refused (R9)."""

import pytest

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

R1 = "V>WH#1"


def _scene(**policy: object) -> Scene:
    """A is bought from V, B from W, and nobody sells C."""
    return Scene(
        place_changed("WH"),
        place_changed("FAR"),
        place_changed("DOCK", kind="dock", feeds="WH"),
        place_changed("WH", priority=1),
        item_changed("A", vendor="V", policy=policy),
        item_changed("B", vendor="W"),
    )


@rule("R9", "R3")
def test_where_there_is_no_open_replenishment_one_is_raised_and_known_as_made_by_hand() -> None:
    scene = _scene().when(replenishment_requested("V", [("A", 4)]))
    scene.told(f"ReplenishmentRaised {R1} rev 1 [4 A] by hand").booked().kept(f"{R1} open: 4 A")


@rule("R9", "R2")
def test_a_quantity_by_hand_comes_on_top_of_what_automation_buys() -> None:
    scene = _scene().given(order_placed("1", [("A", 5)]))
    scene.when(replenishment_requested("V", [("A", 2)]))
    scene.told(f"ReplenishmentExtended {R1} rev 2 [7 A]")
    scene.kept("main/1 [1] 5 A: 5 held", f"{R1} open: 7 A")


@rule("R9", "R2")
def test_what_is_ordered_later_is_bought_on_top_of_a_quantity_by_hand() -> None:
    scene = _scene().given(replenishment_requested("V", [("A", 4)]))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 2 [7 A] by hand",
    )
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        f"ReplenishmentReduced {R1} rev 3 [4 A] by hand",
    )
    scene.kept("main/1 [1] 3 A: 3 at WH", "WH: 3 A, 3 promised", f"{R1} open: 4 A")


@rule("R9", "P4")
def test_a_bare_quantity_goes_to_the_first_enabled_source() -> None:
    scene = _scene().given(place_changed("WH", enabled=False))
    scene.when(replenishment_requested("V", [("A", 1)]))
    scene.told("ReplenishmentRaised V>FAR#1 rev 1 [1 A] by hand").kept("V>FAR#1 open: 1 A")


@rule("R9", "P4")
def test_where_no_place_is_known_a_bare_quantity_goes_to_main() -> None:
    scene = Scene().when(replenishment_requested("V", [("A", 1)]))
    scene.told("ReplenishmentRaised V>main#1 rev 1 [1 A] by hand").kept("V>main#1 open: 1 A")


@rule("R9")
@pytest.mark.parametrize("destination", ["FAR", "DOCK"])
def test_a_destination_that_is_named_is_where_it_goes(destination: str) -> None:
    scene = _scene().when(replenishment_requested("V", [("A", 1)], destination=destination))
    scene.told(f"ReplenishmentRaised V>{destination}#1 rev 1 [1 A] by hand")
    scene.kept(f"V>{destination}#1 open: 1 A")


@rule("R9", "R3")
def test_a_quantity_by_hand_may_be_taken_back_down_to_nothing() -> None:
    scene = _scene().given(replenishment_requested("V", [("A", 4)]))
    scene.when(replenishment_requested("V", [("A", -3)]))
    scene.told(f"ReplenishmentReduced {R1} rev 2 [1 A] by hand").kept(f"{R1} open: 1 A")
    scene.when(replenishment_requested("V", [("A", -1)]))
    scene.told(f"ReplenishmentCancelled {R1} rev 3 [] by hand").kept(f"{R1} cancelled: nothing")


@rule("R9")
def test_what_automation_bought_can_not_be_taken_back_by_hand() -> None:
    scene = _scene().given(order_placed("1", [("A", 5)]), replenishment_requested("V", [("A", 2)]))
    scene.when(replenishment_requested("V", [("A", -3)])).told(
        "ExceptionRaised refused more_than_by_hand: sku=A vendor=V"
    ).kept("main/1 [1] 5 A: 5 held", f"{R1} open: 7 A")


@rule("R9", "R2")
@pytest.mark.parametrize(
    ("policy", "bought"), [({"pack_size": 4}, 8), ({"min_order_qty": 9}, 9), ({}, 5)]
)
def test_a_quantity_by_hand_is_rounded_as_any_other(policy: dict[str, int], bought: int) -> None:
    scene = _scene(**policy).when(replenishment_requested("V", [("A", 5)]))
    scene.told(f"ReplenishmentRaised {R1} rev 1 [{bought} A] by hand")
    scene.when(replenishment_requested("V", [("A", -5)]))
    scene.told(f"ReplenishmentCancelled {R1} rev 2 [] by hand").kept(f"{R1} cancelled: nothing")


@rule("R9")
def test_refusing_one_line_leaves_the_others() -> None:
    scene = _scene().when(
        replenishment_requested("V", [("A", 2), ("B", 1), ("A", -3), ("C", 1), ("A", 1)])
    )
    scene.told(
        "ExceptionRaised refused other_vendor: sku=B vendor=V",
        "ExceptionRaised refused more_than_by_hand: sku=A vendor=V",
        f"ReplenishmentRaised {R1} rev 1 [3 A, 1 C] by hand",
    ).kept(f"{R1} open: 3 A, 1 C")


@rule("R9")
def test_a_sku_nobody_sells_may_be_bought_by_hand_from_anyone() -> None:
    scene = _scene().when(replenishment_requested("Z", [("C", 2)]))
    scene.told("ReplenishmentRaised Z>WH#1 rev 1 [2 C] by hand").kept("Z>WH#1 open: 2 C")


@rule("R9", "P3")
def test_a_quantity_by_hand_stays_with_its_vendor_when_the_item_gets_another() -> None:
    scene = _scene().given(order_placed("1", [("A", 5)]), replenishment_requested("V", [("A", 2)]))
    scene.when(item_changed("A", vendor="W")).told(
        f"ReplenishmentReduced {R1} rev 3 [2 A]", "ReplenishmentRaised W>WH#1 rev 1 [5 A]"
    ).kept("main/1 [1] 5 A: 5 held", f"{R1} open: 2 A", "W>WH#1 open: 5 A")


@rule("R9")
@pytest.mark.parametrize("policy", [{"auto_replenish": False}, {"auto_replenish": None}])
def test_a_quantity_by_hand_stays_whatever_automation_may_do(policy: dict[str, object]) -> None:
    scene = _scene().given(replenishment_requested("V", [("A", 2)]))
    scene.when(item_changed("A", policy=policy)).told().kept(f"{R1} open: 2 A")


@rule("R9", "R4", "R8")
def test_once_closed_it_is_on_its_way_and_covers_what_waits_later() -> None:
    scene = _scene().given(replenishment_requested("V", [("A", 4)]))
    scene.given(replenishment_closed(scene.replenishment_id(R1)))
    scene.when(order_placed("1", [("A", 4)])).told(
        "OrderBackordered main/1 [1: 4 A until ?] until ?"
    )
    scene.when(replenishment_requested("V", [("A", 1)])).told(
        "ReplenishmentRaised V>WH#2 rev 1 [1 A] by hand"
    ).kept("main/1 [1] 4 A: 4 held", f"{R1} finalized: 4 A", "V>WH#2 open: 1 A")
