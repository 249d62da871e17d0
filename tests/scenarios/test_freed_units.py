"""What a cancellation frees: units for the queue, supply nobody waits for (S3, R8)."""

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    replenishment_closed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

VENDOR = item_changed("A", vendor="V")


def _stocked(qty: int, *orders: Event) -> Scene:
    return Scene(VENDOR, stock_received("r1", "WH", [("A", qty)]), *orders)


def _surplus_at(place: str) -> str:
    about = f"place={place} shop=main order_id=1 replenishment_id=V>{place}#1 vendor=V"
    return f"ExceptionRaised surplus: sku=A {about}"


@rule("S3", "C1", "O11")
def test_freed_units_go_to_who_waits_before_they_can_be_sold() -> None:
    scene = _stocked(5, order_placed("1", [("A", 5)]), order_placed("2", [("A", 3)]))
    scene.when(order_cancelled("1"), order_placed("3", [("A", 4)])).told(
        "ReleaseCancelled main/1 from WH [1: 5 A]",
        "BackToShip main/2 from WH [1: 3 A] waited since T0 complete",
        "ReadyToShip main/3 from WH [1: 2 A]",
        "OrderBackordered main/3 [1: 2 A until ?] until ?",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ReplenishmentRaised V>WH#2 rev 1 [2 A]",
    ).kept(
        "main/1 [1] 5 A: 5 cancelled",
        "main/2 [1] 3 A: 3 at WH",
        "main/3 [1] 4 A: 2 at WH, 2 held",
        "WH: 5 A, 5 promised",
        "V>WH#1 cancelled: nothing",
        "V>WH#2 open: 2 A",
    )


@rule("S3", "C1")
def test_units_freed_from_a_line_may_serve_another_line_of_the_same_order() -> None:
    scene = _stocked(2, order_placed("1", [("A", 2), ("A", 3)]))
    scene.when(order_cancelled("1", ["1"])).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "BackToShip main/1 from WH [2: 2 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 2 [1 A]",
    ).kept(
        "main/1 [1] 2 A: 2 cancelled",
        "main/1 [2] 3 A: 2 at WH, 1 held",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 A",
    )


@rule("S3", "S4")
def test_freed_units_are_given_out_whatever_the_safety_stock() -> None:
    scene = _stocked(5, order_placed("1", [("A", 4)]))
    scene.given(item_changed("A", policy={"safety_stock": 3}), order_placed("2", [("A", 2)]))
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "BackToShip main/2 from WH [1: 1 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 2 [1 A]",
    ).kept(
        "main/1 [1] 4 A: 3 at WH, 1 cancelled",
        "main/2 [1] 2 A: 1 at WH, 1 held",
        "WH: 5 A, 4 promised",
        "V>WH#1 open: 1 A",
    )


@rule("S3")
def test_a_cancelled_shortage_is_no_arrival_and_fills_nobody() -> None:
    scene = _stocked(
        2,
        item_changed("A", policy={"safety_stock": 2}),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 3)]),
    )
    scene.when(order_cancelled("1")).told("ReplenishmentReduced V>WH#1 rev 3 [3 A]").kept(
        "main/1 [1] 3 A: 3 cancelled",
        "main/2 [1] 3 A: 3 held",
        "WH: 2 A",
        "V>WH#1 open: 3 A",
    )


@rule("R8", "C1")
def test_demand_cancelled_after_finalizing_leaves_a_surplus_a_person_hears_of() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 5)]), order_placed("2", [("A", 3)]))
    scene.given(replenishment_closed(scene.replenishment_id("V>main#1")))
    scene.when(order_cancelled("1", [("1", 4)])).told(_surplus_at("main")).kept(
        "main/1 [1] 5 A: 1 held, 4 cancelled",
        "main/2 [1] 3 A: 3 held",
        "V>main#1 finalized: 8 A",
    )


@rule("R8", "C1")
def test_freed_units_that_take_the_demand_of_a_finalized_replenishment_leave_a_surplus() -> None:
    scene = _stocked(5, order_placed("1", [("A", 5)]), order_placed("2", [("A", 3)]))
    scene.given(replenishment_closed(scene.replenishment_id("V>WH#1")))
    scene.when(order_cancelled("1")).told(
        "ReleaseCancelled main/1 from WH [1: 5 A]",
        "BackToShip main/2 from WH [1: 3 A] waited since T0 complete",
        _surplus_at("WH"),
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 5 A: 5 cancelled",
        "main/2 [1] 3 A: 3 at WH",
        "WH: 5 A, 3 promised",
        "V>WH#1 finalized: 3 A",
    )


@rule("R8", "R2")
def test_cancelled_demand_that_was_not_sent_yet_is_no_surplus() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 5)]))
    scene.given(replenishment_closed(scene.replenishment_id("V>main#1")))
    scene.given(order_placed("2", [("A", 3)]))
    scene.when(order_cancelled("2", [("1", 2)])).told(
        "ReplenishmentReduced V>main#2 rev 2 [1 A]"
    ).kept(
        "main/1 [1] 5 A: 5 held",
        "main/2 [1] 3 A: 1 held, 2 cancelled",
        "V>main#1 finalized: 5 A",
        "V>main#2 open: 1 A",
    )


@rule("R8")
def test_cancelling_promised_units_while_spare_ones_are_on_their_way_is_no_new_surplus() -> None:
    scene = _stocked(2, item_changed("A", policy={"pack_size": 10}))
    scene.given(order_placed("1", [("A", 3)]))
    scene.given(replenishment_closed(scene.replenishment_id("V>WH#1")))
    scene.when(order_cancelled("1", [("1", 1)])).told(_surplus_at("WH"))
    scene.when(order_cancelled("1", [("1", 1)], event_id="again")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
