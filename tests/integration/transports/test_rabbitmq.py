"""What only RabbitMQ can show: refusals, several hosts, heartbeats, another user's rights."""

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.support import services
from tests.support.transports import SHORT_LEASE, RabbitStack, numbers, outgoing, take
from workers.transports.base import TransportOptions
from workers.transports.errors import ConnectionLost, Refused, TopologyMissing
from workers.transports.rabbitmq import RabbitTransport

NOBODY_THERE = "amqp://guest:secret@127.0.0.1:9"


@pytest.fixture
def shop(rabbit: RabbitStack) -> Iterator[str]:
    """The URL of a broker user who may write its own routing keys only, as contract.md has it."""
    user = services.unique_name("shop")
    vhost = urlsplit(rabbit.url).path[1:] or "/"
    exchange = rabbit.topology.inbox_exchange
    services.rabbitmqctl("add_user", user, "pass")
    try:
        services.rabbitmqctl("set_permissions", "-p", vhost, user, "^$", f"^{exchange}$", "^$")
        services.rabbitmqctl(
            "set_topic_permissions", "-p", vhost, user, exchange, r"^[A-Za-z]+\.main$", "^$"
        )
        yield services.with_user(rabbit.url, user, "pass")
    finally:
        services.rabbitmqctl("delete_user", user)


def test_a_wrong_password_is_refused_and_not_repeated(rabbit: RabbitStack) -> None:
    url = services.with_user(rabbit.url, "guest", "not-my-secret")
    transport = RabbitTransport(url, SHORT_LEASE)
    for attempt in (
        lambda: transport.consumer("any"),
        lambda: transport.missing(rabbit.topology),
        lambda: transport.publisher().publish([outgoing(1)], "any", deadline_seconds=10),
    ):
        with pytest.raises(Refused, match="refused the user name or password") as raised:
            attempt()
        assert "not-my-secret" not in str(raised.value)
        assert raised.value.__cause__ is None
    assert "not-my-secret" not in transport.address + repr(transport._hosts)  # noqa: SLF001


def test_a_virtual_host_that_does_not_exist_is_refused(rabbit: RabbitStack) -> None:
    transport = RabbitTransport(services.with_vhost(rabbit.url, "no-such-host"), SHORT_LEASE)
    with pytest.raises(Refused, match="no-such-host"):
        transport.consumer("any")
    with pytest.raises(Refused, match="no-such-host"):
        transport.missing(rabbit.topology)


@pytest.mark.usefixtures("rabbit")
def test_a_server_that_is_not_there_is_lost_in_one_sentence() -> None:
    transport = RabbitTransport(NOBODY_THERE, SHORT_LEASE)
    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:9/ does not answer") as raised:
        transport.consumer("any")
    assert "secret" not in str(raised.value)
    with pytest.raises(ConnectionLost, match="does not answer"):
        transport.publisher().publish([outgoing(1)], "any", deadline_seconds=10)
    with pytest.raises(ConnectionLost, match="does not answer"):
        transport.ready_count("any")


def test_of_several_hosts_the_one_that_answers_is_used(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    for urls in (f"{NOBODY_THERE};{rabbit.url}", f"{rabbit.url};{NOBODY_THERE}"):
        transport = RabbitTransport(urls, SHORT_LEASE)
        assert transport.missing(names) == []
        with transport.publisher() as publisher:
            result = publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=10)
        assert result.confirmed == {"1"}
        with transport.consumer(names.inbox_queue) as consumer:
            consumer.ack(take(consumer, 1))


def test_a_message_the_broker_refuses_is_found_and_the_others_are_kept(
    rabbit: RabbitStack, shop: str
) -> None:
    """The broker closes the channel and does not say which message it was."""
    foreign = {3, 57, 58, 199}
    messages = [
        outgoing(number, "OrderPlaced.other" if number in foreign else "OrderPlaced.main")
        for number in range(200)
    ]
    with RabbitTransport(shop, SHORT_LEASE).publisher() as publisher:
        result = publisher.publish(messages, rabbit.topology.inbox_exchange, deadline_seconds=30)
        assert result.failed == {str(number): "refused" for number in foreign}
        assert len(result.confirmed) == 196
        assert "ACCESS_REFUSED" in result.remark
        again = publisher.publish(
            [outgoing(200)], rabbit.topology.inbox_exchange, deadline_seconds=9
        )
        assert again.confirmed == {"200"}
    with rabbit.transport.consumer(rabbit.topology.inbox_queue) as consumer:
        arrived = numbers(consumer.receive(500, 2))
        while more := consumer.receive(500, 0.3):
            arrived += numbers(more)
    # What was in flight with a refused one may come twice: under the same id, so it does no harm.
    assert set(arrived) == set(range(201)) - foreign


def test_a_file_of_nothing_but_refused_messages_ends_in_time(
    rabbit: RabbitStack, shop: str
) -> None:
    messages = [outgoing(number, "OrderPlaced.other") for number in range(300)]
    with RabbitTransport(shop, SHORT_LEASE).publisher() as publisher:
        result = publisher.publish(messages, rabbit.topology.inbox_exchange, deadline_seconds=60)
    assert set(result.failed.values()) == {"refused"}
    assert len(result.failed) == 300


def test_a_shop_may_not_read_the_inbox(rabbit: RabbitStack, shop: str) -> None:
    with pytest.raises(Refused, match="inbox"):
        RabbitTransport(shop, SHORT_LEASE).consumer(rabbit.topology.inbox_queue)


def test_a_full_queue_says_no_and_the_publisher_lives_on(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    full = f"{names.out_exchange}.full"
    with rabbit.channel() as channel:
        arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
        channel.queue_declare(full, durable=True, arguments=arguments)
        channel.queue_bind(full, names.out_exchange, "A.#")
    with rabbit.transport.publisher() as publisher:
        messages = [outgoing(number, "A.x.y") for number in range(20)]
        result = publisher.publish(messages, names.out_exchange, deadline_seconds=10)
        assert "nacked" in result.failed.values()
        assert len(result.confirmed) + len(result.failed) == 20
        with rabbit.channel() as channel:
            channel.queue_purge(full)
        again = publisher.publish([outgoing(99, "A.x.y")], names.out_exchange, deadline_seconds=10)
        assert again.confirmed == {"99"}


def test_a_channel_is_used_again_after_success_and_never_after_a_failure(
    rabbit: RabbitStack,
) -> None:
    """A late ack of what failed must not confirm what is published next."""
    names = rabbit.topology
    rabbit.delete_queue(names.inbox_queue)
    rabbit.bind(names.dead_queue, names.inbox_exchange, "Kept.#")

    def channel_after(routing_key: str) -> object:
        publisher.publish([outgoing(1, routing_key)], names.inbox_exchange, deadline_seconds=10)
        session = publisher._session  # noqa: SLF001 - no other way to see it
        assert session is not None
        return session._channel  # noqa: SLF001 - as above

    with RabbitTransport(rabbit.url, SHORT_LEASE).publisher() as publisher:
        first = channel_after("Kept.x")
        assert first is not None
        assert channel_after("Kept.x") is first
        assert channel_after("Lost.x") is None
        assert channel_after("Kept.x") not in (first, None)


@pytest.mark.slow
def test_a_batch_that_takes_longer_than_three_heartbeats_keeps_its_connection(
    rabbit: RabbitStack,
) -> None:
    names = rabbit.topology
    options = TransportOptions(heartbeat_seconds=1)
    transport = RabbitTransport(rabbit.url, options)
    with transport.publisher() as publisher, transport.consumer(names.inbox_queue) as consumer:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=10)
        deliveries = take(consumer, 1)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            sum(range(100_000))  # a batch keeps the processor busy, it does not sleep
        consumer.ack(deliveries)
        publisher.publish([outgoing(2)], names.inbox_exchange, deadline_seconds=10)
        assert numbers(take(consumer, 1)) == [2]
    assert rabbit.transport.ready_count(names.inbox_queue) == 1


def test_a_consumer_of_a_queue_that_is_not_there_says_which(rabbit: RabbitStack) -> None:
    with pytest.raises(TopologyMissing) as raised:
        rabbit.transport.consumer("bs_nowhere.inbox")
    assert raised.value.name == "bs_nowhere.inbox"
    assert "backship init" in str(raised.value)


def test_a_connection_the_broker_closes_ends_the_consumer(rabbit: RabbitStack) -> None:
    with rabbit.transport.consumer(rabbit.topology.inbox_queue) as consumer:
        assert consumer.receive(1, 0.1) == []
        services.rabbitmqctl(
            "close_all_connections", "--vhost", urlsplit(rabbit.url).path[1:] or "/", "test"
        )
        with pytest.raises(ConnectionLost, match="closed the connection"):
            take(consumer, 1)


def test_publishing_goes_on_after_the_broker_closed_the_connection(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    with rabbit.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=10)
        services.rabbitmqctl(
            "close_all_connections", "--vhost", urlsplit(rabbit.url).path[1:] or "/", "test"
        )
        results = [
            publisher.publish([outgoing(number)], names.inbox_exchange, deadline_seconds=10)
            for number in (2, 3)
        ]
    # The one that met the closing may be reported as failed; it is never reported wrongly.
    assert results[0].confirmed | results[0].failed.keys() == {"2"}
    assert results[1].confirmed == {"3"}


def test_a_message_of_a_size_the_broker_does_not_take_fails_alone(rabbit: RabbitStack) -> None:
    """Its own limit is far above ours on 3.10, so another user's rights stand in for it above."""
    result_of = rabbit.transport.publisher().publish
    large = replace(outgoing(1), body=b"x" * 17_000_000)
    result = result_of([large], rabbit.topology.inbox_exchange, deadline_seconds=10)
    assert result.failed == {"1": "too_large"}
