"""The figures of `backship status`: right, bounded, and cheap whatever there is."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from store import presence
from store.transaction import Database, Transaction
from store.views.status import COUNT_MAX, Figures, figures
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
    stock_transferred,
)
from tests.support.desk import NOW
from tests.support.telling import deliver, tell

PLANNED_FROM = 100_000  # PostgreSQL rightly reads a small table whole
GROWING = {"order_lines", "movements", "inbox", "exceptions", "outbox"}


def look(database: Database) -> Figures:
    with database.read() as tx:
        return figures(tx)


def test_an_empty_store_has_nothing_of_anything(database: Database) -> None:
    found = look(database)
    assert (found.held_orders, found.open_replenishments, found.tasks) == (0, 0, 0)
    assert found.outbox == {"count": 0, "oldest_age_seconds": None, "held_back": 0}
    assert found.waiting == {
        "orders": 0,
        "replenishments": 0,
        "skus": 0,
        "oldest_age_seconds": None,
    }
    assert found.set_aside == {"total": 0, "by_reason": {}}
    assert (found.retrying, found.exceptions, found.exceptions_last_day) == (0, 0, 0)
    assert (found.workers, found.workers_alive, found.at_least) == ([], 0, [])


def test_each_figure_counts_what_it_says(database: Database) -> None:
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", vendor="V1"),
        item_changed("B", vendor="V2"),
        stock_received("r1", "WH1", [("A", 1)]),
        order_placed("1", [("A", 1)]),
        order_placed("2", [("A", 2), ("B", 1)]),  # one order, two lines that wait
        order_placed("3", [("B", 1)]),
        order_cancelled("unknown"),
        stock_transferred("t1", "WH1", "WH2", [("A", 5)]),  # more than there is: an exception
        now=NOW,
    )
    deliver(database, b"{", b"[]", b"{}", now=NOW)
    found = look(database)
    with database.read() as tx:
        emitted = tx.connection.execute(text("SELECT COUNT(*) FROM outbox")).scalar_one()
        opened = tx.connection.execute(
            text("SELECT COUNT(*) FROM replenishments WHERE state = 'open'")
        ).scalar_one()
        raised = tx.connection.execute(text("SELECT COUNT(*) FROM exceptions")).scalar_one()
    assert found.held_orders == 2
    assert found.open_replenishments == opened == 1
    assert found.waiting["orders"] == 1
    assert (found.waiting["replenishments"], found.waiting["skus"]) == (0, 0)
    assert found.set_aside == {"total": 3, "by_reason": {"malformed": 3}}
    assert found.outbox["count"] == emitted > 0
    assert found.outbox["oldest_age_seconds"] is not None
    assert found.exceptions == found.exceptions_last_day == raised > 0
    assert found.at_least == []


def test_the_age_of_the_outbox_is_that_of_the_first_which_is_not_held_back(
    database: Database,
) -> None:
    early, late = NOW - timedelta(hours=5), NOW - timedelta(hours=1)
    tell(database, place_changed("WH1"), order_placed("1", [("A", 1)]), now=early)
    tell(database, order_placed("2", [("A", 1)]), now=late)
    before = look(database).outbox
    with database.begin() as tx:
        tx.connection.execute(
            text(
                "INSERT INTO held_back (clock, n, id, reason, failures, retry_at) "
                "SELECT clock, n, id, 'unroutable', 1, at FROM outbox WHERE clock < :clock"
            ),
            {"clock": int(late.timestamp() * 1_000_000)},
        )
    after = look(database).outbox
    assert before["oldest_age_seconds"] is not None
    assert after["oldest_age_seconds"] is not None
    assert after["held_back"] > 0
    assert after["count"] == before["count"]
    assert before["oldest_age_seconds"] - after["oldest_age_seconds"] > 3 * 3_600


def test_an_exception_of_the_day_before_yesterday_is_not_one_of_the_last_day(
    database: Database,
) -> None:
    tell(database, place_changed("WH1"), stock_transferred("t1", "WH1", "WH2", [("A", 5)]))
    with database.begin() as tx:
        two_days = 2 * 24 * 3_600 * 1_000_000
        at = "UPDATE exceptions SET clock = :now - :days"
        now = int(presence.now(tx).timestamp() * 1_000_000)
        tx.connection.execute(text(at), {"now": now, "days": two_days})
    found = look(database)
    assert found.exceptions_last_day == 0
    assert found.exceptions > 0


# ---------------------------------------------------------------- on a big store


def fill(database: Database, many: int) -> None:
    """So many of everything that grows, copied from one of each; no statistics yet."""
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", vendor="V1"),
        order_placed("1", [("B", 1)]),
        stock_transferred("t1", "WH1", "WH2", [("A", 5)]),
    )
    with database.begin() as tx:
        for table, key in (
            ("order_lines", "order_id"),
            ("movements", "event_id"),
            ("inbox", "event_id"),
            ("outbox", "id"),
            ("exceptions", "id"),
        ):
            _copy(tx, table, key, many)


def _copy(tx: Transaction, table: str, key: str, many: int) -> None:
    columns = [row[0] for row in _columns(tx, table)]
    others = [f'"{name}"' for name in columns if name != key]
    listed = ", ".join([f'"{key}"', *others])
    numbers = (
        f"generate_series(1, {many}) AS n(i)"
        if tx.dialect.name == "postgresql"
        else f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) "
        "SELECT i FROM n) AS n"
    )
    tx.connection.execute(
        text(
            f"INSERT INTO {table} ({listed}) SELECT 'copy ' || n.i, {', '.join(others)} "
            f"FROM (SELECT * FROM {table} LIMIT 1) AS one CROSS JOIN {numbers}"
        )
    )


def _columns(tx: Transaction, table: str) -> list[tuple[str]]:
    if tx.dialect.name == "postgresql":
        asked = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    else:
        asked = f"SELECT name FROM pragma_table_info('{table}')"
    return [(str(row[0]),) for row in tx.connection.execute(text(asked))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("many", "statistics"),
    [
        pytest.param(15_000, "none", id="15000 never analyzed"),
        pytest.param(150_000, "analyzed", id="150000 analyzed", marks=pytest.mark.long),
        pytest.param(150_000, "none", id="150000 never analyzed", marks=pytest.mark.long),
    ],
)
def test_on_a_big_store_nothing_is_scanned_and_counts_end_at_their_bound(
    database: Database, many: int, statistics: str
) -> None:
    fill(database, many)
    if statistics == "analyzed":
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.exec_driver_sql("ANALYZE")
    with database.read() as tx:
        found = figures(tx)
        assert found.held_orders == COUNT_MAX
        assert found.outbox["count"] == COUNT_MAX
        assert found.exceptions == COUNT_MAX
        assert {"held_orders", "outbox.count", "exceptions.total"} <= set(found.at_least)
        if database.dialect.name == "postgresql" and many < PLANNED_FROM:
            return
        asked = list(dict.fromkeys(tx.trail))
        for sql, plan in zip(asked, explained(tx), strict=True):
            assert not set(scanned(plan, sql)) & GROWING, plan


def explained(tx: Transaction) -> list[str]:
    """How the engine answers each question that has been asked in this transaction."""
    word = "EXPLAIN" if tx.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    found = []
    for sql in dict.fromkeys(tx.trail):
        asked = sql.replace(":count_max", str(COUNT_MAX)).replace(":since", "0")
        asked = asked.replace("{now}", "CURRENT_TIMESTAMP")
        rows = tx.connection.exec_driver_sql(f"{word} {asked}")
        found.append("\n".join(str(row[-1]) for row in rows))
    return found


def scanned(plan: str, sql: str) -> list[str]:
    """Name the tables that are read whole. SQLite tells them by their alias in the question."""
    named = dict(re.findall(r"FROM (\w+) AS (\w+)", sql))
    return [
        table
        for table, alias in named.items()
        if f"Seq Scan on {table}" in plan
        or re.search(rf"^SCAN ({table}|{alias})$", plan, re.MULTILINE)
    ]
