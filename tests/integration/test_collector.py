"""What the broker gave up on, taken out of the dead queue: each message has one place after it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.envelope import Event
from store import schema, suspects
from store.transaction import Database
from tests.support.builders import order_placed
from tests.support.desk import hear, open_desk
from tests.support.keeping import rows
from tests.support.rules import rule
from tests.support.stack import outgoing
from workers.clock import SystemClock
from workers.collector import collect
from workers.process import Desk
from workers.topology import Topology, topology
from workers.transports.base import TransportOptions
from workers.transports.embedded import EmbeddedTransport
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import QueueMessages
from workers.transports.queued_message import QueuedMessage

GIVEN_UP = {"x-first-death-reason": "delivery_limit"}
PLACED = order_placed("1", [("A", 1)], event_id="e")
OTHERWISE = order_placed("1", [("A", 2)], event_id="e")


class DeadQueue:
    """The dead queue of an embedded broker."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.topology: Topology = topology("t")
        self.transport = EmbeddedTransport(path, TransportOptions(embedded_poll_ms=5))
        self.transport.declare(self.topology)

    def collect(self, desk: Desk, *events: Event) -> None:
        """Let the broker give up on these, and collect them."""
        with QueueFile(self._path) as file:
            messages = QueueMessages(file, SystemClock(), 15)
            for message in map(outgoing, events):
                dead = QueuedMessage(message.routing_key, message.body, {}, GIVEN_UP)
                messages.put_into(self.topology.dead_queue, dead)
        assert collect(desk, self.transport, self.topology.dead_queue) == len(events)
        assert self.transport.outstanding_count(self.topology.dead_queue) == 0


@pytest.fixture
def dead_queue(tmp_path: Path) -> DeadQueue:
    return DeadQueue(tmp_path / "queue.db")


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url) as opened:
        yield opened


def kept(database: Database) -> tuple[list[object], list[object]]:
    """The outcomes in the inbox, and the reasons why something is set aside."""
    return rows(database, schema.inbox, "outcome"), rows(database, schema.set_aside, "reason")


@rule("C4")
def test_of_dead_letters_under_one_id_the_other_content_is_kept_as_a_conflict(
    desk: Desk, dead_queue: DeadQueue
) -> None:
    hear(desk, PLACED)
    dead_queue.collect(desk, OTHERWISE)
    assert kept(desk.database) == (["applied"], ["conflict"])


@rule("C4")
def test_two_dead_letters_under_one_id_have_a_place_each(desk: Desk, dead_queue: DeadQueue) -> None:
    dead_queue.collect(desk, PLACED, OTHERWISE)
    outcomes, reasons = kept(desk.database)
    assert outcomes == ["set_aside"]
    assert sorted(map(str, reasons)) == ["conflict", "crashed_worker"]


@rule("C4")
def test_a_dead_letter_that_had_its_effect_is_a_repeat(desk: Desk, dead_queue: DeadQueue) -> None:
    hear(desk, PLACED)
    dead_queue.collect(desk, PLACED)
    assert kept(desk.database) == (["applied"], [])


def test_a_dead_letter_leaves_no_tries_behind(desk: Desk, dead_queue: DeadQueue) -> None:
    with desk.database.begin() as tx:
        suspects.begin(tx, [suspects.hash_of(outgoing(PLACED).body)], desk.clock.now())
    dead_queue.collect(desk, PLACED)
    assert kept(desk.database) == (["set_aside"], ["crashed_worker"])
    assert rows(desk.database, schema.suspects) == []
