"""That a worker is there: its row in `workers`, from a thread of its own.

Not a chore between batches: a heartbeat has to go on while a batch takes long, and while the loop
waits for the broker. A database that is away is said once, and again when it answers.
"""

import os
import socket
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version

from config.logs import logger
from store import presence
from store.errors import StoreError
from store.presence import Heartbeat
from store.transaction import Database
from workers.chores import Chore, tend
from workers.clock import Clock
from workers.health import Health
from workers.identity import worker_id
from workers.meter import Meter

HEARTBEAT_SECONDS = 5.0
TICK_SECONDS = 1.0
_STOP_SECONDS_MAX = 5.0

VERSION = version("backship")


class Ticking:
    """A thread that does chores at their times until it is stopped; no error ends it."""

    def __init__(self, name: str, clock: Clock, chores: Sequence[Chore]) -> None:
        self._clock = clock
        self._chores = chores
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, with every chore at once."""
        self._thread.start()

    def stop(self) -> None:
        """End; a chore under way is waited for a little."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS_MAX)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                tend(self._chores, self._clock, idle_burst=False)
            except Exception:  # noqa: BLE001 - whatever it is, it must not end what tells of it
                logger().exception("monitoring_failed")
            self._stop.wait(TICK_SECONDS)


class Presence:
    """The row of this worker."""

    def __init__(self, database: Database, meter: Meter, health: Health) -> None:
        self._database = database
        self._meter = meter
        self._health = health
        self._started_at = meter.clock.now()
        self._away = False
        self._beat_at: float | None = None
        self._told_state = ""

    def begin(self) -> None:
        """Forget workers of long ago; their rows would stay for ever otherwise."""
        self._trying(lambda: presence.forget(self._database))

    def tick(self) -> None:
        """Say that the worker is there when it is time to, or its state has changed.

        What the database answers is what `/readyz` tells.
        """
        now, state = self._meter.clock.monotonic(), self._meter.state
        due = self._beat_at is None or now - self._beat_at >= HEARTBEAT_SECONDS
        if due or state != self._told_state:
            self._beat_at, self._told_state = now, state
            self._trying(lambda: presence.seen(self._database, self._heartbeat()))

    def end(self) -> None:
        """Say that it has ended, unless the database is away: nobody waits for that."""
        if not self._away:
            self._trying(lambda: presence.left(self._database, worker_id()))

    def _trying(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StoreError as trouble:
            self._health.database_failed(str(trouble))
            if not self._away:
                logger().warning("presence_waits", reason=str(trouble))
            self._away = True
        else:
            self._health.database_answered()
            if self._away:
                logger().info("presence_resumes")
            self._away = False

    def _heartbeat(self) -> Heartbeat:
        meter = self._meter
        return Heartbeat(
            worker_id(),
            socket.gethostname(),
            os.getpid(),
            VERSION,
            meter.state,
            self._started_at,
            meter.settled,
            meter.message_age_ms,
        )
