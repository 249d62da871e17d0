"""Between the steps of a long consequence nobody loses or hears too much (S6)."""

from datetime import timedelta

from events.envelope import Event
from events.outbound import ExpectedDateChanged
from handlers.decision import Applied, Deferred
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_counted,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.stepwise import Stepwise
from tests.support.wire import T0

DAY = timedelta(days=1)
R1 = "V>WH#1"


def _orders(qty: int = 2, **rest: object) -> list[Event]:
    """Five orders of A in the order 4, 0, 1, 2, 3, those of shop b among them."""
    return [
        order_placed(
            str(n),
            [("A", qty), ("B", 1)],
            shop="b" if n % 2 else "a",
            placed_at=T0 + n * timedelta(minutes=1),
            priority=1 if n == 4 else None,
            **rest,
        )
        for n in range(5)
    ]


WORLD = (
    place_changed("WH", priority=1),
    place_changed("FAR"),
    place_changed("DOCK", kind="dock", feeds="WH"),
    vendor_changed("V", policy={"lead_time_days": 7}),
    vendor_changed("W", policy={"lead_time_days": 3}),
    item_changed("A", vendor="V"),
    item_changed("B", vendor="V"),
)


PROMISED = (stock_received("r0", "WH", [("A", 10), ("B", 5)]), *_orders(holds=["fraud"]))
LINKED = (item_changed("A", policy={"sourcing": "buy_to_order"}), *_orders())
WAITING = tuple(_orders())


def _finish(stepwise: Stepwise) -> int:
    """Do all steps, which are few; return how many."""
    for count in range(200):
        if not stepwise.step():
            return count
    raise AssertionError("the steps never end")


def _promised(lines_max: int = 1) -> Stepwise:
    return Stepwise(*WORLD, *PROMISED, lines_max=lines_max)


@rule("S6", "S8")
def test_units_are_taken_from_the_last_lines_step_by_step_and_other_skus_go_on() -> None:
    stepwise = _promised()
    scene = stepwise.scene.when(stock_counted("c1", "WH", [("A", 3)], counted_at=T0 + DAY))
    assert stepwise.house.state.items["A"].busy
    assert stepwise.house.line("3", shop="b").shortage == 2  # the last loses first
    assert stepwise.house.line("4", shop="a").allocated == 2
    other, same = order_placed("8", [("C", 1)]), order_placed("9", [("A", 1)])
    scene.when(other)
    assert isinstance(stepwise.house.outcome(other), Applied)
    scene.when(same).told()
    assert isinstance(stepwise.house.outcome(same), Deferred)
    assert _finish(stepwise) >= 3
    assert isinstance(stepwise.house.outcome(same), Applied)
    shortage = {
        key[1]: order.lines["1"].shortage for key, order in scene.house.state.orders.items()
    }
    assert shortage == {"4": 0, "0": 1, "1": 2, "2": 2, "3": 2, "8": 1, "9": 1}


@rule("S6", "S8", "O8")
def test_nobody_is_told_to_wait_who_is_served_from_elsewhere_in_a_later_step() -> None:
    stepwise = Stepwise(*WORLD, *PROMISED, stock_received("r2", "FAR", [("A", 4)]))
    told_before = len(stepwise.scene.all_lines())
    stepwise.scene.when(stock_counted("c1", "WH", [("A", 4)], counted_at=T0 + DAY))
    _finish(stepwise)
    told = [row for row in stepwise.scene.all_lines()[told_before:] if "Backordered" in row]
    # 3, 2 and 1 lost their 2 each; the 4 at FAR serve 1 and 2 in their order.
    assert told == ["OrderBackordered b/3 [1: 2 A until T0+8d] until T0+8d"]


@rule("S6", "R10")
def test_arrived_units_of_linked_lines_go_to_nobody_else_between_the_steps() -> None:
    stepwise = Stepwise(*WORLD, *LINKED)
    name = stepwise.scene.replenishment_id(R1)
    late = order_placed("9", [("A", 5)], priority=0)
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 7)], replenishment_id=name))
    scene.when(late)
    _finish(stepwise)
    served = {key[1]: order.lines["1"].allocated for key, order in scene.house.state.orders.items()}
    assert served == {"4": 2, "0": 2, "1": 2, "2": 1, "3": 0, "9": 0}


@rule("S6", "R12")
def test_each_line_is_told_its_new_date_once_however_many_steps_it_takes() -> None:
    stepwise = Stepwise(*WORLD, *WAITING)
    name = stepwise.scene.replenishment_id(R1)
    before = len(stepwise.house.emitted)
    late = T0 + 9 * DAY
    stepwise.scene.when(replenishment_closed(name, lines=[("A", [(10, late)]), ("B", [(5, late)])]))
    assert _finish(stepwise) > 1
    told = [
        (row.order_id, line.line_id)
        for row in stepwise.house.emitted[before:]
        if isinstance(row, ExpectedDateChanged)
        for line in row.lines
    ]
    assert sorted(told) == [(str(n), line_id) for n in range(5) for line_id in "12"]
