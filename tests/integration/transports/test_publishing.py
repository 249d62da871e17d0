"""Publishing, on every transport: what is confirmed is kept, what is not is named."""

from dataclasses import replace

import pytest

from tests.support.transports import RabbitStack, Stack, numbers, outgoing, take
from workers.topology import topology
from workers.transports.base import BODY_BYTES_MAX, OutgoingMessage
from workers.transports.errors import TopologyMissing
from workers.transports.large_bodies import INBOUND_BYTES_MAX


def test_a_confirmed_message_arrives_once_and_as_it_was(any_stack: Stack) -> None:
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish(
            [outgoing(7)], any_stack.topology.inbox_exchange, deadline_seconds=10
        )
    assert result.confirmed == {"7"}
    assert result.failed == {}
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        [delivery] = take(consumer, 1)
        assert consumer.receive(1, 0.1) == []
        consumer.ack([delivery])
    assert delivery.body == b"7"
    assert delivery.routing_key == "OrderPlaced.main"
    assert delivery.delivery_count == 0
    assert not delivery.redelivered
    assert not delivery.compressed
    assert any_stack.transport.ready_count(any_stack.topology.inbox_queue) == 0


def test_messages_arrive_in_the_order_they_were_published(any_stack: Stack) -> None:
    with any_stack.transport.publisher() as publisher:
        for first in range(0, 3000, 1000):
            result = publisher.publish(
                [outgoing(number) for number in range(first, first + 1000)],
                any_stack.topology.inbox_exchange,
                deadline_seconds=30,
            )
            assert len(result.confirmed) == 1000
    taken: list[int] = []
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        while deliveries := consumer.receive(500, 1):
            consumer.ack(deliveries)
            taken += numbers(deliveries)
    assert taken == list(range(3000))


def test_nothing_to_publish_is_no_error(any_stack: Stack) -> None:
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish([], any_stack.topology.inbox_exchange, deadline_seconds=1)
    assert (result.confirmed, result.failed) == (frozenset(), {})


def test_what_nobody_has_bound_a_queue_for_is_kept_in_unrouted(any_stack: Stack) -> None:
    names = any_stack.topology
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish(
            [outgoing(1, "BackToShip.main.WH1")], names.out_exchange, deadline_seconds=10
        )
    assert result.confirmed == {"1"}
    with any_stack.transport.consumer(names.unrouted_queue) as consumer:
        [delivery] = take(consumer, 1)
        consumer.ack([delivery])
    assert (delivery.body, delivery.routing_key) == (b"1", "BackToShip.main.WH1")


def test_what_a_warehouse_has_bound_a_queue_for_goes_there_and_not_to_unrouted(
    any_stack: Stack,
) -> None:
    names = any_stack.topology
    warehouse = f"{names.out_exchange}.wh1"
    any_stack.bind(warehouse, names.out_exchange, "*.*.WH1")
    any_stack.bind(warehouse, names.out_exchange, "BackToShip.#")
    with any_stack.transport.publisher() as publisher:
        publisher.publish(
            [outgoing(1, "BackToShip.main.WH1"), outgoing(2, "ReadyToShip.main.WH2")],
            names.out_exchange,
            deadline_seconds=10,
        )
    with any_stack.transport.consumer(warehouse) as consumer:
        assert numbers(take(consumer, 2, seconds=0.5)) == [1], "once, though both bindings match"
    with any_stack.transport.consumer(names.unrouted_queue) as consumer:
        assert numbers(take(consumer, 2, seconds=0.5)) == [2]


def test_what_no_queue_takes_is_unroutable_and_its_neighbours_are_confirmed(
    stack: Stack,
) -> None:
    names = stack.topology
    stack.delete_queue(names.inbox_queue)
    stack.bind(names.dead_queue, names.inbox_exchange, "Kept.#")
    messages = [outgoing(number, "Kept.x" if number % 2 else "Lost.x") for number in range(20)]
    with stack.transport.publisher() as publisher:
        result = publisher.publish(messages, names.inbox_exchange, deadline_seconds=10)
        assert result.failed == {str(number): "unroutable" for number in range(0, 20, 2)}
        assert result.confirmed == {str(number) for number in range(1, 20, 2)}
        # The channel of a return is not used again; the publisher is.
        again = publisher.publish(
            [outgoing(99, "Kept.x")], names.inbox_exchange, deadline_seconds=10
        )
    assert again.confirmed == {"99"}
    with stack.transport.consumer(names.dead_queue) as consumer:
        assert numbers(take(consumer, 11)) == [*range(1, 20, 2), 99]


def test_an_id_that_two_messages_bear_is_confirmed_only_when_both_are(stack: Stack) -> None:
    names = stack.topology
    stack.delete_queue(names.inbox_queue)
    stack.bind(names.dead_queue, names.inbox_exchange, "Kept.#")
    twice = [outgoing(1, "Kept.x"), outgoing(1, "Lost.x"), outgoing(2, "Kept.x")]
    with stack.transport.publisher() as publisher:
        result = publisher.publish(twice, names.inbox_exchange, deadline_seconds=10)
    assert result.confirmed == {"2"}
    assert result.failed == {"1": "unroutable"}


def test_a_large_body_arrives_and_one_beyond_the_limit_fails_alone(any_stack: Stack) -> None:
    large = replace(outgoing(1), body=b"x" * INBOUND_BYTES_MAX)
    too_large = replace(outgoing(2), body=b"x" * (BODY_BYTES_MAX + 1))
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish(
            [large, too_large, outgoing(3)], any_stack.topology.inbox_exchange, deadline_seconds=30
        )
    assert result.confirmed == {"1", "3"}
    assert result.failed == {"2": "too_large"}
    with any_stack.transport.consumer(any_stack.topology.inbox_queue) as consumer:
        deliveries = take(consumer, 2)
        consumer.ack(deliveries)
    assert [delivery.body for delivery in deliveries] == [large.body, b"3"]
    assert [delivery.cut for delivery in deliveries] == [None, None]


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param(replace(outgoing(1), routing_key="k" * 256), id="long-key"),
        pytest.param(replace(outgoing(1), id="€" * 86), id="long-id"),
        pytest.param(replace(outgoing(1), type="\ud800"), id="no-unicode"),
    ],
)
def test_what_amqp_cannot_write_down_fails_alone(
    any_stack: Stack, strange: OutgoingMessage
) -> None:
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish(
            [outgoing(0), strange, outgoing(2)],
            any_stack.topology.inbox_exchange,
            deadline_seconds=10,
        )
    assert result.failed == {strange.id: "refused"}
    assert result.confirmed == {"0", "2"}


def test_a_long_key_and_id_that_just_fit_are_kept(any_stack: Stack) -> None:
    long = replace(outgoing(1), routing_key="k" * 255, id="i" * 255)
    with any_stack.transport.publisher() as publisher:
        result = publisher.publish([long], any_stack.topology.inbox_exchange, deadline_seconds=10)
    assert result.confirmed == {long.id}


def test_an_exchange_that_does_not_exist_is_named(stack: Stack) -> None:
    with (
        stack.transport.publisher() as publisher,
        pytest.raises(TopologyMissing, match=r"nowhere\.in does not exist") as raised,
    ):
        publisher.publish([outgoing(1)], topology("nowhere").inbox_exchange, deadline_seconds=10)
    assert raised.value.name == "nowhere.in"


def test_a_queue_bound_by_another_process_gets_the_next_message(stack: Stack) -> None:
    names = stack.topology
    late = f"{names.out_exchange}.late"
    with stack.transport.publisher() as publisher:
        publisher.publish([outgoing(1, "A.x.y")], names.out_exchange, deadline_seconds=10)
        stack.bind(late, names.out_exchange, "A.#")
        publisher.publish([outgoing(2, "A.x.y")], names.out_exchange, deadline_seconds=10)
    with stack.transport.consumer(late) as consumer:
        assert numbers(take(consumer, 2, seconds=0.5)) == [2]


def test_the_properties_are_those_of_the_contract(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    with rabbit.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=10)
    with rabbit.channel() as channel:
        _, properties, _ = channel.basic_get(names.inbox_queue, auto_ack=True)
    assert properties is not None
    assert properties.message_id == "1"
    assert properties.type == "OrderPlaced"
    assert properties.content_type == "application/cloudevents+json"
    assert properties.delivery_mode == 2
    assert properties.timestamp == 1763719200
    assert properties.app_id == "backship"
