"""Reading BROKER_URL: hosts, defaults, certificates; and never a password in a text."""

import ssl
from pathlib import Path

import pytest

from workers.transports.amqp_address import read_amqp_address, shown
from workers.transports.base import TransportOptions
from workers.transports.errors import BadAddress


def test_everything_is_read() -> None:
    [host] = read_amqp_address("amqp://shop%40main:p%2Fss@mq.example:5673/back%2Fship")
    assert (host.host, host.port, host.vhost) == ("mq.example", 5673, "back/ship")
    assert (host.user, host.password) == ("shop@main", "p/ss")
    assert host.context is None


@pytest.mark.parametrize("url", ["amqp://", "amqp://localhost", "amqp://localhost/"])
def test_what_is_left_out_is_rabbitmqs_own_default(url: str) -> None:
    [host] = read_amqp_address(url)
    assert (host.host, host.port, host.vhost) == ("localhost", 5672, "/")
    assert (host.user, host.password) == ("guest", "guest")
    assert host.management_url == "http://localhost:15672"


def test_several_hosts_are_parted_by_semicolons() -> None:
    hosts = read_amqp_address("amqp://u:secret@a/v; amqp://u:secret@b:5673/v")
    assert [(host.host, host.port) for host in hosts] == [("a", 5672), ("b", 5673)]
    assert shown(hosts) == "amqp://u@a:5672/v;amqp://u@b:5673/v"


def test_parameters_keep_heartbeats_limits_and_a_name_for_the_operator() -> None:
    [host] = read_amqp_address("amqp://u:secret@a/v")
    parameters = host.parameters(TransportOptions(heartbeat_seconds=7), "consumer x")
    assert parameters.heartbeat == 7
    assert parameters.blocked_connection_timeout == 30
    assert parameters.socket_timeout == parameters.stack_timeout == 10
    assert parameters.connection_attempts == 1
    assert parameters.client_properties == {"connection_name": "backship consumer x"}
    assert parameters.ssl_options is None


def test_tls_always_checks_the_certificate_and_the_host() -> None:
    [host] = read_amqp_address("amqps://u:secret@mq.example/v")
    assert (host.port, host.management_url) == (5671, "https://mq.example:15671")
    assert host.context is not None
    assert host.context.check_hostname
    assert host.context.verify_mode is ssl.CERT_REQUIRED
    options = host.parameters(TransportOptions(), "x").ssl_options
    assert options is not None
    assert options.server_hostname == "mq.example"
    [named] = read_amqp_address("amqps://10.0.0.1/?server_name=mq.example")
    options = named.parameters(TransportOptions(), "x").ssl_options
    assert options is not None
    assert options.server_hostname == "mq.example"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("http://u:secret@a", "must begin with amqp:// or amqps://", id="scheme"),
        pytest.param("amqp://u:secret@a;", "address 2, must begin", id="empty-second"),
        pytest.param("amqp://u:secret@a:port/", "host or port is malformed", id="port"),
        pytest.param("amqp://u:secret@[a/", "host or port is malformed", id="bracket"),
        pytest.param("amqp://u:secret@a/v#x", "holds a #", id="fragment"),
        pytest.param("amqp://u:secret@a/v?heartbeet=3", "unknown parameter 'heartbeet'", id="typo"),
        pytest.param("amqp://u:secret@a/v?cafile=/x", "only amqps:// uses one", id="plain-ca"),
        pytest.param("amqp://a/?management=ftp://x", "neither http nor https", id="management"),
        pytest.param("amqps://u:secret@a/?cafile=/no/such/file", "No such file", id="no-ca"),
    ],
)
def test_a_mistake_is_named_without_the_password(url: str, reason: str) -> None:
    with pytest.raises(BadAddress, match="BROKER_URL, address") as raised:
        read_amqp_address(url)
    assert reason in str(raised.value)
    assert "secret" not in str(raised.value)
    # Nor in the error behind it, which a stack trace would show.
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    letter = tmp_path / "letter.pem"
    letter.write_text("Dear aunt,")
    with pytest.raises(BadAddress, match="certificate that cannot be used"):
        read_amqp_address(f"amqps://a/?cafile={letter}")


def test_a_password_is_in_no_representation() -> None:
    [host] = read_amqp_address("amqp://u:secret@a/v")
    assert "secret" not in repr(host) + str(host) + host.shown
