"""SQLite: one writer at a time, so that nothing needs locking; rows go in as one JSON text.

`BEGIN IMMEDIATE` always, for writers: a transaction that reads first and writes then is refused at
once when another has written in between, and no waiting helps (194 of 240 failed, none so).
"""

# ruff: noqa: S608 - what is put into SQL are names of our own tables

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cache
from sqlite3 import Connection as SqliteConnection
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry

from store.columns import Stored
from store.dialects.base import STREAMED, Answer, Dialect, Driver, Limits
from store.statements import Firsts, Query, Row, Rows, Value, key_of, names_of

_READS = "backship_reads"
_NOW = "strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00'"  # as columns.instant_text writes it
_BUSY_SECONDS_MAX = 30  # writers wait for each other; PostgreSQL's limit per lock is for many


class Sqlite(Dialect):
    """The statements of the store as SQLite wants them."""

    name = "sqlite"
    locks_rows = False

    def engine(self, url: URL, limits: Limits) -> Engine:
        """Return an engine on a file in WAL mode, whose commits survive a loss of power."""
        engine = create_engine(
            url,
            pool_size=limits.connections_max,
            max_overflow=0,
            pool_timeout=limits.connect_seconds_max,
            connect_args={"timeout": _BUSY_SECONDS_MAX},
        )

        @event.listens_for(engine, "connect")
        def set_up(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
            connection.isolation_level = None  # we say when a transaction begins
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            reads = bool(connection.get_execution_options().get(_READS))
            connection.exec_driver_sql(f"PRAGMA query_only = {reads:d}")
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

        return engine

    def reading(self) -> Mapping[str, Any]:
        """A transaction that never becomes a writer's sees one state, and blocks nobody."""
        return {_READS: True}

    def survey(self, driver: Driver) -> None:
        """There is nothing to be told: it joins by lookup, over an index it makes if need be."""

    def walk(self, driver: Driver) -> None:
        """It does anyway."""

    def instant(self, value: Stored) -> datetime | None:
        """Moments are kept as text."""
        return None if value is None else datetime.fromisoformat(value)

    def firsts(self, firsts: Firsts) -> Query:
        """By the numbers of the rows: it knows no lateral join."""
        return _firsts(firsts)

    def together(self, driver: Driver) -> AbstractContextManager[None]:
        """There is nobody to wait for."""
        return nullcontext(driver)

    def ask(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> Answer:
        """Hand the given rows in as one JSON text."""
        parameters = {"given": orjson.dumps(given).decode(), **values}
        rows = driver.execute(_rendered(query), parameters).fetchall()
        return lambda: rows

    def stream(
        self, connection: Connection, query: Query, values: Mapping[str, Value]
    ) -> Iterator[Row]:
        """The driver steps through the rows anyway."""
        with connection.exec_driver_sql(_rendered(query), dict(values), STREAMED) as rows:
            yield from rows

    def run(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> None:
        """As `ask`."""
        parameters = {"given": orjson.dumps(given).decode(), **values}
        driver.execute(_rendered(query), parameters)

    def append(self, driver: Driver, table: Table, rows: Iterable[Row]) -> None:
        """Insert row by row of one prepared statement: nothing crosses a network here."""
        driver.executemany(_insert(table), rows)

    def upsert(self, driver: Driver, table: Table, rows: Rows, changes: str | None) -> None:
        """As `append`."""
        driver.executemany(_upsert(table, changes), rows)

    def update(self, driver: Driver, table: Table, rows: Rows, names: Sequence[str]) -> None:
        """As `append`; the key stands last in the statement."""
        key_length = len(key_of(table))
        sql = _update(table, tuple(names))
        driver.executemany(sql, [row[key_length:] + row[:key_length] for row in rows])

    def delete(self, driver: Driver, table: Table, keys: Rows) -> None:
        """As `append`."""
        driver.executemany(_delete(table), keys)


@cache
def _rendered(query: Query) -> str:
    columns = ", ".join(
        f"json_extract(value, '$[{index}]') AS {name}"
        for index, (name, _kind) in enumerate(query.given)
    )
    given = f"(SELECT {columns} FROM json_each(:given)) AS given"
    return query.sql.format(given=given, lock="", share="", take="", now=_NOW)


@cache
def _firsts(firsts: Firsts) -> Query:
    given = {name for name, _kind in firsts.given}
    read = [f"given.{name}" if name in given else f"l.{name}" for name in firsts.columns]
    return Query(
        f"""
        SELECT {", ".join(read)} FROM {{given}} CROSS JOIN {firsts.table} AS l
        WHERE l.rowid IN (
            SELECT t.rowid FROM {firsts.table} AS t
            WHERE {firsts.where} ORDER BY {firsts.order} LIMIT :count_max
        )
        """,
        firsts.given,
    )


@cache
def _insert(table: Table) -> str:
    names = names_of(table)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"


@cache
def _upsert(table: Table, changes: str | None) -> str:
    key = key_of(table)
    every = ", ".join(f"{name} = excluded.{name}" for name in names_of(table) if name not in key)
    return f"{_insert(table)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes or every}"


@cache
def _update(table: Table, names: tuple[str, ...]) -> str:
    key = key_of(table)
    changed = ", ".join(f"{name} = ?" for name in names if name not in key)
    same = " AND ".join(f"{name} = ?" for name in key)
    return f"UPDATE {table.name} SET {changed} WHERE {same}"


@cache
def _delete(table: Table) -> str:
    same = " AND ".join(f"{name} = ?" for name in key_of(table))
    return f"DELETE FROM {table.name} WHERE {same}"
