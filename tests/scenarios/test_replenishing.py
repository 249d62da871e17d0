"""What is bought: one open replenishment a vendor and destination (R1, R3, R7, P3)."""

import pytest

from handlers.policy import Policy, Rules
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    replenishment_closed,
    shop_changed,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene

VENDOR = item_changed("A", vendor="V")


@rule("R1", "R3")
def test_shortages_of_a_vendor_gather_on_one_replenishment_a_destination() -> None:
    scene = Scene(
        VENDOR,
        item_changed("B", vendor="V"),
        item_changed("C", vendor="W"),
        shop_changed("east", sources=["E"]),
        shop_changed("west", sources=["W"]),
        order_placed("1", [("A", 2)], shop="east"),
    )
    scene.told(
        "OrderBackordered east/1 [1: 2 A until ?] until ?", "ReplenishmentRaised V>E#1 rev 1 [2 A]"
    )
    scene.when(order_placed("2", [("A", 1), ("B", 4), ("C", 1)], shop="east")).told(
        "OrderBackordered east/2 [1: 1 A until ?, 2: 4 B until ?, 3: 1 C until ?] until ?",
        "ReplenishmentExtended V>E#1 rev 2 [3 A, 4 B]",
        "ReplenishmentRaised W>E#1 rev 1 [1 C]",
    )
    scene.when(order_placed("3", [("A", 5)], shop="west")).told(
        "OrderBackordered west/3 [1: 5 A until ?] until ?",
        "ReplenishmentRaised V>W#1 rev 1 [5 A]",
    )
    scene.kept(
        "east/1 [1] 2 A: 2 held",
        "east/2 [1] 1 A: 1 held",
        "east/2 [2] 4 B: 4 held",
        "east/2 [3] 1 C: 1 held",
        "west/3 [1] 5 A: 5 held",
        "V>E#1 open: 3 A, 4 B",
        "W>E#1 open: 1 C",
        "V>W#1 open: 5 A",
    )


@rule("R3")
def test_a_batch_tells_a_replenishment_once_and_counts_every_event_that_changed_it() -> None:
    scene = Scene(VENDOR, item_changed("B", vendor="V"))
    scene.when(
        order_placed("1", [("A", 2), ("B", 1)]),
        order_placed("2", [("A", 1)]),
        order_cancelled("1", ["2"]),
    ).told(
        "OrderBackordered main/1 [1: 2 A until ?, 2: 1 B until ?] until ?",
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>main#1 rev 3 [3 A]",
    )


@rule("R3")
@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        pytest.param(4, 1, "Reduced", id="less in all, though more of one"),
        pytest.param(4, 3, "Extended", id="more in all"),
        pytest.param(1, 5, "Extended", id="as much in all, though not of each"),
        # Told all the same: the revision counts, and the last one told is the present one.
        pytest.param(3, 3, "Extended", id="there and back"),
    ],
)
def test_extended_or_reduced_is_by_the_total_last_told(a: int, b: int, kind: str) -> None:
    scene = Scene(VENDOR, item_changed("B", vendor="V"), order_placed("1", [("A", 3), ("B", 3)]))
    scene.when(order_placed("2", [("A", a), ("B", b)]), order_cancelled("1")).told(
        f"OrderBackordered main/2 [1: {a} A until ?, 2: {b} B until ?] until ?",
        f"Replenishment{kind} V>main#1 rev 3 [{a} A, {b} B]",
    )


@rule("R3", "R1")
def test_when_the_last_line_goes_it_is_cancelled_and_the_next_need_raises_another() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 2)]))
    scene.when(order_cancelled("1")).told("ReplenishmentCancelled V>main#1 rev 2 []")
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>main#2 rev 1 [1 A]",
    )
    scene.kept(
        "main/1 [1] 2 A: 2 cancelled",
        "main/2 [1] 1 A: 1 held",
        "V>main#1 cancelled: nothing",
        "V>main#2 open: 1 A",
    )


@rule("R3")
def test_a_line_that_goes_leaves_the_others() -> None:
    scene = Scene(VENDOR, item_changed("B", vendor="V"), order_placed("1", [("A", 3), ("B", 3)]))
    scene.when(order_cancelled("1", ["2"])).told("ReplenishmentReduced V>main#1 rev 2 [3 A]").kept(
        "main/1 [1] 3 A: 3 held", "main/1 [2] 3 B: 3 cancelled", "V>main#1 open: 3 A"
    )


@rule("R2", "P3")
def test_a_new_vendor_gets_what_the_old_one_had_not_been_sent() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor="W")).told(
        "ReplenishmentCancelled V>main#1 rev 2 []", "ReplenishmentRaised W>main#1 rev 1 [3 A]"
    ).kept("main/1 [1] 3 A: 3 held", "V>main#1 cancelled: nothing", "W>main#1 open: 3 A")


@rule("R2")
def test_a_new_vendor_gets_only_what_the_old_one_was_not_sent() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.given(replenishment_closed(scene.replenishment_id("V>main#1")))
    scene.given(order_placed("2", [("A", 2)]))
    scene.when(item_changed("A", vendor="W")).told(
        "ReplenishmentCancelled V>main#2 rev 2 []", "ReplenishmentRaised W>main#1 rev 1 [2 A]"
    )


@rule("R7")
def test_what_has_no_vendor_waits_with_an_exception_and_the_other_lines_are_bought() -> None:
    scene = (
        Scene(VENDOR)
        .when(order_placed("1", [("A", 1), ("B", 2), ("B", 1)]))
        .told(
            "OrderBackordered main/1 [1: 1 A until ?, 2: 2 B until ?, 3: 1 B until ?] until ?",
            "ReplenishmentRaised V>main#1 rev 1 [1 A]",
            "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=2",
            "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=3",
        )
    )
    scene.kept(
        "main/1 [1] 1 A: 1 held",
        "main/1 [2] 2 B: 2 held",
        "main/1 [3] 1 B: 1 held",
        "V>main#1 open: 1 A",
    )


@rule("R7", "P3")
def test_a_vendor_that_is_taken_away_leaves_what_waits_with_an_exception() -> None:
    scene = Scene(VENDOR, order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor=None)).told(
        "ReplenishmentCancelled V>main#1 rev 2 []", "ExceptionRaised no_vendor: sku=A"
    ).kept("main/1 [1] 3 A: 3 held", "V>main#1 cancelled: nothing")
    scene.when(item_changed("A", vendor="W")).told("ReplenishmentRaised W>main#1 rev 1 [3 A]")


@rule("P3")
def test_automation_that_is_off_buys_nothing_and_what_waited_is_bought_when_it_is_on() -> None:
    scene = Scene(item_changed("A", vendor="V", policy={"auto_replenish": False}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?"
    ).kept("main/1 [1] 3 A: 3 held")
    scene.when(item_changed("A", policy={"auto_replenish": True})).told(
        "ReplenishmentRaised V>main#1 rev 1 [3 A]"
    )
    scene.when(item_changed("A", policy={"auto_replenish": False})).told(
        "ReplenishmentCancelled V>main#1 rev 2 []"
    )


@rule("P3")
def test_the_master_switch_goes_before_the_setting_of_an_item() -> None:
    rules = Rules(auto_replenish_enabled=False)
    scene = Scene.with_rules(rules, item_changed("A", vendor="V", policy={"auto_replenish": True}))
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?"
    ).kept("main/1 [1] 3 A: 3 held")


@rule("P3", "R2")
def test_a_vendor_whose_automation_is_turned_on_gets_all_that_waited_at_once() -> None:
    scene = Scene.with_rules(
        Rules(defaults=Policy(auto_replenish=False)),
        VENDOR,
        item_changed("B", vendor="V"),
        item_changed("C", vendor="W"),
        order_placed("1", [("A", 3), ("C", 1)]),
        order_placed("2", [("B", 2)]),
    )
    scene.when(vendor_changed("V", policy={"auto_replenish": True, "pack_size": 4})).told(
        "ReplenishmentRaised V>main#1 rev 1 [4 A, 4 B]"
    )
