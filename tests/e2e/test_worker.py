"""Workers as an operator meets them: SIGTERM drains, a small supervisor keeps N of them running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from events.envelope import Event
from tests.support.builders import order_placed, place_changed, stock_received
from tests.support.stack import FreshStack, Stack, outgoing
from workers.transports.base import Delivery
from workers.wiring import opened

ORDERS = 600
BATCH = 10
RESTARTS = 3
UNREACHABLE = 3  # the exit status of a worker whose database did not answer in time
SECONDS_MAX = 40.0


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    """A fresh stack of each kind; small batches, so that a signal finds the worker at work."""
    return fresh_stack({"BACKSHIP_BATCH_SIZE_MAX": "10", "BACKSHIP_EMBEDDED_LEASE_SECONDS": "2"})


def some_orders(count: int = ORDERS) -> list[Event]:
    return [
        place_changed("WH1"),
        stock_received("R1", "WH1", [("A", count // 2)]),
        *(order_placed(f"{n}", [("A", 1)]) for n in range(count)),
    ]


def until(reached: Callable[[], bool]) -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + SECONDS_MAX
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def applied(stack: Stack) -> int:
    count = stack.value("SELECT COUNT(*) FROM inbox")
    assert isinstance(count, int)
    return count


@contextmanager
def running(stack: Stack, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `backship worker …` and leave no process behind."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
        "BACKSHIP_DATABASE_URL": stack.database_url,
        "BACKSHIP_BROKER_URL": stack.broker_url or "",
        "BACKSHIP_TOPOLOGY_PREFIX": stack.prefix,
        **stack.more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "worker", *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(SECONDS_MAX)


def test_sigterm_drains_and_what_was_given_back_is_done_by_the_next(stack: Stack) -> None:
    told = some_orders()
    stack.publish([outgoing(event) for event in told])
    with running(stack) as process:
        until(lambda: applied(stack) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0
    assert stack.rows("SELECT id FROM outbox") == []  # what it decided, it published
    assert stack.burst() == 0
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", len(told))
    ]
    assert stack.rows("SELECT SUM(allocated), SUM(shortage) FROM order_lines") == [
        (ORDERS // 2, ORDERS // 2)
    ]
    emitted = {str(id_) for (id_,) in stack.rows("SELECT id FROM emitted")}
    assert stack.published().keys() == emitted
    assert stack.differences() == []


@pytest.mark.slow
def test_workers_restarted_again_and_again_return_nothing_they_were_given(  # F44
    vhost_url: str, topology_prefix: str, postgres_database_url: str
) -> None:
    """But for the few RabbitMQ takes back itself: on their way while the consumer is cancelled."""
    small = {"BACKSHIP_BATCH_SIZE_MAX": str(BATCH), "BACKSHIP_PREFETCH_BATCHES": "10"}
    stack = Stack(postgres_database_url, vhost_url, topology_prefix, small)
    stack.init()
    told = some_orders(3 * ORDERS)
    stack.publish([outgoing(event) for event in told])
    for _ in range(RESTARTS):
        before = applied(stack)
        with running(stack) as one, running(stack) as two:
            until(lambda: applied(stack) > before)  # noqa: B023 - asked within this round
            for process in (one, two):
                process.send_signal(signal.SIGTERM)
            ends = {process.wait(SECONDS_MAX) for process in (one, two)}
            assert ends <= {0, -signal.SIGTERM}  # the second while it was still starting
    rest = untouched(stack)
    assert 0 < len(rest) == len(told) - applied(stack)
    counts = [delivery.delivery_count for delivery in rest]
    # Giving back what two workers had in hand would be two hundred each time, not a few: those at
    # the head of the queue, which may be the same ones twice.
    assert sum(counts) <= 2 * BATCH * RESTARTS
    assert stack.rows("SELECT * FROM suspects") == []
    assert stack.rows("SELECT DISTINCT outcome FROM inbox") == [("applied",)]


def untouched(stack: Stack) -> list[Delivery]:
    """Take what is left in the inbox."""
    with (
        opened(stack.settings) as house,
        house.transport.consumer(house.topology.inbox_queue, prefetch_max=3 * ORDERS) as consumer,
    ):
        found: list[Delivery] = []
        while deliveries := consumer.receive(ORDERS, 1.0):
            found += deliveries
        consumer.release()
        return found


@pytest.mark.slow
def test_a_worker_that_hangs_ends_at_its_deadline_and_what_it_had_is_done_by_the_next(  # F45
    vhost_url: str, topology_prefix: str, postgres_database_url: str
) -> None:
    hasty = {"BACKSHIP_SHUTDOWN_SECONDS_MAX": "1"}
    stack = Stack(postgres_database_url, vhost_url, topology_prefix, hasty)
    stack.init()
    told = some_orders(40)
    with opened(stack.settings) as house, house.database.begin() as foreign:
        foreign.connection.exec_driver_sql("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        with running(stack) as process:
            stack.publish([outgoing(event) for event in told])
            until(lambda: is_blocked(stack))
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS_MAX) == UNREACHABLE
    assert stack.burst() == 0
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", len(told))
    ]
    assert stack.rows("SELECT * FROM set_aside") == []
    assert stack.rows("SELECT * FROM suspects") == []
    assert stack.differences() == []


def is_blocked(stack: Stack) -> bool:
    """Does a session of this database wait for a lock?"""
    waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'inbox'::regclass"
    return stack.value(waits) != 0


def test_a_supervisor_replaces_a_worker_that_was_killed_and_drains_them_all(
    sqlite_database_url: str,
) -> None:
    stack = Stack(sqlite_database_url, None, "bs", {"BACKSHIP_EMBEDDED_LEASE_SECONDS": "2"})
    stack.init()
    with running(stack, "--processes", "2") as supervisor:
        until(lambda: len(children(supervisor.pid)) == 2)
        victim = children(supervisor.pid)[0]
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(set(children(supervisor.pid)) - {victim}) == 2)
        told = some_orders()
        stack.publish([outgoing(event) for event in told])
        until(lambda: applied(stack) == len(told))
        workers = children(supervisor.pid)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(SECONDS_MAX) == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert stack.rows("SELECT id FROM outbox") == []


def children(pid: int) -> list[int]:
    """The processes a process has started and not yet buried."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in found.split()]
