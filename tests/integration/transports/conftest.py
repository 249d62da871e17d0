"""The same tests on every transport: `stack` keeps the promise, `any_stack` has kombu's beside."""

from pathlib import Path

import pytest

from tests.support.transports import EmbeddedStack, KombuStack, RabbitStack, Stack

PROMISING = [
    pytest.param("rabbitmq", id="rabbitmq", marks=pytest.mark.broker),
    pytest.param("embedded", id="embedded"),
]


@pytest.fixture(params=PROMISING)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """A transport that keeps the promise, with its topology declared."""
    return _stack(request, tmp_path)


@pytest.fixture(params=[*PROMISING, pytest.param("kombu-memory", id="kombu-memory")])
def any_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """Any transport, with its topology declared."""
    return _stack(request, tmp_path)


@pytest.fixture
def rabbit(vhost_url: str, topology_prefix: str, tmp_path: Path) -> RabbitStack:
    """RabbitMQ alone."""
    made = RabbitStack(vhost_url, topology_prefix, tmp_path)
    made.transport.declare(made.topology)
    return made


@pytest.fixture
def embedded(topology_prefix: str, tmp_path: Path) -> EmbeddedStack:
    """The embedded transport alone."""
    made = EmbeddedStack(topology_prefix, tmp_path)
    made.transport.declare(made.topology)
    return made


def _stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    # The virtual host first: the prefix's fixture deletes what is under it only where there is one.
    url = request.getfixturevalue("vhost_url") if request.param == "rabbitmq" else ""
    prefix = request.getfixturevalue("topology_prefix")
    made: Stack
    if request.param == "rabbitmq":
        made = RabbitStack(url, prefix, tmp_path)
    elif request.param == "embedded":
        made = EmbeddedStack(prefix, tmp_path)
    else:
        made = KombuStack(prefix, tmp_path)
    made.transport.declare(made.topology)
    return made
