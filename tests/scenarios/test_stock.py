"""Stock received, moved and sent back: booked always, told where odd (L1, L2, S1, S2, S7, S12)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

LATER = T0 + timedelta(days=3)
PLACES = (stock_received("r0", "WH", [("X", 1)]), place_changed("DOCK", kind="dock"))


def _ordered(*given: Event) -> Scene:
    """5 A are on order for main/1, to be delivered to WH."""
    return Scene(*PLACES, item_changed("A", vendor="V"), *given, order_placed("1", [("A", 5)]))


@rule("L1", "S1", "P2")
def test_a_receipt_is_one_movement_per_sku_from_the_vendor_when_it_happened() -> None:
    lines = [("A", 2), ("B", 1), ("A", 3)]
    scene = Scene().when(stock_received("r1", "WH", lines, received_at=LATER))
    scene.told().booked("5 A vendor>WH received", "1 B vendor>WH received")
    scene.kept("WH: 5 A", "WH: 1 B")
    assert {row.happened_at for row in scene.house.movements} == {LATER}


@rule("L1")
def test_without_a_time_of_its_own_a_fact_happened_at_the_envelopes_time_or_when_it_came() -> None:
    scene = Scene(
        stock_received("r1", "WH", [("A", 1)], time=LATER),
        stock_received("r2", "WH", [("A", 1)], time=None),
    )
    assert [row.happened_at for row in scene.house.movements] == [LATER, scene.house.now]


@rule("S1", "R4")
def test_a_receipt_takes_what_arrived_off_what_is_on_its_way() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.when(stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name)).told()
    scene.kept(
        "main/1 [1] 5 A: 5 held",
        "WH: 1 X",
        "DOCK: 2 A",
        "V>WH#1 partially_received: 5 A, 2 in",
    )
    scene.when(stock_received("r2", "DOCK", [("A", 3)], replenishment_id=name)).told()
    scene.kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 5 A", "V>WH#1 received: 5 A, 5 in")


@rule("S1")
def test_a_receipt_on_an_open_replenishment_finalizes_it_first() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name)).told()
    scene.kept(
        "main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 2 A", "V>WH#1 partially_received: 5 A, 2 in"
    )
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#2 rev 1 [1 A]",
    )


@rule("S1", "S2")
def test_what_is_received_straight_at_a_source_serves_who_waits() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete"
    ).kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 5 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )


@rule("S1", "R8")
def test_more_than_was_outstanding_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "WH", [("A", 7)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ExceptionRaised over_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).booked("7 A vendor>WH received")
    scene.kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 7 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )
    scene.when(stock_received("r2", "WH", [("A", 1)], replenishment_id=name)).told(
        "ExceptionRaised over_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V"
    )


@rule("S1")
def test_a_sku_that_was_not_ordered_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "DOCK", [("Z", 2)], replenishment_id=name)).told(
        "ExceptionRaised over_receipt: sku=Z place=DOCK replenishment_id=V>WH#1 vendor=V"
    ).kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 2 Z", "V>WH#1 finalized: 5 A")


@rule("S1", "R5")
@pytest.mark.parametrize(
    ("outcome", "state"), [("short_closed", "closed"), ("cancelled", "cancelled")]
)
def test_what_comes_after_the_replenishment_was_given_up_is_booked_and_is_an_exception(
    outcome: str, state: str
) -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name))
    scene.given(replenishment_closed(name, outcome=outcome))
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#2 rev 2 []",
        "ExceptionRaised late_receipt: sku=A place=WH replenishment_id=V>WH#1 vendor=V",
    ).kept(
        "main/1 [1] 5 A: 5 at WH",
        "WH: 1 X",
        "WH: 5 A, 5 promised",
        f"V>WH#1 {state}: 5 A",
        "V>WH#2 cancelled: nothing",
    )


@rule("S1")
def test_a_receipt_for_a_replenishment_nobody_knows_is_booked_and_is_an_exception() -> None:
    scene = _ordered()
    scene.when(stock_received("r1", "WH", [("A", 5)], replenishment_id="R-17")).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised unknown_replenishment: place=WH replenishment_id=R-17",
    ).booked("5 A vendor>WH received")


@rule("S1")
@pytest.mark.parametrize("place", ["FAR", "FARDOCK"])
def test_a_receipt_at_a_place_that_is_not_its_destination_nor_feeds_it_is_booked(
    place: str,
) -> None:
    scene = _ordered(
        stock_received("r9", "FAR", [("X", 1)]),
        place_changed("FARDOCK", kind="dock", feeds="FAR"),
        item_changed("A", policy={"safety_stock": 9}),
    )
    name = scene.replenishment_id("V>FAR#1")  # FAR comes before WH
    scene.given(replenishment_closed(name))
    scene.when(stock_received("r1", "DOCK", [("A", 1)], replenishment_id=name)).told(
        # What arrived lies where it serves nobody waiting for FAR: it is needed again.
        "ReplenishmentRaised V>FAR#2 rev 1 [1 A]",
        "ExceptionRaised wrong_place: place=DOCK replenishment_id=V>FAR#1 vendor=V",
    )
    scene.when(stock_received("r2", place, [("A", 4)], replenishment_id=name))
    assert not any("wrong_place" in row for row in map(str, scene.out))


@rule("S2", "R2")
def test_at_a_dock_nothing_is_filled_and_nothing_more_is_bought() -> None:
    scene = _ordered()
    scene.when(stock_received("r1", "DOCK", [("A", 3)])).told(
        "ReplenishmentReduced V>WH#1 rev 2 [2 A]"
    ).kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 3 A", "V>WH#1 open: 2 A")


@rule("S2", "S5", "L1")
def test_a_transfer_to_a_source_serves_who_waits_before_anyone_else_can_buy() -> None:
    scene = _ordered(stock_received("r1", "DOCK", [("A", 6)]))
    transfer = stock_transferred("t1", "DOCK", "WH", [("A", 6)], transferred_at=LATER)
    scene.when(transfer, order_placed("2", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReadyToShip main/2 from WH [1: 1 A]",
        "OrderBackordered main/2 [1: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
    ).booked("6 A DOCK>WH transferred")
    scene.kept(
        "main/1 [1] 5 A: 5 at WH",
        "main/2 [1] 3 A: 1 at WH, 2 held",
        "WH: 1 X",
        "WH: 6 A, 6 promised",
        "V>WH#1 open: 2 A",
    )
    assert scene.house.movements[-1].happened_at == LATER


@rule("S2", "S1")
def test_a_receipt_may_say_that_its_goods_went_on_to_a_source_at_once() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    receipt = stock_received("r1", "DOCK", [("A", 5)], transfer_to="WH", replenishment_id=name)
    scene.when(receipt).told("BackToShip main/1 from WH [1: 5 A] waited since T0 complete")
    scene.booked("5 A vendor>DOCK received", "5 A DOCK>WH transferred")
    scene.kept(
        "main/1 [1] 5 A: 5 at WH", "WH: 1 X", "WH: 5 A, 5 promised", "V>WH#1 received: 5 A, 5 in"
    )


@rule("S7", "L2", "L1")
def test_what_leaves_and_was_not_known_is_found_there_first() -> None:
    scene = Scene(*PLACES, stock_received("r1", "DOCK", [("A", 2)]))
    scene.when(stock_transferred("t1", "DOCK", "WH", [("A", 5), ("B", 1)])).told(
        "ExceptionRaised stock_missing: sku=A place=DOCK",
        "ExceptionRaised stock_missing: sku=B place=DOCK",
    ).booked(
        "3 A adjustment>DOCK found",
        "5 A DOCK>WH transferred",
        "1 B adjustment>DOCK found",
        "1 B DOCK>WH transferred",
    ).kept("WH: 1 X", "WH: 5 A", "WH: 1 B")


@rule("S7", "S2")
def test_a_transfer_from_a_place_never_heard_of_serves_who_waits() -> None:
    scene = _ordered()
    scene.when(stock_transferred("t1", "ATTIC", "WH", [("A", 5)])).told(
        "BackToShip main/1 from WH [1: 5 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised stock_missing: sku=A place=ATTIC",
    ).booked("5 A adjustment>ATTIC found", "5 A ATTIC>WH transferred")


@rule("S7", "L3")
def test_promised_units_that_are_moved_away_stay_promised_and_a_person_is_told() -> None:
    scene = Scene(*PLACES, stock_received("r1", "WH", [("A", 5)]), order_placed("1", [("A", 4)]))
    scene.when(stock_transferred("t1", "WH", "DOCK", [("A", 3)])).told(
        "ExceptionRaised over_allocated: sku=A place=WH",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).booked("3 A WH>DOCK transferred")
    scene.kept("main/1 [1] 4 A: 4 at WH", "WH: 1 X", "WH: 2 A, 4 promised", "DOCK: 3 A")


@rule("S2", "S3")
def test_promised_units_over_what_is_there_are_covered_before_anyone_is_served() -> None:
    scene = Scene(
        *PLACES,
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("A", 5)]),
        order_placed("1", [("A", 4)]),
        order_placed("2", [("A", 3)]),
        stock_transferred("t1", "WH", "DOCK", [("A", 5)]),
    )
    scene.when(stock_transferred("t2", "DOCK", "WH", [("A", 5)])).told(
        "ReplenishmentRaised V>WH#2 rev 1 [2 A]"
    )
    scene.kept(
        "main/1 [1] 4 A: 4 at WH",
        "main/2 [1] 3 A: 1 at WH, 2 held",
        "WH: 1 X",
        "WH: 5 A, 5 promised",
        "V>WH#1 cancelled: nothing",
        "V>WH#2 open: 2 A",
    )


@rule("S3", "S7")
def test_units_at_one_source_do_not_stay_behind_once_another_is_no_longer_over_promised() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 4)]),
        order_placed("1", [("A", 4)]),
        place_changed("DOCK", kind="dock"),
        stock_transferred("t1", "WH1", "DOCK", [("A", 4)]),
        stock_received("r2", "WH2", [("A", 3)]),
        order_placed("2", [("A", 5)]),
    )
    # 3 at WH2 are less than the 4 that WH1 has promised and does not have: nothing is available.
    scene.kept(
        "main/1 [1] 4 A: 4 at WH1",
        "main/2 [1] 5 A: 5 held",
        "WH1: 0 A, 4 promised",
        "DOCK: 4 A",
        "WH2: 3 A",
    )
    scene.when(stock_transferred("t2", "DOCK", "WH1", [("A", 4)])).told(
        "BackToShip main/2 from WH2 [1: 3 A] waited since T0"
    ).kept(
        "main/1 [1] 4 A: 4 at WH1",
        "main/2 [1] 5 A: 3 at WH2, 2 held",
        "WH1: 4 A, 4 promised",
        "WH2: 3 A, 3 promised",
    )


@rule("S12", "S3")
def test_what_a_customer_sends_back_serves_who_waits() -> None:
    scene = _ordered()
    scene.when(stock_returned("x1", "WH", [("A", 2)], returned_at=LATER)).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 2 [3 A]",
    ).booked("2 A customer>WH returned")
    scene.kept(
        "main/1 [1] 5 A: 2 at WH, 3 held", "WH: 1 X", "WH: 2 A, 2 promised", "V>WH#1 open: 3 A"
    )


@rule("S12", "S2")
def test_what_is_sent_back_to_a_dock_is_there_and_serves_nobody() -> None:
    scene = _ordered()
    scene.when(stock_returned("x1", "DOCK", [("A", 1), ("A", 1)])).told(
        "ReplenishmentReduced V>WH#1 rev 2 [3 A]"
    ).booked("2 A customer>DOCK returned")
    scene.kept("main/1 [1] 5 A: 5 held", "WH: 1 X", "DOCK: 2 A", "V>WH#1 open: 3 A")


@rule("L1", "O2")
def test_receipts_and_transfers_of_an_unmanaged_sku_are_booked_all_the_same() -> None:
    scene = Scene(*PLACES, item_changed("GIFT", policy={"manage_stock": False}))
    scene.when(
        stock_received("r1", "DOCK", [("GIFT", 5)]),
        stock_transferred("t1", "DOCK", "WH", [("GIFT", 2)]),
    ).told().booked("5 GIFT vendor>DOCK received", "2 GIFT DOCK>WH transferred")
    scene.kept("WH: 1 X", "DOCK: 3 GIFT", "WH: 2 GIFT")


@rule("L1")
def test_a_transfer_to_where_the_goods_are_moves_nothing() -> None:
    scene = Scene(*PLACES, stock_received("r1", "WH", [("A", 1)]))
    scene.when(stock_transferred("t1", "WH", "WH", [("A", 5)])).told().booked().kept(
        "WH: 1 X", "WH: 1 A"
    )


@rule("L1", "L2", "L4")
def test_movements_add_up_to_what_is_there_after_a_whole_life() -> None:
    scene = _ordered()
    name = scene.replenishment_id("V>WH#1")
    scene.given(
        replenishment_closed(name),
        stock_received("r1", "DOCK", [("A", 4)], replenishment_id=name),
        stock_transferred("t1", "DOCK", "WH", [("A", 3)]),
        order_shipped("1", "s1", "WH", [("1", 2)]),
        order_cancelled("1", [("1", 1)]),
        stock_returned("x1", "WH", [("A", 1)]),
    )
    assert len(scene.house.movements) == 5  # X, and one for each of the four that move A
    scene.kept(
        "main/1 [1] 5 A: 2 at WH, 2 shipped, 1 cancelled",
        "WH: 1 X",
        "WH: 2 A, 2 promised",
        "DOCK: 1 A",
        "V>WH#1 partially_received: 5 A, 4 in",
    )
