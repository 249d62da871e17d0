"""Statements sent without waiting for the answers to those before (PostgreSQL's pipeline mode)."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from store import schema
from store.dialects.base import Limits
from store.errors import Collision, ConnectionLost, DataRefused
from store.statements import Query, Row
from store.transaction import Database, Transaction
from tests.support.keeping import other, rows

_ON_HAND = Query("SELECT t.on_hand FROM stock AS t WHERE t.sku = :sku")
_LOCKED = Query("SELECT t.on_hand FROM stock AS t WHERE t.sku = :sku {lock}")


def stock(number: int, on_hand: int = 1) -> Row:
    return (f"S{number:04}", "P", on_hand, 0, None, None, 1)


def put(database: Database, *numbers: int) -> None:
    with database.begin() as tx:
        tx.append(schema.stock, [stock(number) for number in numbers])


def on_hand(database: Database) -> dict[str, int]:
    return dict(rows(database, schema.stock, "sku", "on_hand"))


@pytest.mark.parametrize("count", [1, 100, 101, 1_000])
def test_what_is_sent_ahead_takes_effect_in_its_order(database: Database, count: int) -> None:
    with database.begin() as tx, tx.together():
        tx.append(schema.stock, [stock(number) for number in range(count)])
        tx.update(schema.stock, [stock(0, 5)])
        tx.append(schema.stock, (stock(number) for number in range(count, 2 * count)))
        tx.upsert(schema.stock, [stock(1, 7)])
        first = tx.ask(_ON_HAND, sku="S0000")
        tx.update(schema.stock, [stock(0, 6)])
        second = tx.ask(_ON_HAND, sku="S0000")
        tx.delete(schema.stock, [("S0001", "P")])
        assert [[*second()], [*first()]] == [[(6,)], [(5,)]]
    kept = on_hand(database)
    assert len(kept) == max(1, 2 * count - 1)
    assert kept["S0000"] == 6


def test_an_error_is_told_by_what_waits_next_and_nothing_is_kept(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    put(database, 3)

    def collide(tx: Transaction, *, wait: bool) -> None:
        tx.append(schema.stock, [stock(1)])
        tx.append(schema.stock, [stock(3)])
        for number in (4, 5):
            tx.append(schema.stock, [stock(number)])
        if wait:
            tx.query(_ON_HAND, sku="S0001")

    for wait in (True, False):
        with pytest.raises((Collision, DataRefused)), database.begin() as tx, tx.together():
            collide(tx, wait=wait)
    with database.begin() as tx, tx.together():
        tx.append(schema.stock, [stock(6)])
    assert on_hand(database) == {"S0003": 1, "S0006": 1}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_an_exception_of_ours_is_not_covered_by_what_had_failed_unseen(postgres: Database) -> None:
    put(postgres, 3)

    def fail() -> None:
        with postgres.begin() as tx, tx.together():
            tx.ask(Query("SELECT pg_sleep(0.2)"))
            tx.append(schema.stock, [stock(3)])  # what is wrong with it is told after that
            raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        fail()
    assert on_hand(postgres) == {"S0003": 1}


def test_a_connection_lost_while_statements_are_on_their_way_is_transient(
    postgres: Database,
) -> None:
    def lose() -> None:
        with postgres.begin() as tx, tx.together():
            ((pid,),) = tx.query(Query("SELECT pg_backend_pid()"))
            with postgres.begin() as killer:
                killer.query(Query("SELECT pg_terminate_backend(:pid)"), pid=pid)
            for number in range(50):
                tx.append(schema.stock, [stock(number)])

    with pytest.raises(ConnectionLost):
        lose()
    put(postgres, 1)
    assert on_hand(postgres) == {"S0001": 1}


def test_a_process_frozen_after_it_sent_something_gives_its_locks_back(postgres: Database) -> None:
    """Nobody waits for the answer; the server must know all the same that the session is idle."""
    put(postgres, 1)
    frozen = other(postgres, Limits(idle_in_transaction_seconds_max=1))

    def freeze() -> None:
        with frozen.begin() as tx, tx.together():
            tx.query(_LOCKED, sku="S0001")
            tx.update(schema.stock, [stock(1, 9)])
            time.sleep(3)

    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(freeze)
        time.sleep(0.3)
        with postgres.begin() as tx:
            started = time.monotonic()
            assert [*tx.query(_LOCKED, sku="S0001")] == [(1,)]
            assert 0.3 < time.monotonic() - started < 2.5
        with pytest.raises(ConnectionLost):
            stopped.result(10)
    frozen.close()
    assert on_hand(postgres) == {"S0001": 1}
