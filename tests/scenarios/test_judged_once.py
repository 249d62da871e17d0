"""A line stays what it was judged to be, whatever becomes of its sku's policy (P1, O2)."""

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import Fields

SHOP = shop_changed("main")
UNMANAGED = item_changed("A", policy={"manage_stock": False})
MANAGED = item_changed("A", policy={"manage_stock": True})


@rule("P1", "O2", "S9")
def test_an_unmanaged_line_moves_no_stock_though_its_sku_is_managed_now() -> None:
    scene = Scene(SHOP, UNMANAGED, stock_received("r1", "WH", [("A", 5)]))
    scene.given(order_placed("1", [("A", 2)]), MANAGED)
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked().kept(
        "main/1 [1] 2 A: 2 shipped", "WH: 5 A"
    )


@rule("P1", "O2", "S9")
def test_a_managed_line_leaves_its_source_though_its_sku_is_unmanaged_now() -> None:
    scene = Scene(SHOP, stock_received("r1", "WH", [("A", 5)]), order_placed("1", [("A", 2)]))
    scene.given(UNMANAGED)
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked("2 A WH>customer shipped")
    scene.kept("main/1 [1] 2 A: 2 shipped", "WH: 3 A")


@rule("P1", "O2", "S3")
def test_a_line_that_waits_is_filled_from_stock_though_its_sku_is_unmanaged_now() -> None:
    scene = Scene(place_changed("WH"), SHOP, item_changed("A", vendor="V"))
    scene.given(order_placed("1", [("A", 2)]))
    scene.when(UNMANAGED).told("StockStatusChanged main A in_stock, sellable unlimited").kept(
        "main/1 [1] 2 A: 2 held", "V>WH#1 open: 2 A"
    )
    scene.when(order_placed("2", [("A", 9)])).told(
        "ReadyToShip main/2 from anywhere [1: 9 A] complete"
    )
    scene.when(stock_received("r1", "WH", [("A", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("P1", "O2", "C1")
def test_a_reserved_unmanaged_line_frees_nothing_when_it_is_cancelled() -> None:
    lines: list[Fields] = [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}]
    scene = Scene(place_changed("WH"), SHOP, UNMANAGED)
    scene.given(order_placed("1", lines, ship_mode="complete"), MANAGED)
    scene.when(order_cancelled("1", ["1"])).told().booked().kept(
        "main/1 [1] 2 A: 2 cancelled", "main/1 [2] 1 B: 1 held"
    )


@rule("P1", "O2", "C2")
def test_the_extra_of_a_line_comes_from_where_the_line_comes_from() -> None:
    scene = Scene(place_changed("WH"), SHOP, item_changed("A", vendor="V"))
    scene.given(stock_received("r1", "WH", [("A", 2)]), order_placed("1", [("A", 2)]))
    scene.given(item_changed("A", policy={"sourcing": "drop_ship"}))
    lines: list[tuple[str, int]] = [("A", 3), ("A", 1)]
    scene.when(order_changed("1", lines)).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "ReplenishmentRaised V>customer:main/1#1 rev 1 [1 A]",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/1 [2] 1 A: 1 drop-shipped",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 A",
        "V>customer:main/1#1 open: 1 A",
        "V>customer:main/1#1 brings main/1 [2] 1",
    )


@rule("P1", "O2", "C2")
def test_of_a_line_that_has_left_the_extra_is_judged_like_a_new_line() -> None:
    scene = Scene(SHOP, stock_received("r1", "WH", [("A", 5)]), order_placed("1", [("A", 2)]))
    scene.given(order_shipped("1", "s1", "WH", [("1", 2)]), UNMANAGED)
    scene.when(order_changed("1", [("A", 3)])).told(
        "ReadyToShip main/1 from anywhere [1: 1 A] complete"
    ).kept("main/1 [1] 3 A: 1 anywhere, 2 shipped", "WH: 3 A")
    scene.when(order_shipped("1", "s2", "WH", [("1", 1)])).told().booked().kept(
        "main/1 [1] 3 A: 3 shipped", "WH: 3 A"
    )
