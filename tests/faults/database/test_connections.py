"""Connections that end: during the commit, while idle, in the middle of a batch; or that go silent.

A real worker talks to PostgreSQL through a proxy. In every case it is the same process afterwards,
every event has its effect once, and none is blamed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from store.errors import ConnectionLost
from store.statements import Query
from store.transaction import Database
from tests.support.postgres_proxy import Cut, PostgresProxy
from tests.support.running import running, until
from tests.support.stack import Stack
from tests.support.undisturbed import SKU, begin, check_undisturbed, tell, told_meanwhile

pytestmark = pytest.mark.slow

ENDED = """
    SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = 'backship' AND datname = current_database()
"""
BLOCKED = """
    SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'backship'
        AND datname = current_database() AND wait_event_type = 'Lock'
"""


@contextmanager
def stranger(stack: Stack) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A session of somebody else on the same database."""
    url = stack.database_url.replace("+psycopg", "")
    with psycopg.connect(url, application_name="stranger", autocommit=True) as session:
        yield session


def ask(session: "psycopg.Connection[tuple[object, ...]]", sql: str) -> int:
    """Return the one number a stranger asks for."""
    ((value,),) = session.execute(sql.encode()).fetchall()
    return int(str(value))


@pytest.mark.parametrize("cut", ["before_it_arrives", "before_its_answer"])
def test_f05_a_connection_lost_during_the_commit_has_its_batch_applied_once(
    stack: Stack, tmp_path: Path, cut: Cut
) -> None:
    with (
        PostgresProxy(stack.database_url) as proxy,
        running(replace(stack, database_url=proxy.url), tmp_path) as worker,
    ):
        begin(stack, worker)
        proxy.cut_commits(cut, 2)
        tell(stack, told_meanwhile())
        check_undisturbed(stack, worker)
        assert proxy.cuts == 2
        repeated = worker.said("transaction_repeated")
        assert len(repeated) == 2
        assert all("was lost" in line["reason"] for line in repeated)
        # Whether it had committed is told by the inbox, not by the broker: nothing came again.
        counts = [line["outcomes"].get("duplicate", 0) for line in worker.said("batch")]
        assert (sum(counts) > 0) == (cut == "before_its_answer")


@pytest.mark.long
def test_f14_a_server_that_falls_silent_is_given_up_and_found_again(
    stack: Stack, tmp_path: Path
) -> None:
    with (
        PostgresProxy(stack.database_url) as proxy,
        running(replace(stack, database_url=proxy.url), tmp_path) as worker,
    ):
        begin(stack, worker)
        proxy.fall_silent()
        tell(stack, told_meanwhile())
        worker.until_said("database_waits", 2)
        proxy.speak_again()
        check_undisturbed(stack, worker)
        waits = worker.said("database_waits")
        assert all("can not be reached" in line["reason"] for line in waits)


def test_f14_an_answer_that_does_not_come_within_a_transaction_is_not_waited_for(
    postgres_database_url: str,
) -> None:
    with PostgresProxy(postgres_database_url) as proxy:
        database = Database(proxy.url)

        def ask_in_vain(*, to_commit: bool) -> None:
            with database.begin() as tx:
                tx.query(Query("SELECT 1"))
                tx.driver.answer_seconds_max = 0.5
                proxy.fall_silent()
                if not to_commit:
                    tx.query(Query("SELECT 1"))

        for to_commit in (False, True):
            with pytest.raises(ConnectionLost, match=r"no answer within 0\.5 s|is closed"):
                ask_in_vain(to_commit=to_commit)
            proxy.speak_again()
            with database.begin() as tx:
                assert list(tx.query(Query("SELECT 1"))) == [(1,)]
        database.close()


@pytest.mark.long
def test_f10_connections_that_are_ended_while_idle_are_made_anew(
    stack: Stack, tmp_path: Path
) -> None:
    with running(stack, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        for _ in range(3):
            until(lambda: ask(other, ENDED) > 0, "an idle connection")
        tell(stack, told_meanwhile())
        check_undisturbed(stack, worker)


def test_f10_a_connection_that_is_ended_within_a_batch_has_it_applied_once(
    stack: Stack, tmp_path: Path
) -> None:
    limits = {"BACKSHIP_LOCK_SECONDS_MAX": "30", "BACKSHIP_STATEMENT_SECONDS_MAX": "60"}
    patient = replace(stack, more={**stack.more, **limits})
    with running(patient, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        with other.transaction():
            other.execute("SELECT 1 FROM items WHERE sku = %s FOR UPDATE", [SKU])
            tell(stack, told_meanwhile())
            with stranger(stack) as killer:
                until(lambda: ask(killer, BLOCKED) > 0, "a batch under way")
                assert ask(killer, ENDED) > 0
            worker.until_said("transaction_repeated")
        check_undisturbed(stack, worker)
