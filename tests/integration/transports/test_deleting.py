"""A queue of one's own can be taken away; what is published later goes where it went before."""

from dataclasses import replace

from tests.support.transports import Stack, numbers, outgoing, take
from workers.topology import KEEPING_DELIVERY_LIMIT, Binding, Queue


def test_a_queue_that_is_deleted_takes_its_bindings_and_messages_along(stack: Stack) -> None:
    names, transport = stack.topology, stack.transport
    queue = f"{names.out_exchange}.own"
    transport.declare(
        replace(
            names,
            exchanges=(),
            queues=(Queue(queue, KEEPING_DELIVERY_LIMIT),),
            bindings=(Binding(names.out_exchange, queue, "#"),),
        )
    )
    with transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.out_exchange, deadline_seconds=10)
        assert transport.ready_count(queue) == 1
        transport.delete_queue(queue)
        publisher.publish([outgoing(2)], names.out_exchange, deadline_seconds=10)
    with transport.consumer(names.unrouted_queue) as consumer:
        assert numbers(take(consumer, 1)) == [2]


def test_deleting_a_queue_that_is_not_there_is_no_error(any_stack: Stack) -> None:
    any_stack.transport.delete_queue(f"{any_stack.topology.out_exchange}.nobodys")
