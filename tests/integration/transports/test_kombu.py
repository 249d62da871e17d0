"""Any other kombu URL: memory alone, and a real RabbitMQ through py-amqp instead of pika."""

import time
from pathlib import Path

import pytest
from kombu.connection import Connection

from tests.support import services
from tests.support.transports import SHORT_LEASE, KombuStack, RabbitStack, numbers, outgoing, take
from workers.transports.base import TransportOptions
from workers.transports.errors import BadAddress, ConnectionLost, TopologyMissing, TransportError
from workers.transports.kombu import KombuTransport
from workers.transports.open import open_transport


@pytest.fixture
def memory(topology_prefix: str, tmp_path: Path) -> KombuStack:
    made = KombuStack(topology_prefix, tmp_path)
    made.transport.declare(made.topology)
    return made


@pytest.fixture
def through_amqp(rabbit: RabbitStack) -> KombuTransport:
    """The real broker behind kombu's own AMQP client."""
    return KombuTransport(f"py{rabbit.url}", rabbit.topology, SHORT_LEASE)


def test_it_never_claims_to_keep_the_promise(memory: KombuStack) -> None:
    assert not memory.transport.promise_kept
    report = memory.transport.check(memory.topology)
    assert report.differences == ()
    assert "cannot be checked" in report.unchecked[0]


def test_what_a_virtual_transport_would_drop_silently_is_unroutable(memory: KombuStack) -> None:
    lonely = f"{memory.topology.inbox_exchange}.lonely"
    with Connection("memory://") as connection:
        connection.channel().exchange_declare(lonely, "topic")
    with memory.transport.publisher() as publisher:
        result = publisher.publish([outgoing(1)], lonely, deadline_seconds=5)
    assert result.failed == {"1": "unroutable"}


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        pytest.param("application/json", "utf-8", id="F26-no-json"),
        pytest.param("application/x-python-serialize", "binary", id="F26-pickle"),
        pytest.param("application/json", "no-such-encoding", id="F26-no-encoding"),
    ],
)
def test_a_body_kombu_can_not_decode_is_delivered_and_not_acknowledged_away(
    memory: KombuStack, content_type: str, encoding: str
) -> None:
    body = b"\xff{not a document"
    with Connection("memory://") as connection:
        connection.Producer().publish(
            body,
            exchange=memory.topology.inbox_exchange,
            routing_key="OrderPlaced.main",
            content_type=content_type,
            content_encoding=encoding,
        )
    with memory.transport.consumer(memory.topology.inbox_queue) as consumer:
        (delivery,) = take(consumer, 1)
        assert delivery.body == body
        consumer.release()
    with memory.transport.consumer(memory.topology.inbox_queue) as consumer:
        (again,) = take(consumer, 1)
        assert again.body == body
        consumer.ack([again])
    assert memory.transport.ready_count(memory.topology.inbox_queue) == 0


def test_a_deadline_ends_a_long_publish(memory: KombuStack) -> None:
    with memory.transport.publisher() as publisher:
        result = publisher.publish(
            [outgoing(number) for number in range(10)],
            memory.topology.inbox_exchange,
            deadline_seconds=0,
        )
    assert set(result.failed.values()) == {"timeout"}


def test_a_queue_that_is_not_there_is_named(memory: KombuStack) -> None:
    with pytest.raises(TopologyMissing, match=r"bs_nowhere\.inbox does not exist"):
        memory.transport.consumer("bs_nowhere.inbox")
    with pytest.raises(TopologyMissing, match=r"bs_nowhere\.inbox does not exist"):
        memory.transport.ready_count("bs_nowhere.inbox")


def test_a_requeued_message_goes_to_its_own_queue_only(memory: KombuStack) -> None:
    names = memory.topology
    memory.bind(f"{names.inbox_queue}.copy", names.inbox_exchange, "#")
    with memory.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    with memory.transport.consumer(names.inbox_queue) as consumer:
        take(consumer, 1)
    assert memory.transport.ready_count(names.inbox_queue) == 1
    assert memory.transport.ready_count(f"{names.inbox_queue}.copy") == 1


def test_a_compressed_body_that_is_put_back_stays_compressed(memory: KombuStack) -> None:
    memory.put_raw(b"not really gzip", headers={"compression": "gzip"}, encoding=None)
    for count in range(2):
        with memory.transport.consumer(memory.topology.inbox_queue) as consumer:
            [delivery] = take(consumer, 1)
        assert (delivery.compressed, delivery.body) == (True, b"not really gzip")
        assert delivery.delivery_count == count


def test_everything_works_through_py_amqp_too(
    rabbit: RabbitStack, through_amqp: KombuTransport
) -> None:
    names = rabbit.topology
    assert through_amqp.missing(names) == []
    with through_amqp.publisher() as publisher:
        messages = [outgoing(number) for number in range(50)]
        result = publisher.publish(messages, names.inbox_exchange, deadline_seconds=20)
        assert len(result.confirmed) == 50
        unrouted = publisher.publish(
            [outgoing(50, "A.b.c")], names.out_exchange, deadline_seconds=5
        )
        assert unrouted.confirmed == {"50"}
    assert rabbit.transport.ready_count(names.unrouted_queue) == 1
    with through_amqp.consumer(names.inbox_queue) as consumer:
        deliveries = take(consumer, 50)
        consumer.ack(deliveries[:30])
    with through_amqp.consumer(names.inbox_queue) as consumer:
        again = take(consumer, 20)
        assert [each.delivery_count for each in again] == [1] * 20
        consumer.ack(again)
    assert numbers(deliveries) == list(range(50))
    assert sorted(numbers(again)) == list(range(30, 50))


def test_an_unroutable_message_of_py_amqp_fails_alone(
    rabbit: RabbitStack, through_amqp: KombuTransport
) -> None:
    names = rabbit.topology
    rabbit.delete_queue(names.inbox_queue)
    rabbit.bind(names.dead_queue, names.inbox_exchange, "Kept.#")
    with through_amqp.publisher() as publisher:
        messages = [outgoing(number, "Kept.x" if number % 2 else "Lost.x") for number in range(6)]
        result = publisher.publish(messages, names.inbox_exchange, deadline_seconds=10)
    assert result.failed == {"0": "unroutable", "2": "unroutable", "4": "unroutable"}
    assert result.confirmed == {"1", "3", "5"}


@pytest.mark.slow
def test_heartbeats_are_kept_while_a_batch_is_worked_on(rabbit: RabbitStack) -> None:
    names = rabbit.topology
    options = TransportOptions(heartbeat_seconds=1)
    transport = KombuTransport(f"py{rabbit.url}", names, options)
    with rabbit.transport.publisher() as publisher:
        publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=5)
    with transport.consumer(names.inbox_queue) as consumer:
        deliveries = take(consumer, 1)
        time.sleep(4)
        consumer.ack(deliveries)
        assert consumer.receive(1, 0.3) == []
    assert rabbit.transport.ready_count(names.inbox_queue) == 0


def test_a_server_that_is_not_there_is_lost_without_its_password(rabbit: RabbitStack) -> None:
    url = "pyamqp://guest:secret@127.0.0.1:9//"
    options = TransportOptions(connect_seconds_max=1)
    transport = KombuTransport(url, rabbit.topology, options)
    with pytest.raises(ConnectionLost) as raised:
        transport.consumer("any")
    assert "secret" not in str(raised.value)
    wrong = services.with_user(f"py{rabbit.url}", "guest", "secret")
    with pytest.raises(TransportError) as raised_too:
        KombuTransport(wrong, rabbit.topology, options).consumer("any")
    assert "secret" not in str(raised_too.value)


@pytest.mark.parametrize("query", ["ssl=true", "ssl_ca_certs=/ca.pem", "SSL=1"])
def test_tls_that_would_not_check_the_host_is_refused(query: str, tmp_path: Path) -> None:
    url = f"pyamqp://u:secret@h/v?{query}"
    with pytest.raises(BadAddress, match="does not check the host name") as refused:
        open_transport(url, tmp_path / "unused.db", TransportOptions(), prefix="bs")
    assert "secret" not in str(refused.value)
