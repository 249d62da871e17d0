"""One cluster and one pair for all of these tests; each test gets them whole, and room of its own.

What a test killed is started again for the next one. The counts that each test saw are printed at
the end of the run.
"""

import signal
from collections.abc import Iterator

import pytest

from scripts.cluster import Cluster, running
from scripts.with_services import leave, scratch_folder
from tests.support.services import unique_name
from tests.support.stack import Stack

SEEN = pytest.StashKey[list[str]]()

# Small batches, so that whatever is killed is killed in the middle of several; and short patience.
SETTINGS = {
    "BACKSHIP_BATCH_SIZE_MAX": "50",
    "BACKSHIP_CONNECT_SECONDS_MAX": "5",
    "BACKSHIP_HEARTBEAT_SECONDS": "10",
    "BACKSHIP_PUBLISH_SECONDS_MAX": "5",
}


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SEEN] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[SEEN]:
        terminalreporter.write_line(line)


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the end of the run."""
    return request.config.stash[SEEN]


@pytest.fixture(scope="session")
def servers() -> Iterator[Cluster]:
    """All of them, stopped at the end however it comes."""
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with scratch_folder() as folder, running(folder) as cluster:
            yield cluster
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def cluster(servers: Cluster) -> Cluster:
    """The same, with every node and both databases at work."""
    brokers, databases = servers.brokers, servers.databases
    for node in brokers.nodes:
        if not node.runs:
            brokers.launch(node)
    for node in brokers.nodes:
        brokers.wait(node)
    databases.restore()
    return servers


@pytest.fixture
def stack(cluster: Cluster) -> Stack:
    """A database and a topology of this test's own, declared."""
    name = unique_name("bs")
    cluster.databases.primary.ask(f'CREATE DATABASE "{name}"')
    stack = Stack(cluster.databases.url_of(name), cluster.brokers.url, name, SETTINGS)
    stack.init()
    return stack
