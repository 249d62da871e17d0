"""What shops are told of a sku: in stock, back-order, out of stock; once per transaction (S13)."""

import pytest

from events.vocabulary import BackorderPolicy
from handlers.policy import Policy, Rules
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_transferred,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene

SHOP = shop_changed("main")


@rule("S13")
def test_a_sku_goes_in_and_out_of_stock() -> None:
    scene = Scene(SHOP, item_changed("A", vendor="V"))
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
    scene.when(order_placed("1", [("A", 2)])).told("ReadyToShip main/1 from WH [1: 2 A] complete")
    scene.when(order_placed("2", [("A", 1)])).told(
        "ReadyToShip main/2 from WH [1: 1 A] complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
    scene.when(order_shipped("2", "s1", "WH", [("1", 1)])).told()
    scene.when(order_cancelled("1")).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )


@rule("S13")
def test_a_sku_not_seen_yet_is_on_back_order_and_that_is_not_told() -> None:
    Scene(SHOP).when(order_placed("1", [("A", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
    )


@rule("S13", "P1")
def test_a_sku_not_seen_yet_is_out_of_stock_where_nothing_may_wait() -> None:
    scene = Scene.with_rules(Rules(Policy(backorder_policy=BackorderPolicy.NONE)), SHOP)
    scene.when(item_changed("A", vendor="V")).told()
    scene.when(item_changed("A", policy={"backorder_policy": "allow"})).told(
        "StockStatusChanged main A backorder, sellable unlimited"
    )


@rule("S13", "O4", "O5")
@pytest.mark.parametrize(
    ("policy", "there", "status"),
    [
        pytest.param({}, 5, "in_stock, sellable unlimited", id="no limit"),
        pytest.param({"safety_stock": 2}, 5, "in_stock, sellable unlimited", id="safety stock"),
        pytest.param({"safety_stock": 5}, 5, None, id="no more than the safety stock"),
        pytest.param({"backorder_limit": 4}, 5, "in_stock, sellable 9", id="with a limit"),
        pytest.param(
            {"backorder_limit": 4, "safety_stock": 2}, 5, "in_stock, sellable 7", id="with both"
        ),
        pytest.param({"backorder_policy": "none"}, 5, "in_stock, sellable 5", id="no back-orders"),
        pytest.param(
            {"backorder_policy": "none", "safety_stock": 6},
            5,
            "out_of_stock, sellable 0",
            id="no back-orders and nothing free",
        ),
        pytest.param({"backorder_limit": 0}, 0, "out_of_stock, sellable 0", id="none may wait"),
        pytest.param({"backorder_policy": "notify"}, 0, None, id="notify"),
        pytest.param({"manage_stock": False}, 0, "in_stock, sellable unlimited", id="unmanaged"),
    ],
)
def test_what_a_shop_is_told_follows_from_stock_and_policy(
    policy: dict[str, object], there: int, status: str | None
) -> None:
    scene = Scene(SHOP)
    arrival = [stock_received("r1", "WH", [("A", there)])] if there else []
    scene.when(item_changed("A", policy=policy), *arrival).told(
        *([] if status is None else [f"StockStatusChanged main A {status}"])
    )


@rule("S13", "O5")
def test_a_limit_that_is_reached_makes_a_sku_out_of_stock_and_room_makes_it_back_order() -> None:
    scene = Scene(SHOP, item_changed("A", vendor="V", policy={"backorder_limit": 3}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>main#1 rev 1 [3 A]",
        "StockStatusChanged main A out_of_stock, sellable 0",
    )
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "ReplenishmentReduced V>main#1 rev 2 [2 A]",
        "StockStatusChanged main A backorder, sellable 1",
    )


@rule("S13")
def test_a_status_is_told_after_who_waited_was_served_and_once_per_transaction() -> None:
    scene = Scene(SHOP, item_changed("A", vendor="V"), order_placed("1", [("A", 3)]))
    scene.when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
    )
    scene.when(
        stock_received("r2", "main", [("A", 1)]),
        order_placed("2", [("A", 1)]),
        stock_received("r3", "main", [("A", 1)]),
    ).told(
        "ReadyToShip main/2 from main [1: 1 A] complete",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
    scene.when(order_placed("3", [("A", 1)]), stock_received("r4", "main", [("A", 1)])).told(
        "ReadyToShip main/3 from main [1: 1 A] complete"
    )


@rule("S13", "P4")
def test_every_known_shop_is_told_what_it_may_sell_from_its_own_sources() -> None:
    scene = Scene(
        shop_changed("east", sources=["E"]),
        shop_changed("west", sources=["W"]),
        shop_changed("both"),
    )
    scene.when(stock_received("r1", "E", [("A", 2)])).told(
        "StockStatusChanged both A in_stock, sellable unlimited",
        "StockStatusChanged east A in_stock, sellable unlimited",
    )
    scene.when(stock_transferred("t1", "E", "W", [("A", 2)])).told(
        "StockStatusChanged east A backorder, sellable unlimited",
        "StockStatusChanged west A in_stock, sellable unlimited",
    )


@rule("S13", "P2")
def test_a_shop_that_becomes_known_is_told_of_every_sku_that_is_not_as_one_not_seen() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 2), ("B", 1)]), item_changed("C", vendor="V"))
    scene.when(order_placed("1", [("B", 1)], shop="new")).told(
        "ReadyToShip new/1 from WH [1: 1 B] complete",
        "StockStatusChanged new A in_stock, sellable unlimited",
    )
    scene.when(shop_changed("newer")).told(
        "StockStatusChanged newer A in_stock, sellable unlimited"
    )


@rule("S13", "P4", "P1")
def test_changes_of_places_shops_and_vendors_are_told_for_every_sku_they_touch() -> None:
    scene = Scene(
        SHOP,
        item_changed("B", vendor="V"),
        item_changed("C", vendor="V"),
        stock_received("r1", "WH1", [("A", 2), ("B", 2)]),
        stock_received("r2", "WH2", [("A", 2)]),
    )
    scene.when(place_changed("WH1", enabled=False)).told(
        "StockStatusChanged main B backorder, sellable unlimited"
    )
    scene.when(place_changed("WH1", enabled=True)).told(
        "StockStatusChanged main B in_stock, sellable unlimited"
    )
    scene.when(shop_changed("main", sources=["WH2"])).told(
        "StockStatusChanged main B backorder, sellable unlimited"
    )
    scene.when(vendor_changed("V", policy={"backorder_policy": "none"})).told(
        "StockStatusChanged main B out_of_stock, sellable 0",
        "StockStatusChanged main C out_of_stock, sellable 0",
    )
    scene.when(place_changed("WH2", kind="dock")).told(
        "StockStatusChanged main A backorder, sellable unlimited"
    )


@rule("S13", "S2")
def test_what_lies_at_a_dock_is_not_in_stock() -> None:
    scene = Scene(SHOP, place_changed("WH"), place_changed("D", kind="dock"))
    scene.when(stock_received("r1", "D", [("A", 2)])).told()
    scene.when(stock_transferred("t1", "D", "WH", [("A", 1)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
