"""What the broker did not take leaves the way free, and nothing overtakes what it follows.

F29, F30, F31: on the side of the database; with real brokers in tests/faults/broker.
"""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from events.envelope import Cause
from events.outbound import ReadyToShip, ReleasedLine
from handlers.decision import Decision, Emission
from handlers.policy import Rules
from handlers.state import State
from store import outbox, schema
from store.held_back import SECONDS_MAX, Refusal
from store.statements import Query
from store.transaction import Database
from tests.support.keeping import NOW, rows, save_state

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
SOON = timedelta(seconds=2)
MAX = timedelta(seconds=SECONDS_MAX)


def identity(number: int) -> str:
    return str(UUID(int=number))


def emission(number: int, subject: str | None) -> Emission:
    message = ReadyToShip(
        shop="main",
        order_id="o",
        source="WH1",
        release_id="r",
        lines=(ReleasedLine(line_id="1", sku="A", qty=1),),
        order_complete=True,
    )
    return Emission(identity(number), message, subject, Cause("/x", "1", "OrderPlaced"), AT)


def emit(database: Database, subjects: Mapping[int, str | None], now: datetime = NOW) -> None:
    emissions = [emission(number, subject) for number, subject in subjects.items()]
    save_state(database, State(Rules()), Decision(emissions=emissions), now)


def publish(
    database: Database,
    now: datetime,
    refused: Mapping[int, str] | None = None,
    *,
    window: int = 100,
    wait: timedelta = SOON,
) -> list[int]:
    """A window in which these are refused and the others confirmed; what was in it."""
    with outbox.guard(database, now=now) as guard:
        taken = guard.take(window)
        refusals = {
            row.id: Refusal(refused[int(UUID(row.id))], row.failures + 1, now + wait)
            for row in taken
            if refused and int(UUID(row.id)) in refused
        }
        guard.settle({row.id for row in taken} - refusals.keys(), refusals)
        return [int(UUID(row.id)) for row in taken]


def held(database: Database) -> list[tuple[int, str, int]]:
    return [
        (int(UUID(key)), reason, failures)
        for key, reason, failures in rows(database, schema.held_back, "id", "reason", "failures")
    ]


def test_f31_what_was_not_taken_is_left_out_until_it_is_due_and_then_forgotten(
    database: Database,
) -> None:
    emit(database, {1: "o/1", 2: "o/2", 3: "o/3"})
    assert publish(database, NOW, {1: "nacked", 3: "unroutable"}) == [1, 2, 3]
    assert held(database) == [(1, "nacked", 1), (3, "unroutable", 1)]
    assert outbox.held_back_count(database) == outbox.count(database) == 2
    assert publish(database, NOW + SOON / 2) == []
    assert publish(database, NOW + SOON, {1: "nacked"}, wait=2 * SOON) == [1, 3]
    assert held(database) == [(1, "nacked", 2)]
    assert publish(database, NOW + 2 * SOON) == []
    assert publish(database, NOW + 3 * SOON) == [1]
    assert (held(database), outbox.count(database)) == ([], 0)


def test_f31_a_thousand_rows_nobody_takes_do_not_keep_the_next_one_waiting(
    database: Database,
) -> None:
    stuck = range(1, 1001)
    emit(database, {number: f"o/{number}" for number in stuck})
    emit(database, {5000: "o/5000"}, NOW + timedelta(microseconds=1))
    assert publish(database, NOW, dict.fromkeys(stuck, "nacked"), window=1000) == [*stuck]
    assert publish(database, NOW, window=1000) == [5000]
    # All are due: they come a tenth of a window at a time, beside what is new.
    later = NOW + SOON
    emit(database, {6000 + number: f"o/{6000 + number}" for number in range(3)}, later)
    again = publish(database, later, dict.fromkeys(stuck, "nacked"), window=1000)
    assert again == [*range(1, 101), 6000, 6001, 6002]
    assert outbox.count(database) == 1000


def test_f31_what_follows_under_the_same_subject_waits_and_then_leaves_in_order(
    database: Database,
) -> None:
    emit(database, {1: "o/1", 2: "o/2"})
    assert publish(database, NOW, {1: "nacked"}) == [1, 2]
    emit(database, {3: "o/1", 4: "o/2", 5: None}, NOW + timedelta(microseconds=1))
    emit(database, {6: "o/1"}, NOW + timedelta(microseconds=2))
    assert publish(database, NOW) == [4, 5]
    assert held(database) == [(1, "nacked", 1), (3, "behind", 0), (6, "behind", 0)]
    assert publish(database, NOW + SOON, {1: "nacked"}) == [1]
    assert publish(database, NOW + 2 * SOON) == [1]
    assert publish(database, NOW + 2 * SOON) == [3, 6]
    assert (held(database), outbox.count(database)) == ([], 0)


def test_f31_of_one_subject_the_first_that_failed_comes_first_again(database: Database) -> None:
    emit(database, {1: "o/1", 2: "o/1", 3: "o/1"})
    assert publish(database, NOW, {2: "nacked", 3: "nacked"}) == [1, 2, 3]
    assert held(database) == [(2, "nacked", 1), (3, "behind", 0)]
    assert publish(database, NOW + SOON) == [2]
    assert publish(database, NOW + SOON) == [3]


def test_f31_what_was_decided_before_it_though_it_came_later_does_not_wait_behind_it(
    database: Database,
) -> None:
    emit(database, {1: "o/1"}, NOW)
    publish(database, NOW, {1: "nacked"})
    ((clock, body),) = rows(database, schema.outbox, "clock", "body")
    with database.begin() as tx:  # a transaction with an earlier clock that committed late
        tx.append(
            schema.outbox,
            [(clock - 1, 0, identity(2), "k", "ReadyToShip", body, "2026-11-21T10:00:00+00:00")],
        )
    assert publish(database, NOW) == [2]
    assert held(database) == [(1, "nacked", 1)]


def test_f31_followers_are_looked_at_anew_though_nobody_freed_them(database: Database) -> None:
    emit(database, {1: "o/1", 2: "o/1"})
    publish(database, NOW, {1: "nacked", 2: "nacked"})
    with database.begin() as tx:  # as if an operator had thrown the first away
        tx.run(Query("DELETE FROM outbox WHERE id = :id"), (), id=identity(1))
    assert publish(database, NOW + MAX) == [2]
    assert outbox.count(database) == 0


def test_f42_a_clock_that_is_set_back_holds_nothing_longer_than_the_longest_pause(
    database: Database,
) -> None:
    emit(database, {1: "o/1"})
    publish(database, NOW, {1: "nacked"}, wait=MAX)
    assert publish(database, NOW) == []
    assert publish(database, NOW - timedelta(hours=1)) == [1]


def test_f38_a_relay_that_was_too_slow_holds_nothing_back_that_another_has_published(
    sqlite: Database,
) -> None:
    emit(sqlite, {1: "o/1", 2: "o/2"})
    with outbox.guard(sqlite, lease_seconds=0, now=NOW) as slow:
        assert len(slow.take(10)) == 2
        assert publish(sqlite, NOW) == [1, 2]
        slow.settle([identity(2)], {identity(1): Refusal("nacked", 1, NOW + SOON)})
    assert (held(sqlite), outbox.count(sqlite)) == ([], 0)


def test_f38_what_a_slow_relay_held_back_is_forgotten_by_the_one_that_publishes_it(
    sqlite: Database,
) -> None:
    emit(sqlite, {1: "o/1"})
    with outbox.guard(sqlite, lease_seconds=0, now=NOW) as slow:
        slow.take(10)
        with outbox.guard(sqlite, now=NOW) as fast:
            fast.take(10)
            slow.settle([], {identity(1): Refusal("nacked", 1, NOW + SOON)})
            assert held(sqlite) == [(1, "nacked", 1)]
            fast.settle([identity(1)], {})
    assert (held(sqlite), outbox.count(sqlite)) == ([], 0)


@pytest.mark.slow
def test_f31_a_window_takes_as_many_statements_however_much_is_held_back(
    database: Database,
) -> None:
    def statements(count: int) -> int:
        numbers = range(count * 10, count * 11)
        emit(database, {number: f"o/{number}" for number in numbers})
        publish(database, NOW, dict.fromkeys(numbers, "nacked"), window=count)
        emit(database, {number + 10**6: f"o/{number}" for number in numbers})
        with closing(_Counted(database)) as counted:
            assert publish(database, NOW, window=count) == []
            return counted.count

    few = statements(5)
    assert statements(500) == few


class _Counted:
    """Counts the statements that reach the driver's side of the dialect."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        self._dialect = database.dialect
        self._ask, self._run = database.dialect.ask, database.dialect.run

        def ask(*given: object) -> object:
            self.count += 1
            return self._ask(*given)  # type: ignore[arg-type]

        def run(*given: object) -> object:
            self.count += 1
            return self._run(*given)  # type: ignore[arg-type]

        database.dialect.ask = ask  # type: ignore[method-assign, assignment]
        database.dialect.run = run  # type: ignore[method-assign, assignment]

    def close(self) -> None:
        """Count no more."""
        self._dialect.ask = self._ask  # type: ignore[method-assign]
        self._dialect.run = self._run  # type: ignore[method-assign]
