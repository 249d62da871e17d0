"""The composition root: settings become a database, a transport, a worker; nowhere else."""

import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import packages_distributions
from math import ceil
from pathlib import Path
from types import FrameType

from config.logs import logger
from config.settings import Settings
from store.dialects.base import Limits
from store.errors import Refused, Unavailable
from store.transaction import Database
from workers.chores import Chore
from workers.clock import Clock, SystemClock
from workers.collector import COLLECT_SECONDS, collect
from workers.housekeeping import LOOK_SECONDS, Housekeeper
from workers.last_resort import GRACE_SECONDS, end_after
from workers.meter import Meter
from workers.monitor import Member, monitored
from workers.process import Desk
from workers.relay import Relay
from workers.retry import reaching_a_server, saying
from workers.topology import topology
from workers.transports.base import Transport, TransportOptions
from workers.transports.errors import ConnectionLost, TopologyMissing
from workers.transports.open import open_transport
from workers.unfinished import StepSize
from workers.wary import YOUNG_SECONDS
from workers.worker import Pace, Worker

PACKAGES = ("config", "console", "events", "handlers", "store", "workers")
_GC_THRESHOLD = 50_000
QUEUE_FILE = "backship-queue.db"  # the embedded queue where the database is no SQLite file


class NamesTaken(Exception):  # noqa: N818 - names what happened
    """Another distribution in this environment owns one of our package names."""


def check_names() -> None:
    """Say plainly if a stranger's `events` or `config` is installed beside us (decision 0001)."""
    owners = packages_distributions()
    for name in PACKAGES:
        strangers = sorted(set(owners.get(name, ())) - {"backship"})
        if strangers:
            message = (
                f"{', '.join(strangers)} also installs a package named {name}; "
                "give Backship an environment of its own"
            )
            raise NamesTaken(message)


def open_database(settings: Settings) -> Database:
    """Return the database of these settings, not connected yet."""
    return Database(
        settings.database_url,
        Limits(
            connect_seconds_max=ceil(settings.connect_seconds_max),
            statement_seconds_max=settings.statement_seconds_max,
            lock_seconds_max=settings.lock_seconds_max,
            # The relay's transaction is open while the broker confirms a window.
            idle_in_transaction_seconds_max=60 + ceil(settings.publish_seconds_max),
            isolation=settings.database_isolation.replace("_", " ").upper(),
        ),
    )


def open_broker(settings: Settings, database: Database) -> Transport:
    """Return the broker of these settings: RabbitMQ, any kombu URL, or the embedded default."""
    return open_transport(
        settings.broker_url,
        database.file or Path(QUEUE_FILE),
        TransportOptions(
            batch_size_max=settings.batch_size_max,
            batch_wait_ms_max=settings.batch_wait_ms_max,
            prefetch_batches=settings.prefetch_batches,
            publish_window_max=settings.relay_window_max,
            heartbeat_seconds=settings.heartbeat_seconds,
            connect_seconds_max=settings.connect_seconds_max,
            embedded_lease_seconds=settings.embedded_lease_seconds,
            embedded_poll_ms=settings.embedded_poll_ms,
        ),
        prefix=settings.topology_prefix,
    )


@contextmanager
def opened(settings: Settings, clock: Clock | None = None) -> Iterator["House"]:
    """Open everything and close it again."""
    database = open_database(settings)
    transport = open_broker(settings, database)
    try:
        yield House(settings, database, transport, clock or SystemClock())
    finally:
        transport.close()
        database.close()


class House:
    """Everything that is open: what commands and workers are built from."""

    def __init__(
        self, settings: Settings, database: Database, transport: Transport, clock: Clock
    ) -> None:
        self.settings = settings
        self.database = database
        self.transport = transport
        self.clock = clock
        self.topology = topology(settings.topology_prefix)
        wait = timedelta(hours=settings.wait_hours)
        young_until = clock.monotonic() + YOUNG_SECONDS
        self.desk = Desk(database, settings.rules(), clock, wait, young_until)

    def measure(self, meter: Meter) -> None:
        """Let what is built from here on tell this meter."""
        self.desk = replace(self.desk, meter=meter)

    def ready(self) -> None:
        """Raise what is missing before any work: tables (SchemaError), queues (TopologyMissing)."""
        self.database.check_schema()
        missing = self.transport.missing(self.topology)
        if missing:
            raise TopologyMissing(missing[0])
        if not self.transport.promise_kept:
            logger().warning(
                "promise_not_kept",
                broker=self.transport.address,
                reason="on this broker a message can be lost when a worker is killed; "
                "only the embedded default and amqp:// keep the promise that nothing is",
            )

    def worker(self) -> Worker:
        """Build a worker of these settings."""
        settings = self.settings
        relay = Relay(
            self.database,
            self.transport,
            self.topology.out_exchange,
            self.clock,
            settings.relay_window_max,
            settings.publish_seconds_max,
            self.desk.meter,
        )
        pace = Pace(
            settings.batch_size_max,
            StepSize(
                settings.walk_step_skus_max,
                settings.batch_size_max,
                settings.fill_step_lines_max,
            ),
            settings.shutdown_seconds_max,
        )
        return Worker(self.desk, self.transport, self.topology, relay, pace, self.chores())

    def chores(self) -> list[Chore]:
        """Return what a worker does beside its batches."""
        dead = self.topology.dead_queue
        housekeeper = Housekeeper(self.database, self.clock, self.settings)
        return [
            Chore(
                "collect",
                COLLECT_SECONDS,
                lambda: collect(self.desk, self.transport, dead),
                in_burst=True,
            ),
            Chore("housekeeping", LOOK_SECONDS, housekeeper.turn),
        ]


def ease_collection() -> None:
    """Let the garbage collector look at batches less often.

    A batch makes some ten thousand objects that all die together, hardly any of them in cycles: at
    the standard threshold of 700 the collector walks them many times over, a third of the time of
    `decide`. What is there at the start is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)


def run_worker(settings: Settings, *, burst: bool, member: Member | None = None) -> None:
    """Run one worker until SIGTERM or SIGINT; a second signal ends it at once.

    What hangs when its time is over, a statement behind a foreign lock perhaps, is left to hang:
    the process ends, and what it had in hand is delivered again.
    """
    check_names()
    ease_collection()
    with opened(settings) as house, monitored(house, member) as monitor:
        house.measure(monitor.meter)
        waiting = saying("server_waits")
        errors = (Unavailable, ConnectionLost)
        reaching_a_server(errors, but_not=(Refused,), before_wait=waiting)(house.ready)
        monitor.begin()
        worker = house.worker()

        def on_signal(number: int, _frame: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)  # the second one is not asked to wait
            end_after(settings.shutdown_seconds_max + GRACE_SECONDS)
            # In a thread: what the signal interrupts may hold the very lock that stopping takes.
            threading.Thread(target=worker.stop, name="stop", daemon=True).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
        logger().info(
            "worker_ready", database=house.database.address, broker=house.transport.address
        )
        worker.run(burst=burst)
