"""The rows of `workers`: who is there, by the clock of the database, and who has gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from store import presence
from store.presence import Heartbeat
from store.transaction import Database
from store.views.shapes import WorkerView
from store.views.status import figures

STARTED = datetime(2026, 11, 21, 9, tzinfo=UTC)
ANN = Heartbeat("ann:1:5", "ann", 1, "0.1.0", "working", STARTED, 0, None)
BOB = replace(ANN, worker_id="bob:2:6", host="bob", pid=2, started_at=STARTED + timedelta(hours=1))


def workers(database: Database) -> list[WorkerView]:
    with database.read() as tx:
        return figures(tx).workers


def seen_before(database: Database, heartbeat: Heartbeat, seconds: float) -> None:
    """Let a heartbeat be of so long ago, by the database's own clock."""
    presence.seen(database, heartbeat)
    with database.begin() as tx:
        at = presence.now(tx) - timedelta(seconds=seconds)
        tx.connection.execute(
            text("UPDATE workers SET seen_at = :at WHERE worker_id = :id"),
            {"at": at.isoformat(timespec="microseconds"), "id": heartbeat.worker_id},
        )


def test_a_heartbeat_makes_a_row_and_the_next_one_writes_it_again(database: Database) -> None:
    presence.seen(database, ANN)
    (first,) = workers(database)
    presence.seen(database, replace(ANN, state="waiting", settled=7, message_age_ms=1_500))
    (again,) = workers(database)
    assert again.pop("seen_at") >= first.pop("seen_at")  # type: ignore[misc]
    assert first == {
        "worker_id": "ann:1:5",
        "host": "ann",
        "pid": 1,
        "version": "0.1.0",
        "state": "working",
        "started_at": STARTED,
        "settled": 0,
        "alive": True,
    }
    assert again == {**first, "state": "waiting", "settled": 7}


def test_one_that_was_not_seen_for_twenty_seconds_is_not_alive(database: Database) -> None:
    seen_before(database, ANN, presence.ALIVE_SECONDS + 5)
    seen_before(database, BOB, presence.ALIVE_SECONDS - 15)
    assert [(row["host"], row["alive"]) for row in workers(database)] == [
        ("ann", False),
        ("bob", True),
    ]


def test_one_that_ends_leaves_nothing_and_one_of_yesterday_is_forgotten(database: Database) -> None:
    seen_before(database, ANN, 25 * 3_600)
    seen_before(database, BOB, 23 * 3_600)
    presence.forget(database)
    assert [row["host"] for row in workers(database)] == ["bob"]
    presence.left(database, BOB.worker_id)
    assert workers(database) == []


def test_the_age_that_counts_is_the_oldest_a_living_worker_saw(database: Database) -> None:
    seen_before(database, replace(ANN, message_age_ms=90_000), 60)
    presence.seen(database, replace(BOB, message_age_ms=1_500))
    presence.seen(database, replace(BOB, worker_id="new", message_age_ms=None))
    with database.read() as tx:
        assert figures(tx).message_age_seconds == 1.5


def test_the_clock_is_the_one_of_the_database(database: Database) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    with database.read() as tx:
        told = presence.now(tx)
    assert before < told < before + timedelta(seconds=60)
