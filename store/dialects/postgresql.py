"""PostgreSQL by psycopg 3: arrays in, COPY for new rows, row locks in the order of the query.

Statements are not prepared: a plan made while the tables were small would be kept until the next
ANALYZE. Planning anew costs 0.1 to 0.2 ms each, 5 of a batch's 60; and it suits connection poolers.
"""

# ruff: noqa: S608 - what is put into SQL are names of our own tables

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import cache
from itertools import chain, islice
from typing import Any, cast

from psycopg import Connection as PsycopgConnection
from psycopg.types.datetime import TimestamptzLoader
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry

from store.columns import Stored
from store.dialects.arrays import joined, literal
from store.dialects.base import STREAMED, Answer, Dialect, Driver, Limits
from store.dialects.pipelined import PipelinedConnection
from store.statements import (
    Columns,
    Firsts,
    Kind,
    Query,
    Row,
    Rows,
    Value,
    key_of,
    kind_of,
    names_of,
)

# A batch looks rows up by key, so it is to go by the index of each. Before a table's first ANALYZE
# the planner takes it for small, and would read all of it to join it: 10 ms and growing, not 1.
_LOOK_UP = {"enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}

# Whole tables are joined by hash; a cursor is read to its end, not for its first rows.
_SURVEY = (
    "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on;"
    " SET LOCAL cursor_tuple_fraction = 1"
)

# A peer that is gone is noticed in half a minute, also while nothing is on its way to it.
_KEEPALIVES = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
_RECYCLE_SECONDS = 3_600  # after a fail-over nobody stays with an old address for ever
_LATE_SECONDS_MAX = 5  # how much later than its own limit the server may answer
_WALK = "SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"

_FEW = 100  # rows that an INSERT takes in no more time than a COPY

_VALUE = re.compile(r"(?<!:):([a-z_]+)")


class _UtcLoader(TimestamptzLoader):
    """Moments in UTC, whatever the session's time zone is.

    Read by Python itself: a ninth of the driver's 2.4 µs, and an order has three or more.
    """

    def load(self, data: Any) -> datetime:  # noqa: ANN401 - psycopg's buffer type is its own
        try:
            moment = datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            moment = super().load(data)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


class Postgresql(Dialect):
    """The statements of the store as PostgreSQL wants them."""

    name = "postgresql"
    locks_rows = True

    def engine(self, url: URL, limits: Limits) -> Engine:
        """Return an engine whose sessions wait for bounded times only."""
        seconds = limits.connect_seconds_max
        # Who waits for a lock is not to be taken for a statement that takes too long.
        lock_milliseconds = min(limits.lock_seconds_max * 1000, limits.statement_seconds_max * 500)
        given = {
            "connect_timeout": seconds,
            "tcp_user_timeout": limits.statement_seconds_max * 1000,
            **_KEEPALIVES,
            "application_name": "backship",
        }
        engine = create_engine(
            url,
            pool_size=limits.connections_max,
            max_overflow=0,
            pool_timeout=seconds,
            pool_pre_ping=True,
            pool_recycle=_RECYCLE_SECONDS,
            isolation_level=limits.isolation,
            connect_args={
                "prepare_threshold": None,
                **{name: value for name, value in given.items() if name not in url.query},
            },
        )

        @event.listens_for(engine, "do_connect")
        def connect(
            _dialect: object, _entry: object, words: list[Any], given: dict[str, Any]
        ) -> PipelinedConnection:
            made = PipelinedConnection.connect(*words, **given)
            made.answer_seconds_max = limits.statement_seconds_max + _LATE_SECONDS_MAX
            return made

        @event.listens_for(engine, "connect")
        def set_up(connection: PsycopgConnection[Any], _entry: ConnectionPoolEntry) -> None:
            connection.adapters.register_loader("timestamptz", _UtcLoader)
            settings = {
                "TimeZone": "UTC",
                "statement_timeout": f"{limits.statement_seconds_max}s",
                "lock_timeout": f"{lock_milliseconds}ms",
                "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_seconds_max}s",
                **_LOOK_UP,
            }
            calls = ", ".join("set_config(%s, %s, false)" for _ in settings)
            connection.execute(f"SELECT {calls}", list(chain(*settings.items())))
            connection.commit()

        @event.listens_for(engine, "checkout")
        def as_the_server_says(
            connection: PsycopgConnection[Any], _entry: object, _proxy: object
        ) -> None:
            # SQLAlchemy leaves False after a transaction that read only: BEGIN … READ WRITE, which
            # overrules a server that was told to take no writes before a fail-over.
            if connection.read_only is False:
                connection.read_only = None

        return engine

    def reading(self) -> Mapping[str, Any]:
        """One snapshot for all statements, and no writes."""
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def survey(self, driver: Driver) -> None:
        """Take back what is set for batches, until the transaction ends."""
        driver.execute(_SURVEY)

    def walk(self, driver: Driver) -> None:
        """Keep it from reading and sorting all there is, which it may hold for little."""
        driver.execute(_WALK)

    def instant(self, value: Stored) -> datetime | None:
        """The driver reads moments."""
        moment: datetime | None = value
        return moment

    def firsts(self, firsts: Firsts) -> Query:
        """By a lateral join."""
        return _firsts(firsts)

    def together(self, driver: Driver) -> AbstractContextManager[None]:
        """By libpq's pipeline mode: a small batch waits for ten answers, not for forty."""
        return cast("AbstractContextManager[None]", driver.together())

    def ask(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> Answer:
        """Hand the given rows in as one array per column."""
        sql, arrays = _arrays(query, given)
        return cast("Answer", driver.send(sql, {**arrays, **values}).fetchall)

    def stream(
        self, connection: Connection, query: Query, values: Mapping[str, Value]
    ) -> Iterator[Row]:
        """By a cursor of the server: the driver would fetch all of it."""
        with connection.exec_driver_sql(_rendered(query, ()), dict(values), STREAMED) as rows:
            yield from rows

    def run(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> None:
        """As `ask`."""
        sql, arrays = _arrays(query, given)
        driver.send(sql, {**arrays, **values})

    def append(self, driver: Driver, table: Table, rows: Iterable[Row]) -> None:
        """Insert by COPY: half the time of an INSERT of arrays, but two answers to wait for."""
        made = iter(rows)
        first = list(islice(made, _FEW + 1))
        if driver.sends_ahead and len(first) <= _FEW:
            self.run(driver, _insert(table), first, {})
            return
        driver.catch_up()
        with driver.cursor() as cursor, cursor.copy(_copy(table)) as copy:
            for row in chain(first, made):
                copy.write_row(row)

    def upsert(self, driver: Driver, table: Table, rows: Rows, changes: str | None) -> None:
        """Insert or overwrite by one statement of arrays."""
        self.run(driver, _upsert(table, changes), rows, {})

    def update(self, driver: Driver, table: Table, rows: Rows, names: Sequence[str]) -> None:
        """Overwrite by one statement of arrays."""
        self.run(driver, _update(table, tuple(names)), rows, {})

    def delete(self, driver: Driver, table: Table, keys: Rows) -> None:
        """Delete by one statement of arrays."""
        self.run(driver, _delete(table), keys, {})


def _arrays(query: Query, rows: Rows) -> tuple[str, dict[str, Value]]:
    """Return the SQL for these rows, and their columns: texts joined where they can be."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(query.given)
    arrays: dict[str, Value] = {}
    split = []
    for (name, kind), values in zip(query.given, columns, strict=True):
        text = joined(values) if kind in {"text", "timestamptz"} else None
        split.append(text is not None)
        arrays[f"given_{name}"] = text if text is not None else literal(kind, values)
    return _rendered(query, tuple(split)), arrays


def _array(name: str, kind: Kind, *, split: bool) -> str:
    value = f"%(given_{name})s"
    whole = f"string_to_array({value}, E'\\x1e', E'\\x1f')" if split else value
    return whole if split and kind == "text" else f"{whole}::{kind}[]"


@cache
def _rendered(query: Query, split: tuple[bool, ...]) -> str:
    arrays = ", ".join(
        _array(name, kind, split=of_this)
        for (name, kind), of_this in zip(query.given, split, strict=True)
    )
    columns = ", ".join(name for name, _kind in query.given)
    return _VALUE.sub(r"%(\1)s", query.sql).format(
        given=f"unnest({arrays}) AS given ({columns})",
        lock="FOR UPDATE OF t",
        share="FOR SHARE OF t",
        take="FOR UPDATE OF t SKIP LOCKED",
        now="clock_timestamp()",
    )


def _given(table: Table, names: Sequence[str]) -> Columns:
    return tuple((name, kind_of(table.c[name].type)) for name in names)


@cache
def _copy(table: Table) -> str:
    return f"COPY {table.name} ({', '.join(names_of(table))}) FROM STDIN"


@cache
def _insert(table: Table) -> Query:
    names = names_of(table)
    return Query(
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT * FROM {{given}}",
        _given(table, names),
    )


@cache
def _firsts(firsts: Firsts) -> Query:
    given = {name for name, _kind in firsts.given}
    own = [name for name in firsts.columns if name not in given]
    read = [f"given.{name}" if name in given else f"l.{name}" for name in firsts.columns]
    return Query(
        f"""
        SELECT {", ".join(read)} FROM {{given}} CROSS JOIN LATERAL (
            SELECT {", ".join(f"t.{name}" for name in own)} FROM {firsts.table} AS t
            WHERE {firsts.where} ORDER BY {firsts.order} LIMIT :count_max
        ) AS l
        """,
        firsts.given,
    )


@cache
def _upsert(table: Table, changes: str | None) -> Query:
    names, key = names_of(table), key_of(table)
    every = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return Query(
        f"{_insert(table).sql} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes or every}",
        _given(table, names),
    )


@cache
def _update(table: Table, names: tuple[str, ...]) -> Query:
    key = key_of(table)
    changed = ", ".join(f"{name} = given.{name}" for name in names if name not in key)
    same = " AND ".join(f"t.{name} = given.{name}" for name in key)
    return Query(
        f"UPDATE {table.name} AS t SET {changed} FROM {{given}} WHERE {same}",
        _given(table, names),
    )


@cache
def _delete(table: Table) -> Query:
    key = key_of(table)
    same = " AND ".join(f"t.{name} = given.{name}" for name in key)
    return Query(f"DELETE FROM {table.name} AS t USING {{given}} WHERE {same}", _given(table, key))
