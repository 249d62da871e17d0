"""Receiving and acknowledging, on every transport."""

import gzip
import json
import time
import zlib
from dataclasses import replace

import pytest

from tests.support.transports import (
    SHORT_LEASE,
    EmbeddedStack,
    RabbitStack,
    Stack,
    eventually,
    numbers,
    outgoing,
    take,
)
from workers.transports.base import Delivery
from workers.transports.errors import ConnectionLost, TopologyMissing
from workers.transports.open import open_transport

INBOX_SIZE = 10


@pytest.fixture
def filled(any_stack: Stack) -> Stack:
    fill(any_stack, range(INBOX_SIZE))
    return any_stack


@pytest.fixture
def safe(stack: Stack) -> Stack:
    fill(stack, range(INBOX_SIZE))
    return stack


def fill(stack: Stack, values: range) -> None:
    with stack.transport.publisher() as publisher:
        messages = [outgoing(number) for number in values]
        result = publisher.publish(messages, stack.topology.inbox_exchange, deadline_seconds=10)
        assert len(result.confirmed) == len(values)


def test_never_more_than_asked_for_is_received(filled: Stack) -> None:
    with filled.transport.consumer(filled.topology.inbox_queue) as consumer:
        assert numbers(take(consumer, 1)) == [0]
        assert numbers(consumer.receive(3, 1)) == [1, 2, 3]


def test_waiting_ends_when_it_should(any_stack: Stack) -> None:
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        began = time.monotonic()
        assert consumer.receive(500, 0.3) == []
        assert 0.29 <= time.monotonic() - began < 2


def test_a_partial_batch_is_handed_over_soon_after_it_came(any_stack: Stack) -> None:
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        fill(any_stack, range(7))
        began = time.monotonic()
        deliveries = consumer.receive(500, 30)
        deliveries += take(consumer, 7 - len(deliveries))
        assert numbers(deliveries) == list(range(7))
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("kind", [pytest.param("rabbit", marks=pytest.mark.broker), "embedded"])
def test_with_no_time_to_wait_what_is_there_is_taken_at_once(
    kind: str, request: pytest.FixtureRequest
) -> None:
    stack: RabbitStack | EmbeddedStack = request.getfixturevalue(kind)
    fill(stack, range(3))
    assert eventually(lambda: stack.transport.ready_count(stack.topology.inbox_queue), 3) == 3
    lingering = replace(SHORT_LEASE, batch_wait_ms_max=5_000)
    patient = open_transport(stack.url, stack.path, lingering, prefix="")
    with patient.consumer(stack.topology.inbox_queue) as consumer:
        began = time.monotonic()
        deliveries: list[Delivery] = []
        while len(deliveries) < 3:
            deliveries += consumer.receive(500, 0)
        assert time.monotonic() - began < 4
        assert numbers(deliveries) == [0, 1, 2]


def test_what_was_acknowledged_is_gone_and_the_rest_comes_again(filled: Stack) -> None:
    """The first five are contiguous; the eighth lies above a gap."""
    with filled.transport.consumer(filled.topology.inbox_queue) as consumer:
        deliveries = take(consumer, 10)
        consumer.ack([*deliveries[:5], deliveries[7]])
        consumer.ack(deliveries[:2])  # once more does no harm
    with filled.transport.consumer(filled.topology.inbox_queue) as consumer:
        again = take(consumer, 4)
        assert sorted(numbers(again)) == [5, 6, 8, 9]
        assert consumer.receive(1, 0.1) == []
        consumer.ack(again)
    assert filled.transport.ready_count(filled.topology.inbox_queue) == 0


def test_acknowledged_before_close_stays_acknowledged(filled: Stack) -> None:
    """An acknowledgement handed over just before the close must not be lost with it."""
    with filled.transport.consumer(filled.topology.inbox_queue) as consumer:
        consumer.ack(take(consumer, 10))
    assert _stays_empty(filled)


def _stays_empty(stack: Stack) -> bool:
    with stack.transport.consumer(stack.topology.inbox_queue) as consumer:
        return consumer.receive(1, 1.0) == []


def test_what_comes_again_says_so_and_counts(filled: Stack) -> None:
    for count in range(3):
        with filled.transport.consumer(filled.topology.inbox_queue) as consumer:
            deliveries = take(consumer, 10)
            assert sorted(numbers(deliveries)) == list(range(10))
            assert {each.delivery_count for each in deliveries} == {count}
            assert {each.redelivered for each in deliveries} == {count > 0}


def test_what_comes_again_keeps_its_old_place(safe: Stack) -> None:
    with safe.transport.consumer(safe.topology.inbox_queue, prefetch_max=3) as consumer:
        assert numbers(take(consumer, 3)) == [0, 1, 2]
        consumer.release()
    with safe.transport.consumer(safe.topology.inbox_queue) as consumer:
        assert numbers(take(consumer, 10)) == list(range(10))


def test_a_late_acknowledgement_of_an_older_consumer_changes_nothing(filled: Stack) -> None:
    """Its tags are other messages' by now."""
    queue = filled.topology.inbox_queue
    with filled.transport.consumer(queue) as older:
        old = take(older, 10)
    with filled.transport.consumer(queue) as newer:
        assert len(take(newer, 10)) == 10
        newer.ack(old)
        older.ack(old)
    with filled.transport.consumer(queue) as third:
        assert len(take(third, 10)) == 10


def test_a_message_beyond_its_delivery_limit_goes_to_the_dead_queue(stack: Stack) -> None:
    """The limit counts how often it came again: with 3 it is delivered 4 times, then it is dead."""
    names = stack.topology
    stack.delete_queue(names.inbox_queue)
    queues = [
        replace(queue, delivery_limit=3) if queue.name == names.inbox_queue else queue
        for queue in names.queues
    ]
    stack.transport.declare(replace(names, queues=tuple(queues)))
    fill(stack, range(1))
    counts = []
    for _ in range(4):
        with stack.transport.consumer(names.inbox_queue) as consumer:
            [delivery] = take(consumer, 1)
            counts.append(delivery.delivery_count)
    assert counts == [0, 1, 2, 3]
    with stack.transport.consumer(names.inbox_queue) as consumer:
        assert consumer.receive(1, 1.5) == []
    assert eventually(lambda: stack.transport.ready_count(names.dead_queue), 1) == 1
    with stack.transport.consumer(names.dead_queue) as consumer:
        [dead] = take(consumer, 1)
        consumer.ack([dead])
    assert (dead.body, dead.routing_key) == (b"0", "OrderPlaced.main")
    assert dead.headers["x-first-death-queue"] == names.inbox_queue
    assert dead.headers["x-first-death-reason"] == "delivery_limit"
    json.dumps(dead.headers)  # they are kept with what is set aside


@pytest.mark.parametrize(
    ("headers", "encoding"),
    [
        pytest.param({"compression": "application/x-gzip"}, None, id="header"),
        pytest.param({"compression": "no-such-thing"}, None, id="unknown-header"),
        pytest.param({}, "gzip", id="encoding"),
        pytest.param({}, "deflate", id="deflate"),
    ],
)
def test_a_compressed_body_is_said_to_be_one_and_never_inflated(
    any_stack: Stack, headers: dict[str, str], encoding: str | None
) -> None:
    packed = gzip.compress(b"0" * 5_000_000) if headers else zlib.compress(b"0" * 5_000_000)
    any_stack.put_raw(packed, headers=headers, encoding=encoding)
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        [delivery] = take(consumer, 1)
        consumer.ack([delivery])
    assert delivery.compressed
    assert delivery.body == packed


@pytest.mark.parametrize("encoding", [None, "utf-8", "UTF-8", "identity", "binary"])
def test_a_plain_body_is_not_said_to_be_compressed(any_stack: Stack, encoding: str | None) -> None:
    any_stack.put_raw(b"{}", headers={"x-origin": "shop"}, encoding=encoding)
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        [delivery] = take(consumer, 1)
        consumer.ack([delivery])
    assert not delivery.compressed
    assert delivery.headers["x-origin"] == "shop"


def test_a_queue_deleted_under_a_consumer_is_noticed(stack: Stack) -> None:
    with stack.transport.consumer(stack.topology.inbox_queue) as consumer:
        assert consumer.receive(1, 0.1) == []
        stack.delete_queue(stack.topology.inbox_queue)
        with pytest.raises((ConnectionLost, TopologyMissing)):
            take(consumer, 1)
    with pytest.raises(TopologyMissing, match="inbox does not exist"):
        stack.transport.consumer(stack.topology.inbox_queue)


def test_ready_and_outstanding_are_counted(safe: Stack) -> None:
    names = safe.topology
    count = safe.transport.ready_count
    assert eventually(lambda: count(names.inbox_queue), 10) == 10
    assert safe.transport.outstanding_count(names.inbox_queue) in (10, None)
    with safe.transport.consumer(names.inbox_queue, prefetch_max=4) as consumer:
        take(consumer, 4)
        assert eventually(lambda: count(names.inbox_queue), 6) == 6
        assert safe.transport.outstanding_count(names.inbox_queue) in (10, None)
    with pytest.raises(TopologyMissing, match="nowhere"):
        count("nowhere")


def test_a_delivery_says_when_its_message_was_sent_or_queued(any_stack: Stack) -> None:
    """Over a broker, what the sender wrote in `timestamp`; in the file, when it was put there."""
    before = time.time()
    fill(any_stack, range(1))
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        (delivery,) = take(consumer, 1)
    sent = outgoing(0).timestamp
    assert delivery.published_at is not None
    if any_stack.transport.name == "embedded":
        assert before <= delivery.published_at <= time.time()
    else:
        assert delivery.published_at == sent


def test_only_the_embedded_queue_shows_its_oldest_message_without_taking_it(
    any_stack: Stack,
) -> None:
    transport, queue = any_stack.transport, any_stack.topology.inbox_queue
    assert transport.oldest_at(queue) is None
    before = time.time()
    fill(any_stack, range(3))
    seen = transport.oldest_at(queue)
    if transport.name != "embedded":
        assert seen is None
        return
    assert seen is not None
    assert before <= seen <= time.time()
    with transport.consumer(queue) as consumer:
        (first,) = consumer.receive(1, 1)
        assert transport.oldest_at(queue) == seen  # leased, and there all the same
        consumer.ack([first])
        after = transport.oldest_at(queue)
        assert after is not None
        assert after >= seen
