"""The file of the embedded queue is locked by a stranger for longer than anybody waits for it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.ordering import Ordering
from tests.support.stack import Stack
from tests.support.watched_worker import watched
from workers.transports.queue_file import BUSY_SECONDS_MAX

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

ORDERS = Ordering(100)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep everybody from writing while the block runs."""
    with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        yield
        stranger.execute("ROLLBACK")


def test_a_queue_file_that_is_locked_for_long_is_waited_for_and_nothing_is_lost(
    embedded: Stack, tmp_path: Path
) -> None:
    first, second = ORDERS.parts(2)
    with watched(embedded, tmp_path) as worker:
        embedded.publish(first)
        worker.until(lambda: embedded.value("SELECT COUNT(*) FROM inbox") != 0)
        with locked(tmp_path / "backship.db"):
            time.sleep(BUSY_SECONDS_MAX + 6)
            assert worker.is_alive()
            lines = len(worker.log)
        embedded.publish(second)
        worker.until(lambda: ORDERS.settled(embedded), 120)
        assert lines < 40  # a line now and then, no storm
        assert worker.stop() == 0
    ORDERS.check_once(embedded)
