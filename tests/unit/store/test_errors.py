"""What the drivers raise, and what it means: again, wait, or one event is to blame."""

import sqlite3

import psycopg
import pytest
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from store.errors import (
    Collision,
    ConnectionLost,
    Contention,
    DataRefused,
    Locked,
    Refused,
    SchemaOutdated,
    StoreError,
    TooMuch,
    Transient,
    Unavailable,
    classify,
)

POSTGRESQL = [
    (pg.SerializationFailure, Contention),
    (pg.DeadlockDetected, Contention),
    (pg.TransactionRollback, Contention),
    (pg.StatementCompletionUnknown, ConnectionLost),
    (pg.LockNotAvailable, Locked),
    (pg.QueryCanceled, TooMuch),
    (pg.OutOfMemory, TooMuch),
    (pg.ConfigurationLimitExceeded, TooMuch),
    (pg.StatementTooComplex, TooMuch),
    (pg.ProgramLimitExceeded, DataRefused),
    (pg.SnapshotTooOld, Contention),
    (pg.InternalError_, Unavailable),
    (pg.IndexCorrupted, Unavailable),
    (pg.OperatorIntervention, Unavailable),
    (pg.ConfigFileError, Unavailable),
    (pg.DatabaseDropped, Refused),
    (pg.FeatureNotSupported, Unavailable),
    (pg.UniqueViolation, Collision),
    (pg.ConnectionFailure, ConnectionLost),
    (pg.AdminShutdown, ConnectionLost),
    (pg.CrashShutdown, ConnectionLost),
    (pg.IdleInTransactionSessionTimeout, ConnectionLost),
    (pg.CannotConnectNow, Unavailable),
    (pg.ReadOnlySqlTransaction, Unavailable),
    (pg.DiskFull, Unavailable),
    (pg.TooManyConnections, Unavailable),
    (pg.IoError, Unavailable),
    (pg.InvalidPassword, Refused),
    (pg.InvalidCatalogName, Refused),
    (pg.InsufficientPrivilege, Refused),
    (pg.UndefinedTable, SchemaOutdated),
    (pg.UndefinedColumn, SchemaOutdated),
    (pg.NumericValueOutOfRange, DataRefused),
    (pg.CheckViolation, DataRefused),
    (pg.NotNullViolation, DataRefused),
    (pg.ForeignKeyViolation, DataRefused),
]


@pytest.mark.parametrize(
    ("raised", "meant"), POSTGRESQL, ids=[raised.__name__ for raised, _meant in POSTGRESQL]
)
def test_postgresql_says_what_to_do(raised: type[psycopg.Error], meant: type[StoreError]) -> None:
    error = raised("as the server says\nDETAIL: more")
    found = classify(error, "postgresql://here/db")
    assert type(found) is meant
    assert found.code == raised.sqlstate
    wrapped = DBAPIError("SELECT 1", {"secret": 1}, error)
    assert type(classify(wrapped)) is meant


def test_a_connection_that_ends_without_a_word_was_lost() -> None:
    assert (
        type(classify(psycopg.OperationalError("server closed the connection"))) is ConnectionLost
    )


SQLITE = [
    ("SQLITE_BUSY", Contention),
    ("SQLITE_BUSY_SNAPSHOT", Contention),
    ("SQLITE_LOCKED", Contention),
    ("SQLITE_PROTOCOL", Contention),
    ("SQLITE_INTERRUPT", TooMuch),
    ("SQLITE_FULL", Unavailable),
    ("SQLITE_IOERR_WRITE", Unavailable),
    ("SQLITE_READONLY", Unavailable),
    ("SQLITE_CANTOPEN", Unavailable),
    ("SQLITE_NOTADB", Refused),
    ("SQLITE_CORRUPT", Refused),
    ("SQLITE_CONSTRAINT_CHECK", DataRefused),
    ("SQLITE_CONSTRAINT_PRIMARYKEY", DataRefused),
    ("SQLITE_TOOBIG", DataRefused),
]


@pytest.mark.parametrize(("name", "meant"), SQLITE)
def test_sqlite_says_what_to_do(name: str, meant: type[StoreError]) -> None:
    error = sqlite3.OperationalError("as the engine says")
    error.sqlite_errorcode = getattr(sqlite3, name)
    error.sqlite_errorname = name
    found = classify(error)
    assert type(found) is meant
    assert found.code == name


def test_a_missing_table_is_an_outdated_schema_and_a_mistyped_statement_is_a_bug() -> None:
    raw = sqlite3.connect(":memory:")
    for sql, meant in (("SELECT 1 FROM no_table_of_ours", SchemaOutdated), ("SELEKT", type(None))):
        with pytest.raises(sqlite3.OperationalError) as raised:
            raw.execute(sql)
        assert type(classify(raised.value)) is meant
    raw.close()


def test_what_can_not_be_bound_is_data() -> None:
    raw = sqlite3.connect(":memory:")
    for value in (2**63, "\ud800"):
        with pytest.raises((OverflowError, UnicodeEncodeError)) as raised:
            raw.execute("SELECT ?", [value])
        assert type(classify(raised.value)) is DataRefused
    raw.close()


def test_a_pool_that_is_empty_for_too_long_is_not_available() -> None:
    assert type(classify(PoolTimeout("QueuePool limit reached"))) is Unavailable


def test_a_bug_is_not_one_of_these() -> None:
    assert classify(KeyError("x")) is None
    assert classify(pg.SyntaxError("SELEKT")) is None


def test_what_means_something_already_is_left_as_it_is() -> None:
    meant = Transient("again")
    assert classify(meant) is meant


def test_a_message_is_one_sentence_and_names_the_place_only() -> None:
    found = classify(pg.DiskFull("could not extend file\nHINT: buy a disk"), "postgresql://h/db")
    assert str(found) == "postgresql://h/db does not serve us now: could not extend file."
