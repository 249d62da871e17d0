"""What can go wrong between us and the database. Each message is one sentence without secrets.

StoreError
├── Transient         the same transaction again, from its beginning, may well succeed
│   ├── Contention        another transaction was in the way: deadlock, serialization, lock
│   │   └── Locked            it held a lock for longer than we wait for one
│   ├── TooMuch           more than the database does at once, by time or memory: less may do
│   ├── Collision         another transaction wrote the same new row first: now it can be seen
│   └── ConnectionLost    during the transaction, or during its commit: the outcome is unknown
├── Unavailable       not now: stop consuming, probe, resume
│   └── Refused           it answers and says no: user, password, database name
├── DataRefused       the database does not take a value: one event of the batch is to blame
└── SchemaError       the tables are not ours
    ├── SchemaMissing     there are none: `backship init`
    └── SchemaOutdated    they are older or newer than this program
"""

# ruff: noqa: N818 - each name says what happened; raising it says that it is an error

import sqlite3

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StoreError(Exception):
    """Base of everything the store raises. `code`: the engine's own, for logs and `dead show`."""

    def __init__(self, message: str, code: str | None = None) -> None:
        self.code = code
        super().__init__(message)


class Transient(StoreError):
    """The whole transaction again, bounded, with jitter."""


class Contention(Transient):
    """Another transaction was in the way."""


class Locked(Contention):
    """A lock did not come free in time; who holds it may hold it for long."""


class TooMuch(Transient):
    """One statement took too long or too much: half of it may go through."""


class Collision(Transient):
    """Another transaction wrote the same new row first; where it stays so, it is a bug of ours."""


class ConnectionLost(Transient):
    """The connection ended within a transaction; whether it committed is not known."""


class Unavailable(StoreError):
    """The database does not serve writes now."""


class Refused(Unavailable):
    """The server answered and said no; again without a change is of no use."""


class DataRefused(StoreError):
    """A value broke a constraint or does not fit its column."""


class SchemaError(StoreError):
    """The tables are not those of this program."""


class SchemaMissing(SchemaError):
    """There are no tables."""


class SchemaOutdated(SchemaError):
    """The tables are of another version."""


STANDBY = frozenset({"25006", "0A000"})
"""The server answers and takes no writes: after a fail-over it is the wrong one. 0A000 is what a
standby says to a transaction that begins as READ WRITE or SERIALIZABLE."""

# SQLSTATE, or its class of two characters, longest match first.
_POSTGRESQL: dict[str, type[StoreError]] = {
    "40001": Contention,  # serialization failure
    "40P01": Contention,  # deadlock
    "40": Contention,
    "40003": ConnectionLost,  # it does not know itself whether it committed
    "55P03": Locked,  # lock_timeout
    "57014": TooMuch,  # statement_timeout
    "53200": TooMuch,  # out of memory, or of places for locks
    "53400": TooMuch,  # temp_file_limit
    "54": DataRefused,  # a value too long for an index
    "54001": TooMuch,  # stack depth
    "72": Contention,  # snapshot too old
    "23505": Collision,
    "08": ConnectionLost,
    "57P01": ConnectionLost,  # the server is shut down
    "57P02": ConnectionLost,
    "57P05": ConnectionLost,
    "25P03": ConnectionLost,  # idle in transaction for too long
    "25P04": ConnectionLost,  # transaction_timeout
    "57": Unavailable,  # an operator stepped in; it is starting up
    "25006": Unavailable,  # it has become a standby: it answers, and takes no writes
    "0A000": Unavailable,  # so too
    "53": Unavailable,  # disk full, too many connections
    "58": Unavailable,  # its own disk fails
    "XX": Unavailable,  # it is damaged, or has a bug: not the fault of what it was given
    "F0": Unavailable,  # its configuration
    "28": Refused,
    "3D000": Refused,
    "57P04": Refused,  # the database was dropped
    "42501": Refused,  # no right to a table
    "42P01": SchemaOutdated,
    "42703": SchemaOutdated,
    "22": DataRefused,
    "23": DataRefused,
}

_SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_BUSY: Contention,
    sqlite3.SQLITE_LOCKED: Contention,
    sqlite3.SQLITE_PROTOCOL: Contention,  # others opened and closed the file at the same time
    sqlite3.SQLITE_SCHEMA: Contention,
    sqlite3.SQLITE_INTERRUPT: TooMuch,
    sqlite3.SQLITE_FULL: Unavailable,
    sqlite3.SQLITE_IOERR: Unavailable,
    sqlite3.SQLITE_READONLY: Unavailable,
    sqlite3.SQLITE_CANTOPEN: Unavailable,
    sqlite3.SQLITE_PERM: Unavailable,
    sqlite3.SQLITE_AUTH: Unavailable,
    sqlite3.SQLITE_NOLFS: Unavailable,
    sqlite3.SQLITE_NOMEM: Unavailable,
    sqlite3.SQLITE_NOTADB: Refused,
    sqlite3.SQLITE_CORRUPT: Refused,
    sqlite3.SQLITE_CONSTRAINT: DataRefused,
    sqlite3.SQLITE_TOOBIG: DataRefused,
    sqlite3.SQLITE_MISMATCH: DataRefused,
}

# What a server says that will not take us before somebody has changed something.
_NEVER = (
    "authentication failed",
    "does not exist",
    "no password",
    "no pg_hba.conf entry",
    "not permitted to log in",
    "permission denied",
    "requires a valid client certificate",
)

_SAYS: dict[type[StoreError], str] = {
    Contention: "another transaction of {where} was in the way",
    Locked: "another transaction of {where} held a lock for too long",
    TooMuch: "it was more than {where} does at once",
    Collision: "another transaction of {where} wrote the same row first",
    ConnectionLost: "the connection to {where} was lost",
    Unavailable: "{where} does not serve us now",
    Refused: "{where} refused us",
    DataRefused: "{where} did not take a value",
    SchemaOutdated: "the tables of {where} are not those of this program; run `backship init`",
}


def classify(error: BaseException, where: str = "the database") -> StoreError | None:
    """Return what an exception of a driver or of SQLAlchemy means; None: a bug, not one of these.

    `where` names the database for people, without user and password.
    """
    if isinstance(error, DBAPIError) and isinstance(error.orig, BaseException):
        error = error.orig
    if isinstance(error, StoreError):
        return error
    if isinstance(error, PoolTimeout):
        return Unavailable(f"no connection to {where} came free", "pool")
    if isinstance(error, psycopg.Error):
        return _postgresql(error, where)
    if isinstance(error, sqlite3.Error):
        return _sqlite(error, where)
    if isinstance(error, OverflowError | UnicodeEncodeError):
        # What a driver raises for a number beyond 64 bits, or half of a surrogate pair.
        return _made(DataRefused, str(error), type(error).__name__, where)
    return None


def not_connected(error: BaseException, where: str) -> Unavailable:
    """Return why there is no connection: nobody answers, or somebody does and says no.

    The protocol's code is lost on the way through libpq; what is left is the server's sentence.
    """
    said = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if "FATAL:" in said and any(word in said for word in _NEVER):
        return Refused(f"{where} refused us: {said.partition('FATAL:')[2].strip()}.", "connect")
    return Unavailable(f"{where} can not be reached: {said}.", "connect")


def _postgresql(error: psycopg.Error, where: str) -> StoreError | None:
    code = error.sqlstate
    if code is None:
        if isinstance(error, psycopg.DataError):
            return _made(DataRefused, str(error), "client", where)
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return _made(ConnectionLost, str(error), "connection", where)
        return None
    kind = _POSTGRESQL.get(code) or _POSTGRESQL.get(code[:2])
    said = error.diag.message_primary or str(error)
    constraint = error.diag.constraint_name
    if constraint and constraint not in said:
        said = f"{said} ({constraint})"
    return None if kind is None else _made(kind, said, code, where)


def _sqlite(error: sqlite3.Error, where: str) -> StoreError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # The binding of a value failed before the engine saw it.
        unbound = isinstance(error, sqlite3.DataError | sqlite3.InterfaceError)
        return _made(DataRefused, str(error), "client", where) if unbound else None
    name = getattr(error, "sqlite_errorname", str(code))
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return _made(SchemaOutdated, str(error), name, where)
    kind = _SQLITE.get(code & 0xFF)  # the rest says which kind of the kind
    return None if kind is None else _made(kind, str(error), name, where)


def _made(kind: type[StoreError], said: str, code: str, where: str) -> StoreError:
    first_line = said.strip().splitlines()[0] if said.strip() else code
    return kind(f"{_SAYS[kind].format(where=where)}: {first_line}.", code)
