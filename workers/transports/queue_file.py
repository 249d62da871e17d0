"""The SQLite file of the embedded transport: opening it, its tables, its transactions.

The file may be the ledger's own; all tables here begin with `queue_`. Every write begins with BEGIN
IMMEDIATE: a transaction that starts by reading cannot be upgraded while another writes (194 of 240
failed when measured), and no busy timeout helps there. `synchronous=FULL`, because a confirmed
message must survive a power cut; one commit a batch makes that cheap.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.retry import waiting_for_a_lock
from workers.transports.errors import ConnectionLost, Refused, TransportError

SQLITE_VERSION_MIN = (3, 35, 0)
"""The first with RETURNING."""

BUSY_SECONDS_MAX = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue_topology (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
);
INSERT OR IGNORE INTO queue_topology VALUES (1, 0);
CREATE TABLE IF NOT EXISTS queue_exchanges (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('topic', 'fanout', 'direct')),
    alternate TEXT
);
CREATE TABLE IF NOT EXISTS queue_queues (
    name TEXT PRIMARY KEY,
    delivery_limit INTEGER CHECK (delivery_limit > 0),
    dead_letter_exchange TEXT
);
CREATE TABLE IF NOT EXISTS queue_bindings (
    exchange TEXT NOT NULL,
    queue TEXT NOT NULL,
    pattern TEXT NOT NULL,
    PRIMARY KEY (exchange, queue, pattern)
);
CREATE TABLE IF NOT EXISTS queue_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    properties TEXT NOT NULL,
    headers TEXT NOT NULL,
    enqueued_at REAL NOT NULL,
    not_before REAL,
    lease_until REAL NOT NULL DEFAULT 0,
    lease_token TEXT,
    deliveries INTEGER NOT NULL DEFAULT 0 CHECK (deliveries >= 0),
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS queue_messages_of_queue ON queue_messages (queue, id);
"""

_REFUSING = frozenset(
    {
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
PRIMARY_CODE = 0xFF
"""SQLite's extended error codes hold the primary one in their lowest byte."""


class QueueFile:
    """One connection to the file; its methods are called by one thread at a time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if sqlite3.sqlite_version_info < SQLITE_VERSION_MIN:
            raise Refused(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed.")
        self.path = path
        mode = "rwc" if create else "rw"
        with self.errors():
            self.connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_SECONDS_MAX,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self.errors():
                self.connection.execute("PRAGMA synchronous=FULL")
            waiting_for_a_lock((ConnectionLost,))(self._keep_a_log)
        except TransportError:
            self.connection.close()
            raise

    def _keep_a_log(self) -> None:
        """Switch to write-ahead logging, once in the life of a file.

        While another process writes, SQLite answers "locked" at once: its busy timeout does not
        hold for this switch.
        """
        with self.errors():
            if self.connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                self.connection.execute("PRAGMA journal_mode=WAL")

    def create_tables(self) -> None:
        """Create what is missing of the tables."""
        with self.writing():
            for statement in SCHEMA.strip().split(";\n"):
                self.connection.execute(statement)

    @contextmanager
    def writing(self, busy_seconds_max: float = BUSY_SECONDS_MAX) -> Iterator[sqlite3.Connection]:
        """Run one transaction that writes: committed at the end, rolled back by any exception."""
        with self.errors():
            self.connection.execute(f"PRAGMA busy_timeout={max(1, int(busy_seconds_max * 1000))}")
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._as_ours(error) from error

    def _as_ours(self, error: sqlite3.Error) -> TransportError:
        code = getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE
        if code in _REFUSING:
            return Refused(f"The queue file {self.path} cannot be used: {error}.")
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return ConnectionLost(f"The queue file {self.path} was locked by others for too long.")
        return ConnectionLost(f"The queue file {self.path} failed: {error}.")

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def queue_file_exists(path: Path) -> bool:
    """Tell whether there is a file with our tables; creates nothing."""
    if not path.exists():
        return False
    with QueueFile(path) as file, file.errors():
        select = "SELECT count(*) FROM sqlite_master WHERE name = 'queue_messages'"
        return bool(file.connection.execute(select).fetchone()[0])


def empty_tables() -> sqlite3.Connection:
    """Give the tables with nothing in them, in memory."""
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    return db
