"""A commit that only the primary has, and that nobody was told of, must not become a known repeat.

The standby is away; a batch waits in its commit for it. The wait is broken off (an administrator, a
crash of the server's process): the rows are there for all to see, but on one machine only. The
worker, which has lost its connection, tries again and finds every event heard before. If it
acknowledged that, the broker would forget messages whose effect goes with the primary (F05).
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.cluster import Cluster
from tests.support.builders import order_placed
from tests.support.crew import Crew
from tests.support.stack import Stack, outgoing
from tests.support.waiting import until

pytestmark = [pytest.mark.cluster]

BATCH = [outgoing(order_placed(f"{n}", [("A", 1)])) for n in range(10)]
WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.mark.parametrize((), [pytest.param(id="F05")])
def test_what_only_the_lost_primary_had_comes_again(
    stack: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    pair = cluster.databases
    with Crew(stack, 1, tmp_path) as crew:
        until(lambda: crew.events()["worker_ready"] == 1)
        pair.kill(pair.standby)
        stack.publish(BATCH)
        until(lambda: stuck(pair.primary.ask) > 0)
        pair.primary.ask(f"SELECT pg_terminate_backend(pid) {WAITING}")
        until(lambda: heard(stack) == len(BATCH))  # on the primary, and nowhere else
        until(lambda: crew.events()["transaction_repeated"] + crew.events()["batch"] > 0)
        until(lambda: stuck(pair.primary.ask) > 0)  # it tries again, and waits again
        assert crew.events()["batch"] == 0, "acknowledged what one machine has"
        pair.kill(pair.primary)
        pair.launch(pair.standby)
        until(lambda: pair.standby.ask("SELECT pg_is_in_recovery()") == [(True,)])
        pair.promote()
        until(lambda: heard(stack) == len(BATCH) and crew.events()["batch"] > 0)
        crew.stop()
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", len(BATCH))
    ]
    assert stack.value("SELECT COUNT(*) FROM orders") == len(BATCH)
    assert stack.differences() == []


def heard(stack: Stack) -> object:
    return stack.value("SELECT COUNT(*) FROM inbox")


def stuck(ask: Callable[[str], list[tuple[object, ...]]]) -> int:
    """How many commits wait for the standby."""
    ((count,),) = ask(f"SELECT COUNT(*) {WAITING}")
    assert isinstance(count, int)
    return count
