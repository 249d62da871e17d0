"""An event has its effect once, however often and however many at once it is heard (C4)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from events.envelope import Event
from store import inbox, migrations, schema
from store.errors import Contention
from store.inbox import Arrival, Claim
from store.statements import Query, Rows
from store.transaction import Database
from tests.support.builders import order_cancelled, order_placed
from tests.support.keeping import NOW, after_waiting, arrival, rows
from tests.support.rules import rule
from tests.support.services import isolation


def claimed(database: Database, *arrivals: Arrival) -> Claim:
    with database.begin() as tx:
        return inbox.claim(tx, arrivals)


def ids(arrivals: list[Arrival]) -> list[str]:
    return [row.event.id for row in arrivals]


def event(name: str, qty: int = 1) -> Event:
    return order_placed("1", [("A", qty)], event_id=name)


@rule("C4")
def test_what_is_new_is_fresh_and_what_came_before_is_a_repeat(database: Database) -> None:
    first = claimed(database, *map(arrival, [event("b"), event("a")]))
    assert ids(first.fresh) == ["b", "a"]  # as they came, though entered in order
    assert first.repeats == first.conflicts == []
    second = claimed(database, *map(arrival, [event("c"), event("a"), event("b")]))
    assert ids(second.fresh) == ["c"]
    assert ids(second.repeats) == ["a", "b"]
    assert second.conflicts == []


@pytest.mark.postgres
def test_a_batch_of_known_events_commits_as_if_it_wrote(postgres_database_url: str) -> None:
    database = Database(postgres_database_url)
    migrations.upgrade(database)
    asked = Query("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
    claimed(database, arrival(event("a")))
    with database.begin() as tx:
        assert tx.query(asked) == [(False,)]
        assert ids(inbox.claim(tx, [arrival(event("a"))]).repeats) == ["a"]
        assert tx.query(asked) == [(True,)], "its commit would not wait for a standby"
    database.close()


@rule("C4")
def test_another_content_under_a_known_id_is_a_conflict(database: Database) -> None:
    claimed(database, arrival(event("a", 1)))
    again = claimed(database, arrival(event("a", 2)), arrival(event("a", 1)))
    assert again.fresh == []
    assert [row.event for row in again.conflicts] == [event("a", 2)]
    assert ids(again.repeats) == ["a"]
    assert len(rows(database, schema.inbox)) == 1


@rule("C4")
def test_inside_a_batch_the_first_counts_and_the_others_are_compared_with_it(
    database: Database,
) -> None:
    batch = [arrival(event("a", 1)), arrival(event("a", 1)), arrival(event("a", 2))]
    found = claimed(database, *batch)
    assert found.fresh == batch[:1]
    assert found.repeats == batch[1:2]
    assert found.conflicts == batch[2:]


def test_the_same_id_of_another_source_is_another_event(database: Database) -> None:
    one = order_cancelled("1", event_id="x", source="/shops/a")
    other = order_cancelled("1", event_id="x", source="/shops/b")
    assert len(claimed(database, arrival(one), arrival(other)).fresh) == 2


def test_an_empty_batch_claims_nothing(database: Database) -> None:
    with database.begin() as tx:
        assert inbox.claim(tx, []) == Claim()
        assert tx.statements == 0


def test_the_body_is_kept_as_it_came(database: Database) -> None:
    shown = '{"specversion":"1.0", "id":"ü\\"\\\\{}", "x":"\\u0041\\n:y %s",\n "n": 1e3}'
    came = arrival(event("ü"), NOW + timedelta(microseconds=1), shown.encode())
    claimed(database, came)
    with database.begin() as tx:
        assert inbox.bodies(tx, [came.key]) == {came.key: shown.encode()}
    assert rows(database, schema.inbox, "received_at") == [NOW + timedelta(microseconds=1)]
    assert rows(database, schema.inbox, "outcome") == ["applied"]


def test_a_transaction_that_fails_has_claimed_nothing(database: Database) -> None:
    def fail() -> None:
        with database.begin() as tx:
            inbox.claim(tx, [arrival(event("a"))])
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert ids(claimed(database, arrival(event("a"))).fresh) == ["a"]


@rule("C4")
@pytest.mark.parametrize(
    "commits", [pytest.param(True, id="commit"), pytest.param(False, id="not")]
)
def test_who_claims_second_waits_and_has_it_only_if_the_first_gives_up(
    database: Database, *, commits: bool
) -> None:
    entered, decided = threading.Event(), threading.Event()

    def first() -> None:
        with database.begin() as tx:
            inbox.claim(tx, [arrival(event("a"))])
            entered.set()
            assert decided.wait(10)
            if not commits:
                tx.connection.rollback()

    def second() -> Claim:
        assert entered.wait(10)
        return claimed(database, arrival(event("a")), arrival(event("b")))

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.submit(first), pool.submit(second)
        assert entered.wait(10)
        with pytest.raises(TimeoutError):
            other.result(timeout=0.3)  # it waits for the first to end
        decided.set()
        one.result(10)
        found = after_waiting(other, second)
    assert ids(found.fresh) == (["b"] if commits else ["a", "b"])
    assert ids(found.repeats) == (["a"] if commits else [])


def test_events_are_entered_in_one_order_whatever_order_they_came_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered: list[object] = []
    ask = database.dialect.ask

    def watched(driver: Any, text: Query, given: Rows, values: Any) -> Any:  # noqa: ANN401
        entered.extend(row[1] for row in given)
        return ask(driver, text, given, values)

    monkeypatch.setattr(database.dialect, "ask", watched)
    claimed(database, *map(arrival, [event("b"), event("c"), event("a")]))
    assert entered == ["a", "b", "c"]


def test_many_workers_with_the_same_events_share_them_out(database: Database) -> None:
    batch = [arrival(event(f"e{number:02}")) for number in range(40)]

    def worker(seed: int) -> list[str]:
        # Each comes in another order; claimed in one order, none waits for the other in a circle.
        mine = batch[seed:] + batch[:seed]
        while True:
            try:
                return ids(claimed(database, *mine).fresh)
            except Contention:
                assert isolation() == "serializable"

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(worker, [0, 11, 23, 37]))
    assert sorted(chain(*shares)) == [f"e{number:02}" for number in range(40)]
    assert len(rows(database, schema.inbox)) == 40
