"""What is to be published: rows that are present, in the order they were decided (store.schema).

Never `id > last`: a row with an earlier clock may commit later. A row is deleted once the broker
has confirmed it; whatever happens in between, it is published again under the same id.

What the broker did not take leaves the way free for the rest: it is held back (`store.held_back`)
and comes again when it is due, a few in each window, so that a full queue never fills the windows.

One relay at a time publishes, so that what concerns one order leaves in order. That is a matter of
order only: two relays at once would publish twice, and lose nothing.
"""

import itertools
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime

from store import held_back, schema
from store.held_back import Place, Refusal
from store.outgoing import Outgoing, anything, look
from store.statements import Query
from store.transaction import Database, Transaction

_windows = itertools.count()  # two relays of one process are two

_LEASE_SECONDS = 15  # longer than a window may take to be published and confirmed

_ROUNDS_MAX = 10  # of looking for rows that wait behind no other

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
    RETURNING id
    """
)
_HOLDER = Query("SELECT owner FROM relay_lock WHERE owner IS NOT NULL")
_RELEASE = Query("UPDATE relay_lock SET owner = NULL, lease_until = NULL WHERE owner = :owner")


class Guard:
    """The right to publish one window. Without it there is nothing to take."""

    def __init__(
        self,
        database: Database,
        row: Transaction | None,
        owner: str | None,
        now: datetime | None,
    ) -> None:
        self._database = database
        self._row = row
        self._owner = owner
        self._now = now
        self._taken: dict[str, tuple[Place, Outgoing]] = {}
        self.more = False
        """Whether the last `take` may have left something that could be taken now."""

    @property
    def held(self) -> bool:
        """Is it ours?"""
        return self._row is not None or self._owner is not None

    def take(self, count_max: int) -> list[Outgoing]:
        """Return the first rows to publish; they stay where they are. []: nothing, or not ours.

        Left out is what is held back and not yet due, and what follows that under its subject.
        Besides `count_max` rows come up to a tenth as many that were held back and are due.
        """
        self.more = False
        if not self.held:
            return []
        for _ in range(_ROUNDS_MAX):
            with self._reading() as tx:
                found = look(tx, count_max, self._now)
            if found.behind:
                with self._writing() as tx:
                    held_back.put_behind(tx, found.behind, self._moment)
            self._taken = {row.id: (place, row) for place, row in found.rows.items()}
            self.more = found.more
            if found.rows or not found.behind:
                break
        return [row for _place, row in self._taken.values()]

    def settle(self, confirmed: Iterable[str], refused: Mapping[str, Refusal]) -> None:
        """Forget rows whose publishing was confirmed, hold back what was refused; by id.

        That ends the window.
        """
        if not self.held:
            return
        published = [self._taken[key] for key in confirmed]
        with self._writing() as tx:
            tx.delete(schema.outbox, [place for place, _row in published])
            held_back.forget(tx, {place: row.body for place, row in published})
            held_back.enter(
                tx,
                {
                    place: (held_back.subject_of(row.body), refused[row.id])
                    for place, row in self._taken.values()
                    if row.id in refused
                },
                self._moment,
            )
            self._give_back(tx)

    def delete(self, ids: Iterable[str]) -> None:
        """Forget rows whose publishing was confirmed. That ends the window."""
        self.settle(ids, {})

    def end(self) -> None:
        """Let another relay publish."""
        if self._owner is not None:
            with self._database.begin() as tx:
                self._give_back(tx)

    @property
    def _moment(self) -> datetime:
        return self._now or datetime.min.replace(tzinfo=UTC)

    def _reading(self) -> AbstractContextManager[Transaction]:
        return nullcontext(self._row) if self._row is not None else self._database.read()

    def _writing(self) -> AbstractContextManager[Transaction]:
        return nullcontext(self._row) if self._row is not None else self._database.begin()

    def _give_back(self, tx: Transaction) -> None:
        if self._owner is not None:
            tx.run(_RELEASE, (), owner=self._owner)
            self._owner = None


@contextmanager
def guard(
    database: Database, lease_seconds: int = _LEASE_SECONDS, now: datetime | None = None
) -> Iterator[Guard]:
    """Hold the right to publish one window while the block runs, unless another relay has it.

    `now`: what is held back until then comes as well; None: nothing of it.

    PostgreSQL: a row lock in a transaction that also deletes what was published; it ends with its
    connection. SQLite would keep all writers out meanwhile: there it is a lease, which a killed
    relay leaves behind for `lease_seconds`.
    """
    if database.dialect.locks_rows:
        with database.begin() as tx:
            held = bool(tx.query(_HOLD))
            yield Guard(database, tx if held else None, None, now)
    elif not _anything(database, now):
        yield Guard(database, None, None, now)  # to look is cheap; the right to publish, a write
    else:
        owner = f"{socket.gethostname()}:{os.getpid()}:{next(_windows)}"
        with database.begin() as tx:
            for (holder,) in tx.query(_HOLDER):
                if _is_dead(str(holder)):
                    tx.run(_RELEASE, (), owner=holder)
            held = bool(tx.query(_LEASE, owner=owner, lease=f"+{lease_seconds} seconds"))
        leased = Guard(database, None, owner if held else None, now)
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


def _anything(database: Database, now: datetime | None) -> bool:
    """Is there anything that could be taken?"""
    with database.read() as tx:
        return anything(tx, now)


def held_back_count(database: Database) -> int:
    """Return how many events the broker did not take, or wait behind such a one."""
    with database.read() as tx:
        return held_back.count(tx)


def count(database: Database) -> int:
    """Return how many events are still to be published."""
    with database.read() as tx:
        ((rows,),) = tx.query(_COUNT)
        return int(rows)


def oldest_at(database: Database) -> datetime | None:
    """Return when the cause of the first unpublished event happened; None: nothing waits."""
    with database.read() as tx:
        return next((tx.instant(at) for (at,) in tx.query(_OLDEST)), None)
