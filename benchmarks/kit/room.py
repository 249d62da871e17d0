"""A place to measure in: a database and a virtual host of its own, a sink for what comes out.

The sink is a quorum queue bound to everything on the out exchange, as a warehouse's would be; what
arrives there has been confirmed. Nobody consumes it unless a benchmark does.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker
from sqlalchemy import create_engine, text

from config.logs import configure
from tests.support.services import amqp_url, own_database, own_vhost, postgres_url
from tests.support.stack import Stack
from workers.topology import topology
from workers.transports.base import OutgoingMessage
from workers.wiring import opened

PREFIX = "bench"
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.02
STILL_SECONDS = 1.5
WINDOW = 1_000
COMPILED = Path(__file__).parent.parent.parent / "build" / "compiled"


@dataclass
class Room:
    """One database, one virtual host, and the processes started in it."""

    stack: Stack
    folder: Path
    sink: str = f"{PREFIX}.sink"
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def broker_url(self) -> str:
        """Where the broker is."""
        assert self.stack.broker_url is not None
        return self.stack.broker_url

    def publish(self, messages: Iterable[OutgoingMessage]) -> int:
        """Send messages to the inbox, confirmed; return how many."""
        sent = 0
        with opened(self.stack.settings) as house, house.transport.publisher() as publisher:
            window: list[OutgoingMessage] = []

            def send() -> None:
                result = publisher.publish(
                    window, house.topology.inbox_exchange, deadline_seconds=60
                )
                assert not result.failed, result.remark

            for message in messages:
                window.append(message)
                if len(window) == WINDOW:
                    send()
                    sent += len(window)
                    window = []
            if window:
                send()
                sent += len(window)
        return sent

    def settle(self) -> None:
        """Let one worker in this process do all there is to do."""
        configure("ERROR")
        self.stack.work()
        with counting(self.broker_url) as queues:
            queues.empty(self.sink)

    def analyze(self) -> None:
        """Let PostgreSQL learn what is in the tables, as its autovacuum does in time."""
        server = create_engine(self.stack.database_url, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
        server.dispose()

    def worker(self, *, compiled: bool = True, **settings: str) -> "subprocess.Popen[bytes]":
        """Start `backship worker` with its log in a file, as an operator does.

        `compiled`: the one that `make compiled` has made.
        """
        if compiled:
            assert COMPILED.exists(), "make compiled"
            settings = {**settings, "PYTHONPATH": str(COMPILED), "PYTHONSAFEPATH": "1"}
        return self.start("worker", ["console", "worker"], **settings)

    def listened(self, module: str, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start `python -m` of a module that says on its standard output what came of it."""
        process = subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.PIPE)
        self.processes.append(process)
        return process

    def start(self, name: str, module: Sequence[str], **settings: str) -> "subprocess.Popen[bytes]":
        """Start `python -m` of a module and its words, with the settings of this room."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
            "BACKSHIP_DATABASE_URL": self.stack.database_url,
            "BACKSHIP_BROKER_URL": self.stack.broker_url or "",
            "BACKSHIP_TOPOLOGY_PREFIX": self.stack.prefix,
            **self.stack.more,
            **settings,
        }
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], env=environment, stdout=out, stderr=out
            )
        self.processes.append(process)
        return process

    def logs(self) -> str:
        """Return what the processes have said."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one name that the workers have logged."""
        whole = [
            line
            for path in sorted(self.folder.glob("worker-*.log"))
            for line in path.read_bytes().split(b"\n")[:-1]
            if line.startswith(b"{")
        ]
        return [told for line in whole if (told := orjson.loads(line))["event"] == event]

    def until_said(self, event: str, count: int) -> None:
        """Wait until the workers have logged lines of one name so many times."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while len(self.said(event)) < count:
            if time.monotonic() > deadline or any(process.poll() for process in self.processes):
                raise TimeoutError(f"{event} was not said {count} times:\n{self.logs()[-4000:]}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End every process started here; raise where one had ended by itself, in error."""
        ended = [process.poll() for process in self.processes]
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        if any(ended):
            raise RuntimeError(f"a process ended with {ended}:\n{self.logs()[-4000:]}")

    def drained(self, expected: int, *, seconds_max: float, begun: float | None = None) -> "Drain":
        """Watch until `expected` messages were taken from the inbox and all is in the sink.

        Returns when the first was delivered (or `begun`, where that is known better), and when the
        last arrived in the sink (monotonic seconds), and how many messages that were. Raises
        TimeoutError.
        """
        inbox = topology(self.stack.prefix).inbox_queue
        deadline = time.monotonic() + seconds_max
        started = begun
        moved = time.monotonic()
        came = -1
        with counting(self.broker_url) as queues:
            while True:
                now = time.monotonic()
                ready, arrived = queues.ready(inbox), queues.ready(self.sink)
                if started is None and ready < expected:
                    started = now
                if arrived != came:
                    came, moved = arrived, now
                is_still = started is not None and ready == 0 and now - moved > STILL_SECONDS
                if is_still and self._all_kept():
                    assert started is not None
                    return Drain(started, moved, came, time.monotonic() - moved)
                if now > deadline:
                    raise TimeoutError(
                        f"{ready} of {expected} still wait, {came} came out:\n{self.logs()[-4000:]}"
                    )
                for process in self.processes:
                    if process.poll():
                        self.stop()
                time.sleep(POLL_SECONDS)

    def _all_kept(self) -> bool:
        return self.stack.value("SELECT COUNT(*) FROM outbox") == 0


@dataclass(frozen=True, slots=True)
class Drain:
    """From the first delivery to the last confirmed message, in monotonic seconds.

    `watched_after`: seconds until it was sure that nothing more would come.
    """

    started: float
    ended: float
    sunk: int
    watched_after: float = 0.0

    @property
    def seconds(self) -> float:
        """How long that took."""
        return self.ended - self.started


class Queues:
    """Counts on the broker, asked over one channel."""

    def __init__(self, channel: BlockingChannel) -> None:
        self._channel = channel

    def ready(self, queue: str) -> int:
        """Return how many messages wait to be delivered."""
        return self._channel.queue_declare(queue, passive=True).method.message_count

    def empty(self, queue: str) -> None:
        """Throw away what is in a queue."""
        self._channel.queue_purge(queue)


class counting:  # noqa: N801 - used as a word: `with counting(url) as queues`
    """A connection that only counts."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))

    def __enter__(self) -> Queues:
        return Queues(self._connection.channel())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(Exception):
            self._connection.close()


@contextmanager
def room(**settings: str) -> Iterator[Room]:
    """Make a room on the servers of the tests, and take it away again.

    Raises RuntimeError where a process in it had ended by itself, in error.
    """
    with (
        own_vhost(amqp_url()) as broker,
        own_database(postgres_url()) as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        made = Room(Stack(database, broker, PREFIX, settings), Path(folder))
        made.stack.init()
        _bind(made)
        try:
            yield made
        finally:
            made.stop()


def _bind(made: Room) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(made.broker_url))
    channel = connection.channel()
    with suppress(ChannelClosedByBroker):
        channel.queue_declare(made.sink, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(made.sink, topology(PREFIX).out_exchange, "#")
    connection.close()
