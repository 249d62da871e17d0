"""A whole stack for end-to-end tests: a database, a broker, and workers as real processes."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import text

from config.settings import Settings, read
from events.codec import envelope_of
from events.envelope import Event
from events.routing import inbound_key
from store import migrations
from store.audit.inspection import inspect
from tests.support.services import isolation
from workers.crash import VARIABLE
from workers.transports.base import OutgoingMessage
from workers.wiring import House, opened

WORKER_SECONDS_MAX = 60
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Stack:
    """Where everything is. The settings reach worker processes as their environment."""

    database_url: str
    broker_url: str | None
    prefix: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """The settings a worker of this stack reads."""
        more = {"BACKSHIP_DATABASE_ISOLATION": isolation(), **self.more}
        names = {name.removeprefix("BACKSHIP_").lower(): value for name, value in more.items()}
        return read(
            database_url=self.database_url,
            broker_url=self.broker_url,
            topology_prefix=self.prefix,
            **names,
        )

    def init(self) -> None:
        """Do what `backship init` does."""
        with opened(self.settings) as house:
            migrations.upgrade(house.database)
            house.transport.declare(house.topology)

    def publish(self, messages: Sequence[OutgoingMessage]) -> None:
        """Send messages to the inbox; every one is confirmed."""
        with opened(self.settings) as house, house.transport.publisher() as publisher:
            for start in range(0, len(messages), 1000):
                window = messages[start : start + 1000]
                result = publisher.publish(
                    window, house.topology.inbox_exchange, deadline_seconds=30
                )
                assert not result.failed

    def work(self) -> None:
        """Run one worker in this process until nothing is left."""
        with opened(self.settings) as house:
            house.ready()
            house.worker().run(burst=True)

    def worker(
        self, *, crash_at: str | None = None, program: str = "console"
    ) -> "subprocess.Popen[bytes]":
        """Start `backship worker --burst` as a process; `program`: a patched one instead."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
            "BACKSHIP_DATABASE_URL": self.database_url,
            "BACKSHIP_BROKER_URL": self.broker_url or "",
            "BACKSHIP_TOPOLOGY_PREFIX": self.prefix,
            "BACKSHIP_DATABASE_ISOLATION": isolation(),
            **self.more,
        }
        if crash_at is not None:
            environment[VARIABLE] = crash_at
        return subprocess.Popen(
            [sys.executable, "-m", program, "worker", "--burst"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def burst(self, *, crash_at: str | None = None, program: str = "console") -> int:
        """Run `backship worker --burst` to its end; return the exit status."""
        process = self.worker(crash_at=crash_at, program=program)
        _out, err = process.communicate(timeout=WORKER_SECONDS_MAX)
        assert process.returncode in {0, KILLED}, err.decode()
        return process.returncode

    def differences(self) -> list[object]:
        """Return what `backship audit` finds wrong; nothing, if every counter can be derived."""
        with opened(self.settings) as house, house.database.read() as tx:
            return list(inspect(tx, house.settings.rules())["differences"])

    def published(self) -> Counter[str]:
        """Take what came out (nobody has bound a queue, so it is kept unrouted): ids, counted."""
        seen: Counter[str] = Counter()
        with (
            opened(self.settings) as house,
            house.transport.consumer(house.topology.unrouted_queue) as consumer,
        ):
            while deliveries := consumer.receive(1000, 0.5):
                seen.update(orjson.loads(row.body)["id"] for row in deliveries)
                consumer.ack(deliveries)
        return seen

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the database."""
        with opened(self.settings) as house:
            return rows_of(house, sql)

    def value(self, sql: str) -> object:
        """Ask the database for one value."""
        ((value,),) = self.rows(sql)
        return value


FreshStack = Callable[[Mapping[str, str]], Stack]
"""Makes a stack with these settings (the fixture `fresh_stack`)."""


def rows_of(house: House, sql: str) -> list[tuple[object, ...]]:
    """Ask the database of an open house."""
    with house.database.read() as tx:
        return [tuple(row) for row in tx.connection.execute(text(sql))]


def outgoing(event: Event) -> OutgoingMessage:
    """Return an event as its sender would publish it."""
    body = envelope_of(
        event.data,
        id=event.id,
        source=event.source,
        type=event.type,
        time=event.time,
        traceparent=event.traceparent,
    )
    return OutgoingMessage(event.id, event.type, inbound_key(event), body, None)
