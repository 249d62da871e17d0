"""What the views ask a database: how long each statement takes, and how it is answered.

The dialect of a transaction is replaced by one that keeps the time of every statement; what is
streamed counts while it is read. Asked for plans, each is explained after it ran, as it ran
(EXPLAIN ANALYZE, with the same values): which tables were read whole is told by the plan itself.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection

from store.dialects.base import Answer, Driver
from store.dialects.postgresql import Postgresql
from store.statements import Query, Row, Rows, Value
from store.transaction import Database, Transaction

_EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "

View = Callable[[Transaction], object]


@dataclass
class Statement:
    """One statement: its SQL, seconds and rows, and what its plan reads whole."""

    sql: str
    seconds: float = 0.0
    rows: int = 0
    scanned: dict[str, int] = field(default_factory=dict)
    """Tables that are read whole, and how many rows were looked at there."""
    compared: int = 0
    """Pairs of rows that a join looked at and did not want."""


class Watched(Postgresql):
    """The dialect, with the time of every statement."""

    def __init__(self, *, plans: bool) -> None:
        self.statements: list[Statement] = []
        self._plans = plans

    def ask(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> Answer:
        """As ever, but timed: each is waited for before the next."""
        noted = self._noted(query)
        started = time.perf_counter()
        rows = super().ask(driver, query, given, values)()
        noted.seconds = time.perf_counter() - started
        noted.rows = len(rows)
        if self._plans:
            explained = Query(_EXPLAIN + query.sql, query.given)
            self._look(noted, super().ask(driver, explained, given, values)())
        return lambda: rows

    def stream(
        self, connection: Connection, query: Query, values: Mapping[str, Value]
    ) -> Iterator[Row]:
        """As ever, but timed while it is read."""
        noted = self._noted(query)
        if self._plans:
            driver = connection.connection.driver_connection
            explained = Query(_EXPLAIN + query.sql)
            self._look(noted, super().ask(driver, explained, (), values)())
        rows = super().stream(connection, query, values)
        while True:
            started = time.perf_counter()
            row = next(rows, None)
            noted.seconds += time.perf_counter() - started
            if row is None:
                return
            noted.rows += 1
            yield row

    def _noted(self, query: Query) -> Statement:
        noted = Statement(" ".join(query.sql.split()))
        self.statements.append(noted)
        return noted

    def _look(self, noted: Statement, explained: Sequence[Row]) -> None:
        plans = cast("list[dict[str, Any]]", explained[0][0])
        for node in _nodes(plans[0]["Plan"]):
            noted.compared += node.get("Rows Removed by Join Filter", 0)
            if node["Node Type"] == "Seq Scan":
                looked = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                name = node["Relation Name"]
                loops = int(looked * node["Actual Loops"])
                noted.scanned[name] = noted.scanned.get(name, 0) + loops


def asked(database_url: str, view: View, *, plans: bool = False) -> list[Statement]:
    """Return the statements a view asks, in a connection of its own, as a command does."""
    database = Database(database_url)
    try:
        with database.read() as tx:
            watched = Watched(plans=plans)
            tx.dialect = watched
            found = view(tx)
            if isinstance(found, Iterator):
                for _part in found:
                    pass
        return watched.statements
    finally:
        database.close()


def milliseconds(statements: Iterable[Statement]) -> float:
    """Return what they took together."""
    return sum(statement.seconds for statement in statements) * 1000


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
