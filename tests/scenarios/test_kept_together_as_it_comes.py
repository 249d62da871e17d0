"""Units that come, or come free, and make up the whole of an order (O9, S3, S4, R10)."""

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

RULES = Rules(keep_partial_allocations=False)


def _two_sources(*receipts: tuple[str, str, int]) -> Scene:
    """Receipts are (place, sku, qty); WH1 goes before WH2."""
    scene = Scene.with_rules(RULES, shop_changed("main", sources=["WH1", "WH2"]))
    for number, (place, sku, qty) in enumerate(receipts):
        scene.given(stock_received(f"r-{number}", place, [(sku, qty)]))
    return scene


@rule("O9", "R10")
def test_linked_units_are_given_to_their_line_and_complete_the_whole() -> None:
    scene = Scene.with_rules(
        RULES,
        place_changed("WH"),
        shop_changed("main"),
        item_changed("B", vendor="V", policy={"sourcing": "buy_to_order"}),
        stock_received("r1", "WH", [("A", 3)]),
        order_placed("1", [("A", 2), ("B", 2)], ship_mode="complete"),
    ).kept(
        "main/1 [1] 2 A: 2 held",
        "main/1 [2] 2 B: 2 held",
        "WH: 3 A",
        "V>WH#1 open: 2 B",
        "V>WH#1 brings main/1 [2] 2",
    )
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r2", "WH", [("B", 1)], replenishment_id=name)).told().kept(
        "main/1 [1] 2 A: 2 held",
        "main/1 [2] 2 B: 1 at WH, 1 held",
        "WH: 3 A",
        "WH: 1 B, 1 promised",
        "V>WH#1 partially_received: 2 B, 1 in",
        "V>WH#1 brings main/1 [2] 1",
    )
    scene.when(stock_received("r3", "WH", [("B", 1)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 2 B] waited since T0 complete"
    )


@rule("O9", "S3", "C1")
def test_units_freed_by_cancelling_make_up_the_whole_of_another() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        stock_received("r1", "WH", [("A", 4)]),
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 4)], ship_mode="complete"),
    )
    scene.when(order_cancelled("1", [("1", 1)])).told("ReleaseCancelled main/1 from WH [1: 1 A]")
    scene.when(order_cancelled("1", [("1", 1)], event_id="more")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "BackToShip main/2 from WH [1: 4 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "O2")
def test_an_unmanaged_line_is_promised_at_once_and_goes_with_the_whole() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        item_changed("U", policy={"manage_stock": False}),
        order_placed("1", [("U", 1), ("A", 2)], ship_mode="complete"),
    ).kept("main/1 [1] 1 U: 1 anywhere", "main/1 [2] 2 A: 2 held")
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "ReadyToShip main/1 from anywhere [1: 1 U] complete",
        "BackToShip main/1 from WH [2: 2 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "S4")
def test_all_of_a_whole_may_come_in_one_receipt() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        order_placed("1", [("A", 1), ("B", 1)], ship_mode="complete"),
        order_placed("2", [("B", 1)]),
    )
    scene.when(stock_received("r1", "WH", [("A", 1), ("B", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A, 2: 1 B] waited since T0 complete"
    )


@rule("O9", "S4")
def test_a_unit_that_arrived_and_made_up_a_whole_is_not_given_out_twice() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        item_changed("B", policy={"safety_stock": 5}),
        stock_received("r1", "WH", [("B", 5)]),
        order_placed("1", [("A", 1), ("B", 1)], ship_mode="complete"),
        order_placed("2", [("B", 1)]),
    )
    scene.when(stock_received("r2", "WH", [("A", 1), ("B", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A, 2: 1 B] waited since T0 complete"
    ).kept(
        "main/1 [1] 1 A: 1 at WH",
        "main/1 [2] 1 B: 1 at WH",
        "main/2 [1] 1 B: 1 held",
        "WH: 1 A, 1 promised",
        "WH: 6 B, 1 promised",
    )


@rule("O9", "S9", "S3")
def test_units_freed_by_a_shipment_from_elsewhere_make_up_the_whole_of_another() -> None:
    scene = _two_sources(("WH1", "A", 2)).given(
        order_placed("1", [("A", 2)]),
        order_placed("2", [("A", 2)], ship_mode="line"),
        item_changed("A", policy={"safety_stock": 9}),
        stock_received("r9", "WH2", [("B", 1)]),
    )
    scene.when(order_shipped("1", "s1", "WH2", [("1", 2)])).told(
        "ReleaseCancelled main/1 from WH1 [1: 2 A]",
        "BackToShip main/2 from WH1 [1: 2 A] waited since T0 complete",
        "ExceptionRaised over_shipment: sku=A place=WH2 shop=main order_id=1",
    )
