"""The seam between the store and an engine. Every bulk statement takes all its rows at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.engine import URL

from store.columns import Stored
from store.statements import Firsts, Query, Row, Rows, Value


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the database may keep us waiting, and how many connections a process may hold.

    `isolation`: of transactions that write: READ COMMITTED, or SERIALIZABLE, for engines that know
    no other. SQLite has one writer at a time and needs neither.
    """

    connect_seconds_max: int = 10
    statement_seconds_max: int = 30
    lock_seconds_max: int = 10
    idle_in_transaction_seconds_max: int = 60
    connections_max: int = 5
    isolation: str = "READ COMMITTED"


Answer = Callable[[], Sequence[Any]]  # waits for the rows of a query and returns them

Driver = Any  # the driver's own connection: SQLAlchemy's results take 3 ms of a batch's 60

STREAMED = {"stream_results": True, "yield_per": 1_000}  # PostgreSQL: by a cursor of the server


class Dialect(ABC):
    """One engine. Rows handed in have the table's columns in the table's order."""

    name: str
    locks_rows: bool
    """Whether several may write at once, each what it has locked."""

    @abstractmethod
    def engine(self, url: URL, limits: Limits) -> Engine:
        """Return an engine whose connections are set up; nothing is connected yet."""

    @abstractmethod
    def reading(self) -> Mapping[str, Any]:
        """Return the execution options of a transaction that reads one state of everything."""

    @abstractmethod
    def survey(self, driver: Driver) -> None:
        """Let the rest of the transaction join whole tables, instead of looking rows up."""

    @abstractmethod
    def walk(self, driver: Driver) -> None:
        """Let the rest of the transaction follow an index in its order, from where it begins."""

    @abstractmethod
    def instant(self, value: Stored) -> datetime | None:
        """Return the moment in a column that a raw statement read."""

    @abstractmethod
    def firsts(self, firsts: Firsts) -> Query:
        """Return the query for the first rows of a table for each given row."""

    @abstractmethod
    def together(self, driver: Driver) -> AbstractContextManager[None]:
        """Let what is sent meanwhile not wait for what was sent before; at the end all has ended.

        An error is raised by whatever waits next, at the latest by the end.
        """

    @abstractmethod
    def ask(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> Answer:
        """Send a query; what is returned waits for its rows and returns them."""

    @abstractmethod
    def stream(
        self, connection: Connection, query: Query, values: Mapping[str, Value]
    ) -> Iterator[Row]:
        """Run a query and yield its rows as they come, a thousand in memory at once."""

    @abstractmethod
    def run(self, driver: Driver, query: Query, given: Rows, values: Mapping[str, Value]) -> None:
        """Run a statement that returns no rows."""

    @abstractmethod
    def append(self, driver: Driver, table: Table, rows: Iterable[Row]) -> None:
        """Insert rows that are not there yet."""

    @abstractmethod
    def upsert(self, driver: Driver, table: Table, rows: Rows, changes: str | None) -> None:
        """Insert rows, or overwrite those with the same key (only `changes`, where given)."""

    @abstractmethod
    def update(self, driver: Driver, table: Table, rows: Rows, names: Sequence[str]) -> None:
        """Overwrite these columns, the key's among them, of rows that are there."""

    @abstractmethod
    def delete(self, driver: Driver, table: Table, keys: Rows) -> None:
        """Delete the rows with these keys."""
