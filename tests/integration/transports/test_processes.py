"""Several real processes on one broker: killed, paused, racing. Nothing lost, nothing doubled."""

import json
import signal
import time
from contextlib import ExitStack

import pytest

from tests.support.transports import (
    LEASE_SECONDS,
    EmbeddedStack,
    Stack,
    line,
    numbers,
    outgoing,
    process,
    take,
    tell,
)


def fill(stack: Stack, count: int) -> None:
    with stack.transport.publisher() as publisher:
        messages = [outgoing(number) for number in range(count)]
        result = publisher.publish(messages, stack.topology.inbox_exchange, deadline_seconds=10)
        assert len(result.confirmed) == count


@pytest.mark.slow
def test_what_a_killed_process_held_comes_again(stack: Stack) -> None:
    fill(stack, 30)
    with process(stack, "hold", count=30) as holder:
        assert line(holder) == "30"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with stack.transport.consumer(stack.topology.inbox_queue) as consumer:
            deliveries = take(consumer, 30)
            consumer.ack(deliveries)
    assert numbers(deliveries) == list(range(30))
    assert {delivery.delivery_count for delivery in deliveries} == {1}


@pytest.mark.slow
def test_a_process_that_was_paused_too_long_acknowledges_in_vain(
    embedded: EmbeddedStack,
) -> None:
    """Only a lease can end while its holder lives; RabbitMQ waits for half an hour."""
    queue, count = embedded.topology.inbox_queue, embedded.transport.outstanding_count
    fill(embedded, 5)
    with process(embedded, "ack_late", count=5) as paused:
        assert line(paused) == "5"
        paused.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_SECONDS)
        with embedded.transport.consumer(queue) as consumer:
            deliveries = take(consumer, 5)
            assert len(deliveries) == 5
            paused.send_signal(signal.SIGCONT)
            tell(paused)
            assert line(paused) == "acknowledged"
            assert count(queue) == 5
            consumer.ack(deliveries)
    assert count(queue) == 0


@pytest.mark.slow
def test_twenty_thousand_messages_of_two_producers_reach_two_consumers_once_each(
    stack: Stack,
) -> None:
    with ExitStack() as running:
        consumers = [running.enter_context(process(stack, "consume")) for _ in range(2)]
        producers = [
            running.enter_context(process(stack, "publish", first=first, last=first + 10_000))
            for first in (0, 10_000)
        ]
        assert [line(producer) for producer in producers] == ["10000", "10000"]
        for consumer in consumers:
            tell(consumer)
        taken = [[int(body) for body in json.loads(line(consumer))] for consumer in consumers]
    assert sorted(taken[0] + taken[1]) == list(range(20_000))
    for one in taken:
        # Each producer's messages reach each consumer in the order they were published.
        for producer in (range(10_000), range(10_000, 20_000)):
            of_producer = [number for number in one if number in producer]
            assert of_producer == sorted(of_producer)
