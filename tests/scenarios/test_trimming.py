"""Less is there than was promised: who loses, who is told, who is served anew (S8, O8, S3)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_hold_cleared,
    order_placed,
    place_changed,
    shop_changed,
    stock_counted,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

LATER = T0 + timedelta(days=1)
R1 = "V>WH#1"


def _order(order_id: str, qty: int, placed_at: Moment = T0, **rest: object) -> Event:
    """An order whose units are promised and not released: somebody looks at it first."""
    return order_placed(
        order_id, [("A", qty)], shop="main", placed_at=placed_at, holds=["fraud"], **rest
    )


def _counted(qty: int, place: str = "WH") -> Event:
    return stock_counted("c1", place, [("A", qty)], counted_at=LATER, time=LATER)


def _promised(*given: Event, **policy: object) -> Scene:
    """8 A at WH, promised: 3 to main/1, 2 to main/2 behind it, 3 to main/0, who goes before all."""
    return Scene(
        place_changed("WH", priority=1),
        place_changed("FAR"),
        item_changed("A", vendor="V", policy=policy),
        stock_received("r1", "WH", [("A", 8)]),
        _order("1", 3),
        _order("2", 2, placed_at=T0 + timedelta(minutes=1)),
        _order("0", 3, placed_at=T0 + timedelta(minutes=2), priority=1),
        *given,
    )


@rule("S8", "O8", "R2")
@pytest.mark.parametrize(
    ("counted", "zero", "one", "two"),
    [(8, 0, 0, 0), (7, 0, 0, 1), (6, 0, 0, 2), (5, 0, 1, 2), (2, 1, 3, 2), (0, 3, 3, 2)],
)
def test_the_last_in_the_queue_lose_first(counted: int, zero: int, one: int, two: int) -> None:
    scene = _promised().when(_counted(counted))
    lost = {"0": zero, "1": one, "2": two}
    bought = zero + one + two
    scene.told(
        *(
            f"OrderBackordered main/{name} [1: {qty} A until ?] until ?"
            for name, qty in lost.items()
            if qty
        ),
        *([f"ReplenishmentRaised {R1} rev 1 [{bought} A]"] if bought else []),
    )
    lines = {name: scene.house.line(name) for name in lost}
    assert {name: line.shortage for name, line in lines.items()} == lost
    assert f"WH: {counted} A, {counted} promised" in scene.rows() or not counted


@rule("S8", "S5")
def test_whoever_lost_waits_since_then_and_is_served_again() -> None:
    scene = _promised(_counted(6)).when(order_hold_cleared("2", "fraud")).told()
    scene.when(stock_received("r2", "WH", [("A", 2)], received_at=LATER + timedelta(days=1))).told(
        "BackToShip main/2 from WH [1: 2 A] waited since T0+1d complete",
        f"ReplenishmentCancelled {R1} rev 2 []",
    )


@rule("S8", "O8")
def test_who_is_to_be_notified_is_when_his_units_are_gone() -> None:
    scene = _promised(backorder_policy="notify", lead_time_days=7)
    scene.when(_counted(7)).told(
        "OrderBackordered main/2 [1: 1 A until T0+8d notify] until T0+8d",
        f"ReplenishmentRaised {R1} rev 1 [1 A]",
    )


@rule("S8", "P1")
def test_who_lost_waits_though_nobody_may_wait_any_more() -> None:
    scene = _promised(item_changed("A", policy={"backorder_policy": "none"})).when(_counted(6))
    assert "OrderBackordered main/2 [1: 2 A until ?] until ?" in scene.lines()
    assert scene.house.line("2").shortage == 2


@rule("S8", "S3")
def test_what_lies_elsewhere_serves_who_lost_and_nobody_is_told_to_wait() -> None:
    scene = _promised(stock_received("r2", "FAR", [("A", 2)]))
    scene.when(_counted(6)).told("StockStatusChanged main A backorder, sellable unlimited").kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 at FAR",
        "main/0 [1] 3 A: 3 at WH",
        "WH: 6 A, 6 promised",
        "FAR: 2 A, 2 promised",
    )


@rule("S8", "S3")
def test_what_lies_elsewhere_serves_the_first_of_those_who_lost() -> None:
    scene = _promised(stock_received("r2", "FAR", [("A", 2)]))
    scene.when(_counted(5)).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 1 at FAR, 2 at WH",
        "main/2 [1] 2 A: 1 at FAR, 1 held",
        "main/0 [1] 3 A: 3 at WH",
        "WH: 5 A, 5 promised",
        "FAR: 2 A, 2 promised",
        f"{R1} open: 1 A",
    )


@rule("S8", "S3", "S4")
@pytest.mark.parametrize(("safety", "had"), [(0, 2), (2, 1), (9, 0)])
def test_the_safety_stock_elsewhere_is_not_for_who_lost(safety: int, had: int) -> None:
    scene = _promised(
        stock_received("r2", "FAR", [("A", 3)]), item_changed("A", policy={"safety_stock": safety})
    )
    scene.when(_counted(6))
    line = scene.house.line("2")
    assert (line.allocated, line.shortage) == (had, 2 - had)


@rule("S8", "S3")
def test_what_lies_where_the_shop_may_not_ship_from_serves_nobody() -> None:
    scene = _promised(stock_received("r2", "FAR", [("A", 9)]))
    scene.given(shop_changed("main", sources=["WH"]))
    scene.when(_counted(6)).told(
        "OrderBackordered main/2 [1: 2 A until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [2 A]",
    )


@rule("S8", "L3")
def test_released_units_stay_promised_and_a_person_is_told() -> None:
    scene = _promised(order_hold_cleared("2", "fraud"), order_hold_cleared("1", "fraud"))
    scene.when(_counted(4)).told(
        "OrderBackordered main/0 [1: 3 A until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [3 A]",
        "ExceptionRaised over_allocated: sku=A place=WH",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 at WH",
        "main/0 [1] 3 A: 3 held",
        "WH: 4 A, 5 promised",
        f"{R1} open: 3 A",
    )


@rule("S8", "L3")
def test_where_only_unreleased_units_are_missing_nobody_has_to_look() -> None:
    scene = (
        _promised(order_hold_cleared("2", "fraud"))
        .when(_counted(5))
        .told(
            "OrderBackordered main/1 [1: 3 A until ?] until ?",
            f"ReplenishmentRaised {R1} rev 1 [3 A]",
        )
    )
    assert scene.house.line("2").allocated == 2


@rule("S8", "S7")
def test_whatever_the_cause_units_that_are_moved_away_are_lost_alike() -> None:
    scene = _promised()
    scene.when(stock_transferred("t1", "WH", "X", [("A", 4)], transferred_at=LATER)).kept(
        # X is a source as well: they are served from there.
        "main/1 [1] 3 A: 1 at WH, 2 at X",
        "main/2 [1] 2 A: 2 at X",
        "main/0 [1] 3 A: 3 at WH",
        "WH: 4 A, 4 promised",
        "X: 4 A, 4 promised",
    ).told().booked("4 A WH>X transferred")


@rule("S8", "S2", "R2")
def test_moved_to_a_dock_they_are_lost_and_not_bought_again() -> None:
    scene = _promised(place_changed("DOCK", kind="dock", feeds="WH"))
    scene.when(
        stock_transferred("t1", "WH", "DOCK", [("A", 2)], transferred_at=LATER, time=LATER)
    ).told("OrderBackordered main/2 [1: 2 A until T0+1d] until T0+1d").kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/2 [1] 2 A: 2 held",
        "main/0 [1] 3 A: 3 at WH",
        "WH: 6 A, 6 promised",
        "DOCK: 2 A",
    )


@rule("S8", "R10")
def test_what_was_bought_to_order_and_is_gone_is_bought_for_its_line_again() -> None:
    scene = Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}),
        stock_received("r0", "WH", [("A", 1)]),
        _order("1", 3),
    )
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 3)], replenishment_id=name))
    scene.when(_counted(2)).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#2 rev 1 [1 A]",
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 held",
        "WH: 2 A, 2 promised",
        f"{R1} received: 3 A, 3 in",
        "V>WH#2 open: 1 A",
        "V>WH#2 brings main/1 [1] 1",
    )
