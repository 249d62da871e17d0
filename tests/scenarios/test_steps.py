"""What is too much for one transaction is done in steps: nothing lost, nothing twice (S6)."""

from datetime import timedelta

import pytest

from events.envelope import Event
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
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.stepwise import StepwiseHouse
from tests.support.wire import T0

HELD = 5
ORDERS = [order_placed(str(n), [("A", 2)], shop="b" if n % 2 else "a") for n in range(HELD)]


class Stepwise:
    """A scene in a house that serves one held line of a queue in a transaction."""

    def __init__(self, *given: Event, lines_max: int = 1, skus_max: int = 1) -> None:
        self.house = StepwiseHouse(lines_max=lines_max, skus_max=skus_max)
        self.scene = Scene(house=self.house)
        for event in given:
            self.scene.when(event)
            self.finish()

    def step(self) -> bool:
        """Do the next step; False: nothing was left."""
        return self.scene.follow(self.house.step()) is not None

    def finish(self) -> int:
        """Do all steps; return how many."""
        count = 0
        while self.step():
            count += 1
        return count


def _given(*changes: Event, **policy: int) -> Stepwise:
    vendor = item_changed("A", vendor="V", policy=policy)
    return Stepwise(place_changed("WH"), vendor, *changes, *ORDERS)


def _held(stepwise: Stepwise) -> int:
    return stepwise.house.state.items["A"].shortage


@rule("S6", "S4")
def test_one_arrival_serves_a_long_queue_line_by_line_in_its_order() -> None:
    stepwise = _given()
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
    before = len(stepwise.house.emitted_ids)
    stepwise.scene.when(arrival)
    stepwise.finish()
    assert stepwise.scene.rows() == whole.rows()
    told = len(whole.out)
    assert sorted(stepwise.house.emitted_ids[before:]) == sorted(whole.house.emitted_ids[-told:])


@rule("S6", "R2")
def test_while_a_fill_is_unfinished_nothing_is_bought_for_lines_it_will_serve() -> None:
    stepwise = _given(safety_stock=20)
    scene = stepwise.scene.given(
        replenishment_closed(scene_name := stepwise.scene.replenishment_id("V>WH#1"))
    )
    scene.when(stock_received("r1", "WH", [("A", 10)], replenishment_id=scene_name)).told(
        "BackToShip a/0 from WH [1: 2 A] waited since T0 complete"
    )
    stepwise.finish()
    scene.kept(
        *(f"{'b' if n % 2 else 'a'}/{n} [1] 2 A: 2 at WH" for n in range(HELD)),
        "WH: 10 A, 10 promised",
        "V>WH#1 received: 10 A, 10 in",
    )


@rule("S6", "O3")
def test_an_order_on_a_sku_that_is_being_filled_waits_and_takes_only_what_is_left() -> None:
    stepwise = _given()
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 11)]))
    late = order_placed("9", [("A", 3)], shop="a", priority=1)
    scene.when(late).told()
    assert isinstance(stepwise.house.outcome(late), Deferred)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(late), Applied)
    assert stepwise.house.line("9", shop="a").allocated == 1
    assert stepwise.house.line("9", shop="a").shortage == 2
    assert _held(stepwise) == 2


@rule("S6")
def test_other_skus_are_served_between_the_steps() -> None:
    stepwise = _given(stock_received("r0", "WH", [("B", 5)]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    scene.when(order_placed("9", [("B", 1)], shop="a")).told(
        "ReadyToShip a/9 from WH [1: 1 B] complete"
    )
    assert _held(stepwise) == 8


@rule("S6", "C4")
def test_events_that_waited_take_effect_in_the_order_they_came_each_once() -> None:
    stepwise = _given()
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
    stepwise = _given(stock_received("r0", "WH", [("B", 1)]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    both = order_placed("9", [("B", 1), ("A", 1)], shop="a")
    scene.when(both).told().booked()
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(both), Applied)
    assert [row.allocated for row in stepwise.house.state.orders["a", "9"].lines.values()] == [1, 0]


@rule("S6", "R6")
def test_closing_waits_for_the_fill_so_that_a_shortage_lands_in_one_replenishment() -> None:
    stepwise = _given()
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
    stepwise = _given()
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
    stepwise = _given()
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
    stepwise = _given(
        stock_received("r0", "WH", [("A", 10)]), order_placed("big", [("A", 10)], priority=1)
    )
    stepwise.scene.when(order_cancelled("big"))
    assert stepwise.finish() == 3
    assert _held(stepwise) == 0


@rule("S6", "S2")
def test_a_second_arrival_waits_for_the_fill_of_the_first() -> None:
    stepwise = _given()
    scene = stepwise.scene.when(
        stock_received("r1", "WH", [("A", 4)]), stock_received("r2", "WH", [("A", 4)])
    )
    scene.booked("4 A vendor>WH received")
    stepwise.finish()
    assert [row.qty for row in stepwise.house.movements] == [4, 4]
    assert _held(stepwise) == 2


@rule("S6", "P3", "S3")
def test_a_change_that_touches_many_skus_takes_effect_in_steps() -> None:
    skus = [f"S{n}" for n in range(4)]
    stepwise = Stepwise(
        vendor_changed("V", policy={"auto_replenish": False}),
        *(item_changed(sku, vendor="V") for sku in skus),
        order_placed("1", [(sku, 1) for sku in skus]),
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"auto_replenish": True})).told()
    for n in range(4):
        assert stepwise.step()
        kind = "Extended" if n else "Raised"
        lines = ", ".join(f"1 {sku}" for sku in skus[: n + 1])
        scene.told(f"Replenishment{kind} V>main#1 rev {n + 1} [{lines}]")
    assert stepwise.finish() == 1  # the step that finds nothing more


@rule("S6", "P3")
def test_an_event_before_the_walk_reaches_its_sku_is_judged_as_if_it_had() -> None:
    stepwise = Stepwise(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"safety_stock": 0}),
        item_changed("Z", vendor="V"),
        vendor_changed("V", policy={"safety_stock": 2}),
        stock_received("r1", "WH", [("Z", 2)]),
        order_placed("1", [("Z", 1)]),
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"safety_stock": 1})).told()
    scene.when(order_placed("2", [("Z", 1)], priority=1)).told(
        "BackToShip main/1 from WH [1: 1 Z] waited since T0 complete",
        "OrderBackordered main/2 [1: 1 Z until ?] until ?",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ReplenishmentRaised V>WH#2 rev 1 [1 Z]",
    )
    stepwise.finish()
    scene.kept(
        "main/1 [1] 1 Z: 1 at WH",
        "main/2 [1] 1 Z: 1 held",
        "WH: 2 Z, 1 promised",
        "V>WH#1 cancelled: nothing",
        "V>WH#2 open: 1 Z",
    )


@rule("S6", "P3")
def test_a_walk_that_comes_to_a_sku_being_filled_serves_it_after() -> None:
    stepwise = _given(shop_changed("b", sources=[]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    scene.when(shop_changed("b", sources=["WH"]))
    scene.when(order_placed("9", [("A", 1)]))  # waits, and leaves the walk where it is
    scene.when(order_placed("10", [("A", 1)]))
    assert [task.kind for task in stepwise.house.tasks] == ["fill", "walk"]
    stepwise.finish()
    assert stepwise.house.line("1", shop="b").allocated == 2
    assert stepwise.house.line("3", shop="b").allocated == 2
    assert _held(stepwise) == 2


@rule("S6", "P3")
def test_a_walk_that_went_ahead_of_an_event_and_left_a_fill_may_leave_another() -> None:
    stepwise = _given(shop_changed("b", sources=[]))
    stepwise.scene.when(stock_received("r1", "WH", [("A", 11)]))
    stepwise.finish()
    assert _held(stepwise) == 4  # those of shop b, which may not ship from anywhere
    late = order_placed("9", [("A", 1)])
    stepwise.scene.when(shop_changed("b", sources=["WH"]))
    stepwise.scene.when(late)
    assert isinstance(stepwise.house.outcome(late), Deferred)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(late), Applied)
    assert _held(stepwise) == 0


@rule("S6", "P3", "S13")
def test_a_walk_that_goes_ahead_of_several_events_on_a_sku_is_told_once() -> None:
    """What other events do to the sku meanwhile is told as theirs, so that no id comes twice."""
    arrival = stock_received("r1", "WH", [("Z", 1)])
    repeats = [stock_received("r1", "WH", [("Z", 1)], event_id=f"again-{n}") for n in range(3)]
    stepwise = Stepwise(
        shop_changed("main"),
        item_changed("A", vendor="V"),
        item_changed("Z", vendor="V"),
        vendor_changed("V", policy={"safety_stock": 1}),
        arrival,
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"safety_stock": 0})).told()
    in_stock = "StockStatusChanged main Z in_stock, sellable unlimited"
    scene.when(repeats[0]).told(in_stock)
    scene.when(order_placed("1", [("Z", 1)]), repeats[1]).told(
        "ReadyToShip main/1 from WH [1: 1 Z] complete",
        "StockStatusChanged main Z backorder, sellable unlimited",
    )
    scene.when(stock_received("r2", "WH", [("Z", 1)]), repeats[2]).told(in_stock)
    stepwise.finish()


@rule("S6", "S4")
def test_a_fill_passes_over_shops_that_may_not_ship_from_there_however_many_wait() -> None:
    stepwise = _given(
        *(order_placed(f"x{n}", [("A", 1)], shop="x", priority=1) for n in range(5)),
        shop_changed("x", sources=["ELSE"]),
    )
    stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    stepwise.finish()
    assert _held(stepwise) == 5
    assert stepwise.house.line("x0", shop="x").shortage == 1


@rule("S6", "S4")
def test_what_arrived_and_is_not_given_out_yet_keeps_its_claim_through_the_steps() -> None:
    stepwise = _given(safety_stock=50)
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 7)]))
    shortage = [_held(stepwise)]
    while stepwise.step():
        shortage.append(_held(stepwise))
    assert shortage == [8, 6, 3]
    scene.when(stock_transferred("t1", "WH", "WH2", [("A", 1)], transferred_at=T0 + timedelta(1)))
    stepwise.finish()
    assert _held(stepwise) == 2
