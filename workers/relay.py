"""Outbox to broker: what was decided leaves, at least once, in the order of decision.

1. Take the rows that are present, in order, up to a window. Never `id > last`: rows that commit
   late would be skipped.
2. Publish them all, mandatory, and wait for every confirm under one deadline.
3. Delete what was confirmed. What was not stays and goes again under the same id.

The relay has a thread, a database connection and a broker connection of its own: a blocked
publisher must not stop the consumer. It sleeps until a batch commits or a poll is due.
"""

import threading

from config.logs import logger
from store import outbox
from store.errors import StoreError
from store.transaction import Database
from workers.clock import Clock
from workers.crash import crash_point
from workers.meter import Meter
from workers.retry import jittered
from workers.transports.base import OutgoingMessage, Publisher, Transport
from workers.transports.errors import TransportError

_POLL_SECONDS = 0.5  # for what other processes left behind; our own commits wake us
_BACKOFF_SECONDS_MAX = 30.0


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
        with outbox.guard(self._database) as guard:
            rows = guard.take(self._window_max)
            if not rows:
                return 0
            crash_point("relay_after_take")
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
            crash_point("relay_after_publish")
            guard.delete(result.confirmed)
        crash_point("relay_after_delete")
        self.published += len(result.confirmed)
        if result.failed:
            reasons = sorted(set(result.failed.values()))
            logger().warning(
                "publish_unconfirmed",
                count=len(result.failed),
                reasons=reasons,
                remark=result.remark,
            )
        return len(result.confirmed)

    def _run(self) -> None:
        failures = 0
        while True:
            # Asked before the pass: what was decided before the stop is in the last one.
            last = self._stop.is_set()
            try:
                count = self._until_empty()
                failures = 0
            except (TransportError, StoreError) as trouble:
                failures += 1
                wait = jittered(failures, first_seconds=0.25, seconds_max=_BACKOFF_SECONDS_MAX)
                logger().warning("relay_waits", reason=str(trouble), seconds=wait)
                self._let_go()
                if self._stop.wait(wait):
                    return
                continue
            if last:
                return
            if count == 0 and not self._stop.is_set():
                self._wake.wait(_POLL_SECONDS)
                self._wake.clear()

    def _until_empty(self) -> int:
        total = 0
        while True:
            count = self.publish_once()
            total += count
            if count < self._window_max:
                return total

    def _let_go(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()
