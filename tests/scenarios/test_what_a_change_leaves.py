"""What of an order stays as it was when it changes, and what follows it (C2)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import (
    item_changed,
    order_changed,
    order_hold_cleared,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Fields

HOUR = timedelta(hours=1)


def _scene(qty: int = 0) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


@rule("C2", "S4")
def test_priority_and_the_time_it_was_placed_stay_as_they_were() -> None:
    scene = _scene().given(
        order_placed("1", [("A", 1)]),
        order_placed("2", [("A", 1)], placed_at=T0 + HOUR),
        order_changed("2", [("A", 1)], priority=1, placed_at=T0 - HOUR),
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 3 [1 A]",
    )


@rule("C2", "O9", "O10")
@pytest.mark.parametrize(
    "how",
    [
        {"holds": ["fraud"]},
        {"holds": ["payment"]},
        {"release": "manual"},
        {"ship_mode": "complete"},
    ],
    ids=str,
)
def test_holds_ship_mode_and_manual_release_stay_as_they_were(how: dict[str, Any]) -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)]))
    scene.when(order_changed("1", [("A", 3)], **how)).told(
        "ReadyToShip main/1 from WH [1: 1 A]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    )


@rule("C2", "O10")
def test_an_order_that_is_not_paid_goes_on_waiting_with_what_is_wanted_now() -> None:
    scene = _scene(9).given(order_placed("1", [("A", 3), ("A", 2), ("A", 1)], holds=["payment"]))
    lines: list[tuple[str, int] | Fields] = [
        ("A", 5),
        ("A", 1),
        {"line_id": "4", "sku": "A", "qty": 1},
    ]
    scene.when(order_changed("1", lines)).told().booked().kept(
        "main/1 [1] 5 A: 5 pending",
        "main/1 [2] 2 A: 1 pending, 1 cancelled",
        "main/1 [3] 1 A: 1 cancelled",
        "main/1 [4] 1 A: 1 pending",
        "WH: 9 A",
    )
    scene.when(order_hold_cleared("1")).told(
        "ReadyToShip main/1 from WH [1: 5 A, 2: 1 A, 4: 1 A] complete"
    )


@rule("C2", "R10", "O2")
@pytest.mark.parametrize(
    ("sourcing", "name", "kept"),
    [("drop_ship", "V>customer:main/1#1", "drop-shipped"), ("buy_to_order", "V>WH#1", "held")],
)
def test_what_is_bought_for_the_order_follows_it(sourcing: str, name: str, kept: str) -> None:
    scene = _scene(9).given(
        item_changed("A", policy={"sourcing": sourcing}), order_placed("1", [("A", 3)])
    )
    told = ["OrderBackordered main/1 [1: 5 A until ?] until ?"] if kept == "held" else []
    scene.when(order_changed("1", [("A", 5)])).told(
        *told, f"ReplenishmentExtended {name} rev 2 [5 A]"
    ).kept(
        f"main/1 [1] 5 A: 5 {kept}", "WH: 9 A", f"{name} open: 5 A", f"{name} brings main/1 [1] 5"
    )
    scene.when(order_changed("1", [("A", 2)], version=2)).told(
        f"ReplenishmentReduced {name} rev 3 [2 A]"
    ).kept(
        f"main/1 [1] 5 A: 2 {kept}, 3 cancelled",
        "WH: 9 A",
        f"{name} open: 2 A",
        f"{name} brings main/1 [1] 2",
    )
