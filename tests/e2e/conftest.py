"""What the tests of whole programs share: a stack of each kind, and one run of the demo."""

from collections.abc import Mapping

import pytest

from tests.support.demo import Left, run_demo
from tests.support.stack import FreshStack, Stack


@pytest.fixture(
    params=[
        pytest.param("embedded", id="embedded"),
        pytest.param("servers", id="servers", marks=[pytest.mark.broker, pytest.mark.postgres]),
    ]
)
def fresh_stack(request: pytest.FixtureRequest) -> FreshStack:
    """Make a stack with the settings given: embedded, then RabbitMQ with PostgreSQL."""

    def fresh(more: Mapping[str, str]) -> Stack:
        if request.param == "embedded":
            stack = Stack(request.getfixturevalue("sqlite_database_url"), None, "bs", dict(more))
        else:
            broker = request.getfixturevalue("vhost_url")
            prefix = request.getfixturevalue("topology_prefix")
            url = request.getfixturevalue("postgres_database_url")
            stack = Stack(url, broker, prefix, dict(more))
        stack.init()
        return stack

    return fresh


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """One run of the demo, looked at by every test that changes nothing."""
    return run_demo(tmp_path_factory.mktemp("demo"))
