"""The way into the database: connections, transactions, and whether the tables are ours.

`Database.begin` is a transaction that writes, `Database.read` one that sees a single state of
everything. What a driver raises within either leaves it as one of store.errors; so does a commit
whose outcome is unknown. Nothing is tried again here: that is the caller's, who knows what for.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from store import schema
from store.columns import Stored
from store.dialects.base import Answer, Dialect, Driver, Limits
from store.dialects.postgresql import Postgresql
from store.dialects.sqlite import Sqlite
from store.errors import (
    STANDBY,
    ConnectionLost,
    SchemaError,
    SchemaMissing,
    SchemaOutdated,
    StoreError,
    Unavailable,
    classify,
    not_connected,
)
from store.generations import Generations
from store.statements import Firsts, Query, Row, Rows, Value, key_of, names_of

_DIALECTS: dict[str, type[Dialect]] = {"postgresql+psycopg": Postgresql, "sqlite": Sqlite}

Moment = Any  # a datetime, or None where the column allows it: the reader knows

_REVISION = Query("SELECT version_num FROM alembic_version")


@dataclass(slots=True)
class Transaction:
    """One transaction. Empty bulk statements are not sent; `statements` counts those that were.

    `clock`: the largest logical clock among the rows locked here (see store.schema). `woken`: the
    events that waited and were read here, with their places (clock, n).
    """

    connection: Connection
    dialect: Dialect
    driver: Driver
    statements: int = 0
    clock: int = 0
    trail: list[str] = field(default_factory=list)
    woken: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what follows without waiting for answers nobody asks for; at the end all is done."""
        with self.dialect.together(self.driver):
            yield

    def ask(self, query: Query, given: Rows = (), **values: Value) -> Answer:
        """Send a query, to be waited for when its answer is called: its rows.

        None without given rows where it wants some. Between the two others may be sent.
        """
        if query.given and not given:
            return tuple
        self._note(query.sql)
        return self.dialect.ask(self.driver, query, given, values)

    def query(self, query: Query, given: Rows = (), **values: Value) -> Sequence[Any]:
        """Run a query over the given rows; none without given rows where it wants some."""
        return self.ask(query, given, **values)()

    def ask_first(self, firsts: Firsts, given: Rows, count_max: int) -> Answer:
        """Ask for the first rows of a table for each given row, at most so many of each."""
        return self.ask(self.dialect.firsts(firsts), given, count_max=count_max)

    def survey(self) -> None:
        """Expect questions about whole tables from here on, not about a few rows."""
        self.dialect.survey(self.driver)

    def walk(self) -> None:
        """Expect to follow an index from here on, some rows at a time."""
        self.dialect.walk(self.driver)

    def stream(self, query: Query, **values: Value) -> Iterator[Any]:
        """Run a query and yield its rows as they come: for answers of any length."""
        self._note(query.sql)
        yield from self.dialect.stream(self.connection, query, values)

    def run(self, query: Query, given: Rows = (), **values: Value) -> None:
        """Run a statement over the given rows."""
        if query.given and not given:
            return
        self._note(query.sql)
        self.dialect.run(self.driver, query, given, values)

    def append(self, table: Table, rows: Iterable[Row]) -> None:
        """Insert rows that are not there yet. Made one by one, they are made while it inserts."""
        made = iter(rows)
        for first in made:
            self._note(f"append {table.name}")
            self.dialect.append(self.driver, table, chain((first,), made))

    def upsert(self, table: Table, rows: Rows, changes: str | None = None) -> None:
        """Insert rows, or overwrite those with the same key; in the order of their keys.

        `changes`: SQL of what is set where the key is there already, if not all columns.
        """
        if rows:
            self._note(f"upsert {table.name}")
            self.dialect.upsert(self.driver, table, _by_key(table, rows), changes)

    def update(self, table: Table, rows: Rows, names: Sequence[str] = ()) -> None:
        """Overwrite rows that are there; in the order of their keys.

        `names`: the columns in `rows`, those of the key first, if not all of the table.
        """
        if rows:
            self._note(f"update {table.name}")
            self.dialect.update(self.driver, table, _by_key(table, rows), names or names_of(table))

    def delete(self, table: Table, keys: Rows) -> None:
        """Delete the rows with these keys, in their order."""
        if keys:
            self._note(f"delete {table.name}")
            self.dialect.delete(self.driver, table, sorted(keys))

    def instant(self, value: Stored) -> Moment:
        """Return the moment in a column of a row; None where there is none."""
        return self.dialect.instant(value)

    def saw(self, clock: int) -> None:
        """Note the clock of a row that was read under its lock."""
        self.clock = max(self.clock, clock)

    def _note(self, statement: str) -> None:
        self.statements += 1
        self.trail.append(statement)


def _transaction(connection: Connection, dialect: Dialect) -> Transaction:
    return Transaction(connection, dialect, connection.connection.driver_connection)


def _by_key(table: Table, rows: Rows) -> Rows:
    return sorted(rows, key=itemgetter(*range(len(key_of(table)))))


class Database:
    """A database by its URL; connects when first used. Safe to share between threads."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        """Read the URL; raises Unavailable where it names no engine we know."""
        try:
            parsed = make_url(url)
            self.dialect = _DIALECTS[parsed.drivername]()
        except (ArgumentError, KeyError, ValueError):  # a port that is none, and might be a secret
            known = ", ".join(f"{name}://" for name in _DIALECTS)
            raise Unavailable(f"DATABASE_URL must begin with one of {known}.", "url") from None
        self.address = _address(parsed)
        self.file = (
            Path(parsed.database) if self.dialect.name == "sqlite" and parsed.database else None
        )
        self.engine = self.dialect.engine(parsed, limits or Limits())
        self._fresh = Generations(self.engine)

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Yield a transaction that commits at the end, or rolls back where anything is raised."""
        with (
            self._translated(),
            self._connected() as connection,
            connection.begin(),
            self._kept_apart(connection),
        ):
            yield _transaction(connection, self.dialect)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Yield a transaction that sees one state of everything and can not write."""
        with self._translated(), self._connected() as connection:
            reader = connection.execution_options(**self.dialect.reading())
            with reader.begin():
                yield _transaction(reader, self.dialect)

    def check_schema(self) -> None:
        """Raise SchemaMissing or SchemaOutdated where the tables are not this program's."""
        if self.file is not None and not self.file.exists():
            raise SchemaMissing(f"{self.address} does not exist; run `backship init`.")
        try:
            with self.read() as tx:
                found = [str(revision) for (revision,) in tx.query(_REVISION)]
        except SchemaError:
            found = []
        if not found:
            raise SchemaMissing(f"{self.address} has no tables of ours; run `backship init`.")
        if found != [schema.REVISION]:
            raise SchemaOutdated(
                f"The tables of {self.address} are of version {', '.join(found)}, this program "
                f"needs {schema.REVISION}; run `backship init` of the newer one."
            )

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except Exception as error:
            meant = classify(error, self.address)
            if meant is None:
                raise
            if isinstance(meant, ConnectionLost):  # there was none yet to be lost
                meant = not_connected(error, self.address)
            raise meant from error
        with connection, self._kept_apart(connection):
            yield connection

    @contextmanager
    def _kept_apart(self, connection: Connection) -> Iterator[None]:
        """Let no connection back into the pool that a raw cursor broke, unseen by the pool.

        Within the transaction, so that no rollback is tried on it, and around the commit. Nor one
        to a server that has become a standby. What ended one connection ended the others, and a
        standby answers their pings: all are made anew then.
        """
        try:
            yield
        except Exception as error:
            meant = classify(error, self.address)
            if isinstance(meant, ConnectionLost | Unavailable):
                connection.invalidate()
            if isinstance(meant, ConnectionLost) or (meant and meant.code in STANDBY):
                self._fresh.begin_anew()
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            meant = classify(error, self.address)
            if meant is None:
                raise
            raise meant from error


def _address(url: URL) -> str:
    """Return a URL as it may be shown: neither user nor password, nor options that hold them."""
    hosts = url.query.get("host", ())
    named = (hosts,) if isinstance(hosts, str) else hosts
    shown = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return shown.render_as_string() + (f" on {', '.join(named)}" if named else "")
