"""Stacks for the faults of brokers: RabbitMQ on a virtual host of one's own, and the embedded."""

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.support.fault_proxy import FaultProxy
from tests.support.quick import QUICK
from tests.support.stack import Stack


@pytest.fixture
def rabbit(vhost_url: str, topology_prefix: str, sqlite_database_url: str) -> Stack:
    """RabbitMQ with a database in a file."""
    made = Stack(sqlite_database_url, vhost_url, topology_prefix, QUICK)
    made.init()
    return made


@pytest.fixture
def embedded(sqlite_database_url: str) -> Stack:
    """The embedded default."""
    made = Stack(sqlite_database_url, None, "bs", QUICK)
    made.init()
    return made


@pytest.fixture(
    params=[
        pytest.param("embedded", id="embedded"),
        pytest.param("rabbit", id="rabbitmq", marks=pytest.mark.broker),
    ]
)
def stack(request: pytest.FixtureRequest) -> Stack:
    """One suite, both transports."""
    # The virtual host first: the prefix's fixture deletes what is under it only where there is one.
    made: Stack = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def network(vhost_url: str) -> Iterator[FaultProxy]:
    """The way to the broker."""
    parts = urlsplit(vhost_url)
    with FaultProxy(parts.hostname or "127.0.0.1", parts.port or 5672) as proxy:
        yield proxy


@pytest.fixture
def behind(rabbit: Stack, network: FaultProxy) -> Stack:
    """The same stack as its worker sees it: the broker lies behind the network."""
    return behind_network(rabbit, network)


def behind_network(stack: Stack, network: FaultProxy) -> Stack:
    parts = urlsplit(stack.broker_url or "")
    user = parts.netloc.rpartition("@")[0]
    url = urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{network.port}"))
    return Stack(stack.database_url, url, stack.prefix, stack.more)
