"""Settings: who says what, and what a change brings about (P1, P3)."""

import pytest

from handlers.policy import Policy, Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene


@rule("P1")
@pytest.mark.parametrize(
    ("default", "vendor", "item", "ordered"),
    [
        pytest.param(2, None, None, 2, id="the default"),
        pytest.param(2, 4, None, 4, id="the vendor before the default"),
        pytest.param(2, 4, 6, 6, id="the item before the vendor"),
        pytest.param(2, None, 6, 6, id="the item before the default"),
        pytest.param(2, 4, 1, 1, id="the item, though it is what nobody set"),
    ],
)
def test_the_first_level_that_sets_a_setting_wins(
    default: int, vendor: int | None, item: int | None, ordered: int
) -> None:
    scene = Scene.with_rules(Rules(defaults=Policy(pack_size=default)))
    scene.when(
        item_changed("A", vendor="V", policy={"pack_size": item}),
        vendor_changed("V", policy={"pack_size": vendor}),
        order_placed("1", [("A", 1)]),
    ).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        f"ReplenishmentRaised V>main#1 rev 1 [{ordered} A]",
    )


@rule("P1")
def test_clearing_a_setting_restores_the_next_level() -> None:
    scene = Scene.with_rules(
        Rules(defaults=Policy(pack_size=2)),
        vendor_changed("V", policy={"pack_size": 4}),
        item_changed("A", vendor="V", policy={"pack_size": 6, "min_order_qty": 7}),
        order_placed("1", [("A", 1)]),
    )
    scene.kept("main/1 [1] 1 A: 1 held", "V>main#1 open: 12 A")
    scene.when(item_changed("A", policy={"pack_size": None})).told(
        "ReplenishmentReduced V>main#1 rev 2 [8 A]"
    )
    scene.when(vendor_changed("V", policy={"pack_size": None})).told()
    scene.when(item_changed("A", policy=None)).told("ReplenishmentReduced V>main#1 rev 3 [2 A]")


@rule("P1")
def test_what_a_change_does_not_name_stays_as_it_is() -> None:
    scene = Scene(
        item_changed(
            "A", vendor="V", alternatives=["B"], policy={"lead_time_days": 3, "pack_size": 4}
        ),
        item_changed("A", name="Apple"),
        item_changed("A", policy={"pack_size": 5}),
        vendor_changed("V", policy={"min_order_qty": 6}),
        vendor_changed("V", email="v@example.org"),
    )
    scene.when(order_placed("1", [("A", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until T0+3d or B] until T0+3d",
        "ReplenishmentRaised V>main#1 rev 1 [10 A]",
    )
    scene.given(item_changed("A", alternatives=None))
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until T0+3d] until T0+3d"
    )


@rule("P1")
@pytest.mark.parametrize(
    "policy", [{"backorder_policy": "none"}, {"backorder_limit": 1}, {"backorder_limit": 0}]
)
def test_lines_that_wait_keep_their_promise_and_only_new_ones_are_rejected(
    policy: dict[str, object],
) -> None:
    scene = Scene(item_changed("A", vendor="V"), order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy=policy)).told(
        "StockStatusChanged main A out_of_stock, sellable 0"
    ).kept("main/1 [1] 3 A: 3 held", "V>main#1 open: 3 A")
    scene.when(order_placed("2", [("A", 1)]))
    assert scene.house.line("2").rejected == 1
    scene.when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
        *(
            ["StockStatusChanged main A backorder, sellable 1"]
            if policy.get("backorder_limit") == 1
            else []
        ),
    )


@rule("P1", "P3")
def test_a_change_applies_from_then_on_within_one_batch() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 5)]))
    scene.when(
        order_placed("1", [("A", 2)]),
        item_changed("A", policy={"safety_stock": 2}),
        order_placed("2", [("A", 2)]),
    )
    assert scene.house.line("1").allocated == 2
    assert scene.house.line("2").allocated == 1


@rule("P3", "P1")
def test_a_vendor_that_is_set_gets_what_waited_at_once() -> None:
    scene = Scene(order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor="V")).told("ReplenishmentRaised V>main#1 rev 1 [3 A]").kept(
        "main/1 [1] 3 A: 3 held", "V>main#1 open: 3 A"
    )


@rule("P3", "S3")
def test_a_change_of_a_vendor_reaches_an_event_of_its_batch_before_its_walk_does() -> None:
    scene = Scene(
        vendor_changed("V", policy={"safety_stock": 3}),
        item_changed("A", vendor="V"),
        stock_received("r1", "main", [("A", 3)]),
        order_placed("1", [("A", 2)]),
    )
    scene.when(vendor_changed("V", policy={"safety_stock": 0}), order_placed("2", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0 complete",
        "ReadyToShip main/2 from main [1: 1 A]",
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentCancelled V>main#1 rev 2 []",
        "ReplenishmentRaised V>main#2 rev 1 [1 A]",
    )


@rule("P1", "O2")
def test_a_sku_that_is_no_longer_managed_still_serves_who_waited() -> None:
    scene = Scene(item_changed("A", vendor="V"), order_placed("1", [("A", 2)]))
    scene.when(item_changed("A", policy={"manage_stock": False})).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept("main/1 [1] 2 A: 2 held", "V>main#1 open: 2 A")
    scene.when(stock_received("r1", "main", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
    )
