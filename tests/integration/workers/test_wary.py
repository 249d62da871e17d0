"""Unfinished work that ends its workers, or has a bug, stops nothing else (F24 beyond the batch).

A worker's end is played by an exception nobody catches: the transaction is rolled back, and the
next call is the next worker's. What is counted lies in the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders, steps
from handlers.decision import Decision, Outcome
from handlers.policy import Rules
from handlers.state import State, Task
from handlers.turn import Turn
from tests.support.builders import order_placed, place_changed, stock_received
from tests.support.desk import differences, finish, hear, open_desk, rows
from workers.clock import SettableClock
from workers.process import Desk
from workers.unfinished import StepSize, step

HELD = 40
DEATHS_MAX = 4
POISON = "poison"


class WorkerEndedError(BaseException):
    """What nothing catches, as nothing catches a kill."""


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """The desk of a worker that has just begun."""
    with open_desk(database_url, Rules(fill_step_lines_max=8)) as desk:
        yield replace(desk, young_until=float("inf"))


def held_orders(sku: str) -> list[Event]:
    return [order_placed(f"{sku}{n:02}", [(sku, 1)]) for n in range(HELD)]


def two_long_fills(desk: Desk) -> None:
    hear(desk, place_changed("WH1"), *held_orders("A"), *held_orders("B"))
    finish(desk)
    hear(desk, stock_received("R1", "WH1", [("A", HELD), ("B", HELD)]))


def ending(monkeypatch: pytest.MonkeyPatch, how: BaseException) -> None:
    """Let every step of a task of sku A end so."""
    serve = steps.step_sku

    def serving(state: State, task: Task, *given: object, **named: object) -> Decision:
        if task.sku == "A":
            raise how
        return serve(state, task, *given, **named)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(steps, "step_sku", serving)


def deaths(work: Callable[[], object]) -> int:
    """Let one worker after another do what is left; return how many ended over it."""
    for count in range(DEATHS_MAX + 1):
        try:
            work()
        except WorkerEndedError:
            continue
        return count
    pytest.fail("worker after worker ends over it")


def allocated(desk: Desk) -> list[tuple[object, ...]]:
    return rows(desk, "SELECT sku, SUM(allocated) FROM order_lines GROUP BY sku ORDER BY sku")


@pytest.mark.parametrize(
    ("how", "ended"),
    [
        pytest.param(WorkerEndedError(), 2, id="ends-its-worker"),
        pytest.param(ZeroDivisionError(), 0, id="has-a-bug"),
    ],
)
def test_a_task_that_fails_is_left_out_for_a_while_and_the_others_are_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: BaseException, ended: int
) -> None:
    two_long_fills(desk)
    ((_sku, before), _of_b) = allocated(desk)
    with monkeypatch.context() as patched:
        ending(patched, how)
        assert deaths(lambda: finish(desk)) == ended
    assert allocated(desk) == [("A", before), ("B", HELD)]
    assert rows(desk, "SELECT sku FROM tasks") == [("A",)]
    finish(desk)  # it is left out though it would succeed by now
    assert allocated(desk) == [("A", before), ("B", HELD)]
    assert isinstance(desk.clock, SettableClock)
    desk.clock.advance(301)
    with monkeypatch.context() as patched:
        ending(patched, how)
        assert deaths(lambda: finish(desk)) == min(ended, 1)
    desk.clock.advance(301)
    finish(desk)
    assert allocated(desk) == [("A", HELD), ("B", HELD)]
    assert rows(desk, "SELECT * FROM tasks") == []
    assert rows(desk, "SELECT * FROM suspects") == []
    assert differences(desk) == []


def test_of_events_that_wait_for_a_sku_the_one_that_ends_workers_is_set_aside_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_long_fills(desk)
    late = [order_placed(f"late{n}", [("A", 1)]) for n in range(6)]
    poison = order_placed(POISON, [("A", 1)])
    hear(desk, *late[:3], poison, *late[3:])
    assert len(rows(desk, "SELECT event_id FROM waiting")) == len(late) + 1
    judge = orders.placed

    def judging(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
        if data.order_id == POISON:
            raise WorkerEndedError
        return judge(turn, event, data)

    monkeypatch.setattr(orders, "placed", judging)
    assert 1 <= deaths(lambda: finish(desk)) <= DEATHS_MAX
    assert rows(desk, "SELECT reason, event_id FROM set_aside") == [("crashed_worker", poison.id)]
    assert rows(desk, "SELECT event_id FROM inbox WHERE outcome <> 'applied'") == [(poison.id,)]
    assert rows(desk, "SELECT COUNT(*) FROM orders WHERE order_id LIKE 'late%'") == [(6,)]
    assert rows(desk, "SELECT * FROM waiting") == rows(desk, "SELECT * FROM suspects") == []
    assert differences(desk) == []


def test_a_worker_that_is_not_young_counts_nothing(desk: Desk) -> None:
    two_long_fills(desk)
    old = replace(desk, young_until=0.0)
    assert step(old, StepSize()) is not None
    assert rows(desk, "SELECT * FROM suspects") == []
