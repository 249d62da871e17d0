"""The loop: receive, settle, acknowledge, hint the relay, do a step of what is left; for ever.

- After a batch has committed it is acknowledged, never before.
- What was delivered before runs alone (`solo`): a message that kills its worker takes no
  neighbour along.
- The database down: the batch in hand waits with growing pauses, heartbeats go on, and it resumes.
- The broker down: a new consumer, with growing pauses, for ever.
- `stop()` (SIGTERM) takes no new messages, settles what was delivered, publishes, and returns.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from config.logs import logger
from store import outbox, tasks
from store.errors import Transient, Unavailable
from workers.chores import Chore, tend
from workers.clock import Clock
from workers.crash import crash_point
from workers.process import Desk
from workers.relay import Relay
from workers.retry import jittered
from workers.solo import Settling, parts
from workers.topology import Topology
from workers.transports.base import Consumer, Delivery, Transport
from workers.transports.errors import ConnectionLost, TransportError
from workers.unfinished import StepSize, step

_IDLE_SECONDS = 0.5
_PAUSE_SECONDS_MAX = 30.0
_STEP_SECONDS = 1.0  # how often an idle worker looks for what others left unfinished


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and how long to the end."""

    batch_size_max: int = 500
    step: StepSize = field(default_factory=StepSize)
    shutdown_seconds_max: float = 20.0


class Worker:
    """One process's share of the work: one consumer, one relay, one database."""

    def __init__(  # noqa: PLR0913, PLR0917 - its ends, its pace, and what it does besides
        self,
        desk: Desk,
        transport: Transport,
        topology: Topology,
        relay: Relay,
        pace: Pace,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._desk = desk
        self._transport = transport
        self._topology = topology
        self._relay = relay
        self._pace = pace
        self._stopping = threading.Event()
        self._patience = _Patience(self._stopping, desk.clock, pace.shutdown_seconds_max)
        self._unfinished = True  # what an earlier process left: looked at first
        self._looked_at = 0.0
        self._chores = chores
        self.settled = 0

    def stop(self) -> None:
        """Take no new messages; what was delivered is settled first. Safe in a signal handler."""
        self._stopping.set()

    def run(self, *, burst: bool = False) -> None:
        """Work until stopped, or with `burst` until nothing is left anywhere.

        Raises the errors of transport and store that waiting does not mend.
        """
        self._relay.start()
        pauses = _Pauses(self._patience)
        try:
            while not self._stopping.is_set():
                try:
                    with self._transport.consumer(self._topology.inbox_queue) as consumer:
                        pauses.reset()
                        if self._consume(consumer, burst=burst):
                            return
                except ConnectionLost as trouble:
                    pauses.wait("broker_lost", trouble)
        finally:
            self._relay.stop(self._patience.seconds_left())

    def _consume(self, consumer: Consumer, *, burst: bool) -> bool:
        """Work with one consumer; True: stopped, or a burst has come to its end."""
        while not self._stopping.is_set():
            wait = 0.0 if self._unfinished else (0.05 if burst else _IDLE_SECONDS)
            deliveries = consumer.receive(self._pace.batch_size_max, wait)
            self._settle(consumer, deliveries)
            tend(self._chores, self._desk.clock, idle_burst=burst and not deliveries)
            busy = self._do_step(idle=not deliveries, burst=burst)
            if burst and not deliveries and not busy and self._nothing_left(consumer):
                return True
        self._drain(consumer)
        return True

    def _settle(self, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        crash_point("after_receive")
        for part in parts(deliveries):
            if not self._settle_part(part):
                return  # no time is left: it comes again, and what follows it as well
            consumer.ack(part)
            crash_point("after_ack")

    def _settle_part(self, part: Sequence[Delivery]) -> bool:
        """Settle deliveries, waiting for a database that is down; False: no time is left."""
        pauses = _Pauses(self._patience)
        clock = self._desk.clock
        settling = Settling(self._desk, part)
        while True:
            started = clock.monotonic()
            try:
                report = settling.settle()
            except (Unavailable, Transient) as trouble:
                if not pauses.wait("database_waits", trouble):
                    return False
                continue
            self.settled += len(part)
            self._unfinished = self._unfinished or report.tasks > 0
            if report.emitted:
                self._relay.hint()
            logger().info(
                "batch",
                size=len(part),
                emitted=report.emitted,
                milliseconds=round((clock.monotonic() - started) * 1000, 1),
                **report.counts,
            )
            return True

    def _do_step(self, *, idle: bool, burst: bool) -> bool:
        """Do a step of what is unfinished, if anything is; True: there was."""
        clock = self._desk.clock
        if not self._unfinished:
            due = clock.monotonic() - self._looked_at >= _STEP_SECONDS
            if not (due or (idle and burst)):
                return False
        self._looked_at = clock.monotonic()
        try:
            report = step(self._desk, self._pace.step)
        except (Unavailable, Transient) as trouble:
            logger().warning("step_waits", reason=str(trouble))
            report = None
        self._unfinished = report is not None
        if report is None:
            return False
        if report.emitted:
            self._relay.hint()
        logger().info("step", emitted=report.emitted, **report.counts)
        return True

    def _nothing_left(self, consumer: Consumer) -> bool:
        """Is nothing ready, delivered, due, unfinished or unpublished anywhere?"""
        if consumer.buffered():
            return False
        for queue in (self._topology.inbox_queue, self._topology.dead_queue):
            outstanding = self._transport.outstanding_count(queue)
            if outstanding is None:
                outstanding = self._transport.ready_count(queue)
            if outstanding:  # perhaps leased to a worker that was killed: until then it is not ours
                return False
        database = self._desk.database
        if tasks.unfinished(database):
            return False
        if outbox.count(database):
            self._relay.hint()
            return False
        return True

    def _drain(self, consumer: Consumer) -> None:
        """Settle what was delivered before the stop, within the deadline; give back the rest."""
        try:
            consumer.stop()
            while consumer.buffered() and self._patience.seconds_left() > 0:
                self._settle(consumer, consumer.receive(self._pace.batch_size_max, 0.0))
            consumer.release()
        except TransportError as trouble:
            logger().warning("drain_ended", reason=str(trouble))
        logger().info("worker_drained", settled=self.settled)


class _Patience:
    """How long there is to wait: for ever, until the worker is told to stop; then a last while.

    In it what was delivered is settled and what was decided is published.
    """

    def __init__(self, stopping: threading.Event, clock: Clock, last_seconds: float) -> None:
        self._stopping = stopping
        self._clock = clock
        self._last_seconds = last_seconds
        self._until: float | None = None

    def seconds_left(self) -> float:
        """Tell how much of the last while is left: all of it, before it has begun."""
        if not self._stopping.is_set():
            return self._last_seconds
        now = self._clock.monotonic()
        if self._until is None:
            self._until = now + self._last_seconds
        return max(0.0, self._until - now)

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the stop, or in the last while to its end; True: time is left."""
        if self._stopping.is_set():
            self._clock.sleep(min(seconds, self.seconds_left()))
        else:
            self._stopping.wait(seconds)
        return self.seconds_left() > 0


class _Pauses:
    """Growing pauses with jitter, one log line each."""

    def __init__(self, patience: _Patience) -> None:
        self._patience = patience
        self._count = 0

    def reset(self) -> None:
        """Begin anew: it works again."""
        self._count = 0

    def wait(self, event: str, trouble: Exception) -> bool:
        """Say what is wrong and wait; False: the worker is to end."""
        self._count += 1
        seconds = jittered(self._count, first_seconds=0.25, seconds_max=_PAUSE_SECONDS_MAX)
        logger().warning(event, reason=str(trouble), seconds=round(seconds, 2))
        return self._patience.wait(seconds)
