"""Which transport an address means, and what it costs to ask."""

import subprocess
import sys
from pathlib import Path

import pytest

from workers.topology import topology
from workers.transports.base import Transport, TransportOptions
from workers.transports.errors import BadAddress
from workers.transports.open import open_transport

HERE = Path("queue.db")


def opened(url: str | None) -> Transport:
    return open_transport(url, HERE, TransportOptions(), prefix="backship")


@pytest.mark.parametrize(
    ("url", "name", "promise_kept", "address"),
    [
        (None, "embedded", True, "queue.db"),
        ("backship-sqlite:////var/lib/q.db", "embedded", True, "/var/lib/q.db"),
        ("backship-sqlite:///q%20q.db", "embedded", True, "q q.db"),
        ("amqp://u:secret@a/v", "rabbitmq", True, "amqp://u@a:5672/v"),
        (
            "amqp://u:secret@a/v;amqp://b/v",
            "rabbitmq",
            True,
            "amqp://u@a:5672/v;amqp://guest@b:5672/v",
        ),
        ("AMQP://a/v", "rabbitmq", True, "amqp://guest@a:5672/v"),
        ("memory://", "kombu", False, "memory"),
        ("pyamqp://u:secret@a//", "kombu", False, "u:**@a"),
    ],
)
def test_the_scheme_decides(
    url: str | None, name: str, address: str, *, promise_kept: bool
) -> None:
    transport = opened(url)
    assert transport.name == name
    assert transport.promise_kept is promise_kept
    assert address in transport.address
    assert "secret" not in transport.address


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("backship-sqlite://host/q.db", "is not backship-sqlite:///PATH"),
        ("backship-sqlite:///", "is not backship-sqlite:///PATH"),
        ("carrier-pigeon://loft", "No such transport: carrier-pigeon"),
        ("redis://u:secret@localhost/0", "no driver for redis:// here"),
    ],
)
def test_an_address_nobody_can_use_is_one_sentence(url: str, reason: str) -> None:
    with pytest.raises(BadAddress, match="BROKER_URL") as raised:
        opened(url)
    assert reason in str(raised.value)
    assert "secret" not in str(raised.value)


def test_nothing_heavy_is_imported_before_a_transport_is_opened() -> None:
    program = (
        "import sys, workers.transports.open, workers.topology, workers.transports.errors\n"
        "print({'pika', 'kombu', 'amqp', 'sqlite3', 'ssl'} & set(sys.modules))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "set()"


def test_the_topology_catches_before_it_feeds() -> None:
    """Whatever names another object is declared after it: at no instant has a message no place."""
    names = topology("bs")
    declared: set[str] = set()
    for exchange in names.exchanges:
        assert exchange.alternate is None or exchange.alternate in declared
        declared.add(exchange.name)
    for queue in names.queues:
        assert queue.dead_letter_exchange is None or queue.dead_letter_exchange in declared
    assert names.queues[-1].name == names.inbox_queue
    assert names.bindings[-1].exchange == names.inbox_exchange


def test_every_queue_has_an_explicit_positive_delivery_limit() -> None:
    """-1 and 0 mean "dead at once" on RabbitMQ 3.10, none means 20 and a loss on 4.x."""
    limits = {queue.name: queue.arguments["x-delivery-limit"] for queue in topology("bs").queues}
    assert limits == {"bs.inbox": 20, "bs.dead": 1_000_000, "bs.unrouted": 1_000_000}


def test_the_inbox_dies_at_least_once_or_not_at_all() -> None:
    [inbox] = [queue for queue in topology("bs").queues if queue.name == "bs.inbox"]
    assert inbox.arguments == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": "bs.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
