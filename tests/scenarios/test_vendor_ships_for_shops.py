"""What shops sell and buyers do where the vendor ships (S13, O2, R10)."""

from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene

SHOP = shop_changed("main")
DROP = item_changed("A", vendor="V", policy={"sourcing": "drop_ship"})
R1 = "V>customer:main/1#1"


@rule("O2", "R7", "P3")
def test_without_a_vendor_a_person_is_told_and_the_first_vendor_gets_it() -> None:
    scene = Scene(SHOP, item_changed("A", policy={"sourcing": "drop_ship"}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1"
    ).kept("main/1 [1] 3 A: 3 drop-shipped")
    scene.when(item_changed("A", vendor="V")).told(f"ReplenishmentRaised {R1} rev 1 [3 A]").kept(
        "main/1 [1] 3 A: 3 drop-shipped", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3"
    )


@rule("R10", "P3")
def test_where_automation_is_off_it_waits_for_a_buyer_until_automation_is_on() -> None:
    scene = Scene(SHOP, DROP, item_changed("A", policy={"auto_replenish": False}))
    scene.when(order_placed("1", [("A", 3)])).told().kept("main/1 [1] 3 A: 3 drop-shipped")
    scene.when(item_changed("A", policy={"auto_replenish": True})).told(
        f"ReplenishmentRaised {R1} rev 1 [3 A]"
    ).kept("main/1 [1] 3 A: 3 drop-shipped", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3")


@rule("S13", "O2")
def test_what_the_vendor_ships_is_in_stock_whatever_we_have() -> None:
    scene = Scene(SHOP, item_changed("A", policy={"backorder_policy": "none"}))
    scene.when(item_changed("A", policy={"sourcing": "drop_ship"})).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
    scene.when(stock_received("r1", "WH", [("A", 5)])).told()
    scene.when(item_changed("A", policy={"sourcing": "stock"})).told()
    scene.when(order_placed("1", [("A", 5)])).told(
        "ReadyToShip main/1 from WH [1: 5 A] complete",
        "StockStatusChanged main A out_of_stock, sellable 0",
    )


@rule("S13", "P1")
def test_a_vendor_may_be_the_one_who_says_that_its_skus_are_shipped_by_it() -> None:
    scene = Scene(SHOP, item_changed("A", vendor="V"), item_changed("B", vendor="W"))
    scene.when(vendor_changed("V", policy={"sourcing": "drop_ship"})).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
    scene.when(order_placed("1", [("A", 1)])).told(f"ReplenishmentRaised {R1} rev 1 [1 A]")


@rule("R10")
def test_with_the_master_switch_off_everything_waits_for_a_buyer() -> None:
    scene = Scene.with_rules(Rules(auto_replenish_enabled=False), SHOP, DROP)
    scene.given(item_changed("B", vendor="V", policy={"sourcing": "buy_to_order"}))
    scene.when(order_placed("1", [("A", 3), ("B", 2)])).told(
        "OrderBackordered main/1 [2: 2 B until ?] until ?"
    ).kept("main/1 [1] 3 A: 3 drop-shipped", "main/1 [2] 2 B: 2 held")


@rule("S13", "S9", "O5", "R10")
def test_a_vendor_that_ships_what_waited_for_stock_makes_room_for_others_to_wait() -> None:
    scene = Scene(
        place_changed("WH"),
        SHOP,
        item_changed("A", vendor="V", policy={"backorder_limit": 3}),
        order_placed("1", [("A", 3)]),
    )
    scene.when(order_shipped("1", "s1", "vendor:V", [("1", 1)])).told(
        "ReplenishmentReduced V>WH#1 rev 2 [2 A]",
        "StockStatusChanged main A backorder, sellable 1",
    ).booked()
