"""Connections that end, servers that are not there or refuse, files that can not be written."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import make_url

from store import schema
from store.dialects.base import Limits
from store.errors import (
    ConnectionLost,
    Contention,
    Refused,
    SchemaOutdated,
    TooMuch,
    Unavailable,
)
from store.statements import Query, Row
from store.transaction import Database, Transaction
from tests.support.builders import stock_received
from tests.support.keeping import keep, other, rows
from tests.support.services import postgres_url

AT = datetime(2026, 3, 1, tzinfo=UTC)
ROW: Row = ("A", "P", 1, 0, None, None, 1)


def put(tx: Transaction, sku: str = "A") -> None:
    tx.append(schema.stock, [(sku, *ROW[1:])])


def killed(database: Database, tx: Transaction) -> None:
    """End the connection of a transaction from another one, as a restart does."""
    pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with database.begin() as other:
        other.connection.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")


def test_a_connection_lost_in_a_transaction_is_transient_and_the_next_one_works(
    postgres: Database,
) -> None:
    def lose(*, bulk: bool) -> None:
        with postgres.begin() as tx:
            put(tx)
            killed(postgres, tx)
            if bulk:
                put(tx, "B")
            else:
                tx.query(Query("SELECT 1"))

    for bulk in (True, False):
        with pytest.raises(ConnectionLost) as lost:
            lose(bulk=bulk)
        assert "\n" not in str(lost.value)
    with postgres.begin() as tx:
        put(tx)
    assert rows(postgres, schema.stock, "sku") == ["A"]


def test_a_connection_lost_during_the_commit_is_transient(postgres: Database) -> None:
    def lose() -> None:
        with postgres.begin() as tx:
            put(tx)
            killed(postgres, tx)

    with pytest.raises(ConnectionLost):
        lose()
    assert rows(postgres, schema.stock) == []


def test_a_statement_that_takes_too_long_is_ended(postgres: Database) -> None:
    database = other(postgres, Limits(statement_seconds_max=1))
    with pytest.raises(TooMuch) as ended, database.begin() as tx:
        tx.query(Query("SELECT pg_sleep(5)"))
    assert ended.value.code == "57014"
    database.close()


def test_a_server_that_takes_no_writes_is_not_available(postgres: Database) -> None:
    def write() -> None:
        with postgres.begin() as tx:
            tx.connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            put(tx)

    with pytest.raises(Unavailable) as refused:
        write()
    assert refused.value.code == "25006"


def test_a_transaction_that_reads_can_not_write(database: Database) -> None:
    with pytest.raises(Unavailable), database.read() as tx:
        put(tx)
    assert rows(database, schema.stock) == []
    with database.begin() as tx:  # and the one after it can
        put(tx)


@pytest.mark.parametrize(
    ("change", "meant", "says"),
    [
        pytest.param({"port": 1}, Unavailable, "can not be reached", id="nobody_listens"),
        pytest.param({"host": "nowhere.invalid"}, Unavailable, "can not be reached", id="no_host"),
        pytest.param({"database": "nobody_made_it"}, Refused, "does not exist", id="no_database"),
        pytest.param({"username": "stranger"}, Refused, "stranger", id="no_such_user"),
    ],
)
def test_a_server_that_is_not_ours_is_named_without_a_password(
    change: dict[str, object], meant: type[Unavailable], says: str
) -> None:
    url = make_url(postgres_url()).set(password="hunter2", **change)  # type: ignore[arg-type]  # noqa: S106
    database = Database(url.render_as_string(hide_password=False), Limits(connect_seconds_max=2))
    with pytest.raises(meant, match=says) as refused, database.begin():
        pass
    assert type(refused.value) is meant
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)
    database.close()


@pytest.mark.parametrize(
    "url", ["", "mysql://x/y", "postgresql://h/db", "not a url", "sqlite+x://"]
)
def test_a_url_of_no_engine_of_ours_is_named_before_anything_is_opened(url: str) -> None:
    with pytest.raises(Unavailable, match=r"postgresql\+psycopg://"):
        Database(url)


def test_an_address_shows_neither_user_nor_password() -> None:
    database = Database("postgresql+psycopg://ada:hunter2@h:5/db?sslmode=require&password=x")
    assert database.address == "postgresql+psycopg://h:5/db"
    several = Database("postgresql+psycopg://ada:x@/db?host=a:1&host=b:2&sslpassword=y")
    assert several.address == "postgresql+psycopg:///db on a:1, b:2"


def test_a_disk_that_is_full_is_not_available(sqlite: Database) -> None:
    def fill() -> None:
        with sqlite.begin() as tx:
            tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")  # no page more than now
            tx.append(
                schema.stock, [(f"S{n}", "P" * 200, 1, 0, None, None, 1) for n in range(5000)]
            )

    with pytest.raises(Unavailable, match="full"):
        fill()
    assert rows(sqlite, schema.stock) == []


def test_a_file_that_may_not_be_written_is_not_available(sqlite: Database) -> None:
    assert sqlite.file is not None
    read_only = Database(f"sqlite:///file:{sqlite.file}?mode=ro&uri=true")
    with pytest.raises(Unavailable), read_only.begin() as tx:
        put(tx)
    read_only.close()


def test_a_writer_that_does_not_end_is_contention(sqlite: Database) -> None:
    database = sqlite
    assert database.file is not None
    writer = sqlite3.connect(database.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")

    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA busy_timeout = 50")  # of the one connection in the pool
    with pytest.raises(Contention), database.begin() as tx:
        put(tx)
    writer.execute("ROLLBACK")
    writer.close()
    with database.begin() as tx:
        put(tx)


def test_a_transaction_is_the_one_writer_before_it_has_written_anything(sqlite: Database) -> None:
    assert sqlite.file is not None
    writer = sqlite3.connect(sqlite.file, isolation_level=None, timeout=0)
    with sqlite.begin() as tx:
        tx.query(Query("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("BEGIN IMMEDIATE")
    writer.execute("BEGIN IMMEDIATE")
    writer.close()


def test_many_writers_of_one_file_all_get_their_turn(sqlite: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda n: keep(sqlite, stock_received(f"R{n}", "WH1", [("A", 1)])), range(24))
        )
    assert rows(sqlite, schema.stock, "on_hand") == [24]


def test_tables_that_are_not_there_are_an_outdated_schema(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(SchemaOutdated, match="backship init"), database.begin() as tx:
        put(tx)
    with pytest.raises(SchemaOutdated), database.begin() as tx:
        tx.upsert(schema.stock, [ROW])
    database.close()


def test_a_reader_sees_one_state_of_everything(database: Database) -> None:
    count = Query("SELECT COUNT(*) FROM stock")
    with database.read() as tx:
        before = tx.query(count)
        with database.begin() as writer:
            put(writer)
        assert tx.query(count) == before
    with database.read() as tx:
        assert tx.query(count) != before
