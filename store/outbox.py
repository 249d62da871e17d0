"""What is to be published: rows that are present, in the order they were decided (store.schema).

Never `id > last`: a row with an earlier clock may commit later. A row is deleted once the broker
has confirmed it; whatever happens in between, it is published again under the same id.

One relay at a time publishes, so that what concerns one order leaves in order. That is a matter of
order only: two relays at once would publish twice, and lose nothing.
"""

import itertools
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from store import schema
from store.statements import Query, Row
from store.transaction import Database, Transaction

_windows = itertools.count()  # two relays of one process are two

_LEASE_SECONDS = 15  # longer than a window may take to be published and confirmed

_TAKE = Query(
    """
    SELECT t.clock, t.n, t.id, t.type, t.routing_key, t.body, t.at FROM outbox AS t
    ORDER BY t.clock, t.n, t.id LIMIT :count_max
    """
)
_COUNT = Query("SELECT COUNT(*) FROM outbox")
_OLDEST = Query("SELECT t.at FROM outbox AS t ORDER BY t.clock, t.n, t.id LIMIT 1")
_HOLD = Query("SELECT t.id FROM relay_lock AS t WHERE t.id = 1 {take}")
# SQLite only. By the database's own clock: all processes agree on that one.
_LEASE = Query(
    """
    UPDATE relay_lock SET owner = :owner,
        lease_until = strftime('%Y-%m-%dT%H:%M:%f', 'now', :lease) || '000+00:00'
    WHERE id = 1 AND (owner IS NULL OR owner = :owner
        OR lease_until <= strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00')
    """
)
_HOLDER = Query("SELECT owner FROM relay_lock WHERE owner IS NOT NULL")
_RELEASE = Query("UPDATE relay_lock SET owner = NULL, lease_until = NULL WHERE owner = :owner")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish. `at`: when its cause happened."""

    id: str
    type: str
    routing_key: str
    body: bytes
    at: datetime

    @property
    def unix_seconds(self) -> int:
        """Return `at` as AMQP writes it."""
        return int(self.at.timestamp())


class Guard:
    """The right to publish one window. Without it there is nothing to take."""

    def __init__(self, database: Database, row: Transaction | None, owner: str | None) -> None:
        self._database = database
        self._row = row
        self._owner = owner
        self._keys: dict[str, Row] = {}

    @property
    def held(self) -> bool:
        """Is it ours?"""
        return self._row is not None or self._owner is not None

    def take(self, count_max: int) -> list[Outgoing]:
        """Return the first rows to publish; they stay where they are. []: nothing, or not ours."""
        if not self.held:
            return []
        if self._row is not None:
            return self._take(self._row, count_max)
        with self._database.read() as tx:
            return self._take(tx, count_max)

    def delete(self, ids: Iterable[str]) -> None:
        """Forget rows whose publishing was confirmed. That ends the window."""
        keys = [self._keys[key] for key in ids]
        if self._row is not None:
            self._row.delete(schema.outbox, keys)
        elif self._owner is not None:
            with self._database.begin() as tx:
                tx.delete(schema.outbox, keys)
                self._give_back(tx)

    def end(self) -> None:
        """Let another relay publish."""
        if self._owner is not None:
            with self._database.begin() as tx:
                self._give_back(tx)

    def _take(self, tx: Transaction, count_max: int) -> list[Outgoing]:
        taken = []
        for clock, n, key, kind, routing_key, body, at in tx.query(_TAKE, (), count_max=count_max):
            self._keys[key] = (clock, n, key)
            taken.append(Outgoing(key, kind, routing_key, body.encode(), tx.instant(at)))
        return taken

    def _give_back(self, tx: Transaction) -> None:
        tx.run(_RELEASE, (), owner=self._owner)
        self._owner = None


@contextmanager
def guard(database: Database, lease_seconds: int = _LEASE_SECONDS) -> Iterator[Guard]:
    """Hold the right to publish one window while the block runs, unless another relay has it.

    PostgreSQL: a row lock in a transaction that also deletes what was published; it ends with its
    connection. SQLite would keep all writers out meanwhile: there it is a lease, which a killed
    relay leaves behind for `lease_seconds`.
    """
    if database.dialect.locks_rows:
        with database.begin() as tx:
            held = bool(tx.query(_HOLD))
            yield Guard(database, tx if held else None, None)
    elif oldest_at(database) is None:
        yield Guard(database, None, None)  # to look costs nothing; the right to publish, a write
    else:
        owner = f"{socket.gethostname()}:{os.getpid()}:{next(_windows)}"
        with database.begin() as tx:
            for (holder,) in tx.query(_HOLDER):
                if _is_dead(str(holder)):
                    tx.run(_RELEASE, (), owner=holder)
            held = tx.run(_LEASE, (), owner=owner, lease=f"+{lease_seconds} seconds") == 1
        leased = Guard(database, None, owner if held else None)
        try:
            yield leased
        finally:
            leased.end()


def _is_dead(owner: str) -> bool:
    """Was this a process of this machine that has ended? Then nobody need wait for its lease."""
    host, pid, _thread = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def count(database: Database) -> int:
    """Return how many events are still to be published."""
    with database.read() as tx:
        ((rows,),) = tx.query(_COUNT)
        return int(rows)


def oldest_at(database: Database) -> datetime | None:
    """Return when the cause of the first unpublished event happened; None: nothing waits."""
    with database.read() as tx:
        return next((tx.instant(at) for (at,) in tx.query(_OLDEST)), None)
