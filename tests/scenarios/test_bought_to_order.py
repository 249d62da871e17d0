"""Buy-to-order: always bought for the order, whatever there is (O2, R10)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

BOUGHT = item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"})
R1 = "V>WH#1"
HELD = ("main/1 [1] 3 A: 3 held", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3")


def _scene() -> Scene:
    return Scene(place_changed("WH"), shop_changed("main"), BOUGHT)


@rule("O2", "R10")
def test_all_of_it_is_held_and_bought_whatever_is_available() -> None:
    scene = _scene().given(stock_received("r1", "WH", [("A", 5)]))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?", f"ReplenishmentRaised {R1} rev 1 [3 A]"
    ).kept(*HELD, "WH: 5 A").booked()


@rule("O2", "O4", "O5", "O8")
@pytest.mark.parametrize(
    ("policy", "waits"),
    [
        ({"backorder_policy": "none"}, "until ?"),
        ({"backorder_policy": "notify"}, "until ? notify"),
        ({"backorder_limit": 0}, "until ?"),
        ({"backorder_limit": 2}, "until ?"),
        ({"safety_stock": 9}, "until ?"),
    ],
    ids=str,
)
def test_policy_and_limit_of_back_orders_are_for_what_is_sold_from_stock(
    policy: dict[str, object], waits: str
) -> None:
    scene = _scene().given(item_changed("A", policy=policy))
    scene.when(order_placed("1", [("A", 3)])).told(
        f"OrderBackordered main/1 [1: 3 A {waits}] until ?", f"ReplenishmentRaised {R1} rev 1 [3 A]"
    ).kept(*HELD)


@rule("R11", "O2")
def test_it_is_expected_a_lead_time_from_now() -> None:
    scene = _scene().given(item_changed("A", policy={"lead_time_days": 4}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until T0+4d] until T0+4d",
        f"ReplenishmentRaised {R1} rev 1 [3 A]",
    )


@rule("O1", "R10", "R2")
def test_each_line_is_linked_and_the_sum_is_rounded_to_packs() -> None:
    scene = _scene().given(item_changed("A", policy={"pack_size": 4}))
    scene.when(order_placed("1", [("A", 3), ("A", 2)]), order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/1 [1: 3 A until ?, 2: 2 A until ?] until ?",
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [8 A]",
    ).kept(
        "main/1 [1] 3 A: 3 held",
        "main/1 [2] 2 A: 2 held",
        "main/2 [1] 1 A: 1 held",
        f"{R1} open: 8 A",
        f"{R1} brings main/1 [1] 3",
        f"{R1} brings main/1 [2] 2",
        f"{R1} brings main/2 [1] 1",
    )


@rule("S4", "R10", "O2")
def test_only_what_was_bought_for_it_fills_it() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)]))
    scene.when(stock_received("r1", "WH", [("A", 9)])).told().kept(*HELD, "WH: 9 A")
    name = scene.replenishment_id(R1)
    scene.when(stock_received("r2", "WH", [("A", 2)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0"
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "WH: 11 A, 2 promised",
        f"{R1} partially_received: 3 A, 2 in",
        f"{R1} brings main/1 [1] 1",
    )
    scene.when(stock_received("r3", "WH", [("A", 1)], replenishment_id=name)).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete"
    ).kept("main/1 [1] 3 A: 3 at WH", "WH: 12 A, 3 promised", f"{R1} received: 3 A, 3 in")


@rule("R7", "P3", "R10")
def test_without_a_vendor_a_person_is_told_and_the_first_vendor_gets_it() -> None:
    scene = Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", policy={"sourcing": "buy_to_order"}),
    )
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
    ).kept("main/1 [1] 3 A: 3 held")
    scene.when(item_changed("A", vendor="V")).told(f"ReplenishmentRaised {R1} rev 1 [3 A]")
    scene.kept(*HELD)


@rule("R10", "P3")
def test_where_automation_is_off_it_waits_for_a_buyer_until_automation_is_on() -> None:
    scene = _scene().given(item_changed("A", policy={"auto_replenish": False}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?"
    ).kept("main/1 [1] 3 A: 3 held")
    scene.when(item_changed("A", policy={"auto_replenish": None})).told(
        f"ReplenishmentRaised {R1} rev 1 [3 A]"
    ).kept(*HELD)


@rule("R10", "R2")
def test_while_it_is_open_it_moves_with_the_vendor_of_the_item() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor="W")).told(
        f"ReplenishmentCancelled {R1} rev 2 []", "ReplenishmentRaised W>WH#1 rev 1 [3 A]"
    ).kept(
        "main/1 [1] 3 A: 3 held",
        f"{R1} cancelled: nothing",
        "W>WH#1 open: 3 A",
        "W>WH#1 brings main/1 [1] 3",
    )


@rule("P1", "S4")
def test_a_line_that_was_to_be_bought_waits_for_that_though_the_sku_is_sold_from_stock() -> None:
    scene = _scene().given(order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy={"sourcing": "stock"})).told().kept(*HELD)
    scene.when(stock_received("r1", "WH", [("A", 2)])).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept(*HELD, "WH: 2 A")
    scene.when(order_placed("2", [("A", 2)])).told(
        "ReadyToShip main/2 from WH [1: 2 A] complete",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("P1", "R2", "R10")
def test_a_line_that_waits_for_stock_shares_the_replenishment_and_takes_what_comes_free() -> None:
    scene = Scene(
        place_changed("WH"),
        shop_changed("main"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 2)]),
    )
    scene.when(item_changed("A", policy={"sourcing": "buy_to_order"})).told()
    scene.when(order_placed("2", [("A", 3)], priority=1)).told(
        "OrderBackordered main/2 [1: 3 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 2 [5 A]",
    ).kept(
        "main/1 [1] 2 A: 2 held",
        "main/2 [1] 3 A: 3 held",
        f"{R1} open: 5 A",
        f"{R1} brings main/2 [1] 3",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0",
        f"ReplenishmentReduced {R1} rev 3 [4 A]",
    )


@rule("S13", "O2")
@pytest.mark.parametrize(
    "policy",
    [{}, {"backorder_policy": "none"}, {"backorder_limit": 0}, {"safety_stock": 3}],
    ids=str,
)
def test_what_is_bought_for_each_order_is_on_back_order_whatever_there_is(
    policy: dict[str, object],
) -> None:
    scene = _scene().given(item_changed("A", policy=policy))
    scene.when(stock_received("r1", "WH", [("A", 9)])).told()
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?", f"ReplenishmentRaised {R1} rev 1 [3 A]"
    )
    scene.when(item_changed("A", policy={"sourcing": "stock", "safety_stock": None})).told(
        f"StockStatusChanged main A in_stock, sellable {_left(policy)}"
    )


def _left(policy: dict[str, object]) -> str:
    limited = {"backorder_policy", "backorder_limit"} & set(policy)
    return "9" if limited else "unlimited"
