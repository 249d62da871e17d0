"""What only the embedded transport can show: leases, clocks, other processes' locks, its file."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.transports import (
    LEASE_SECONDS,
    SHORT_LEASE,
    EmbeddedStack,
    numbers,
    outgoing,
    take,
)
from workers.clock import SettableClock, SystemClock
from workers.topology import Binding, Exchange, Queue, Topology
from workers.transports import queue_topology
from workers.transports.embedded import EmbeddedTransport
from workers.transports.errors import ConnectionLost, Refused, TopologyMissing
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import LEASE_SECONDS_MAX, QueueMessages
from workers.transports.queued_message import QueuedMessage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def file(embedded: EmbeddedStack) -> Iterator[QueueFile]:
    with QueueFile(embedded.path) as opened:
        yield opened


@pytest.fixture
def messages(file: QueueFile, clock: SettableClock) -> QueueMessages:
    """The statements themselves, on a clock of the test's own."""
    return QueueMessages(file, clock, LEASE_SECONDS_MAX)


def put(embedded: EmbeddedStack, messages: QueueMessages, *bodies: bytes) -> None:
    queued = [QueuedMessage("OrderPlaced.main", body) for body in bodies]
    assert messages.put(embedded.topology.inbox_exchange, queued) == []


def test_a_slow_batch_keeps_its_lease(embedded: EmbeddedStack) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    with (
        embedded.transport.consumer(names.inbox_queue) as slow,
        embedded.transport.consumer(names.inbox_queue) as other,
    ):
        deliveries = take(slow, 1)
        assert other.receive(1, 4 * LEASE_SECONDS) == []
        slow.ack(deliveries)
    assert embedded.transport.outstanding_count(names.inbox_queue) == 0


def test_a_lease_ends_after_fifteen_seconds_and_not_before(
    embedded: EmbeddedStack, messages: QueueMessages, clock: SettableClock
) -> None:
    queue = embedded.topology.inbox_queue
    put(embedded, messages, b"1")
    [first] = messages.claim(queue, 10)
    clock.advance(14.9)
    assert messages.claim(queue, 10) == []
    clock.advance(0.2)
    [second] = messages.claim(queue, 10)
    assert (first.deliveries, second.deliveries) == (1, 2)
    messages.delete([(first.id, first.token)])
    messages.renew([(first.id, first.token)])
    messages.give_back([(first.id, first.token)])
    assert messages.outstanding_count(queue) == 1
    assert messages.claim(queue, 10) == []
    messages.delete([(second.id, second.token)])
    assert messages.outstanding_count(queue) == 0


def test_a_longer_lease_than_fifteen_seconds_is_not_given(
    embedded: EmbeddedStack, file: QueueFile, clock: SettableClock
) -> None:
    long = QueueMessages(file, clock, lease_seconds=3600)
    put(embedded, long, b"1")
    long.claim(embedded.topology.inbox_queue, 1)
    clock.advance(LEASE_SECONDS_MAX + 0.1)
    assert len(long.claim(embedded.topology.inbox_queue, 1)) == 1


@pytest.mark.parametrize("hours", [-1, 1, -24 * 365])
def test_a_step_of_the_wall_clock_neither_steals_a_lease_nor_prolongs_one(
    embedded: EmbeddedStack,
    file: QueueFile,
    messages: QueueMessages,
    clock: SettableClock,
    hours: int,
) -> None:
    """The wall clock is set; the machine's monotonic one goes on as before."""
    queue = embedded.topology.inbox_queue
    put(embedded, messages, b"1")
    messages.claim(queue, 1)
    stepped = _SteppedClock(clock, timedelta(hours=hours))
    later = QueueMessages(file, stepped, LEASE_SECONDS_MAX)
    assert later.claim(queue, 1) == []
    clock.advance(LEASE_SECONDS_MAX + 0.1)
    assert len(later.claim(queue, 1)) == 1


class _SteppedClock:
    """The same machine after somebody has set its wall clock."""

    def __init__(self, clock: SettableClock, step: timedelta) -> None:
        self._clock = clock
        self._step = step

    def now(self) -> datetime:
        return self._clock.now() + self._step

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


def test_a_lease_from_before_the_machine_restarted_holds_nothing(
    embedded: EmbeddedStack, file: QueueFile, messages: QueueMessages, clock: SettableClock
) -> None:
    """The monotonic clock begins anew: the old lease seems to end in weeks."""
    queue = embedded.topology.inbox_queue
    clock.advance(20 * 24 * 3600)
    put(embedded, messages, b"1")
    assert len(messages.claim(queue, 1)) == 1
    restarted = QueueMessages(file, SettableClock(NOON), LEASE_SECONDS_MAX)
    assert len(restarted.claim(queue, 1)) == 1


def test_a_message_that_is_not_due_yet_waits(
    embedded: EmbeddedStack, messages: QueueMessages, clock: SettableClock
) -> None:
    queue = embedded.topology.inbox_queue
    due = (NOON + timedelta(minutes=10)).timestamp()
    later = QueuedMessage("OrderPlaced.main", b"later", not_before=due)
    messages.put(embedded.topology.inbox_exchange, [later])
    put(embedded, messages, b"now")
    assert messages.ready_count(queue) == 1
    assert messages.outstanding_count(queue) == 2
    assert [each.body for each in messages.claim(queue, 10)] == [b"now"]
    clock.advance(600)
    assert b"later" in [each.body for each in messages.claim(queue, 10)]


def test_a_dead_message_that_no_queue_takes_stays_where_it_is(
    embedded: EmbeddedStack, messages: QueueMessages, clock: SettableClock
) -> None:
    names = embedded.topology
    with QueueFile(embedded.path) as file, file.writing() as db:
        queue_topology.delete_queue(db, names.inbox_queue)
        stored = queue_topology.StoredQueue(names.inbox_queue, 1, names.dead_queue)
        queue_topology.declare_queue(db, stored)
        queue_topology.bind(db, names.inbox_exchange, names.inbox_queue, "#")
        queue_topology.unbind(db, names.dead_queue, names.dead_queue, "#")
    put(embedded, messages, b"1")
    for _ in range(2):
        assert len(messages.claim(names.inbox_queue, 1)) == 1
        clock.advance(16)
    assert messages.claim(names.inbox_queue, 1) == []
    assert messages.outstanding_count(names.inbox_queue) == 1
    with QueueFile(embedded.path) as file, file.writing() as db:
        queue_topology.bind(db, names.dead_queue, names.dead_queue, "#")
    clock.advance(16)
    assert messages.claim(names.inbox_queue, 1) == []
    assert messages.outstanding_count(names.inbox_queue) == 0
    [dead] = messages.claim(names.dead_queue, 1)
    assert dead.body == b"1"


def test_alternate_exchanges_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    transport = EmbeddedTransport(tmp_path / "queue.db", SHORT_LEASE)
    circle = (Exchange("a", "topic", alternate="b"), Exchange("b", "direct", alternate="a"))
    queue, binding = Queue("q", 20), Binding("b", "q", "exact")
    transport.declare(
        Topology("a", "q", "q", "a", "q", exchanges=circle, queues=(queue,), bindings=(binding,))
    )
    with transport.publisher() as publisher:
        messages = [outgoing(1, "exact"), outgoing(2, "exactly")]
        result = publisher.publish(messages, "a", deadline_seconds=5)
    assert result.confirmed == {"1"}
    assert result.failed == {"2": "unroutable"}


def test_a_file_that_others_lock_is_a_timeout_and_nothing_is_kept(embedded: EmbeddedStack) -> None:
    names = embedded.topology
    stranger = sqlite3.connect(embedded.path, isolation_level=None)
    with embedded.transport.publisher() as publisher:
        stranger.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        result = publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=0.3)
        assert time.monotonic() - began < 3
        stranger.execute("ROLLBACK")
        assert result.failed == {"1": "timeout"}
        assert "locked by others" in result.remark
        assert embedded.transport.outstanding_count(names.inbox_queue) == 0
        again = publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
        assert again.confirmed == {"1"}
    stranger.close()


def test_a_consumer_waits_out_a_short_lock(embedded: EmbeddedStack) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    stranger = sqlite3.connect(embedded.path, isolation_level=None, check_same_thread=False)
    stranger.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, lambda: stranger.execute("ROLLBACK")).start()
    with embedded.transport.consumer(names.inbox_queue) as consumer:
        assert numbers(consumer.receive(1, 5)) == [1]
    stranger.close()


def test_a_claim_that_waited_for_the_lock_respects_the_lease_given_meanwhile(
    embedded: EmbeddedStack,
) -> None:
    """Its idea of now must not be older than that lease."""
    queue = embedded.topology.inbox_queue
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], embedded.topology.inbox_exchange, deadline_seconds=5)
    other = sqlite3.connect(embedded.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    claimed: list[object] = []

    def claim() -> None:
        with QueueFile(embedded.path) as file:
            claimed.extend(QueueMessages(file, SystemClock(), LEASE_SECONDS_MAX).claim(queue, 1))

    waiting = threading.Thread(target=claim)
    waiting.start()
    time.sleep(1.3)
    lease = time.monotonic() + LEASE_SECONDS_MAX
    other.execute("UPDATE queue_messages SET lease_until = ?, lease_token = 'other'", (lease,))
    other.execute("COMMIT")
    other.close()
    waiting.join()
    assert claimed == []


def test_a_lease_begins_when_it_is_given_however_long_the_lock_took(
    embedded: EmbeddedStack,
) -> None:
    queue = embedded.topology.inbox_queue
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], embedded.topology.inbox_exchange, deadline_seconds=5)
    other = sqlite3.connect(embedded.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.8, lambda: other.execute("COMMIT")).start()
    with QueueFile(embedded.path) as file:
        messages = QueueMessages(file, SystemClock(), lease_seconds=0.5)
        assert len(messages.claim(queue, 1)) == 1
        assert messages.ready_count(queue) == 0
    other.close()


def test_a_full_disk_is_a_no_and_not_a_loss(embedded: EmbeddedStack) -> None:
    """`max_page_count` makes SQLite say what a full disk makes it say."""
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
        file = publisher._file  # noqa: SLF001 - the limit holds for this connection only
        assert file is not None
        file.connection.execute("PRAGMA max_page_count=20")
        large = replace(outgoing(2), body=b"x" * 1_000_000)
        result = publisher.publish([large, outgoing(3)], names.inbox_exchange, deadline_seconds=5)
        assert result.failed == {"2": "nacked", "3": "nacked"}
        again = publisher.publish([large, outgoing(3)], names.inbox_exchange, deadline_seconds=5)
        assert again.confirmed == {"2", "3"}


def test_without_a_file_everything_is_missing_and_no_file_appears(tmp_path: Path) -> None:
    stack = EmbeddedStack("bs", tmp_path)
    names = {each.name for each in stack.topology.exchanges}
    names |= {each.name for each in stack.topology.queues}
    assert set(stack.transport.missing(stack.topology)) == names
    assert len(stack.transport.check(stack.topology).differences) > len(names)
    for attempt in (
        lambda: stack.transport.consumer("bs.inbox"),
        lambda: stack.transport.ready_count("bs.inbox"),
        lambda: stack.transport.publisher().publish([outgoing(1)], "bs.in", deadline_seconds=1),
    ):
        with pytest.raises(TopologyMissing):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    stack = EmbeddedStack("bs", tmp_path)
    stack.path.write_bytes(b"this is a letter to my aunt\n" * 100)
    with pytest.raises(Refused, match=r"queue\.db cannot be used: file is not a database"):
        stack.transport.consumer("bs.inbox")
    nowhere = EmbeddedStack("bs", tmp_path / "no" / "such" / "folder")
    with pytest.raises(Refused, match="unable to open database file"):
        nowhere.transport.declare(nowhere.topology)


def test_the_file_may_be_the_ledgers_own(tmp_path: Path) -> None:
    stack = EmbeddedStack("bs", tmp_path)
    ledger = sqlite3.connect(stack.path)
    ledger.execute("CREATE TABLE stock (sku TEXT)")
    ledger.commit()
    stack.transport.declare(stack.topology)
    with stack.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], "bs.in", deadline_seconds=5)
    tables = {row[0] for row in ledger.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    ledger.close()
    assert "stock" in tables
    assert all(name.startswith(("queue_", "sqlite_")) for name in tables - {"stock"})


def test_a_file_somebody_is_just_creating_is_waited_for(tmp_path: Path) -> None:
    """SQLite says "locked" at once there: its busy timeout does not hold for the switch to WAL."""
    stack = EmbeddedStack("bs", tmp_path)
    creator = sqlite3.connect(stack.path, isolation_level=None, check_same_thread=False)
    creator.execute("CREATE TABLE stock (sku TEXT)")
    creator.execute("BEGIN IMMEDIATE")
    threading.Timer(0.4, lambda: creator.execute("COMMIT")).start()
    stack.transport.declare(stack.topology)
    assert stack.transport.missing(stack.topology) == []
    creator.close()


def test_power_cuts_are_provided_for(embedded: EmbeddedStack) -> None:
    """FULL is 2: a commit is on the disk before it is confirmed."""
    with QueueFile(embedded.path) as file:
        assert file.connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert file.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_failed_acknowledgement_ends_the_consumer_and_the_message_comes_again(
    embedded: EmbeddedStack,
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    consumer = embedded.transport.consumer(names.inbox_queue)
    deliveries = take(consumer, 1)
    consumer._file.close()  # noqa: SLF001 - the file fails under it
    consumer.ack(deliveries)
    with pytest.raises(ConnectionLost):
        consumer.receive(1, 0.1)
    consumer.close()
    with embedded.transport.consumer(names.inbox_queue) as next_one:
        assert numbers(take(next_one, 1)) == [1]
