"""A body that no event can have is cut to its head where it comes in, and kept whole by the broker.

F28: sixteen of sixteen megabytes, prefetched, must not be memory.
"""

from dataclasses import replace
from hashlib import sha256

from events import codec
from tests.support.transports import LEASE_SECONDS, EmbeddedStack, Stack, outgoing, take
from workers.clock import SystemClock
from workers.transports.large_bodies import HEAD_BYTES, INBOUND_BYTES_MAX, Cut
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import QueueMessages

LARGE = bytes(range(256)) * 8192 + b"!"  # 2 MiB and one byte


def test_f28_what_is_handed_on_whole_is_what_the_codec_reads() -> None:
    assert INBOUND_BYTES_MAX == codec.BODY_BYTES_MAX


def test_f28_of_a_body_over_the_limit_only_its_head_is_delivered_each_time(
    any_stack: Stack,
) -> None:
    with any_stack.transport.publisher() as publisher:
        messages = [replace(outgoing(1), body=LARGE), outgoing(2)]
        exchange = any_stack.topology.inbox_exchange
        assert not publisher.publish(messages, exchange, deadline_seconds=30).failed
    for _ in range(2):
        with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
            deliveries = take(consumer, 2)
            consumer.release()
        large, small = sorted(deliveries, key=lambda delivery: len(delivery.body), reverse=True)
        assert large.body == LARGE[:HEAD_BYTES]
        assert large.cut == Cut(len(LARGE), sha256(LARGE).hexdigest())
        assert large.body_sha256 == sha256(LARGE).hexdigest()
        assert (small.body, small.cut) == (b"2", None)
        assert small.body_sha256 == sha256(b"2").hexdigest()
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        consumer.ack(take(consumer, 2))
    assert any_stack.transport.ready_count(any_stack.topology.inbox_queue) == 0


def test_f28_a_large_body_that_is_given_up_reaches_the_dead_queue_whole(
    embedded: EmbeddedStack,
) -> None:
    names = embedded.topology
    with embedded.transport.publisher() as publisher:
        messages = [replace(outgoing(1), body=LARGE)]
        assert not publisher.publish(messages, names.inbox_exchange, deadline_seconds=30).failed
    with QueueFile(embedded.path) as file:
        queue = QueueMessages(file, SystemClock(), LEASE_SECONDS)
        with file.writing() as db:
            db.execute("UPDATE queue_messages SET deliveries = 1000")
        assert queue.claim(names.inbox_queue, 10, heads=True) == []  # it went where the dead go
        [dead] = queue.claim(names.dead_queue, 10)
        assert dead.body == LARGE
        assert dead.headers["x-first-death-reason"] == "delivery_limit"
        assert queue.outstanding_count(names.inbox_queue) == 0
