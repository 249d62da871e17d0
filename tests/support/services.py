"""The servers the tests talk to: where they are, and room of one's own on them.

1. Where: `BACKSHIP_TEST_AMQP_URL` and `BACKSHIP_TEST_POSTGRES_URL`, else the standard local ports.
   `scripts/with-services` finds or starts them and sets the two variables.
2. Room: a virtual host per test process, a database per test; both named so that no two processes
   meet, both removed afterwards.
3. Without: `SERVICES=none` deselects what needs a server, loudly. Nothing else does: a server that
   does not answer is a failing test, never a skipped one.
"""

import os
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import pika
from pika.exceptions import AMQPError
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from store.dialects.base import Limits
from workers.topology import topology

AMQP_URL_STANDARD = "amqp://guest:guest@127.0.0.1:5672/"
POSTGRES_URL_STANDARD = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"

RABBITMQCTL_SECONDS_MAX = 60


def amqp_url() -> str:
    """The RabbitMQ of this run, on the virtual host it was given with."""
    return os.environ.get("BACKSHIP_TEST_AMQP_URL") or AMQP_URL_STANDARD


def postgres_url() -> str:
    """The PostgreSQL of this run, as a user who may create databases."""
    return os.environ.get("BACKSHIP_TEST_POSTGRES_URL") or POSTGRES_URL_STANDARD


def services_wanted() -> bool:
    """Whether tests that need a server run; only `SERVICES=none` says no."""
    return os.environ.get("SERVICES") != "none"


def isolation() -> str:
    """The isolation this run's databases are opened with: `read_committed` or `serializable`."""
    return os.environ.get("BACKSHIP_TEST_ISOLATION") or "read_committed"


def limits() -> Limits:
    """What the tests' own databases are opened with."""
    return Limits(isolation=isolation().replace("_", " ").upper())


def without_password(url: str) -> str:
    """The same address, fit for a terminal."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user_at = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{user_at[2]}"))


def with_vhost(url: str, vhost: str) -> str:
    """The same broker and user, on another virtual host."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{vhost}"))


def with_user(url: str, user: str, password: str) -> str:
    """The same broker and virtual host, as another user."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"))


def unique_name(stem: str) -> str:
    """A name no other process or test uses: the process's number and three random bytes."""
    return f"{stem}_{os.getpid()}_{secrets.token_hex(3)}"


# ---------------------------------------------------------------- RabbitMQ


class RabbitmqctlRefusedError(Exception):
    """`rabbitmqctl` is not here, not allowed, or does not reach the node."""


def rabbitmqctl(*arguments: str, given: str = "") -> str:
    """Run `rabbitmqctl` against the node of this run, `given` to read; return what it printed.

    `BACKSHIP_TEST_RABBITMQCTL` is the whole command line where the node is not the machine's own,
    for example `docker compose exec -T rabbitmq rabbitmqctl`.
    """
    command = shlex.split(os.environ.get("BACKSHIP_TEST_RABBITMQCTL") or "rabbitmqctl")
    try:
        done = subprocess.run(
            [*command, *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=RABBITMQCTL_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise RabbitmqctlRefusedError(f"{command[0]} did not run: {failure}") from failure
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise RabbitmqctlRefusedError(f"rabbitmqctl {' '.join(arguments)}: {said}")
    return done.stdout


@contextmanager
def own_vhost(url: str) -> Iterator[str]:
    """An empty virtual host on that broker while the block runs; yields its URL.

    Where `rabbitmqctl` is refused, or is another node's than the URL's, the given virtual host
    serves: each test has a topology prefix of its own anyway.
    """
    vhost = unique_name("backship_test")
    user = urlsplit(url).username or "guest"
    try:
        rabbitmqctl("add_vhost", vhost)
    except RabbitmqctlRefusedError:
        yield url
        return
    try:
        rabbitmqctl("set_permissions", "-p", vhost, user, ".*", ".*", ".*")
        own_url = with_vhost(url, vhost)
        yield own_url if broker_answers(own_url) else url
    finally:
        rabbitmqctl("delete_vhost", vhost)


def broker_answers(url: str) -> bool:
    """Whether that user can open a connection on that virtual host."""
    try:
        pika.BlockingConnection(pika.URLParameters(url)).close()
    except (AMQPError, OSError):
        return False
    return True


def delete_topology(url: str, prefix: str) -> None:
    """Remove every exchange and queue of a topology; those that are not there do not matter."""
    declared = topology(prefix)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    try:
        channel = connection.channel()
        for queue in declared.queues:
            channel.queue_delete(queue.name)
        for exchange in declared.exchanges:
            channel.exchange_delete(exchange.name)
    finally:
        connection.close()


# ---------------------------------------------------------------- PostgreSQL


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """An empty database on that server while the block runs; yields its URL."""
    name = unique_name("backship_test")
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            # FORCE: a test may have killed a process whose connection the server still holds open.
            with server.connect() as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    finally:
        server.dispose()
