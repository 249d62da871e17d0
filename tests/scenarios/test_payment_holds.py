"""An order that waits for its payment is nothing to anyone until it is paid (O10)."""

from datetime import timedelta

import pytest

from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    order_hold_cleared,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)
PAID = order_hold_cleared("1", time=T0 + 5 * HOUR)


def _scene(qty: int = 0) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


@rule("O10")
def test_nothing_is_promised_bought_queued_or_told_for_it() -> None:
    scene = _scene(2).given(
        item_changed("D", vendor="V", policy={"sourcing": "drop_ship"}),
        item_changed("O", vendor="V", policy={"sourcing": "buy_to_order"}),
        item_changed("U", policy={"manage_stock": False}),
        item_changed("N", policy={"backorder_policy": "none"}),
        item_changed("M", policy={"min_sale_qty": 9}),
    )
    lines = [("A", 3), ("D", 1), ("O", 1), ("U", 1), ("N", 1), ("M", 1)]
    scene.when(order_placed("1", lines, holds=["payment"])).told().booked().kept(
        "main/1 [1] 3 A: 3 pending",
        "main/1 [2] 1 D: 1 pending",
        "main/1 [3] 1 O: 1 pending",
        "main/1 [4] 1 U: 1 pending",
        "main/1 [5] 1 N: 1 pending",
        "main/1 [6] 1 M: 1 pending",
        "WH: 2 A",
    )
    scene.when(PAID).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "ReadyToShip main/1 from anywhere [4: 1 U]",
        "OrderBackordered main/1 [1: 1 A until ?, 3: 1 O until ?] until ?",
        "OrderRejected main/1 "
        "[5: 1 N out_of_stock, sellable 0, 6: 1 M min_sale_qty, sellable None]",
        "ReplenishmentRaised V>customer:main/1#1 rev 1 [1 D]",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A, 1 O]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/1 [2] 1 D: 1 drop-shipped",
        "main/1 [3] 1 O: 1 held",
        "main/1 [4] 1 U: 1 anywhere",
        "main/1 [5] 1 N: 1 rejected",
        "main/1 [6] 1 M: 1 rejected",
        "WH: 2 A, 2 promised",
        "V>customer:main/1#1 open: 1 D",
        "V>customer:main/1#1 brings main/1 [2] 1",
        "V>WH#1 open: 1 A, 1 O",
        "V>WH#1 brings main/1 [3] 1",
    )


@rule("O10")
def test_what_comes_meanwhile_is_not_for_it_and_others_may_buy_it() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)], holds=["payment"]))
    scene.when(stock_received("r1", "WH", [("A", 4)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept("main/1 [1] 3 A: 3 pending", "WH: 4 A")
    scene.given(order_placed("2", [("A", 2)]))
    scene.when(PAID).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O10", "O3")
def test_what_is_there_when_it_is_paid_is_ready_whenever_it_came() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)], holds=["payment"]))
    scene.given(stock_received("r1", "WH", [("A", 3)]))
    scene.when(PAID).told(
        "ReadyToShip main/1 from WH [1: 3 A] complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O10", "P1", "O4")
def test_it_is_judged_by_the_policy_of_the_day_it_is_paid() -> None:
    scene = _scene(2).given(
        order_placed("1", [("A", 3)], holds=["payment"]),
        item_changed("A", policy={"backorder_policy": "none"}),
    )
    scene.when(PAID).told("OrderRejected main/1 [1: 3 A out_of_stock, sellable 2]").kept(
        "main/1 [1] 3 A: 3 rejected", "WH: 2 A"
    )


@rule("O10", "O5")
def test_it_uses_up_no_limit_while_it_waits() -> None:
    scene = _scene().given(
        item_changed("A", policy={"backorder_limit": 3}),
        order_placed("1", [("A", 3)], holds=["payment"]),
        order_placed("2", [("A", 1)]),
    )
    scene.when(PAID).told("OrderRejected main/1 [1: 3 A backorder_limit, sellable 2]")


@rule("O10", "S4", "R11")
def test_it_queues_by_the_time_it_was_placed_and_waits_since_then() -> None:
    scene = _scene().given(
        item_changed("A", policy={"lead_time_days": 2}),
        order_placed("1", [("A", 1)], holds=["payment"]),
        order_placed("2", [("A", 1)], placed_at=T0 + HOUR),
    )
    scene.when(PAID).told(
        "OrderBackordered main/1 [1: 1 A until T0+2d5h] until T0+2d5h",
        "ReplenishmentExtended V>WH#1 rev 2 [2 A]",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)], received_at=T0 + 9 * HOUR)).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 3 [1 A]",
    )


@rule("O10", "P4")
def test_its_goods_go_to_the_destination_of_the_day_it_is_paid() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        item_changed("A", vendor="V"),
        order_placed("0", [("A", 1)]),
        order_placed("1", [("A", 3)], holds=["payment"]),
    )
    scene.given(shop_changed("main", sources=["WH2", "WH1"]))
    scene.when(PAID).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>WH2#1 rev 1 [3 A]",
    )
    scene.when(shop_changed("main", sources=["WH1", "WH2"])).told().kept(
        "main/0 [1] 1 A: 1 held",
        "main/1 [1] 3 A: 3 held",
        "V>WH1#1 open: 1 A",
        "V>WH2#1 open: 3 A",
    )


@rule("O10", "O9")
@pytest.mark.parametrize("mode", ["partial", "line", "complete"])
def test_it_is_released_by_its_ship_mode_once_it_is_paid(mode: str) -> None:
    scene = _scene(2).given(
        order_placed("1", [("A", 2), ("B", 1)], holds=["payment"], ship_mode=mode)
    )
    goes = [] if mode == "complete" else ["ReadyToShip main/1 from WH [1: 2 A]"]
    scene.when(PAID).told(
        *goes,
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=2",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("O10")
def test_paid_it_is_judged_though_another_hold_keeps_it_from_being_released() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], holds=["fraud", "payment"]))
    scene.when(PAID).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept("main/1 [1] 3 A: 2 at WH, 1 held", "WH: 2 A, 2 promised", "V>WH#1 open: 1 A")
    scene.when(order_hold_cleared("1", "fraud")).told("ReadyToShip main/1 from WH [1: 2 A]")


@rule("O10", "S11")
def test_paid_it_waits_for_a_person_where_that_was_asked() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 2)], holds=["payment"], release="manual"))
    scene.when(PAID).told("StockStatusChanged main A backorder, sellable unlimited")
    scene.when(back_to_ship_requested("1")).told("ReadyToShip main/1 from WH [1: 2 A] complete")


@rule("O10", "S13")
def test_a_shop_is_known_by_an_order_that_is_not_paid() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 2)]))
    scene.when(order_placed("1", [("A", 1)], holds=["payment"])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    )
