"""A picker did not find it: written off there, and the line waits again (S10, S3, O8)."""

from datetime import timedelta

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)
REFS = "sku=A place=WH shop=main order_id=1 line_id=1"


def _scene(qty: int, *orders: Event) -> Scene:
    return Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V"),
        stock_received("r0", "WH", [("A", qty)]),
        *orders,
    )


@rule("S10", "O8", "O11", "R2")
def test_what_was_not_found_is_written_off_and_waits_and_is_bought_and_told() -> None:
    scene = _scene(3, order_placed("1", [("A", 3)]))
    scene.when(line_backordered("1", ("1", 2), "WH", requested_by="ada")).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
    ).booked("2 A WH>adjustment written_off").kept(
        "main/1 [1] 3 A: 1 at WH, 2 held", "WH: 1 A, 1 promised", "V>WH#1 open: 2 A"
    )
    scene.when(stock_received("r1", "WH", [("A", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("S3", "S10", "S5")
def test_what_else_is_there_serves_it_at_once_and_it_waited_since_it_was_not_found() -> None:
    scene = _scene(9, order_placed("1", [("A", 3)]))
    scene.when(line_backordered("1", ("1", 2), "WH", time=T0 + HOUR)).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "BackToShip main/1 from WH [1: 2 A] waited since T0+1h complete",
    ).booked("2 A WH>adjustment written_off").kept("main/1 [1] 3 A: 3 at WH", "WH: 7 A, 3 promised")


@rule("S3", "S10")
def test_another_source_serves_it() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        item_changed("A", vendor="V"),
        stock_received("r1", "WH1", [("A", 3)]),
        stock_received("r2", "WH2", [("A", 2)]),
        order_placed("1", [("A", 3)]),
    )
    scene.when(line_backordered("1", ("1", 3), "WH1")).told(
        "ReleaseCancelled main/1 from WH1 [1: 3 A]",
        "BackToShip main/1 from WH2 [1: 2 A] waited since T0",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH1#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept("main/1 [1] 3 A: 2 at WH2, 1 held", "WH2: 2 A, 2 promised", "V>WH1#1 open: 1 A")


@rule("S3", "S4", "S10")
def test_the_safety_stock_is_kept_from_it() -> None:
    scene = _scene(5, item_changed("A", policy={"safety_stock": 1}), order_placed("1", [("A", 3)]))
    scene.when(line_backordered("1", ("1", 2), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "BackToShip main/1 from WH [1: 1 A] waited since T0",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept("main/1 [1] 3 A: 2 at WH, 1 held", "WH: 3 A, 2 promised", "V>WH#1 open: 1 A")


@rule("S10", "S4")
def test_it_waits_in_its_old_place_in_the_queue() -> None:
    scene = _scene(
        2,
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 1)], placed_at=T0 + HOUR),
        order_placed("0", [("A", 1)], priority=1),
    )
    scene.given(line_backordered("1", ("1", 2), "WH", time=T0 + 5 * HOUR))
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "BackToShip main/0 from WH [1: 1 A] waited since T0 complete",
        "BackToShip main/1 from WH [1: 2 A] waited since T0+5h complete",
        "ReplenishmentReduced V>WH#1 rev 4 [1 A]",
    )


@rule("S10", "S5")
def test_a_line_that_waited_already_waited_since_then() -> None:
    scene = _scene(2, order_placed("1", [("A", 3)], placed_at=T0 - HOUR))
    scene.when(line_backordered("1", ("1", 1), "WH", time=T0 + HOUR)).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 2 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [2 A]",
    )
    scene.when(stock_received("r1", "WH", [("A", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0-1h complete",
        "ReplenishmentCancelled V>WH#1 rev 3 []",
    )


@rule("S10")
def test_more_than_is_promised_there_is_taken_as_far_as_it_goes_and_refused_beyond() -> None:
    scene = _scene(2, order_placed("1", [("A", 3)]))
    scene.when(line_backordered("1", ("1", 5), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [3 A]",
        f"ExceptionRaised refused more_than_allocated: {REFS}",
    ).booked("2 A WH>adjustment written_off")


@rule("S10", "S7")
def test_what_the_ledger_does_not_have_there_is_found_before_it_is_written_off() -> None:
    scene = _scene(
        3,
        order_placed("1", [("A", 3)]),
        place_changed("D", kind="dock", feeds="WH"),
        stock_transferred("t1", "WH", "D", [("A", 2)]),
    )
    scene.when(line_backordered("1", ("1", 3), "WH")).told(
        "ReleaseCancelled main/1 from WH [1: 3 A]",
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "ExceptionRaised stock_missing: sku=A place=WH shop=main order_id=1 line_id=1",
    ).booked("2 A adjustment>WH found", "3 A WH>adjustment written_off")
    scene.kept("main/1 [1] 3 A: 3 held", "D: 2 A", "V>WH#1 open: 1 A")
