"""Lines that block nobody: rejected, cancelled, shipped, with the vendor (O9, contract §3)."""

import pytest

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


def _scene(**there: int) -> Scene:
    """`there` units lie at WH; nothing is told of the shop's statuses but what changes."""
    scene = Scene(place_changed("WH"), shop_changed("main"))
    scene.given(*(item_changed(sku, vendor="V") for sku in ("A", "B")))
    return scene.given(stock_received("r0", "WH", list(there.items())))


LINES: list[Fields] = [
    {"sku": "A", "qty": 2, "group": "g"},
    {"sku": "B", "qty": 1, "group": "g"},
]
MODES = pytest.mark.parametrize("mode", ["partial", "complete"], ids=["group", "complete"])


@rule("O9", "O4", "O7")
@MODES
def test_a_rejected_line_is_not_waited_for(mode: str) -> None:
    scene = _scene(A=3).given(item_changed("B", policy={"backorder_policy": "none"}))
    scene.when(order_placed("1", LINES, ship_mode=mode)).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "OrderRejected main/1 [2: 1 B out_of_stock, sellable 0]",
    )


@rule("O9", "O2", "R10")
@MODES
def test_what_the_vendor_ships_is_not_waited_for(mode: str) -> None:
    scene = _scene(A=3).given(item_changed("B", policy={"sourcing": "drop_ship"}))
    scene.when(order_placed("1", LINES, ship_mode=mode)).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "ReplenishmentRaised V>customer:main/1#1 rev 1 [1 B]",
    )


@rule("O9", "O2")
@MODES
def test_what_is_bought_to_order_is_waited_for(mode: str) -> None:
    scene = _scene(A=3).given(item_changed("B", policy={"sourcing": "buy_to_order"}))
    scene.when(order_placed("1", LINES, ship_mode=mode)).told(
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    )
    name = scene.replenishment_id("V>WH#1")
    scene.when(stock_received("r1", "WH", [("B", 1)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B] waited since T0 complete"
    )


@rule("O9", "O2", "O11")
@MODES
def test_an_unmanaged_line_waits_with_the_others(mode: str) -> None:
    scene = _scene(C=1).given(item_changed("A", policy={"manage_stock": False}))
    scene.when(order_placed("1", LINES, ship_mode=mode)).told(
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
    ).kept("main/1 [1] 2 A: 2 anywhere", "main/1 [2] 1 B: 1 held", "WH: 1 C", "V>WH#1 open: 1 B")
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "ReadyToShip main/1 from anywhere [1: 2 A] complete",
        "BackToShip main/1 from WH [2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9", "C1")
@MODES
def test_the_rest_goes_when_the_line_it_waited_for_is_cancelled(mode: str) -> None:
    scene = _scene(A=3).given(order_placed("1", LINES, ship_mode=mode))
    scene.when(order_cancelled("1", ["2"])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete", "ReplenishmentCancelled V>WH#1 rev 2 []"
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 cancelled",
        "WH: 3 A, 2 promised",
        "V>WH#1 cancelled: nothing",
    )


@rule("O9", "C1")
@pytest.mark.parametrize("mode", ["line", "complete"])
def test_a_line_goes_when_the_part_it_waited_for_is_cancelled(mode: str) -> None:
    scene = _scene(A=2, B=9).given(order_placed("1", [("A", 3)], ship_mode=mode))
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete", "ReplenishmentCancelled V>WH#1 rev 2 []"
    )


@rule("O9", "C1")
def test_what_waits_reserved_is_not_told_to_be_kept_when_it_is_cancelled() -> None:
    scene = _scene(A=2).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept(
        "main/1 [1] 2 A: 1 at WH, 1 cancelled",
        "main/1 [2] 1 B: 1 held",
        "WH: 2 A, 1 promised",
        "V>WH#1 open: 1 B",
    )


@rule("O9", "S9")
@MODES
def test_what_was_shipped_without_being_asked_is_not_waited_for(mode: str) -> None:
    scene = _scene(A=3).given(order_placed("1", LINES, ship_mode=mode))
    scene.when(order_shipped("1", "s1", "WH", [("2", 1)])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised over_shipment: sku=B place=WH shop=main order_id=1",
    ).booked("1 B adjustment>WH found", "1 B WH>customer shipped")


@rule("O9", "S9")
def test_what_was_shipped_before_the_rest_came_is_not_released_again() -> None:
    scene = _scene(A=3).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told().booked("2 A WH>customer shipped")
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "BackToShip main/1 from WH [2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9", "C2")
@pytest.mark.parametrize("mode", ["line", "complete"])
def test_what_was_told_to_go_goes_on_though_the_order_grows(mode: str) -> None:
    scene = _scene(A=2, B=5).given(order_placed("1", [("A", 2), ("B", 1)], ship_mode=mode))
    scene.when(order_changed("1", [("A", 3), ("B", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?", "ReplenishmentRaised V>WH#1 rev 1 [1 A]"
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/1 [2] 1 B: 1 at WH",
        "WH: 2 A, 2 promised",
        "WH: 5 B, 1 promised",
        "V>WH#1 open: 1 A",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9")
def test_an_order_is_complete_with_the_release_of_its_last_unit_and_not_before() -> None:
    scene = _scene(A=1, B=1).given(item_changed("C", policy={"backorder_policy": "none"}))
    scene.when(order_placed("1", [("A", 2), ("B", 2), ("C", 1)])).told(
        "ReadyToShip main/1 from WH [1: 1 A, 2: 1 B]",
        "OrderBackordered main/1 [1: 1 A until ?, 2: 1 B until ?] until ?",
        "OrderRejected main/1 [3: 1 C out_of_stock, sellable 0]",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A, 1 B]",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    )
    scene.given(order_shipped("1", "s1", "WH", [("1", 1)]), order_cancelled("1", [("2", 1)]))
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 3 []",
    )
