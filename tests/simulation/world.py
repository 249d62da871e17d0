"""One seed, one run: a fleet of workers, those who send, what goes wrong, and the way to rest.

1. While things go wrong: clients publish the workload, workers are killed, stopped and started
   again, servers go away and come back; everything at chances drawn by the seed.
2. Healing: nothing goes wrong any more. Within five minutes nothing may be left to do.
3. A day passes: what waited too long is set aside (C3). Then everybody stops, and a burst of one
   worker must find nothing and end by itself.

`tests.simulation.checker` looks at what is there then.
"""

import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from sqlalchemy import text

import workers
from config.settings import Settings, read
from events.envelope import Event
from handlers import batch
from store import found
from tests.simulation.broker import Broker, Flavour
from tests.simulation.database import Disk
from tests.simulation.faults import Faults
from tests.simulation.history import History
from tests.simulation.process import Process
from tests.simulation.scheduler import Life, Scheduler
from tests.simulation.threads import SimulatedThreading
from tests.simulation.transport import ModelPublisher
from tests.simulation.workload import BUGGY, POISON, Workload, workload
from tests.support.desk import NOW
from workers.topology import topology
from workers.transports.base import OutgoingMessage
from workers.transports.errors import TransportError

HEALING_SECONDS_MAX = 900.0
_TURNS_MAX = 100_000
_TROUBLE_SECONDS = 30.0  # how long things go wrong after the last message
_LOOK_SECONDS = 0.5
_TRIES_MAX = 12  # of a client, for one message

_WITH_THREADS = {"workers.worker", "workers.relay", "workers.patience"}

_LEFT = """
    SELECT (SELECT COUNT(*) FROM outbox) + (SELECT COUNT(*) FROM tasks)
        + (SELECT COUNT(*) FROM waiting WHERE sku IS NOT NULL)
        + (SELECT COUNT(*) FROM suspects) + (SELECT COUNT(*) FROM held_back)
"""
_OVERDUE = "SELECT COUNT(*) FROM waiting WHERE received_at IS NOT NULL"


@dataclass(slots=True)
class Sent:
    """What the clients tried, and what they know to be kept."""

    attempted: list[OutgoingMessage] = field(default_factory=list)
    confirmed: list[OutgoingMessage] = field(default_factory=list)


class World:
    """Everything of one run."""

    def __init__(
        self,
        seed: int,
        database_url: str,
        *,
        faults: frozenset[str] | None = None,
        poison: bool = True,
    ) -> None:
        """Draw what this run is like. `faults`: these kinds, not drawn ones."""
        self.seed = seed
        self.rng = Random(seed)
        rng = self.rng
        self.scheduler = Scheduler(rng, NOW)
        self.faults = Faults(rng, faults)
        self.settings = _settings(rng, database_url)
        self.flavour = Flavour(
            leased=rng.random() < 0.4,
            fetches_ahead=rng.random() < 0.6,
            delivery_limit=rng.randint(1, 3) if rng.random() < 0.2 else None,
        )
        self.poison = poison and self.flavour.delivery_limit is None and rng.random() < 0.3
        topology_ = topology(self.settings.topology_prefix)
        self.broker = Broker(self.scheduler, self.faults, topology_, self.flavour)
        self.disk = Disk(self.scheduler, self.faults, database_url)
        self.history = History(self.scheduler)
        self.workload: Workload = workload(rng, poison=self.poison)
        self.sent = Sent()
        self.fleet: list[Process] = []
        self._skewed = rng.random() < 0.3
        self._count = rng.randint(1, 3)
        self._lines_min = rng.choice((1, 2, 16))
        self._closing = False
        self._client_done = False
        self._looked_at = -1.0
        self._looker = Process(
            "the checker",
            self.scheduler,
            self.broker,
            self.disk,
            self.history,
            self.settings,
            timedelta(),
        )

    # ---------------------------------------------------------------- the run

    def run(self) -> None:
        """Run to the end. Raises what a worker must not raise, and Stuck."""
        with self._patched():
            try:
                self._trouble()
                self._heal()
                self._let_a_day_pass()
                self._close()
            finally:
                self.scheduler.end()
                for process in [*self.fleet, self._looker]:
                    process.database.close()

    def _trouble(self) -> None:
        outside = Life("outside")
        for number in range(self._count):
            keeper = self._keeper(f"worker {number}")
            self.scheduler.spawn(f"keeper {number}", outside, keeper)
        self.scheduler.spawn("client", outside, self._publish)
        self.scheduler.spawn("chaos", outside, self._chaos)
        self._run(lambda: self._client_done, seconds_max=3_600)
        ends_at = self.scheduler.clock.monotonic() + _TROUBLE_SECONDS
        self._run(lambda: self.scheduler.clock.monotonic() >= ends_at, seconds_max=3_600)

    def _heal(self) -> None:
        self.faults.on = False
        self._run(self._at_rest, seconds_max=HEALING_SECONDS_MAX)

    def _let_a_day_pass(self) -> None:
        self.scheduler.clock.advance((self.settings.wait_hours + 1) * 3600.0)
        self._run(
            lambda: self._at_rest() and not self.value(_OVERDUE),
            seconds_max=HEALING_SECONDS_MAX,
        )

    def _close(self) -> None:
        self._closing = True
        for process in self.fleet:
            process.stop()
        self._run(lambda: all(each.ended for each in self.fleet), seconds_max=HEALING_SECONDS_MAX)
        last = self._process("the last one")
        last.start(burst=True)
        self._run(lambda: last.ended, seconds_max=HEALING_SECONDS_MAX)
        assert last.returned, "a burst that finds nothing left ends by itself"

    def _run(self, rested: Callable[[], bool], *, seconds_max: float) -> None:
        self.scheduler.run(rested, seconds_max=seconds_max, turns_max=_TURNS_MAX)

    def _at_rest(self) -> bool:
        """Is nothing left to do? Looked at when time has passed, for it costs a query."""
        now = self.scheduler.clock.monotonic()
        if now - self._looked_at < _LOOK_SECONDS or not self.broker.at_rest:
            return False
        self._looked_at = now
        return not self.value(_LEFT)

    def value(self, sql: str) -> Any:  # noqa: ANN401 - whatever was asked for
        """Ask the database for one value."""
        with self._looker.database.read() as tx:
            return tx.connection.execute(text(sql)).scalar_one()

    # ---------------------------------------------------------------- who is in it

    def _process(self, name: str) -> Process:
        skew = timedelta(seconds=self.rng.uniform(-600, 600)) if self._skewed else timedelta()
        process = Process(
            name, self.scheduler, self.broker, self.disk, self.history, self.settings, skew
        )
        self.fleet.append(process)
        return process

    def _keeper(self, name: str) -> Callable[[], None]:
        """Keep one worker running, as a supervisor does."""

        def keep() -> None:
            life = 0
            while not self._closing:
                life += 1
                process = self._process(f"{name}.{life}")
                process.start()
                process.join()
                process.database.close()
                self.scheduler.wait(None, self.rng.uniform(0.0, 3.0))

        return keep

    def _publish(self) -> None:
        """Send the workload; again what is not known to be kept, a number of times."""
        publisher = ModelPublisher(self.broker, Life("client"))
        for message in self.workload.messages:
            self.sent.attempted.append(message)
            for _ in range(_TRIES_MAX):
                try:
                    result = publisher.publish(
                        [message], self.broker.topology.inbox_exchange, deadline_seconds=2.0
                    )
                except TransportError:
                    result = None
                if result is not None and message.id in result.confirmed:
                    self.sent.confirmed.append(message)
                    break
                self.scheduler.wait(None, self.rng.uniform(0.0, 2.0))
            if self.rng.random() < 0.3:
                self.scheduler.wait(None, self.rng.uniform(0.0, 2.0))
        self._client_done = True

    def _chaos(self) -> None:
        """Let whole servers go away for a while, and stop workers."""
        rng, faults, broker = self.rng, self.faults, self.broker
        while not self._closing:
            self.scheduler.wait(None, rng.uniform(0.2, 5.0))
            now = self.scheduler.clock.monotonic()
            if faults.hit("broker down"):
                broker.go_down(rng.uniform(0.5, 20.0))
            if faults.hit("queue missing"):
                broker.missing_until = now + rng.uniform(0.5, 10.0)
            if faults.hit("publishers blocked"):
                broker.blocked_until = now + rng.uniform(0.5, 20.0)
            if faults.hit("database down"):
                self.disk.down_until = now + rng.uniform(0.5, 20.0)
            alive = [process for process in self.fleet if process.life.alive]
            if alive and faults.hit("stopped by SIGTERM"):
                rng.choice(alive).stop()

    # ---------------------------------------------------------------- what is not as it was

    @contextmanager
    def _patched(self) -> Iterator[None]:
        """Put the world under the production code: its threads, crash points and draws."""
        drawn = random.getstate()
        with ExitStack() as patches:
            patches.enter_context(self.history.recording())
            threads = SimulatedThreading(self.scheduler)
            for module in _modules_of_workers():
                if hasattr(module, "crash_point"):
                    patches.enter_context(patch.object(module, "crash_point", self._crash_point))
                if module.__name__ in _WITH_THREADS and hasattr(module, "threading"):
                    patches.enter_context(patch.object(module, "threading", threads))
            patches.enter_context(self.rules_of_the_run(self._meets_poison))
            random.seed(self.seed)
            try:
                yield
            finally:
                random.setstate(drawn)

    @contextmanager
    def rules_of_the_run(self, meets_poison: Callable[[], None]) -> Iterator[None]:
        """Let the handlers have a bug for the events that say so, and long fills begin early."""
        real = batch._dispatch  # noqa: SLF001 - where a handler's bug would be

        def dispatch(turn: Any, event: Event) -> Any:  # noqa: ANN401 - as the real one
            if event.id.startswith(BUGGY):
                self.faults.happened("bug in a handler")
                raise ZeroDivisionError(event.id)
            if event.id.startswith(POISON):
                meets_poison()
            return real(turn, event)

        with (
            patch.object(batch, "_dispatch", dispatch),
            patch.object(found, "_LINES_MIN", self._lines_min),
        ):
            yield

    def _crash_point(self, name: str) -> None:
        self.scheduler.pause()
        task = self.scheduler.current
        if task is not None and self.faults.dies_at(name):
            self.scheduler.kill(task.life)

    def _meets_poison(self) -> None:
        task = self.scheduler.current
        assert task is not None, "no transaction with it was ever committed"
        self.faults.happened("killed by a message")
        self.scheduler.kill(task.life)


def _modules_of_workers() -> list[Any]:
    names = [each.name for each in pkgutil.walk_packages(workers.__path__, "workers.")]
    return [importlib.import_module(name) for name in names]


def _settings(rng: Random, database_url: str) -> Settings:
    """Draw small limits, so that little work meets all of them."""
    return read(
        database_url=database_url,
        topology_prefix="sim",
        batch_size_max=rng.choice((1, 3, 8, 30)),
        prefetch_batches=rng.choice((1, 2, 3)),
        fill_step_lines_max=rng.choice((1, 2, 4, 1000)),
        walk_step_skus_max=rng.choice((1, 2, 200)),
        relay_window_max=rng.choice((1, 3, 1000)),
        keep_partial_allocations=rng.random() < 0.7,
    )
