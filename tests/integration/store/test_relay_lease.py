"""A relay that was killed on SQLite leaves its lease behind; nobody waits for a dead process."""

import subprocess
import sys

from store import migrations, outbox
from store.transaction import Database
from tests.support.builders import order_placed
from tests.support.desk import hear, open_desk

_TAKE_AND_DIE = """
import os, signal, sys
from store import outbox
from store.transaction import Database

with outbox.guard(Database(sys.argv[1]), lease_seconds=600) as guard:
    assert guard.take(1)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lease_of_a_killed_relay_is_taken_over_at_once(sqlite_database_url: str) -> None:
    with open_desk(sqlite_database_url) as desk:
        hear(desk, order_placed("1", [("A", 1)]))
    killed = subprocess.run([sys.executable, "-c", _TAKE_AND_DIE, sqlite_database_url], check=False)
    assert killed.returncode == -9
    database = Database(sqlite_database_url)
    with outbox.guard(database) as guard:
        assert guard.take(10)
    database.close()


def test_the_lease_of_a_relay_at_work_is_respected(sqlite_database_url: str) -> None:
    with open_desk(sqlite_database_url) as desk:
        hear(desk, order_placed("1", [("A", 1)]))
    database = Database(sqlite_database_url)
    assert migrations.state(database).is_current
    with outbox.guard(database) as first, outbox.guard(database) as second:
        assert first.take(10)
        assert second.take(10) == []
    database.close()
