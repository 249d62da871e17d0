"""Shutting down, on every transport: drain or give back, never lose, never hold on."""

import time

from tests.support.transports import LEASE_SECONDS, Stack, numbers, outgoing, take


def fill(stack: Stack, values: range) -> None:
    with stack.transport.publisher() as publisher:
        messages = [outgoing(number) for number in values]
        result = publisher.publish(messages, stack.topology.inbox_exchange, deadline_seconds=10)
        assert len(result.confirmed) == len(values)


def test_after_a_stop_what_is_buffered_can_still_be_worked_off(any_stack: Stack) -> None:
    names = any_stack.topology
    fill(any_stack, range(50))
    with any_stack.transport.consumer(names.inbox_queue) as consumer:
        done = take(consumer, 5)
        consumer.stop()
        fill(any_stack, range(50, 53))
        began = time.monotonic()
        while deliveries := consumer.receive(500, 5):
            done += deliveries
        assert time.monotonic() - began < 3, "nothing more can come, so nothing is waited for"
        assert consumer.buffered() == 0
        consumer.ack(done)
    assert numbers(done) == list(range(len(done)))
    assert not {50, 51, 52} & set(numbers(done)), "published after the stop"
    with any_stack.transport.consumer(names.inbox_queue) as consumer:
        rest = take(consumer, 53 - len(done))
        consumer.ack(rest)
    assert sorted(numbers(done + rest)) == list(range(53))


def test_what_is_released_is_there_for_the_next_at_once(any_stack: Stack) -> None:
    names = any_stack.topology
    fill(any_stack, range(20))
    with any_stack.transport.consumer(names.inbox_queue) as first:
        deliveries = take(first, 8)
        first.ack(deliveries[:3])
        first.release()
        assert first.receive(10, 0.1) == []
        with any_stack.transport.consumer(names.inbox_queue) as second:
            began = time.monotonic()
            again = take(second, 17)
            # Less than a lease: nobody had to wait for one to end.
            assert time.monotonic() - began < LEASE_SECONDS
            second.ack(again)
    assert sorted(numbers(again)) == list(range(3, 20))


def test_closing_twice_and_acknowledging_afterwards_are_harmless(any_stack: Stack) -> None:
    fill(any_stack, range(2))
    consumer = any_stack.transport.consumer(any_stack.topology.inbox_queue)
    deliveries = take(consumer, 2)
    consumer.close()
    consumer.ack(deliveries)
    consumer.close()
    publisher = any_stack.transport.publisher()
    publisher.close()
    publisher.close()
    any_stack.transport.close()
