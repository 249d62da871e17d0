"""What the transports do alone: events a second published with confirms, consumed, and when idle.

Measured, each on a queue of its own, one process:

- publish: batches of 500 bodies of 593 bytes (an order of three lines) until every confirm is in;
- consume: batches of up to 500, one acknowledgement a batch, until the queue is empty;
- CPU: microseconds of this process a message, which the broker's own come on top of;
- idle: share of one core that a consumer of an empty queue costs.

Against each other: RabbitMQ by pika, the embedded transport through the seam, the same file through
kombu's channel one message at a time, RabbitMQ through kombu, kombu's memory transport.

    python benchmarks/transports.py [--messages 20000] [--amqp amqp://guest:guest@127.0.0.1:5672/]

Nothing else should run meanwhile. Absolute figures move by a third and more between runs on a
shared machine; the ratios of one run are what to read.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pika
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.messaging import Consumer, Producer

from workers.topology import Topology, topology
from workers.transports.base import OutgoingMessage, Transport, TransportOptions
from workers.transports.open import open_transport
from workers.transports.sqlite_queue import SCHEME

BATCH = 500
BODY = b"x" * 593
IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class Rate:
    per_second: float
    cpu_us: float

    def __str__(self) -> str:
        return f"{self.per_second:>9,.0f}/s {self.cpu_us:>6.0f} us"


def timed(count: int, work: Callable[[], None]) -> Rate:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - began
    return Rate(count / seconds, (time.process_time() - cpu) / count * 1e6)


def measure_seam(name: str, transport: Transport, names: Topology, count: int) -> None:
    transport.declare(names)
    messages = [
        OutgoingMessage(str(number), "OrderPlaced", "OrderPlaced.main", BODY, 1763719200)
        for number in range(count)
    ]

    def publish() -> None:
        with transport.publisher() as publisher:
            for first in range(0, count, BATCH):
                result = publisher.publish(
                    messages[first : first + BATCH], names.inbox_exchange, deadline_seconds=60
                )
                assert not result.failed, result.failed

    def consume() -> None:
        taken = 0
        with transport.consumer(names.inbox_queue) as consumer:
            while taken < count:
                deliveries = consumer.receive(BATCH, 10)
                assert deliveries, f"{taken} of {count} came"
                consumer.ack(deliveries)
                taken += len(deliveries)

    published, consumed = timed(count, publish), timed(count, consume)
    with transport.consumer(names.inbox_queue) as consumer:
        idle = timed(1, lambda: _nothing(consumer.receive(BATCH, IDLE_SECONDS)))
    share = idle.cpu_us / 1e6 / IDLE_SECONDS
    print(f"{name:<34} publish {published}   consume {consumed}   idle {share:.1%}")


def _nothing(deliveries: object) -> None:
    assert deliveries == []


def measure_kombu_channel(path: Path, names: Topology, count: int) -> None:
    """The embedded file once more, the way kombu's virtual channels work."""
    with Connection(f"{SCHEME}:///{path}") as connection:
        producer = Producer(connection.channel(), auto_declare=False)

        def publish() -> None:
            for _ in range(count):
                producer.publish(
                    BODY,
                    exchange=names.inbox_exchange,
                    routing_key="OrderPlaced.main",
                    content_type="application/json",
                    content_encoding="utf-8",
                )

        def consume() -> None:
            taken: list[object] = []

            def take(message: object) -> None:
                message.ack()  # type: ignore[attr-defined] # kombu has no types here
                taken.append(None)

            consumer = Consumer(
                connection.channel(),
                [Queue(names.inbox_queue, no_declare=True)],
                auto_declare=False,
                on_message=take,
            )
            consumer.consume()
            while len(taken) < count:
                connection.drain_events(timeout=10)
            consumer.cancel()

        published, consumed = timed(count, publish), timed(count, consume)
    print(f"{'embedded, kombu message by message':<34} publish {published}   consume {consumed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--amqp", default="amqp://guest:guest@127.0.0.1:5672/")
    given = parser.parse_args()
    prefix = f"bench_{secrets.token_hex(3)}"
    names, options = topology(prefix), TransportOptions()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"

        def opened(url: str | None) -> Transport:
            return open_transport(url, path, options, prefix=prefix)

        count = given.messages
        try:
            measure_seam("RabbitMQ, pika", opened(given.amqp), names, count)
            measure_seam("embedded, seam", opened(None), names, count)
            measure_kombu_channel(path, names, count // 10)
            measure_seam("RabbitMQ, kombu (py-amqp)", opened(f"py{given.amqp}"), names, count // 10)
            measure_seam("memory, kombu (no promise)", opened("memory://"), names, count)
        finally:
            _delete(given.amqp, names)


def _delete(url: str, names: Topology) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    for queue in names.queues:
        channel.queue_delete(queue.name)
    for exchange in names.exchanges:
        channel.exchange_delete(exchange.name)
    connection.close()


if __name__ == "__main__":
    main()
