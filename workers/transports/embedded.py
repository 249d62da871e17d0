"""The embedded transport: nothing to install or start, one SQLite file, the promise kept.

The seam and the kombu transport (`sqlite_queue`) stand on the same file and the same statements
(`queue_messages`). The seam does not go through kombu's virtual channel, because that takes, hands
over and acknowledges one message at a time: a transaction each instead of one a batch, fifteen
times slower and more when measured (benchmarks/transports.py).

A consumer polls: SQLite has no way to wake another process. Looking costs some 20 µs and takes no
lock. Nothing is fetched ahead, so nothing is buffered: there is no round trip to hide. SQLite has
one writer at a time, so more workers do not go faster here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from workers.clock import Clock, SystemClock
from workers.topology import Topology, TopologyReport
from workers.transports import queue_topology
from workers.transports.base import TransportOptions
from workers.transports.embedded_consumer import EmbeddedConsumer
from workers.transports.embedded_publisher import EmbeddedPublisher
from workers.transports.errors import TopologyMissing
from workers.transports.queue_file import QueueFile, empty_tables, queue_file_exists
from workers.transports.queue_messages import QueueMessages


class EmbeddedTransport:
    """The queues in one SQLite file."""

    name = "embedded"
    promise_kept = True

    def __init__(self, path: Path, options: TransportOptions, clock: Clock | None = None) -> None:
        self._path = path
        self._options = options
        self._clock = clock or SystemClock()

    @property
    def address(self) -> str:
        """Give the path of the file."""
        return str(self._path)

    def consumer(self, queue: str, *, prefetch_max: int | None = None) -> EmbeddedConsumer:  # noqa: ARG002 - nothing is fetched ahead
        """Begin to take from a queue; see `base.Transport`."""
        return EmbeddedConsumer(self._path, self._options, self._clock, queue)

    def publisher(self) -> EmbeddedPublisher:
        """Make a publisher; it opens the file at the first publish."""
        return EmbeddedPublisher(self._path, self._options, self._clock)

    def declare(self, topology: Topology) -> None:
        """Create the file, the tables and what is missing of the topology."""
        with QueueFile(self._path, create=True) as file:
            file.create_tables()
            with file.writing() as db:
                queue_topology.declare(db, topology)

    def missing(self, topology: Topology) -> list[str]:
        """Name what does not exist; creates nothing."""
        with self._looking() as db:
            return queue_topology.missing(db, topology)

    def check(self, topology: Topology) -> TopologyReport:
        """Compare everything; here there is nothing that could not be looked at."""
        with self._looking() as db:
            return TopologyReport(tuple(queue_topology.differences(db, topology)))

    def ready_count(self, queue: str) -> int:
        """Count the messages that could be delivered now."""
        with self._messages(queue) as messages:
            return messages.ready_count(queue)

    def outstanding_count(self, queue: str) -> int:
        """Count the messages ready, leased and due later."""
        with self._messages(queue) as messages:
            return messages.outstanding_count(queue)

    def oldest_at(self, queue: str) -> float | None:
        """Tell when the oldest message was put there, leased or not."""
        with self._messages(queue) as messages:
            return messages.oldest_at(queue)

    def delete_queue(self, name: str) -> None:
        """Delete a queue with its bindings and all that is in it."""
        if queue_file_exists(self._path):
            with QueueFile(self._path) as file, file.writing() as db:
                queue_topology.delete_queue(db, name)

    def close(self) -> None:
        """Do nothing: no file is kept open between calls."""

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        """Give the file to look at; where there is none yet, empty tables in memory."""
        if queue_file_exists(self._path):
            with QueueFile(self._path) as file, file.errors():
                yield file.connection
            return
        with closing(empty_tables()) as db:
            yield db

    @contextmanager
    def _messages(self, queue: str) -> Iterator[QueueMessages]:
        with self._looking() as db:
            if queue_topology.find_queue(db, queue) is None:
                raise TopologyMissing(queue)
        with QueueFile(self._path) as file:
            yield QueueMessages(file, self._clock, self._options.embedded_lease_seconds)
