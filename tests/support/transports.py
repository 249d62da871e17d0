"""The brokers a transport test runs against, each with what only that one needs to be handled.

`RabbitStack` and `EmbeddedStack` keep the promise that nothing confirmed is lost; `KombuStack`
(kombu's memory transport) shows that any other kombu URL works behind the same seam.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pika
from kombu.connection import Connection
from kombu.messaging import Producer

from workers.clock import SystemClock
from workers.topology import Topology, topology
from workers.transports import queue_topology
from workers.transports.base import (
    Consumer,
    Delivery,
    OutgoingMessage,
    Transport,
    TransportOptions,
)
from workers.transports.embedded import EmbeddedTransport
from workers.transports.open import open_transport
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import QueueMessages
from workers.transports.queued_message import QueuedMessage

LEASE_SECONDS = 1.0
"""Short, so that what nobody acknowledged comes again within a test's patience."""

SHORT_LEASE = TransportOptions(
    batch_wait_ms_max=5, embedded_lease_seconds=LEASE_SECONDS, embedded_poll_ms=10
)
ROOT = Path(__file__).parent.parent.parent


def outgoing(number: int, routing_key: str = "OrderPlaced.main") -> OutgoingMessage:
    """A message whose body and id are its number."""
    return OutgoingMessage(
        str(number), "OrderPlaced", routing_key, str(number).encode(), 1763719200
    )


def numbers(deliveries: Sequence[Delivery]) -> list[int]:
    """The numbers that `outgoing` put in."""
    return [int(delivery.body) for delivery in deliveries]


def take(consumer: Consumer, count: int, seconds: float = 10) -> list[Delivery]:
    """Receive until there are `count`, or time is up; acknowledges nothing."""
    deliveries: list[Delivery] = []
    deadline = time.monotonic() + seconds
    while len(deliveries) < count and time.monotonic() < deadline:
        deliveries += consumer.receive(count - len(deliveries), 0.1)
    return deliveries


def eventually(count: Callable[[], int], expected: int, seconds: float = 10) -> int:
    """Ask until the answer is the expected one, or time is up; give the last answer."""
    deadline = time.monotonic() + seconds
    answer = count()
    while answer != expected and time.monotonic() < deadline:
        time.sleep(0.02)
        answer = count()
    return answer


class Stack(Protocol):
    """One broker with a topology of the test's own."""

    @property
    def transport(self) -> Transport:
        """The transport under test."""
        ...

    @property
    def topology(self) -> Topology:
        """What is declared on it, under names of this test's own."""
        ...

    @property
    def url(self) -> str | None:
        """BROKER_URL."""
        ...

    @property
    def path(self) -> Path:
        """The embedded queue's file."""
        ...

    def put_raw(self, body: bytes, *, headers: dict[str, str], encoding: str | None) -> None:
        """Publish to the inbox with any properties, as a stranger's program might."""
        ...

    def bind(self, queue: str, exchange: str, pattern: str) -> None:
        """Bind one more queue, made if it is missing."""
        ...

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        ...


class RabbitStack:
    """A real RabbitMQ."""

    def __init__(self, url: str, prefix: str, path: Path) -> None:
        self.url = url
        self.path = path / "unused.db"
        self.topology = topology(prefix)
        self.transport = open_transport(url, self.path, SHORT_LEASE, prefix=prefix)

    def put_raw(self, body: bytes, *, headers: dict[str, str], encoding: str | None) -> None:
        """Publish to the inbox with any properties."""
        properties = pika.BasicProperties(headers=headers, content_encoding=encoding)
        with self.channel() as channel:
            channel.basic_publish(
                self.topology.inbox_exchange, "OrderPlaced.main", body, properties
            )

    def bind(self, queue: str, exchange: str, pattern: str) -> None:
        """Bind one more queue, made if it is missing."""
        with self.channel() as channel:
            if queue not in {each.name for each in self.topology.queues}:
                channel.queue_declare(queue, durable=True, exclusive=False)
            channel.queue_bind(queue, exchange, pattern)

    def unbind(self, queue: str, exchange: str, pattern: str) -> None:
        """Take one binding away."""
        with self.channel() as channel:
            channel.queue_unbind(queue, exchange, pattern)

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        with self.channel() as channel:
            channel.queue_delete(queue)

    @contextmanager
    def channel(self) -> Iterator["pika.adapters.blocking_connection.BlockingChannel"]:
        """A channel past every transport."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            yield connection.channel()
        finally:
            connection.close()


class EmbeddedStack:
    """The embedded transport on a file of its own."""

    url = None

    def __init__(self, prefix: str, path: Path) -> None:
        self.path = path / "queue.db"
        self.topology = topology(prefix)
        self.transport = EmbeddedTransport(self.path, SHORT_LEASE)

    def put_raw(self, body: bytes, *, headers: dict[str, str], encoding: str | None) -> None:
        """Publish to the inbox with any properties."""
        properties = {} if encoding is None else {"content_encoding": encoding}
        message = QueuedMessage("OrderPlaced.main", body, properties, headers)
        with QueueFile(self.path) as file:
            QueueMessages(file, SystemClock(), LEASE_SECONDS).put(
                self.topology.inbox_exchange, [message]
            )

    def bind(self, queue: str, exchange: str, pattern: str) -> None:
        """Bind one more queue, made if it is missing."""
        with QueueFile(self.path) as file, file.writing() as db:
            if queue_topology.find_queue(db, queue) is None:
                queue_topology.declare_queue(db, queue_topology.StoredQueue(queue))
            queue_topology.bind(db, exchange, queue, pattern)

    def unbind(self, queue: str, exchange: str, pattern: str) -> None:
        """Take one binding away."""
        with QueueFile(self.path) as file, file.writing() as db:
            queue_topology.unbind(db, exchange, queue, pattern)

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        with QueueFile(self.path) as file, file.writing() as db:
            queue_topology.delete_queue(db, queue)


class KombuStack:
    """kombu's memory transport: threads of one process only."""

    url = "memory://"

    def __init__(self, prefix: str, path: Path) -> None:
        self.path = path / "unused.db"
        self.topology = topology(prefix)
        self.transport = open_transport(self.url, self.path, SHORT_LEASE, prefix=prefix)

    def put_raw(self, body: bytes, *, headers: dict[str, str], encoding: str | None) -> None:
        """Publish to the inbox with any properties."""
        with Connection(self.url) as connection:
            Producer(connection.channel(), auto_declare=False).publish(
                body,
                exchange=self.topology.inbox_exchange,
                routing_key="OrderPlaced.main",
                content_type="application/json",
                content_encoding=encoding or "utf-8",
                headers=headers,
            )

    def bind(self, queue: str, exchange: str, pattern: str) -> None:
        """Bind one more queue, made if it is missing."""
        with Connection(self.url) as connection:
            channel = connection.channel()
            channel.queue_declare(queue=queue)
            channel.queue_bind(queue, exchange, pattern)

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        with Connection(self.url) as connection:
            connection.channel().queue_delete(queue)


@contextmanager
def process(stack: Stack, action: str, **given: object) -> Iterator["subprocess.Popen[str]"]:
    """Run `tests.support.transport_process` on that stack; killed at the end if still there."""
    prefix = stack.topology.inbox_exchange.removesuffix(".in")
    arguments = {"url": stack.url, "path": str(stack.path), "prefix": prefix, **given}
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.support.transport_process", action, json.dumps(arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def tell(running: "subprocess.Popen[str]") -> None:
    """Give that process the line it waits for."""
    assert running.stdin is not None
    running.stdin.write("now\n")
    running.stdin.flush()


def line(running: "subprocess.Popen[str]") -> str:
    """The next line that process says."""
    assert running.stdout is not None
    return running.stdout.readline().strip()
