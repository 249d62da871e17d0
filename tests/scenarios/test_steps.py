"""A long queue is filled in steps: nothing lost, nothing twice (S6)."""

from datetime import timedelta

import pytest

from handlers.decision import Applied, Deferred, Repeated
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.stepwise import ORDERS, Stepwise
from tests.support.wire import T0


def _released(scene: Scene) -> set[str]:
    """The ids of all releases, by which a warehouse knows a repeat."""
    return {release_id for release_id, _line_id in scene.warehouses.to_ship}


@rule("S6", "S4")
def test_one_arrival_serves_a_long_queue_line_by_line_in_its_order() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 7)]))
    scene.told("BackToShip a/0 from WH [1: 2 A] waited since T0 complete")
    assert stepwise.step()
    scene.told("BackToShip a/2 from WH [1: 2 A] waited since T0 complete")
    assert stepwise.step()
    # The queue of shop a has come to its end; the next of shop b is known.
    scene.told(
        "BackToShip a/4 from WH [1: 2 A] waited since T0 complete",
        "BackToShip b/1 from WH [1: 1 A] waited since T0",
        "ReplenishmentReduced V>WH#1 rev 6 [3 A]",
    )
    assert not stepwise.step()
    scene.kept(
        *(f"a/{n} [1] 2 A: 2 at WH" for n in (0, 2, 4)),
        "b/1 [1] 2 A: 1 at WH, 1 held",
        "b/3 [1] 2 A: 2 held",
        "WH: 7 A, 7 promised",
        "V>WH#1 open: 3 A",
    )


@rule("S6")
@pytest.mark.parametrize("lines_max", [1, 2, 3, 100])
@pytest.mark.parametrize("arrives", [1, 4, 7, 10, 13])
def test_a_fill_in_steps_ends_as_a_fill_in_one(arrives: int, lines_max: int) -> None:
    given = [
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"safety_stock": 1}),
        *ORDERS,
    ]
    arrival = stock_received("r1", "WH", [("A", arrives)])
    whole = Scene(*given).when(arrival)
    stepwise = Stepwise(*given, lines_max=lines_max)
    stepwise.scene.when(arrival)
    stepwise.finish()
    assert stepwise.scene.rows() == whole.rows()
    assert sorted(stepwise.scene.all_lines()) == sorted(whole.all_lines())
    assert _released(stepwise.scene) == _released(whole)


@rule("S6", "R2")
def test_while_a_fill_is_unfinished_nothing_is_bought_for_lines_it_will_serve() -> None:
    stepwise = Stepwise.with_a_queue(safety_stock=20)
    name = stepwise.scene.replenishment_id("V>WH#1")
    scene = stepwise.scene.given(replenishment_closed(name))
    stepwise.finish()
    scene.when(stock_received("r1", "WH", [("A", 10)], replenishment_id=name)).told(
        "BackToShip a/0 from WH [1: 2 A] waited since T0 complete"
    )
    stepwise.finish()
    scene.kept(
        *(f"{'b' if n % 2 else 'a'}/{n} [1] 2 A: 2 at WH" for n in range(5)),
        "WH: 10 A, 10 promised",
        "V>WH#1 received: 10 A, 10 in",
    )


@rule("S6", "O3")
def test_an_order_on_a_sku_that_is_being_filled_waits_and_takes_only_what_is_left() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 11)]))
    late = order_placed("9", [("A", 3)], shop="a", priority=1)
    scene.when(late).told()
    assert isinstance(stepwise.house.outcome(late), Deferred)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(late), Applied)
    assert stepwise.house.line("9", shop="a").allocated == 1
    assert stepwise.house.line("9", shop="a").shortage == 2
    assert stepwise.held == 2


@rule("S6")
def test_other_skus_are_served_between_the_steps() -> None:
    stepwise = Stepwise.with_a_queue(stock_received("r0", "WH", [("B", 5)]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    scene.when(order_placed("9", [("B", 1)], shop="a")).told(
        "ReadyToShip a/9 from WH [1: 1 B] complete"
    )
    assert stepwise.held == 8


@rule("S6", "C4")
def test_events_that_waited_take_effect_in_the_order_they_came_each_once() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 11)]))
    first, second = order_placed("8", [("A", 1)]), order_placed("9", [("A", 1)])
    again = stock_received("r1", "WH", [("A", 11)], event_id="again")
    shipped = order_shipped("0", "s1", "WH", [("1", 2)], shop="a")
    scene.when(first, again)
    assert stepwise.step()
    scene.when(second, shipped)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(again), Repeated)
    assert stepwise.house.line("8").allocated == 1
    assert stepwise.house.line("9").shortage == 1
    assert stepwise.house.line("0", shop="a").shipped == 2


@rule("S6", "L6")
def test_an_event_on_several_skus_waits_for_the_one_that_is_being_filled() -> None:
    stepwise = Stepwise.with_a_queue(stock_received("r0", "WH", [("B", 1)]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    both = order_placed("9", [("B", 1), ("A", 1)], shop="a")
    scene.when(both).told().booked()
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(both), Applied)
    assert [row.allocated for row in stepwise.house.state.orders["a", "9"].lines.values()] == [1, 0]


@rule("S6", "R6")
def test_closing_waits_for_the_fill_so_that_a_shortage_lands_in_one_replenishment() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 4)]))
    closed = replenishment_closed(scene.replenishment_id("V>WH#1"))
    scene.when(closed).told()
    stepwise.finish()
    scene.kept(
        "a/0 [1] 2 A: 2 at WH",
        "a/2 [1] 2 A: 2 at WH",
        *(f"{'b' if n % 2 else 'a'}/{n} [1] 2 A: 2 held" for n in (1, 3, 4)),
        "WH: 4 A, 4 promised",
        "V>WH#1 finalized: 6 A",
    )


@rule("S6", "S13")
def test_a_status_is_told_by_the_step_that_finishes_the_fill() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 12)]))
    told = []
    while stepwise.step():
        told.append([row for row in scene.lines() if row.startswith("StockStatusChanged")])
    assert told[-1] == [
        "StockStatusChanged a A in_stock, sellable unlimited",
        "StockStatusChanged b A in_stock, sellable unlimited",
    ]
    assert not any(told[:-1])


@rule("S6", "S13")
def test_a_status_is_told_though_what_waited_behind_the_fill_changes_nothing() -> None:
    stepwise = Stepwise.with_a_queue()
    arrival = stock_received("r1", "WH", [("A", 12)])
    again = stock_received("r1", "WH", [("A", 12)], event_id="again")
    stepwise.scene.when(arrival).when(again)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(again), Repeated)
    assert not stepwise.house.state.items["A"].busy
    told = [row for row in stepwise.scene.all_lines() if row.startswith("StockStatusChanged")]
    assert told == [
        "StockStatusChanged a A in_stock, sellable unlimited",
        "StockStatusChanged b A in_stock, sellable unlimited",
    ]


@rule("S6", "C1", "S3")
def test_freed_units_serve_a_long_queue_in_steps() -> None:
    stepwise = Stepwise.with_a_queue(
        stock_received("r0", "WH", [("A", 10)]), order_placed("big", [("A", 10)], priority=1)
    )
    stepwise.scene.when(order_cancelled("big"))
    assert stepwise.finish() == 3
    assert stepwise.held == 0


@rule("S6", "S2")
def test_a_second_arrival_waits_for_the_fill_of_the_first() -> None:
    stepwise = Stepwise.with_a_queue()
    scene = stepwise.scene.when(
        stock_received("r1", "WH", [("A", 4)]), stock_received("r2", "WH", [("A", 4)])
    )
    scene.booked("4 A vendor>WH received")
    stepwise.finish()
    assert [row.qty for row in stepwise.house.movements] == [4, 4]
    assert stepwise.held == 2


@rule("S6", "S4")
def test_a_fill_passes_over_shops_that_may_not_ship_from_there_however_many_wait() -> None:
    stepwise = Stepwise.with_a_queue(
        *(order_placed(f"x{n}", [("A", 1)], shop="x", priority=1) for n in range(5)),
        shop_changed("x", sources=["ELSE"]),
    )
    stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    stepwise.finish()
    assert stepwise.held == 5
    assert stepwise.house.line("x0", shop="x").shortage == 1


@rule("S6", "S4")
def test_what_arrived_and_is_not_given_out_yet_keeps_its_claim_through_the_steps() -> None:
    stepwise = Stepwise.with_a_queue(safety_stock=50)
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 7)]))
    shortage = [stepwise.held]
    while stepwise.step():
        shortage.append(stepwise.held)
    assert shortage == [8, 6, 3]
    scene.when(
        stock_transferred("t1", "WH", "WH2", [("A", 1)], transferred_at=T0 + timedelta(days=1))
    )
    stepwise.finish()
    assert stepwise.held == 2
