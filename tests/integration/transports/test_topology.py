"""Declaring and checking the topology, on both transports that keep the promise."""

from dataclasses import replace

import pytest

from tests.support.transports import EmbeddedStack, RabbitStack, Stack
from workers.topology import Topology, topology
from workers.transports import queue_topology
from workers.transports.errors import TopologyDiffers
from workers.transports.queue_file import QueueFile


def with_delivery_limit(names: Topology, limit: int) -> Topology:
    """The same, but for the limit of the inbox."""
    queues = [
        replace(queue, delivery_limit=limit) if queue.name == names.inbox_queue else queue
        for queue in names.queues
    ]
    return replace(names, queues=tuple(queues))


def test_declaring_twice_changes_nothing(stack: Stack) -> None:
    stack.transport.declare(stack.topology)
    assert stack.transport.missing(stack.topology) == []
    assert stack.transport.check(stack.topology).differences == ()


def test_everything_that_does_not_exist_is_named_and_nothing_is_created(stack: Stack) -> None:
    elsewhere = topology(f"{stack.topology.inbox_exchange}.elsewhere")
    names = {each.name for each in elsewhere.exchanges} | {each.name for each in elsewhere.queues}
    for _ in range(2):
        assert set(stack.transport.missing(elsewhere)) == names
        report = stack.transport.check(elsewhere)
        found = [each for each in report.differences if each.kind != "binding"]
        assert {each.name for each in found} == names
        assert {each.found for each in found} == {"missing"}
        assert {each.mend for each in found} == {"backship init"}


def test_a_single_missing_queue_is_named(stack: Stack) -> None:
    stack.delete_queue(stack.topology.inbox_queue)
    assert stack.transport.missing(stack.topology) == [stack.topology.inbox_queue]


def test_other_arguments_are_reported_with_both_values_and_never_changed(stack: Stack) -> None:
    wanted = with_delivery_limit(stack.topology, 7)
    for _ in range(2):
        [difference] = stack.transport.check(wanted).differences
        assert (difference.kind, difference.name) == ("queue", stack.topology.inbox_queue)
        assert difference.argument in ("x-delivery-limit", "delivery_limit")
        assert (difference.expected, difference.found) == ("7", "20")
        assert "delete the queue" in difference.mend
        with pytest.raises(TopologyDiffers, match="20 instead of 7"):
            stack.transport.declare(wanted)
    assert stack.transport.check(stack.topology).differences == ()


def test_every_differing_argument_of_a_queue_is_found(rabbit: RabbitStack) -> None:
    """The broker names one at a time."""
    name = rabbit.topology.inbox_queue
    with rabbit.channel() as channel:
        channel.queue_delete(name)
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5, "x-max-length": 10}
        channel.queue_declare(name, durable=True, arguments=arguments)
    report = rabbit.transport.check(rabbit.topology)
    found = {each.argument: (each.expected, each.found) for each in report.differences}
    assert found == {
        "x-delivery-limit": ("20", "5"),
        "x-dead-letter-exchange": (rabbit.topology.dead_queue, "none"),
        "x-dead-letter-strategy": ("at-least-once", "none"),
        "x-max-length": ("none", "10"),
        "x-overflow": ("reject-publish", "none"),
    }
    with rabbit.channel() as channel:
        assert channel.queue_declare(name, passive=True).method.message_count == 0


def test_a_queue_or_exchange_of_another_kind_is_found(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    with rabbit.channel() as channel:
        channel.queue_delete(names.unrouted_queue)
        channel.queue_declare(names.unrouted_queue, durable=True)
        channel.exchange_delete(names.out_exchange)
        channel.exchange_declare(names.out_exchange, "fanout", durable=False)
    report = rabbit.transport.check(names)
    found = {(each.name, each.argument): each.found for each in report.differences}
    assert found[names.unrouted_queue, "x-queue-type"] in ("classic", "none")
    assert found[names.out_exchange, "type"] == "fanout"
    assert found[names.out_exchange, "durable"] == "false"
    assert found[names.out_exchange, "alternate-exchange"] == "none"


def test_what_could_not_be_looked_at_is_said(rabbit: RabbitStack) -> None:
    closed = f"{rabbit.url}?management=http://127.0.0.1:9"
    unanswered = RabbitStack(
        closed, rabbit.topology.inbox_exchange.removesuffix(".in"), rabbit.path
    )
    report = unanswered.transport.check(rabbit.topology)
    assert report.differences == ()
    [said] = report.unchecked
    assert "Bindings and policies were not checked" in said
    assert "http://127.0.0.1:9 does not answer" in said


def test_a_missing_binding_is_found(embedded: EmbeddedStack) -> None:
    """RabbitMQ tells bindings only through the management API: see test_private_broker."""
    names = embedded.topology
    with QueueFile(embedded.path) as file, file.writing() as db:
        queue_topology.unbind(db, names.inbox_exchange, names.inbox_queue, "#")
    [difference] = embedded.transport.check(names).differences
    assert (difference.kind, difference.argument, difference.found) == ("binding", "#", "missing")
    embedded.transport.declare(names)
    assert embedded.transport.check(names).differences == ()
