"""The real store on SQLite, whose every statement, begin and commit can fail.

What fails raises what the drivers raise, so that `store.errors` has its part in it too. A writer
waits for the one before it in virtual time; the leases that SQLite would count by its own clock it
counts by the virtual one.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, Table, event
from sqlalchemy.pool import ConnectionPoolEntry

from store.dialects.base import Answer, Driver
from store.dialects.sqlite import Sqlite
from store.errors import Contention
from store.statements import Query, Row, Rows, Value
from store.transaction import Database, Transaction
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Life, Scheduler

REFUSED = "refused"
"""The database takes no order whose id begins so."""

_LOCK_SECONDS_MAX = 30.0
_READS = "backship_reads"


class Disk:
    """What the databases of one world share: one file, one writer, one weather."""

    def __init__(self, scheduler: Scheduler, faults: Faults, url: str) -> None:
        self.scheduler = scheduler
        self.faults = faults
        self.url = url
        self.writer: object | None = None
        self.down_until = 0.0

    def await_writer(self) -> None:
        """Wait until nobody writes; raises Contention where that takes too long."""
        if self.writer is None or self.scheduler.wait(self._is_free, _LOCK_SECONDS_MAX):
            return
        raise Contention("the model database is locked", "SQLITE_BUSY")

    def _is_free(self) -> bool:
        return self.writer is None

    @property
    def is_down(self) -> bool:
        """Does it serve nobody?"""
        return self.faults.on and self.scheduler.clock.monotonic() < self.down_until


class Witness(Protocol):
    """Who is told of every transaction."""

    def committed(self) -> None:
        """It was, really, whatever its caller hears."""
        ...

    def rolled_back(self) -> None:
        """It was not, or its caller does not know."""
        ...


class SimulatedDatabase(Database):
    """One process's way to the disk; `witness` is told what became of each transaction."""

    def __init__(self, disk: Disk, life: Life, witness: Witness) -> None:
        super().__init__(disk.url)
        self._disk = disk
        self._life = life
        self._witness = witness
        self.dialect = _FailingSqlite(self)
        event.listen(self.engine, "connect", self._set_up)
        event.listen(self.engine, "begin", self._on_begin)
        event.listen(self.engine, "commit", self._on_commit)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Wait for the writer before, then write."""
        disk, mine = self._disk, object()
        try:
            self.step()
            disk.await_writer()
            disk.writer = mine
            with super().begin() as tx:
                yield tx
        except BaseException:
            self._witness.rolled_back()
            raise
        finally:
            if disk.writer is mine:
                disk.writer = None

    def step(self) -> None:
        """Let others go first; die here, if it is so."""
        self._disk.scheduler.pause()
        if self._disk.faults.hit("killed at a statement"):
            self._disk.scheduler.kill(self._life)

    def statement(self) -> None:
        """Do what may go wrong before any statement."""
        self.step()
        faults = self._disk.faults
        if self._disk.is_down:
            raise _sqlite(sqlite3.OperationalError, sqlite3.SQLITE_FULL, "disk is full")
        if faults.hit("contention"):
            raise _sqlite(sqlite3.OperationalError, sqlite3.SQLITE_BUSY, "database is locked")
        if faults.hit("connection to the database lost"):
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def colliding(self) -> None:
        """Find a new row there already, perhaps."""
        if self._disk.faults.hit("collision"):
            raise psycopg.errors.UniqueViolation("duplicate key value")

    def refuse(self, table: Table, rows: Rows) -> None:
        """Take no order of that name."""
        if table.name == "orders" and any(str(row[1]).startswith(REFUSED) for row in rows):
            self._disk.faults.happened("row refused")
            raise _sqlite(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT, "CHECK failed")

    # ---------------------------------------------------------------- SQLAlchemy's events

    def _set_up(self, connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.execute("PRAGMA synchronous = OFF")  # nobody pulls the plug of this machine
        connection.create_function("strftime", -1, self._strftime)

    def _strftime(self, pattern: str, start: str, *changes: str) -> str:
        """SQLite's function as the store uses it, on the virtual clock."""
        assert (pattern, start) == ("%Y-%m-%dT%H:%M:%f", "now"), "another use of strftime"
        now = self._disk.scheduler.clock.now().astimezone(UTC)
        for change in changes:
            count, unit = change.split()
            assert unit == "seconds", change
            now += timedelta(seconds=float(count))
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03}"

    def _on_begin(self, _connection: Connection) -> None:
        self.statement()

    def _on_commit(self, connection: Connection) -> None:
        if connection.get_execution_options().get(_READS):
            return
        self.step()
        faults = self._disk.faults
        if faults.hit("commit refused"):
            raise psycopg.errors.SerializationFailure("could not serialize access")
        driver: Any = connection.connection.driver_connection
        if driver.in_transaction:
            driver.execute("COMMIT")
        self._witness.committed()
        if faults.hit("commit done, answer lost"):
            raise psycopg.OperationalError("server closed the connection unexpectedly")


class _FailingSqlite(Sqlite):
    """The real dialect, asking before each statement whether it fails."""

    def __init__(self, database: SimulatedDatabase) -> None:
        self._database = database

    def ask(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> Answer:
        self._database.statement()
        return super().ask(driver, query, given, values)

    def run(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> None:
        self._database.statement()
        super().run(driver, query, given, values)

    def append(self, driver: Driver, table: Table, rows: Iterable[Row]) -> None:
        made = list(rows)
        self._database.statement()
        self._database.colliding()
        self._database.refuse(table, made)
        super().append(driver, table, made)

    def upsert(self, driver: Driver, table: Table, rows: Rows, changes: str | None) -> None:
        self._database.statement()
        self._database.refuse(table, rows)
        super().upsert(driver, table, rows, changes)

    def update(self, driver: Driver, table: Table, rows: Rows, names: Sequence[str]) -> None:
        self._database.statement()
        self._database.refuse(table, rows)
        super().update(driver, table, rows, names)

    def delete(self, driver: Driver, table: Table, keys: Rows) -> None:
        self._database.statement()
        super().delete(driver, table, keys)


def _sqlite(kind: type[sqlite3.Error], code: int, said: str) -> sqlite3.Error:
    error = kind(said)
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SIMULATED"
    return error
