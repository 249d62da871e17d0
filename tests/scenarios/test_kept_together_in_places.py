"""The whole from several sources, above the safety stock, with linked units (O9, S4, R10)."""

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_placed,
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


@rule("O9", "O3")
def test_when_it_is_judged_the_whole_may_come_from_two_sources() -> None:
    scene = _two_sources(("WH1", "A", 2), ("WH2", "A", 3))
    scene.when(order_placed("1", [("A", 4)], ship_mode="line")).told(
        "ReadyToShip main/1 from WH1 [1: 2 A] complete",
        "ReadyToShip main/1 from WH2 [1: 2 A] complete",
    )


@rule("O9", "S4")
def test_the_sku_that_arrived_is_taken_there_first_and_the_rest_of_it_elsewhere() -> None:
    scene = _two_sources(("WH1", "A", 2), ("WH2", "A", 2))
    scene.when(order_placed("1", [("A", 5)], ship_mode="complete")).told(
        "OrderBackordered main/1 [1: 5 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
    ).kept("main/1 [1] 5 A: 5 held", "WH1: 2 A", "WH2: 2 A")
    scene.when(stock_received("r9", "WH2", [("A", 2)])).told(
        "BackToShip main/1 from WH1 [1: 1 A] waited since T0 complete",
        "BackToShip main/1 from WH2 [1: 4 A] waited since T0 complete",
    ).kept("main/1 [1] 5 A: 1 at WH1, 4 at WH2", "WH1: 2 A, 1 promised", "WH2: 4 A, 4 promised")


@rule("O9", "S4", "O3")
def test_the_other_skus_come_from_the_first_source_that_has_them_alone() -> None:
    scene = _two_sources(("WH1", "B", 1), ("WH2", "B", 3)).given(
        order_placed("1", [("A", 1), ("B", 3)], ship_mode="complete")
    )
    scene.when(stock_received("r9", "WH1", [("A", 1)])).told(
        "BackToShip main/1 from WH1 [1: 1 A] waited since T0 complete",
        "BackToShip main/1 from WH2 [2: 3 B] waited since T0 complete",
    ).kept(
        "main/1 [1] 1 A: 1 at WH1",
        "main/1 [2] 3 B: 3 at WH2",
        "WH1: 1 A, 1 promised",
        "WH1: 1 B",
        "WH2: 3 B, 3 promised",
    )


@rule("O9", "P4")
def test_only_sources_of_the_shop_make_up_the_whole() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH1"]),
        stock_received("r1", "WH1", [("A", 2)]),
        order_placed("1", [("A", 3)], ship_mode="line"),
    )
    scene.when(stock_received("r3", "WH2", [("A", 1)])).told()
    scene.when(shop_changed("main", sources=["WH1", "WH2"])).told(
        "BackToShip main/1 from WH1 [1: 2 A] waited since T0 complete",
        "BackToShip main/1 from WH2 [1: 1 A] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "S4")
def test_the_safety_stock_is_no_part_of_the_whole_but_what_arrived_is() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        item_changed("A", policy={"safety_stock": 2}),
        stock_received("r1", "WH", [("A", 4), ("B", 9)]),
        order_placed("1", [("A", 3), ("B", 1)], ship_mode="complete"),
    ).kept("main/1 [1] 3 A: 3 held", "main/1 [2] 1 B: 1 held", "WH: 4 A", "WH: 9 B")
    scene.when(stock_received("r2", "WH", [("B", 1)])).told()  # A would go below its safety stock
    scene.when(stock_received("r3", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 3 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "S4")
def test_a_lower_safety_stock_makes_the_whole_up() -> None:
    scene = Scene.with_rules(
        RULES,
        shop_changed("main", sources=["WH"]),
        item_changed("A", policy={"safety_stock": 2}),
        stock_received("r1", "WH", [("A", 4), ("B", 9)]),
        order_placed("1", [("A", 3), ("B", 1)], ship_mode="complete"),
    )
    scene.when(item_changed("A", policy={"safety_stock": 1})).told(
        "BackToShip main/1 from WH [1: 3 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O9", "O1")
def test_of_two_lines_of_a_sku_the_one_that_can_be_had_whole_is() -> None:
    scene = Scene.with_rules(
        RULES, shop_changed("main", sources=["WH"]), item_changed("A", vendor="V")
    ).given(stock_received("r1", "WH", [("A", 3)]))
    scene.when(order_placed("1", [("A", 4), ("A", 2)], ship_mode="line")).told(
        "ReadyToShip main/1 from WH [2: 2 A]",
        "OrderBackordered main/1 [1: 4 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [3 A]",
    )
    scene.when(stock_received("r2", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 4 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
