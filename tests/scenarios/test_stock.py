"""Goods moved and sent back: what leaves was there or is found (L1, L2, S2, S7, S12)."""

from datetime import timedelta

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
