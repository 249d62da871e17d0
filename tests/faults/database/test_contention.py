"""Others in the way: locks held long, deadlocks, serialization failures, an empty pool (F39-F51).

None of it is the fault of an event: what was in hand waits or begins again, and is applied once.
"""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from store.dialects.base import Limits
from store.errors import Unavailable
from store.statements import Query
from store.transaction import Database
from tests.faults.database.test_connections import BLOCKED, ask, stranger
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.running import running, until
from tests.support.stack import Stack, outgoing
from tests.support.undisturbed import SKU, begin, check_undisturbed, tell, told_meanwhile

pytestmark = pytest.mark.slow
HELD = "SELECT 1 FROM items WHERE sku = %s FOR UPDATE"


def test_a_lock_that_is_held_for_long_is_waited_for_with_growing_pauses(
    stack: Stack, tmp_path: Path
) -> None:
    with running(stack, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        with other.transaction():
            other.execute(HELD, [SKU])
            tell(stack, told_meanwhile())
            worker.until_said("database_waits", 3)
        check_undisturbed(stack, worker)
        waits = worker.said("database_waits")
        assert all("held a lock for too long" in line["reason"] for line in waits)
        assert waits[2]["seconds"] >= 2 * waits[0]["seconds"] * 0.5
        assert not worker.said("batch_halved")


def test_f40_a_deadlock_with_a_stranger_is_tried_again_and_applied_once(
    stack: Stack, tmp_path: Path
) -> None:
    patient = replace(stack, more={**stack.more, "BACKSHIP_LOCK_SECONDS_MAX": "30"})
    with running(patient, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        stack.publish([outgoing(item_changed("B"))])
        until(lambda: stack.value("SELECT COUNT(*) FROM items") == 2)
        with other.transaction():
            other.execute("SET LOCAL deadlock_timeout = '60s'")  # so it is not the one that ends
            other.execute(HELD, ["B"])
            stack.publish([outgoing(order_placed("of both", [("A", 1), ("B", 1)]))])
            with stranger(stack) as looking:
                until(lambda: ask(looking, BLOCKED) > 0, "the batch in the way")
            other.execute(HELD, ["A"])  # it has that one: neither can go on
        until(lambda: stack.value("SELECT COUNT(*) FROM orders") == 1, "the order")
        worker.stop()
        assert [line["reason"].partition(": ")[2] for line in worker.warnings()] == [
            "deadlock detected."
        ]
        assert stack.rows("SELECT sku, allocated, shortage FROM order_lines ORDER BY sku") == [
            ("A", 1, 0),
            ("B", 0, 1),
        ]
        assert stack.value("SELECT COUNT(*) FROM set_aside") == 0
        assert stack.differences() == []


def raced(stack: Stack, workers: int, orders: int) -> None:
    """Let several workers decide orders of one sku, half of which can be had."""
    stack.publish(
        [
            outgoing(event)
            for event in (
                place_changed("WH1"),
                item_changed(SKU, vendor="V1"),
                stock_received("R1", "WH1", [(SKU, orders // 2)]),
            )
        ]
    )
    assert stack.burst() == 0
    processes = [stack.worker() for _ in range(workers)]
    try:
        stack.publish([outgoing(order_placed(f"{n}", [(SKU, 1)])) for n in range(orders)])
        for process in processes:
            _out, err = process.communicate(timeout=900)
            assert process.returncode == 0, err.decode()[-3000:]
    finally:
        for process in processes:
            process.kill()
    assert stack.burst() == 0  # whoever was early has left before the last message


def check_raced(stack: Stack, orders: int) -> None:
    """Nothing is lost, doubled or promised twice."""
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", orders + 3)
    ]
    assert stack.rows(
        "SELECT COUNT(*), SUM(allocated), SUM(shortage), MAX(allocated) FROM order_lines"
    ) == [(orders, orders // 2, orders // 2, 1)]
    assert stack.rows("SELECT on_hand, allocated FROM stock") == [(orders // 2, orders // 2)]
    assert stack.value("SELECT SUM(qty) FROM replenishment_lines") == orders // 2
    assert stack.value("SELECT COUNT(*) FROM set_aside") == 0
    assert stack.differences() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_f41_a_serialization_storm_converges(stack: Stack) -> None:
    strict = {"BACKSHIP_DATABASE_ISOLATION": "serializable", "BACKSHIP_BATCH_SIZE_MAX": "20"}
    storm = replace(stack, more=strict)
    raced(storm, workers=3, orders=300)
    check_raced(storm, orders=300)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("isolation", ["read_committed", "serializable"])
def test_f39_eight_workers_share_one_hot_sku(stack: Stack, isolation: str) -> None:
    hot = replace(stack, more={"BACKSHIP_DATABASE_ISOLATION": isolation})
    raced(hot, workers=8, orders=10_000)
    check_raced(hot, orders=10_000)


def test_f51_a_pool_that_is_exhausted_is_said_in_time_and_serves_again(
    postgres_database_url: str,
) -> None:
    database = Database(postgres_database_url, Limits(connect_seconds_max=1, connections_max=2))
    held = [database.engine.connect() for _ in range(2)]
    with pytest.raises(Unavailable, match="came free") as refused, database.begin():
        pass
    assert refused.value.code == "pool"
    for connection in held:
        connection.close()
    with database.begin() as tx:
        assert list(tx.query(Query("SELECT 1"))) == [(1,)]
    database.close()


def test_f51_a_stranger_with_a_long_transaction_holds_up_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    with running(stack, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        with other.transaction():
            other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            before = other.execute("SELECT COUNT(*) FROM outbox").fetchall()
            tell(stack, told_meanwhile())
            check_undisturbed(stack, worker)
            assert other.execute("SELECT COUNT(*) FROM outbox").fetchall() == before
        assert worker.warnings() == []


def pids(database: Database, count: int) -> set[int]:
    """The server's processes behind so many connections at once."""
    held = [database.engine.connect() for _ in range(count)]
    try:
        return {int(c.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()) for c in held}
    finally:
        for connection in held:
            connection.close()


def read_only(database: Database) -> None:
    """See a server that takes no writes, as after a fail-over."""
    with database.begin() as tx:
        tx.connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        tx.run(Query("CREATE TABLE never (n int)"))


def lost(database: Database) -> None:
    """Lose one connection."""
    with database.begin() as tx:
        pid = tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        plain = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [pid])
        tx.query(Query("SELECT 1"))


@pytest.mark.parametrize("trouble", [read_only, lost])
def test_f11_what_ends_one_connection_ends_all_of_the_pool(
    postgres_database_url: str, trouble: object
) -> None:
    database = Database(postgres_database_url)
    before = pids(database, 3)
    assert pids(database, 3) == before
    assert callable(trouble)
    with pytest.raises(Exception, match=r"does not serve us now|was lost"):
        trouble(database)
    assert not pids(database, 3) & before
    database.close()
