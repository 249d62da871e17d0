"""What goes when: part by part, line by line, all at once, or in groups (O9)."""

from datetime import timedelta

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
from tests.support.wire import T0, Fields

HOUR = timedelta(hours=1)


def _scene(**there: int) -> Scene:
    """`there` units lie at WH; everything is bought from V."""
    scene = Scene(place_changed("WH"), shop_changed("main"))
    scene.given(*(item_changed(sku, vendor="V") for sku in ("A", "B", "C")))
    if there:
        scene.given(stock_received("r0", "WH", list(there.items())))
    return scene


def _line(sku: str, qty: int, group: str | None = None) -> Fields:
    return {"sku": sku, "qty": qty} | ({} if group is None else {"group": group})


@rule("O9")
def test_line_by_line_what_is_there_of_a_line_waits_reserved_for_the_rest_of_it() -> None:
    scene = _scene(A=2, B=3)
    scene.when(order_placed("1", [("A", 3), ("B", 2)], ship_mode="line")).told(
        "ReadyToShip main/1 from WH [2: 2 B]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "main/1 [2] 2 B: 2 at WH",
        "WH: 2 A, 2 promised",
        "WH: 3 B, 2 promised",
        "V>WH#1 open: 1 A",
    )
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [2 A]",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "ReplenishmentReduced V>WH#1 rev 3 [1 A]",
    )


@rule("O9")
def test_complete_waits_for_all_lines_of_the_order() -> None:
    scene = _scene(A=2)
    scene.when(order_placed("1", [("A", 2), ("B", 1), ("C", 1)], ship_mode="complete")).told(
        "OrderBackordered main/1 [2: 1 B until ?, 3: 1 C until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B, 1 C]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 held",
        "main/1 [3] 1 C: 1 held",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 B, 1 C",
    )
    scene.when(stock_received("r1", "WH", [("B", 1)])).told(
        "ReplenishmentReduced V>WH#1 rev 2 [1 C]"
    )
    scene.when(stock_received("r2", "WH", [("C", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 B, 3: 1 C] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 3 []",
    )


@rule("O9")
@pytest.mark.parametrize("mode", ["partial", "line", "complete"])
def test_what_is_all_there_goes_at_once_in_every_mode(mode: str) -> None:
    scene = _scene(A=3, B=2)
    scene.when(
        order_placed("1", [_line("A", 2, "g"), _line("B", 1, "g"), _line("B", 1)], ship_mode=mode)
    ).told(
        "ReadyToShip main/1 from WH [1: 2 A, 2: 1 B, 3: 1 B] complete",
        "StockStatusChanged main B backorder, sellable unlimited",
    )


@rule("O9")
def test_a_group_waits_for_all_its_lines_and_nobody_else_waits_for_it() -> None:
    scene = _scene(A=2, B=3)
    scene.when(
        order_placed(
            "1", [_line("A", 2, "g"), _line("C", 1, "g"), _line("B", 1), _line("B", 1, "h")]
        )
    ).told(
        "ReadyToShip main/1 from WH [3: 1 B, 4: 1 B]",
        "OrderBackordered main/1 [2: 1 C until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 C]",
        "StockStatusChanged main A backorder, sellable unlimited",
    )
    scene.when(stock_received("r1", "WH", [("C", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A, 2: 1 C] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9")
def test_in_partial_a_line_of_a_group_goes_only_whole_and_one_without_goes_in_parts() -> None:
    scene = _scene(A=1, B=1)
    scene.when(order_placed("1", [_line("A", 2, "g"), _line("B", 2)])).told(
        "ReadyToShip main/1 from WH [2: 1 B]",
        "OrderBackordered main/1 [1: 1 A until ?, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A, 1 B]",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 2 [1 B]",
    )


@rule("O9")
@pytest.mark.parametrize("mode", ["partial", "line"])
def test_groups_do_not_wait_for_one_another_but_a_complete_order_waits_for_all(mode: str) -> None:
    lines = [_line("A", 1, "g"), _line("B", 1, "h"), _line("C", 1, "g")]
    scene = _scene(A=2, B=2)
    scene.when(order_placed("1", lines, ship_mode=mode)).told(
        "ReadyToShip main/1 from WH [2: 1 B]",
        "OrderBackordered main/1 [3: 1 C until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 C]",
    )
    scene.when(order_placed("2", lines, ship_mode="complete")).told(
        "OrderBackordered main/2 [3: 1 C until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [2 C]",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
    )


@rule("O9", "O11")
def test_a_complete_order_from_two_sources_is_ready_where_all_was_there_and_back_where_not() -> (
    None
):
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        item_changed("B", vendor="V"),
        stock_received("r1", "WH1", [("A", 2)]),
        stock_received("r2", "WH2", [("B", 1)]),
        order_placed("1", [("A", 2), ("B", 3)], ship_mode="complete"),
    )
    scene.when(stock_received("r3", "WH2", [("B", 2)])).told(
        "ReadyToShip main/1 from WH1 [1: 2 A] complete",
        "BackToShip main/1 from WH2 [2: 3 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH1#1 rev 2 []",
    ).kept(
        "main/1 [1] 2 A: 2 at WH1",
        "main/1 [2] 3 B: 3 at WH2",
        "WH1: 2 A, 2 promised",
        "WH2: 3 B, 3 promised",
        "V>WH1#1 cancelled: nothing",
    )


@rule("O9")
def test_line_by_line_one_line_may_be_whole_from_two_sources() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        stock_received("r1", "WH1", [("A", 2)]),
        order_placed("1", [("A", 3)], ship_mode="line"),
    )
    scene.when(stock_received("r2", "WH2", [("A", 1)])).told(
        "ReadyToShip main/1 from WH1 [1: 2 A] complete",
        "BackToShip main/1 from WH2 [1: 1 A] waited since T0 complete",
    )


@rule("O9", "S5")
def test_it_waited_since_the_earliest_of_the_lines_that_go() -> None:
    scene = _scene(A=1)
    scene.given(
        order_placed(
            "1",
            [_line("A", 1), _line("B", 1)],
            ship_mode="complete",
            placed_at=T0 - 3 * HOUR,
            time=T0,
        )
    )
    scene.when(stock_received("r1", "WH", [("B", 1)], received_at=T0 + HOUR)).told(
        "BackToShip main/1 from WH [1: 1 A, 2: 1 B] waited since T0-3h complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )
