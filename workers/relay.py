"""Outbox to broker: what was decided leaves, at least once, in the order of decision.

1. Take the rows that are present, in order, up to a window. Never `id > last`: rows that commit
   late would be skipped.
2. Publish them all, mandatory, and wait for every confirm under one deadline.
3. Delete what was confirmed. What the broker refused is held back (`refusals`) and leaves the way
   free for the others; what it did not answer goes again under the same id, after a pause.

The relay has a thread, a database connection and a broker connection of its own: a blocked
publisher must not stop the consumer. It sleeps until a batch commits or a poll is due.
"""

import threading
from dataclasses import dataclass

from config.logs import logger
from store import outbox
from store.errors import StoreError
from store.outgoing import Outgoing
from store.transaction import Database
from workers.clock import Clock
from workers.crash import crash_point
from workers.meter import Meter
from workers.refusals import CONNECTION_TROUBLE, Refusals
from workers.retry import jittered
from workers.transports.base import OutgoingMessage, Publisher, PublishResult, Transport
from workers.transports.errors import ConnectionLost, TransportError

_POLL_SECONDS = 0.5  # for what other processes left behind; our own commits wake us
_LOOK_SHARE = 4  # looking in vain takes at most a fifth of the time
_BACKOFF_SECONDS_MAX = 30.0


@dataclass(frozen=True, slots=True)
class _Window:
    """How many of a window were confirmed, and whether there may be more to take at once."""

    confirmed: int
    more: bool


class Relay:
    """Publishes the outbox of one database to one exchange."""

    def __init__(  # noqa: PLR0913, PLR0917 - its two ends and its two limits
        self,
        database: Database,
        transport: Transport,
        exchange: str,
        clock: Clock,
        window_max: int = 1_000,
        publish_seconds_max: float = 10.0,
        meter: Meter | None = None,
    ) -> None:
        self._database = database
        self._transport = transport
        self._exchange = exchange
        self._clock = clock
        self._window_max = window_max
        self._publish_seconds_max = publish_seconds_max
        self._publisher: Publisher | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refusals = Refusals(clock)
        self._meter = meter or Meter(clock)
        self.published = 0

    def start(self) -> None:
        """Begin to publish in a thread."""
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def hint(self) -> None:
        """Say that there may be something to publish."""
        self._wake.set()

    def stop(self, seconds_max: float) -> None:
        """Publish what is there, at most so long, then end."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds_max)
        self._let_go()

    def publish_once(self) -> int:
        """Publish one window; return how many rows were confirmed and deleted.

        Raises TransportError or StoreError; nothing is lost then.
        """
        return self._publish_window().confirmed

    def _publish_window(self) -> _Window:
        now = self._clock.now()
        with outbox.guard(self._database, now=now) as guard:
            rows = guard.take(self._window_max)
            if not rows:
                return _Window(0, more=guard.more)
            crash_point("relay_after_take")
            result = self._publish(rows)
            crash_point("relay_after_publish")
            guard.settle(result.confirmed, self._refusals.of(rows, result))
        crash_point("relay_after_delete")
        self.published += len(result.confirmed)
        unanswered = [key for key, reason in result.failed.items() if reason in CONNECTION_TROUBLE]
        if unanswered:
            message = f"{len(unanswered)} events were not confirmed. {result.remark}"
            raise ConnectionLost(message.strip())
        return _Window(len(result.confirmed), more=guard.more)

    def _publish(self, rows: list[Outgoing]) -> PublishResult:
        if self._publisher is None:
            self._publisher = self._transport.publisher()
        messages = [
            OutgoingMessage(row.id, row.type, row.routing_key, row.body, row.unix_seconds)
            for row in rows
        ]
        started = self._clock.monotonic()
        result = self._publisher.publish(
            messages, self._exchange, deadline_seconds=self._publish_seconds_max
        )
        self._meter.published(result, self._clock.monotonic() - started)
        return result

    def _run(self) -> None:
        failures = 0
        while True:
            # Asked before the pass: what was decided before the stop is in the last one.
            last = self._stop.is_set()
            published = self.published
            began = self._clock.monotonic()
            try:
                self._until_empty()
            except Exception as trouble:  # noqa: BLE001 - a dead relay would be noticed by nobody
                failures = 1 if self.published > published else failures + 1
                if not self._back_off(failures, trouble):
                    return
                continue
            failures = 0
            if last:
                return
            if self.published == published and not self._stop.is_set():
                # With very much held back a look takes long: then we look less often.
                took = self._clock.monotonic() - began
                self._wake.wait(max(_POLL_SECONDS, _LOOK_SHARE * took))
                self._wake.clear()

    def _until_empty(self) -> None:
        """Publish window after window; each leaves less, for what is refused is held back."""
        try:
            while self._publish_window().more:
                pass
        finally:
            self._refusals.say()

    def _back_off(self, failures: int, trouble: Exception) -> bool:
        """Wait after trouble that concerns all; False: stopped meanwhile."""
        wait = jittered(failures, first_seconds=0.25, seconds_max=_BACKOFF_SECONDS_MAX)
        seconds = round(wait, 2)
        if isinstance(trouble, TransportError | StoreError):
            logger().warning("relay_waits", reason=str(trouble), seconds=seconds)
        else:
            logger().error("relay_failed", reason=repr(trouble), seconds=seconds, exc_info=trouble)
        self._let_go()
        return not self._stop.wait(wait)

    def _let_go(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()
