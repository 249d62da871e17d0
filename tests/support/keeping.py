"""The store as a worker uses it, without the worker: a batch claimed, loaded, decided and saved.

`keep` is one batch and returns what it came to; `stored` loads rows again, as the next batch would;
`rows` is what a table holds, `emptied` makes it hold nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import Table, select

from events.codec import envelope_of
from events.envelope import Event
from handlers.batch import decide, keys_of
from handlers.decision import Decision
from handlers.policy import Rules
from handlers.state import Keys, State, Unloaded
from store import inbox, schema
from store.dialects.base import Limits
from store.errors import Collision, Contention, Transient
from store.inbox import Arrival, Claim
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.services import isolation

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LOADS_MAX = 20
_WAIT_SECONDS_MAX = 20
_Result = TypeVar("_Result")


@dataclass
class Kept:
    """What a batch came to, and the statements it took."""

    claim: Claim
    state: State
    decision: Decision
    trail: list[str]


def arrival(event: Event, received_at: datetime = NOW, body: bytes | None = None) -> Arrival:
    """An event as it came; its body says what it says."""
    content = envelope_of(
        event.data,
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time,
        subject=event.subject,
        traceparent=event.traceparent,
    )
    return Arrival(event, body or content, received_at, f"{event.type}.tests")


def keep(
    database: Database, *events: Event, now: datetime = NOW, rules: Rules | None = None
) -> Kept:
    """Let a batch of events have its effect, in one transaction."""
    arrivals = [arrival(event, now) for event in events]
    more = Keys()
    for _ in range(LOADS_MAX):
        try:
            with database.begin() as tx, tx.together():
                claim = inbox.claim(tx, arrivals)
                fresh = [row.event for row in claim.fresh]
                state = load(tx, keys_of(fresh).join(more), fresh, rules or Rules())
                decision = decide(state, [(event, now) for event in fresh], now)
                save(tx, state, decision, now)
                return Kept(claim, state, decision, tx.trail)
        except Unloaded as missing:
            more.learn(missing)
    raise AssertionError(f"{LOADS_MAX} loads were not enough: {more}")


def save_state(
    database: Database,
    state: State,
    decision: Decision | None = None,
    now: datetime = NOW,
) -> None:
    """Write rows a test has made itself."""
    with database.begin() as tx:
        save(tx, state, decision or Decision(), now)


@contextmanager
def loaded(
    database: Database, keys: Keys, events: Sequence[Event] = (), rules: Rules | None = None
) -> Iterator[State]:
    """Rows loaded and locked while the block runs."""
    with database.begin() as tx, tx.together():
        yield load(tx, keys, events, rules or Rules())


def stored(database: Database, keys: Keys, rules: Rules | None = None) -> State:
    """Rows as the next batch loads them."""
    with loaded(database, keys, (), rules) as state:
        return state


def rows(database: Database, table: Table, *columns: str) -> list[Any]:
    """Everything a table holds, in the order of its key; only these columns, if named."""
    wanted = [table.c[name] for name in columns] or list(table.c)
    with database.read() as tx:
        found = tx.connection.execute(select(*wanted).order_by(*table.primary_key.columns))
        return [row[0] if len(columns) == 1 else tuple(row) for row in found]


def bodies(database: Database, table: Table) -> list[dict[str, Any]]:
    """The envelopes a table of emitted events holds, in the order they were decided."""
    with database.read() as tx:
        found = tx.connection.execute(
            select(table.c.body).order_by(table.c.clock, table.c.n, table.c.id)
        )
        return [orjson.loads(body) for (body,) in found]


def emptied(database: Database) -> Database:
    """Forget everything but the three rows that are always there; a TRUNCATE would take longer."""
    kept = {"catalogue", "relay_lock", "housekeeping"}
    with database.begin() as tx:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in kept:
                tx.connection.execute(table.delete())
        tx.connection.execute(schema.catalogue.update().values(version=0, rules=None))
        tx.connection.execute(schema.relay_lock.update().values(owner=None, lease_until=None))
        tx.connection.execute(schema.housekeeping.update().values(due_at=None))
    return database


def other(database: Database, limits: Limits) -> Database:
    """The same database with other limits."""
    return Database(database.engine.url.render_as_string(hide_password=False), limits)


def in_the_way() -> type[Transient] | tuple[type[Transient], ...]:
    """What a transaction is told whose rows another has written since it began to wait for them.

    At READ COMMITTED it sees them, and our own checks say Collision; at SERIALIZABLE it sees what
    there was when it began, and the database says Contention first. Either begins again.
    """
    return Collision if isolation() == "read_committed" else (Collision, Contention)


def after_waiting(work: Future[_Result], again: Callable[[], _Result]) -> _Result:
    """Return what a transaction that had to wait comes to; at SERIALIZABLE it begins again."""
    try:
        return work.result(_WAIT_SECONDS_MAX)
    except Contention:
        if isolation() == "read_committed":
            raise
        return again()


def still_waits(work: Future[Any]) -> bool:
    """Is it still waiting after a while that is long for a computer?"""
    try:
        work.result(timeout=0.4)
    except TimeoutError:
        return True
    return False
