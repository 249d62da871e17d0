"""The embedded transport as kombu knows it: its API, its own program, the same file."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.exceptions import ChannelError
from kombu.message import Message
from kombu.messaging import Consumer, Producer

from tests.support.transports import (
    LEASE_SECONDS,
    ROOT,
    EmbeddedStack,
    eventually,
    numbers,
    outgoing,
    take,
)
from workers.transports.sqlite_queue import SCHEME


@pytest.fixture
def connection(embedded: EmbeddedStack) -> Iterator[Connection]:
    with opened(embedded) as made:
        yield made


def opened(embedded: EmbeddedStack) -> Connection:
    options = {"lease_seconds": LEASE_SECONDS, "polling_interval": 0.01}
    return Connection(f"{SCHEME}:///{embedded.path}", transport_options=options)


def drained(connection: Connection, queue: str, count: int, seconds: float = 5) -> list[Message]:
    """Take that many through kombu's own Consumer; acknowledges nothing."""
    messages: list[Message] = []
    consumer = Consumer(
        connection.channel(),
        [Queue(queue, no_declare=True)],
        auto_declare=False,
        on_message=messages.append,
    )
    consumer.consume()
    deadline = time.monotonic() + seconds
    while len(messages) < count and time.monotonic() < deadline:
        try:
            connection.drain_events(timeout=0.1)
        except TimeoutError:
            continue
    consumer.cancel()
    return messages


def test_what_kombu_publishes_the_seam_receives(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    Producer(connection.channel()).publish(
        {"a": 1}, exchange=embedded.topology.inbox_exchange, routing_key="OrderPlaced.main"
    )
    with embedded.transport.consumer(embedded.topology.inbox_queue) as consumer:
        [delivery] = take(consumer, 1)
        consumer.ack([delivery])
    assert delivery.body == b'{"a": 1}'
    assert delivery.routing_key == "OrderPlaced.main"
    assert not delivery.compressed


def test_what_kombu_compresses_the_seam_does_not_inflate(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    Producer(connection.channel()).publish(
        "0" * 100_000,
        exchange=embedded.topology.inbox_exchange,
        routing_key="OrderPlaced.main",
        compression="gzip",
    )
    with embedded.transport.consumer(embedded.topology.inbox_queue) as consumer:
        [delivery] = take(consumer, 1)
    assert delivery.compressed
    assert len(delivery.body) < 1000


def test_what_the_seam_publishes_kombu_takes_with_its_properties(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    with embedded.transport.publisher() as publisher:
        publisher.publish(
            [outgoing(number) for number in range(20)],
            embedded.topology.inbox_exchange,
            deadline_seconds=5,
        )
    messages = drained(connection, embedded.topology.inbox_queue, 20)
    assert [int(message.body) for message in messages] == list(range(20))
    assert messages[3].properties["message_id"] == "3"
    assert messages[3].content_type == "application/cloudevents+json"
    assert messages[3].delivery_info["routing_key"] == "OrderPlaced.main"
    for message in messages:
        message.ack()
    assert embedded.transport.outstanding_count(embedded.topology.inbox_queue) == 0


def test_a_requeued_message_goes_to_its_own_queue_only(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    names = embedded.topology
    embedded.bind("copy", names.inbox_exchange, "#")
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    [message] = drained(connection, names.inbox_queue, 1)
    message.requeue()
    assert embedded.transport.ready_count(names.inbox_queue) == 1
    assert embedded.transport.outstanding_count("copy") == 1


def test_a_rejected_message_goes_to_the_dead_queue(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    [message] = drained(connection, names.inbox_queue, 1)
    message.reject()
    assert embedded.transport.outstanding_count(names.inbox_queue) == 0
    with embedded.transport.consumer(names.dead_queue) as consumer:
        [dead] = take(consumer, 1)
    assert dead.headers["x-first-death-reason"] == "rejected"


def test_what_a_closed_channel_held_comes_again_at_once(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    [message] = drained(connection, names.inbox_queue, 1)
    assert embedded.transport.ready_count(names.inbox_queue) == 0
    message.channel.close()
    assert embedded.transport.ready_count(names.inbox_queue) == 1


def test_a_lease_taken_through_kombu_is_renewed_and_its_late_ack_is_harmless(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    [message] = drained(connection, names.inbox_queue, 1)
    with embedded.transport.consumer(names.inbox_queue) as consumer:
        assert consumer.receive(1, 3 * LEASE_SECONDS) == []
        message.channel.keeper.stop()
        deliveries = take(consumer, 1)
        assert [delivery.delivery_count for delivery in deliveries] == [1]
        message.ack()
        assert embedded.transport.outstanding_count(names.inbox_queue) == 1
        consumer.ack(deliveries)
    assert embedded.transport.outstanding_count(names.inbox_queue) == 0


def test_kombus_own_declarations_are_seen_by_another_process(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    channel = connection.channel()
    exchange = Exchange("parcels", "topic")
    Queue("to-wh1", exchange, routing_key="*.WH1")(channel).declare()
    program = (
        "import sys, workers.transports.sqlite_queue\n"
        "from kombu.connection import Connection\n"
        "from kombu.messaging import Producer\n"
        "with Connection(sys.argv[1]) as connection:\n"
        "    producer = Producer(connection.channel())\n"
        "    producer.publish('x', exchange='parcels', routing_key='Order.WH1')\n"
        "    producer.publish('y', exchange='parcels', routing_key='Order.WH2')\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, f"{SCHEME}:///{embedded.path}"], cwd=ROOT, check=True
    )
    assert embedded.transport.outstanding_count("to-wh1") == 1
    [message] = drained(connection, "to-wh1", 1)
    assert message.payload == "x"
    message.ack()


def test_topology_mistakes_are_kombus_channel_errors(connection: Connection) -> None:
    channel = connection.channel()
    with pytest.raises(ChannelError, match="nowhere does not exist"):
        channel.exchange_declare("nowhere", passive=True)
    with pytest.raises(ChannelError, match="NOT_FOUND"):
        channel.queue_declare("nowhere", passive=True)
    channel.exchange_declare("x", "topic")
    with pytest.raises(ChannelError, match="kind is topic instead of direct"):
        channel.exchange_declare("x", "direct")
    producer = Producer(channel, auto_declare=False)
    with pytest.raises(ChannelError, match="NO_ROUTE"):
        producer.publish("lost", exchange="x", routing_key="nobody", mandatory=True)
    producer.publish("lost", exchange="x", routing_key="nobody")


def test_queues_can_be_used_directly_counted_purged_and_deleted(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    channel = connection.channel()
    channel.queue_declare("direct")
    producer = Producer(channel, auto_declare=False)
    for body in ("a", "b"):
        producer.publish(body, routing_key="direct")
    assert channel.queue_declare("direct", passive=True).message_count == 2
    assert channel.queue_purge("direct") == 2
    producer.publish("c", routing_key="direct")
    channel.queue_delete("direct", if_empty=True)
    assert embedded.transport.outstanding_count("direct") == 1
    channel.queue_delete("direct")
    with pytest.raises(ChannelError):
        channel.queue_declare("direct", passive=True)


def test_the_seam_and_kombu_share_the_work_of_one_queue(
    embedded: EmbeddedStack, connection: Connection
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        publisher.publish(
            [outgoing(number) for number in range(40)], names.inbox_exchange, deadline_seconds=5
        )
    with embedded.transport.consumer(names.inbox_queue) as consumer:
        ours = consumer.receive(15, 2)
        theirs = drained(connection, names.inbox_queue, 25)
        consumer.ack(ours)
        for message in theirs:
            message.ack()
    assert numbers(ours) + [int(message.body) for message in theirs] == list(range(40))
    count = embedded.transport.outstanding_count
    assert eventually(lambda: count(names.inbox_queue) or 0, 0) == 0
