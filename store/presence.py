"""Who works: a row for each worker, written again every few seconds while it lives.

By the database's own clock, so that machines whose clocks differ agree on who is alive. Nothing
depends on a row: lost or late, it costs a line of `backship status`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from store.columns import instant_text
from store.statements import Query
from store.transaction import Database, Transaction

ALIVE_SECONDS = 20
"""A worker seen within so long is alive: four of its heartbeats."""

_KEPT = timedelta(days=1)  # the row of one that ended without a word

_SEEN = Query(
    """
    INSERT INTO workers (worker_id, host, pid, version, state, started_at, seen_at, settled,
        message_age_ms)
    SELECT given.worker_id, given.host, given.pid, given.version, given.state, given.started_at,
        {now}, given.settled, given.message_age_ms
    FROM {given} WHERE true
    ON CONFLICT (worker_id) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at,
        settled = excluded.settled, message_age_ms = excluded.message_age_ms
    """,
    (
        ("worker_id", "text"),
        ("host", "text"),
        ("pid", "bigint"),
        ("version", "text"),
        ("state", "text"),
        ("started_at", "timestamptz"),
        ("settled", "bigint"),
        ("message_age_ms", "bigint"),
    ),
)
_NOW = Query("SELECT {now}")
_LEFT = Query("DELETE FROM workers WHERE worker_id = :worker_id")
_FORGET = Query("DELETE FROM workers WHERE seen_at < :seen_before")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker says of itself. `message_age_ms`: of the oldest message of its last batch."""

    worker_id: str
    host: str
    pid: int
    version: str
    state: str
    started_at: datetime
    settled: int
    message_age_ms: int | None


def seen(database: Database, beat: Heartbeat) -> None:
    """Say that a worker is there."""
    row = (
        beat.worker_id,
        beat.host,
        beat.pid,
        beat.version,
        beat.state,
        instant_text(beat.started_at),
        beat.settled,
        beat.message_age_ms,
    )
    with database.begin() as tx:
        tx.run(_SEEN, [row])


def left(database: Database, worker_id: str) -> None:
    """Say that it has ended in good order."""
    with database.begin() as tx:
        tx.run(_LEFT, worker_id=worker_id)


def forget(database: Database) -> None:
    """Delete the rows of workers that ended without a word, a day ago or more."""
    with database.begin() as tx:
        tx.run(_FORGET, seen_before=instant_text(now(tx) - _KEPT))


def now(tx: Transaction) -> datetime:
    """Tell the time by the database's clock."""
    ((moment,),) = tx.query(_NOW)
    told: datetime = tx.instant(moment)
    return told
