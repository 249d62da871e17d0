"""Fixtures every test may ask for: servers with room of one's own, and how random tests run.

Nothing imports from here; what tests share by import stands in `tests/support`.
"""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import services

# A failing example prints the line that repeats it (`@reproduce_failure`), and its seed with it.
# No deadline: a shared two-core machine pauses longer than any honest limit.
_SLOW_IS_FINE = (HealthCheck.too_slow,)
settings.register_profile(
    "dev", max_examples=50, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "ci", max_examples=200, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile(
    "long", max_examples=5000, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

THREAD_SECONDS_MAX = 10.0

# What takes long to set up is set up once: of tests run side by side, these stay together.
_SHARED = ("left", "image", "node", "server", "broker", "cluster", "deployment", "served")

# Whoever asks for one of these needs its server, marked or not.
_MARK_OF_FIXTURE = {
    "vhost_url": "broker",
    "postgres_database_url": "postgres",
}


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        asked = getattr(item, "fixturenames", ())
        for fixture, mark in _MARK_OF_FIXTURE.items():
            if fixture in asked:
                item.add_marker(mark)
        for fixture in _SHARED:
            if fixture in asked:
                item.add_marker(pytest.mark.xdist_group(fixture))
    if services.services_wanted():
        return
    config.hook.pytest_deselected(items=[item for item in items if _needs_a_server(item)])
    items[:] = [item for item in items if not _needs_a_server(item)]


def _needs_a_server(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(mark) for mark in _MARK_OF_FIXTURE.values())


def pytest_report_header() -> str:
    if not services.services_wanted():
        return "servers: NONE (SERVICES=none): tests of RabbitMQ and PostgreSQL are left out"
    rabbitmq = services.without_password(services.amqp_url())
    postgresql = services.without_password(services.postgres_url())
    return f"servers: {rabbitmq}  {postgresql}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not services.services_wanted():
        terminalreporter.section("NOT the whole suite", yellow=True, bold=True)
        terminalreporter.line("SERVICES=none: nothing that needs RabbitMQ or PostgreSQL was run.")


# ---------------------------------------------------------------- what a test leaves behind


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """A thread that goes on would disturb other tests, and in a worker would be a leak."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    deadline = time.monotonic() + THREAD_SECONDS_MAX
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    names = [thread.name for thread in left if thread.is_alive()]
    assert names == [], f"threads that have not ended: {names}"


# ---------------------------------------------------------------- RabbitMQ


@pytest.fixture(scope="session")
def vhost_url() -> Iterator[str]:
    """A virtual host of this process's own, removed at the end."""
    with services.own_vhost(services.amqp_url()) as url:
        yield url


@pytest.fixture
def topology_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """The first word of this test's exchanges and queues, which are deleted afterwards."""
    prefix = services.unique_name("bs")
    on_broker = "vhost_url" in request.fixturenames
    url = request.getfixturevalue("vhost_url") if on_broker else None
    yield prefix
    if url is not None:
        services.delete_topology(url, prefix)


# ---------------------------------------------------------------- databases


@pytest.fixture
def postgres_database_url() -> Iterator[str]:
    """A fresh, empty PostgreSQL database, dropped afterwards."""
    with services.own_database(services.postgres_url()) as url:
        yield url


@pytest.fixture
def sqlite_database_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'backship.db'}"


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database of each kind in turn: one suite, both engines."""
    url: str = request.getfixturevalue(f"{request.param}_database_url")
    return url
