"""What is kept for a time goes when it is old, and not before; what is at work never does."""

# ruff: noqa: SLF001 - the statements themselves are explained by the engines

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from config.settings import Settings
from events.envelope import Event
from handlers.policy import Rules
from store import housekeeping, schema
from store.audit.inspection import inspect
from store.dialects.base import Limits
from store.housekeeping import Ages, Removed
from store.transaction import Database
from store.views.story import story
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
    stock_transferred,
    vendor_changed,
)
from tests.support.clearing import LATER, cleared, published
from tests.support.corrupting import told
from tests.support.corruptions import OF_GOODS, OF_SUPPLY
from tests.support.corruptions_of_orders import LAST, OF_LINES
from tests.support.corruptions_of_promises import OF_ALLOCATIONS, OF_LINKS
from tests.support.desk import finish, hear
from tests.support.full_story import full_story
from tests.support.keeping import NOW, other, rows
from tests.support.rules import rule
from tests.support.telling import deliver, tell
from workers.clock import SettableClock
from workers.housekeeping import Housekeeper, ages
from workers.process import Desk

DAY = timedelta(days=1)
SECONDS_MAX = 60


def ids(database: Database) -> set[Any]:
    return set(rows(database, schema.inbox, "event_id"))


# ---------------------------------------------------------------- what goes, and what stays


def test_each_kind_goes_at_its_own_age_and_not_before(database: Database) -> None:
    tell(database, order_placed("old", [("A", 1)]), now=NOW - 2 * DAY)
    tell(database, order_placed("new", [("A", 1)]), now=NOW)
    deliver(database, b"old one", now=NOW - 2 * DAY)
    deliver(database, b"new one", now=NOW)
    with database.begin() as tx:
        tx.connection.execute(
            schema.set_aside.update().values(
                state="resolved", closed_at=schema.set_aside.c.first_seen
            )
        )
    published(database)
    emitted = len(rows(database, schema.emitted))
    of_old = len([row for row in rows(database, schema.emitted, "clock", "n") if row[0] < us(NOW)])
    assert 0 < of_old < emitted
    kept_long, at_once = NOW - 3 * DAY, NOW - DAY
    assert cleared(database, Ages(kept_long, kept_long, kept_long)) == Removed()
    assert cleared(database, Ages(at_once, kept_long, kept_long)) == Removed(inbox=1)
    assert cleared(database, Ages(at_once, at_once, kept_long)) == Removed(emitted=of_old)
    assert cleared(database, Ages(at_once, at_once, at_once)) == Removed(set_aside=1)
    assert len(ids(database)) == len(rows(database, schema.set_aside)) == 1
    assert len(rows(database, schema.emitted)) == emitted - of_old
    exactly = Ages(NOW, NOW, NOW)  # as old as they may be
    assert cleared(database, exactly) == Removed()


def us(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


@rule("C3", "S6")
def test_what_waits_is_set_aside_or_at_work_stays_whatever_its_age(database: Database) -> None:
    orders = [order_placed(str(n), [("A", 1)]) for n in range(3)]
    walk = vendor_changed("V", policy={"pack_size": 2}, event_id="leaves a task")
    early = order_cancelled("nobody", event_id="waits for its order")
    again = order_placed("0", [("A", 9)], event_id="is a conflict")
    tell(database, *orders)
    tell(database, walk, early, again, steps=False)
    assert rows(database, schema.tasks, "event_id") == ["leaves a task"]
    published(database)
    removed = cleared(database)
    assert (removed.inbox, removed.set_aside) == (3, 0)
    assert ids(database) == {"leaves a task", "waits for its order", "is a conflict"}
    desk = Desk(database, Rules(), SettableClock(NOW))
    finish(desk)
    assert cleared(database).inbox == 1
    assert ids(database) == {"waits for its order", "is a conflict"}
    hear(desk, order_placed("nobody", [("A", 1)]))
    assert cleared(database).inbox == 2
    assert ids(database) == {"is a conflict"}


def test_what_is_still_to_be_published_stays_in_the_history(database: Database) -> None:
    tell(database, *full_story())
    kept = len(rows(database, schema.emitted))
    assert cleared(database).emitted == 0
    with database.begin() as tx:
        tx.connection.execute(
            schema.outbox.delete().where(schema.outbox.c.type != "OrderBackordered")
        )
    unsent = rows(database, schema.outbox, "id")
    assert cleared(database).emitted == kept - len(unsent) > 0
    assert sorted(rows(database, schema.emitted, "id")) == sorted(unsent)


def test_dead_letters_that_are_open_stay(database: Database) -> None:
    deliver(database, b"1", b"2", b"3", b"4")
    states = dict(
        zip(
            sorted(rows(database, schema.set_aside, "id")),
            ("set_aside", "retrying", "resolved", "discarded"),
            strict=True,
        )
    )
    with database.begin() as tx:
        for key, state in states.items():
            tx.connection.execute(
                schema.set_aside.update()
                .where(schema.set_aside.c.id == key)
                .values(state=state, closed_at=NOW)
            )
    assert cleared(database) == Removed(set_aside=2)
    assert sorted(rows(database, schema.set_aside, "state")) == ["retrying", "set_aside"]


# ---------------------------------------------------------------- audit and explain afterwards


@pytest.mark.slow
@rule("S1", "S9", "L4")
def test_the_audit_finds_nothing_after_it_and_corruptions_as_before(database: Database) -> None:
    tell(database, *full_story())
    published(database)
    removed = cleared(database)
    assert removed.inbox > 30
    assert removed.emitted > 20
    assert {row[0] for row in rows(database, schema.told_before)} == {
        "OrderShipped",
        "StockReceived",
    }
    with database.read() as tx:
        assert inspect(tx, Rules())["differences"] == []
    every = {**OF_GOODS, **OF_SUPPLY, **OF_LINES, **OF_ALLOCATIONS, **OF_LINKS, **LAST}
    found = {}
    for name, (corrupt, _expected) in every.items():
        with database.engine.connect() as _connection, database.begin() as tx:
            corrupt(tx)
            found[name] = {told(row) for row in inspect(tx, Rules())["differences"]}
            tx.connection.get_transaction().rollback()  # type: ignore[union-attr]
    assert found == {name: expected for name, (_corrupt, expected) in every.items()}


def test_the_story_of_an_order_is_told_after_it_too(database: Database) -> None:
    tell(
        database,
        vendor_changed("V"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 2)]),
        stock_received("r", "WH1", [("A", 2)]),
        order_shipped("1", "s", "main", [("1", 2)]),
    )
    with database.read() as tx:
        before = story(tx, "main", "1")
    published(database)
    assert cleared(database).emitted
    with database.read() as tx:
        after = story(tx, "main", "1")
    assert before is not None
    assert after is not None
    decided = [(row.kind, row.name, row.facts) for row in before.happenings if row.kind != "told"]
    assert [(row.kind, row.name, row.facts) for row in after.happenings] == decided
    assert all(row.said is None for row in after.happenings)
    assert [row.event["type"] for row in after.happenings if row.kind == "decided"] == [
        row.event["type"] for row in before.happenings if row.kind == "decided"
    ]


# ---------------------------------------------------------------- one worker at a time, for a while


def housekeeper(database: Database, clock: SettableClock) -> Housekeeper:
    return Housekeeper(database, clock, Settings())


def test_one_worker_does_it_and_then_none_for_an_hour(database: Database) -> None:
    tell(database, order_placed("1", [("A", 1)]), now=NOW - 36 * DAY)
    tell(database, order_placed("2", [("A", 1)]), now=NOW - 34 * DAY)
    published(database)
    clock = SettableClock(NOW)
    one, two = housekeeper(database, clock), housekeeper(database, clock)
    assert one.turn().inbox == 1
    clock.advance(3599)
    tell(database, order_placed("3", [("A", 1)]), now=NOW - 36 * DAY)
    assert two.turn() == one.turn() == Removed()
    clock.advance(1)
    assert two.turn().inbox == 1
    assert one.turn() == Removed()
    assert len(ids(database)) == 1


def test_a_turn_ends_in_time_and_whoever_comes_first_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "SLICE_ROWS_MAX", 2)
    many = [order_placed(str(n), [("A", 1)]) for n in range(7)]
    tell(database, *many, now=NOW - 40 * DAY)
    published(database)
    clock = _SlowClock(NOW)  # each look at it takes longer than a turn
    one, two = housekeeper(database, clock), housekeeper(database, clock)
    assert [worker.turn().inbox for worker in (one, two, one, two)] == [2, 2, 2, 1]
    turns = 0
    while one.turn().rows or two.turn().rows:
        turns += 1
    assert turns
    assert ids(database) == set()
    assert rows(database, schema.emitted) == []


class _SlowClock(SettableClock):
    def monotonic(self) -> float:
        self.advance(1)
        return super().monotonic()


def test_rows_of_one_moment_that_must_stay_keep_nobody_from_going(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "SLICE_ROWS_MAX", 2)
    desk = Desk(database, Rules(), SettableClock(NOW))
    hear(desk, order_placed("1", [("A", 1)]))
    finish(desk)
    desk.clock.sleep(1)
    hear(desk, *(vendor_changed(f"V{n}", policy={"pack_size": 2}) for n in range(5)))
    desk.clock.sleep(1)
    hear(desk, stock_received("later", "WH1", [("Z", 1)]))
    assert len(set(rows(database, schema.tasks, "event_id"))) == 5
    assert cleared(database).inbox == 2
    assert rows(database, schema.inbox, "type") == ["VendorChanged"] * 5


# ---------------------------------------------------------------- beside the workers


def deal(database: Database, batches: Sequence[Sequence[Event]], ended: threading.Event) -> int:
    """Settle batches as one worker; return how many events had an effect."""
    opened = other(database, Limits())
    try:
        desk = Desk(opened, Rules(), SettableClock(NOW))
        return sum(hear(desk, *batch).counts.get("applied", 0) for batch in batches)
    finally:
        ended.set()
        opened.close()


def keep_clearing(database: Database, ended: Sequence[threading.Event]) -> Removed:
    """Clear everything away, at once and again and again, while workers work."""
    opened = other(database, Limits())
    removed = Removed()
    try:
        while not all(event.is_set() for event in ended):
            removed = removed.plus(cleared(opened))
        return removed.plus(cleared(opened))
    finally:
        opened.close()


def batches() -> Iterator[list[Event]]:
    """Forty batches; of what they name, much is the same."""
    for n in range(40):
        yield [
            item_changed(f"S{n % 5}", vendor="V", event_id=f"i{n}"),
            stock_received(f"r{n}", "WH1", [(f"S{n % 5}", 2)]),
            order_placed(str(n), [(f"S{n % 5}", 3)]),
            order_cancelled(str(n), [("1", 1)], event_id=f"c{n}"),
            stock_transferred(f"t{n}", "WH1", "WH2", [(f"S{n % 5}", 1)]),
        ]


@pytest.mark.slow
@rule("C4", "L5")
def test_two_workers_who_hear_everything_twice_are_not_disturbed(database: Database) -> None:
    """Each event comes to both, the second time perhaps long after its inbox row is gone."""
    every = list(batches())
    ended = [threading.Event(), threading.Event()]
    with ThreadPoolExecutor(3) as pool:
        clearing = pool.submit(keep_clearing, database, ended)
        working = [
            pool.submit(deal, database, order, event)
            for order, event in zip((every, [*every[20:], *every[:20]]), ended, strict=True)
        ]
        applied = sum(work.result(SECONDS_MAX) for work in working)
        removed = clearing.result(SECONDS_MAX)
    assert applied == sum(map(len, every)) == 200
    finish(Desk(database, Rules(), SettableClock(NOW)))
    removed = removed.plus(cleared(database))
    assert removed.inbox >= 200
    with database.read() as tx:
        assert inspect(tx, Rules())["differences"] == []
    assert rows(database, schema.inbox) == []
    kinds = rows(database, schema.facts, "kind")
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "receipt": 40,
        "transfer": 40,
        "event": 80,
    }


# ---------------------------------------------------------------- by an index, however large

MANY = {
    "sqlite": "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 120000)",
    "postgresql": "WITH g AS (SELECT n FROM generate_series(1, 120000) AS n)",
}
OLD, YOUNG = "2026-01-01T00:00:00.000000+00:00", "2026-11-01T00:00:00.000000+00:00"
INTO = (
    """INSERT INTO inbox (source, event_id, type, data_hash, body, received_at, outcome)
    {many} SELECT '/s', CAST(n AS text), 'OrderPlaced', 'h', '{{}}',
        CASE WHEN n < 60000 THEN {old} ELSE {young} END, 'applied' FROM g""",
    """INSERT INTO emitted (id, type, body, time, event_source, event_id, clock, n)
    {many} SELECT CAST(n AS text), 'T', '{{}}', {old}, '/s', 'e', n, 0 FROM g""",
    """INSERT INTO set_aside (id, source, event_id, reason, message, attempts, first_seen,
        last_seen, state, body, headers, closed_at)
    {many} SELECT CAST(n AS text), '/s', CAST(n AS text), 'malformed', '', 1, {old}, {old},
        'resolved', {blob}, '{{}}', {old} FROM g""",
)


@pytest.mark.long
@pytest.mark.parametrize("analyzed", [False, True], ids=["fresh", "analyzed"])
def test_a_slice_of_a_large_table_is_found_by_an_index(
    database: Database, *, analyzed: bool
) -> None:
    on_postgres = database.dialect.name == "postgresql"
    moment = "'{}'::timestamptz" if on_postgres else "'{}'"
    names = {
        "many": MANY[database.dialect.name],
        "old": moment.format(OLD),
        "young": moment.format(YOUNG),
        "blob": "''::bytea" if on_postgres else "x''",
    }
    with database.begin() as tx:
        for sql in INTO:
            tx.connection.exec_driver_sql(sql.format(**names))
        if analyzed:
            tx.connection.execute(text("ANALYZE"))
    plans = {}
    with database.begin() as tx:
        tx.walk()
        for name, query, values in _queries():
            sql = _explained(database, query.sql)
            found = tx.connection.exec_driver_sql(sql, values).fetchall()
            plans[name] = "\n".join(str(row[-1] if not on_postgres else row[0]) for row in found)
        tx.connection.get_transaction().rollback()  # type: ignore[union-attr]
    for name, plan in plans.items():
        if on_postgres:
            assert f"Seq Scan on {name}" not in plan, plan
            assert "Sort" not in plan, plan
        else:
            assert "SCAN t" not in plan, plan
            assert "TEMP B-TREE" not in plan, plan
    assert cleared(database, Ages(NOW - 100 * DAY, LATER, LATER)) == Removed(
        inbox=59_999, emitted=120_000, set_aside=120_000
    )


def _queries() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    before = (NOW - DAY).isoformat(timespec="microseconds")
    after = (NOW - 5000 * DAY).isoformat(timespec="microseconds")
    some = {"count_max": 1000}
    yield "inbox", housekeeping._INBOX, {"before": before, "after": after, **some}
    place = {"clock": 0, "n": 0, "id": ""}
    yield "emitted", housekeeping._EMITTED, {"before": us(NOW), **place, **some}
    yield "set_aside", housekeeping._RESOLVED, {"before": before, **some}


def _explained(database: Database, sql: str) -> str:
    if database.dialect.name == "sqlite":
        return "EXPLAIN QUERY PLAN " + sql.format(take="")
    named = sql.format(take="FOR UPDATE OF t SKIP LOCKED")
    for name in ("before", "after", "count_max", "clock", "id", "n"):
        named = named.replace(f":{name}", f"%({name})s")
    return "EXPLAIN " + named


def test_the_ages_are_those_of_the_settings() -> None:
    given = Settings(inbox_days=1, emitted_days=2, resolved_days=3)
    assert ages(given, NOW) == Ages(NOW - DAY, NOW - 2 * DAY, NOW - 3 * DAY)
    assert ages(Settings(), NOW) == Ages(NOW - 35 * DAY, NOW - 35 * DAY, NOW - 90 * DAY)
