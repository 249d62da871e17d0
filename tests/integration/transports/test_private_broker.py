"""What would disturb everybody else on a shared RabbitMQ, shown on a node of our own.

Restart and kill -9, a memory alarm, TLS with a right and a wrong name, and the management API. The
node is started once for the file; where RabbitMQ is not installed these tests say so and fail.
"""

import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from scripts.rabbitmq import RabbitMQ
from scripts.server import free_port
from tests.support import services
from tests.support.transports import SHORT_LEASE, RabbitStack, numbers, outgoing, take
from workers.transports.base import Consumer
from workers.transports.errors import ConnectionLost, Refused, TransportError
from workers.transports.rabbitmq import RabbitTransport

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Node:
    """A RabbitMQ nobody else uses."""

    url: str
    ctl: tuple[str, ...]
    folder: Path

    def run(self, *arguments: str, program: str | None = None) -> str:
        """Run rabbitmqctl, or a neighbour of it, against this node."""
        command = list(self.ctl)
        if program is not None:
            command[-1] = str(Path(command[-1]).with_name(program))
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("rabbitmq")
    server = RabbitMQ().start_private(folder)
    try:
        ctl = shlex.split(server.environment["BACKSHIP_TEST_RABBITMQCTL"])
        yield Node(server.url, tuple(ctl), folder)
    finally:
        assert server.stop is not None
        server.stop()


@pytest.fixture
def own(node: Node, tmp_path: Path) -> RabbitStack:
    made = RabbitStack(node.url, services.unique_name("bs"), tmp_path)
    made.transport.declare(made.topology)
    return made


def restarted(node: Node) -> None:
    node.run("stop_app")
    node.run("start_app")
    node.run("await_startup")


def reopened(open_one: Callable[[], Consumer], seconds: float = 60) -> Consumer:
    """As the worker does: again and again until the broker is back."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return open_one()
        except TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_what_was_confirmed_survives_a_restart_and_both_ends_come_back(
    node: Node, own: RabbitStack
) -> None:
    names = own.topology
    with own.transport.publisher() as publisher:
        messages = [outgoing(number) for number in range(500)]
        assert (
            len(publisher.publish(messages, names.inbox_exchange, deadline_seconds=30).confirmed)
            == 500
        )
        with own.transport.consumer(names.inbox_queue) as consumer:
            held = take(consumer, 100)
            restarted(node)
            with pytest.raises(ConnectionLost):
                take(consumer, 500)
            consumer.ack(held)  # too late: they come again
        result = publisher.publish([outgoing(500)], names.inbox_exchange, deadline_seconds=30)
        if not result.confirmed:
            result = publisher.publish([outgoing(500)], names.inbox_exchange, deadline_seconds=30)
        assert result.confirmed == {"500"}
    with reopened(lambda: own.transport.consumer(names.inbox_queue)) as consumer:
        deliveries = take(consumer, 501)
        consumer.ack(deliveries)
    assert sorted(numbers(deliveries)) == list(range(501))


def test_a_memory_alarm_is_a_timeout_and_never_a_hang(node: Node, own: RabbitStack) -> None:
    names = own.topology
    with (
        own.transport.publisher() as publisher,
        own.transport.consumer(names.inbox_queue) as consumer,
    ):
        publisher.publish([outgoing(0)], names.inbox_exchange, deadline_seconds=10)
        node.run("set_vm_memory_high_watermark", "0.00001")
        try:
            began = time.monotonic()
            messages = [outgoing(number) for number in range(1, 11)]
            blocked = publisher.publish(messages, names.inbox_exchange, deadline_seconds=1.5)
            assert time.monotonic() - began < 5
            assert set(blocked.failed.values()) == {"timeout"}
            assert len(blocked.failed) == 10
            # Only publishing connections are blocked: what is there can still be worked off.
            consumer.ack(take(consumer, 1))
        finally:
            node.run("set_vm_memory_high_watermark", "0.6")
        again = publisher.publish(messages, names.inbox_exchange, deadline_seconds=20)
        assert again.confirmed == {str(number) for number in range(1, 11)}
        arrived = take(consumer, 10)
        arrived += consumer.receive(500, 1)
        consumer.ack(arrived)
    assert set(numbers(arrived)) == set(range(1, 11))


@pytest.fixture(scope="module")
def certificate(node: Node) -> tuple[Path, Path]:
    """A certificate for `localhost`, signed by itself."""
    key, certificate = node.folder / "key.pem", node.folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


def test_tls_trusts_the_named_authority_and_no_other_host(
    node: Node, own: RabbitStack, certificate: tuple[Path, Path]
) -> None:
    key, cert = certificate
    port = free_port()
    options = f'[{{certfile,"{cert}"}},{{keyfile,"{key}"}}]'
    node.run("eval", f"rabbit_networking:start_ssl_listener({port}, {options}, 1).")
    names = own.topology

    trusted = RabbitTransport(f"amqps://guest:guest@localhost:{port}/?cafile={cert}", SHORT_LEASE)
    assert trusted.missing(names) == []
    with trusted.publisher() as publisher:
        result = publisher.publish([outgoing(1)], names.inbox_exchange, deadline_seconds=10)
    assert result.confirmed == {"1"}
    with trusted.consumer(names.inbox_queue) as consumer:
        consumer.ack(take(consumer, 1))

    wrong_name = f"amqps://guest:guest@127.0.0.1:{port}/?cafile={cert}"
    with pytest.raises(Refused, match="could not be trusted: IP address mismatch"):
        RabbitTransport(wrong_name, SHORT_LEASE).consumer(names.inbox_queue)
    stranger = f"amqps://guest:guest@localhost:{port}/"
    with pytest.raises(Refused, match="could not be trusted: self-signed certificate"):
        RabbitTransport(stranger, SHORT_LEASE).missing(names)
    named = f"amqps://guest:guest@127.0.0.1:{port}/?cafile={cert}&server_name=localhost"
    assert RabbitTransport(named, SHORT_LEASE).missing(names) == []


def test_tls_by_an_authority_that_asks_for_our_certificate_too(
    node: Node, own: RabbitStack
) -> None:
    """A throw-away authority signs both sides; a stranger's certificate opens nothing."""
    folder = node.folder
    authority, stranger = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    stranger.cert_pem.write_to_path(folder / "stranger.pem")
    for name, issuer in (("server", authority), ("ours", authority), ("theirs", stranger)):
        issued = issuer.issue_cert("localhost")
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    port = free_port()
    node.run(
        "eval",
        f'rabbit_networking:start_ssl_listener({port}, [{{cacertfile,"{folder}/ca.pem"}},'
        f'{{certfile,"{folder}/server.pem"}},{{keyfile,"{folder}/server.key"}},'
        "{verify,verify_peer},{fail_if_no_peer_cert,true}], 1).",
    )
    names = own.topology

    def missing(query: str) -> list[str]:
        url = f"amqps://guest:guest@localhost:{port}/?{query}"
        return RabbitTransport(url, SHORT_LEASE).missing(names)

    ours = f"cafile={folder}/ca.pem&certfile={folder}/ours.pem&keyfile={folder}/ours.key"
    assert missing(ours) == []
    with pytest.raises(TransportError):
        missing(f"cafile={folder}/ca.pem")
    with pytest.raises(TransportError):
        missing(ours.replace("ours", "theirs"))
    with pytest.raises(Refused, match="could not be trusted"):
        missing(ours.replace("cafile=" + str(folder) + "/ca.pem", f"cafile={folder}/stranger.pem"))


@pytest.fixture(scope="module")
def management(node: Node) -> str:
    """The address of the management API, switched on for this file."""
    port = free_port()
    node.run("eval", f"application:set_env(rabbitmq_management, tcp_config, [{{port, {port}}}]).")
    node.run("enable", "rabbitmq_management", program="rabbitmq-plugins")
    return f"http://127.0.0.1:{port}"


def test_bindings_and_policies_are_checked_through_the_management_api(
    node: Node, own: RabbitStack, management: str
) -> None:
    names = own.topology
    prefix = names.inbox_exchange.removesuffix(".in")
    transport = RabbitTransport(f"{node.url}?management={management}", SHORT_LEASE)
    report = transport.check(names)
    assert (report.differences, report.unchecked) == ((), ())

    with own.channel() as channel:
        channel.queue_unbind(names.inbox_queue, names.inbox_exchange, "#")
        channel.queue_bind(names.inbox_queue, names.out_exchange, "Ready.#")
    node.run("set_policy", "short", f"^{prefix}[.]dead$", '{"message-ttl": 1000}')
    differences = transport.check(names).differences
    deadline = time.monotonic() + 20
    while len(differences) < 3 and time.monotonic() < deadline:
        time.sleep(0.5)  # the management database is a few seconds behind
        differences = transport.check(names).differences
    found = {(each.kind, each.argument): each.found for each in differences}
    assert found == {
        ("binding", "#"): "missing",
        ("binding", "Ready.#"): "bound",
        ("policy", "message-ttl"): "1000",
    }
    again = transport.check(names).differences
    assert {each.argument for each in again} == {"#", "Ready.#", "message-ttl"}, "nothing changed"


def test_a_management_api_that_refuses_us_is_reported(
    node: Node, own: RabbitStack, management: str
) -> None:
    node.run("add_user", "plain", "pass")
    node.run("set_permissions", "plain", ".*", ".*", ".*")
    url = services.with_user(node.url, "plain", "pass") + f"?management={management}"
    report = RabbitTransport(url, SHORT_LEASE).check(own.topology)
    assert report.differences == ()
    [said] = report.unchecked
    assert "answered 401" in said
    assert "pass" not in said.replace("plain", "")
