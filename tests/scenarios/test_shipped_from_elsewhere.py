"""Units that leave from where they were not promised (S9, S7, S3)."""

from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene

VENDOR = item_changed("A", vendor="V")


@rule("S9", "O11", "S3")
def test_units_shipped_from_elsewhere_are_freed_where_they_were_promised() -> None:
    scene = Scene(
        VENDOR,
        stock_received("r1", "WH1", [("A", 3)]),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 1)]),
        stock_received("r2", "WH2", [("B", 1)]),
        item_changed("A", policy={"safety_stock": 2}),
        stock_received("r3", "WH2", [("A", 3)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 2)])).told(
        "ReleaseCancelled main/1 from WH1 [1: 2 A]"
    ).booked("2 A WH2>customer shipped")
    scene.kept(
        "main/1 [1] 3 A: 1 at WH1, 2 shipped",
        "main/2 [1] 1 A: 1 at WH2",
        "WH1: 3 A, 1 promised",
        "WH2: 1 A, 1 promised",
        "WH2: 1 B",
        "V>WH1#1 cancelled: nothing",
    )


@rule("S9")
def test_what_is_promised_where_it_ships_from_goes_before_what_is_promised_elsewhere() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 2)]),
        stock_received("r2", "WH2", [("A", 2)]),
        order_placed("1", [("A", 4)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 2)])).told().kept(
        "main/1 [1] 4 A: 2 at WH1, 2 shipped", "WH1: 2 A, 2 promised"
    )


@rule("S9", "S3")
def test_units_freed_by_a_shipment_from_elsewhere_serve_who_waits() -> None:
    scene = Scene(
        VENDOR,
        stock_received("r1", "WH1", [("A", 3)]),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)]),
        stock_received("r2", "WH2", [("B", 1)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 1)])).told(
        "ReleaseCancelled main/1 from WH1 [1: 1 A]",
        "BackToShip main/2 from WH1 [1: 1 A] waited since T0",
        "ReplenishmentReduced V>WH1#1 rev 2 [1 A]",
        "ExceptionRaised over_shipment: sku=A place=WH2 shop=main order_id=1",
    ).booked("1 A adjustment>WH2 found", "1 A WH2>customer shipped")
    scene.kept(
        "main/1 [1] 3 A: 2 at WH1, 1 shipped",
        "main/2 [1] 2 A: 1 at WH1, 1 held",
        "WH1: 3 A, 3 promised",
        "WH2: 1 B",
        "V>WH1#1 open: 1 A",
    )


@rule("S9", "S4")
def test_units_freed_by_a_shipment_are_given_out_whatever_the_safety_stock() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 3)]),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)]),
        item_changed("A", policy={"safety_stock": 9}),
        stock_received("r2", "WH2", [("B", 1)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 1)])).told(
        "ReleaseCancelled main/1 from WH1 [1: 1 A]",
        "BackToShip main/2 from WH1 [1: 1 A] waited since T0",
        "ExceptionRaised over_shipment: sku=A place=WH2 shop=main order_id=1",
    ).kept(
        "main/1 [1] 3 A: 2 at WH1, 1 shipped",
        "main/2 [1] 2 A: 1 at WH1, 1 held",
        "WH1: 3 A, 3 promised",
        "WH2: 1 B",
    )


@rule("S7", "S9", "L2")
def test_taking_what_is_promised_to_another_order_is_told_and_never_makes_less_than_nothing() -> (
    None
):
    scene = Scene(
        VENDOR,
        stock_received("r1", "WH", [("A", 3)]),
        order_placed("1", [("A", 3)]),
        order_placed("2", [("A", 2)]),
    )
    scene.when(order_shipped("2", "s1", "WH", [("1", 2)])).told(
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised over_allocated: sku=A place=WH shop=main order_id=2",
    ).booked("2 A WH>customer shipped")
    scene.kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 shipped",
        "WH: 1 A, 3 promised",
        "V>WH#1 cancelled: nothing",
    )


@rule("S9", "S3")
def test_shipping_what_a_source_had_promised_and_not_got_lets_others_be_served_elsewhere() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 4)]),
        order_placed("1", [("A", 4)]),
        order_placed("2", [("A", 5)]),
        place_changed("DOCK", kind="dock"),
        stock_transferred("t1", "WH1", "DOCK", [("A", 4)]),
        stock_received("r2", "WH2", [("A", 3)]),
    )
    scene.when(order_shipped("1", "s1", "WH1", [("1", 4)])).told(
        "ExceptionRaised over_shipment: sku=A place=WH1 shop=main order_id=1",
    ).booked("4 A adjustment>WH1 found", "4 A WH1>customer shipped")
    scene.kept(
        "main/1 [1] 4 A: 4 shipped",
        "main/2 [1] 5 A: 3 at WH2, 2 held",
        "DOCK: 4 A",
        "WH2: 3 A, 3 promised",
    )
