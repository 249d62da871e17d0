"""The loop: receive, settle, acknowledge, hint the relay, do a step of what is left; for ever.

- After a batch has committed it is acknowledged, never before.
- What was delivered three times or more runs alone: a message that kills its worker takes no
  neighbour along.
- The database down: the batch in hand waits with growing pauses, heartbeats go on, and it resumes.
- The broker down: a new consumer, with growing pauses, for ever.
- `stop()` (SIGTERM) takes no new messages, settles what was delivered, publishes, and returns.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from config.logs import logger
from store import outbox, tasks
from store.errors import Transient, Unavailable
from workers.batch_line import BatchLine
from workers.chores import Chore, tend
from workers.clock import Stopwatch
from workers.crash import crash_point
from workers.isolate import settle
from workers.meter import Meter
from workers.process import Desk
from workers.relay import Relay
from workers.retry import jittered
from workers.topology import Topology
from workers.transports.base import Consumer, Delivery, Transport
from workers.transports.errors import ConnectionLost, TransportError
from workers.unfinished import StepSize, step

_IDLE_SECONDS = 0.5
_PAUSE_SECONDS_MAX = 30.0
_SUSPECT_DELIVERIES = 2  # delivered so often before, a message runs alone
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
        self._unfinished = True  # what an earlier process left: looked at first
        self._looked_at = 0.0
        self._chores = chores
        self.settled = 0

    def stop(self) -> None:
        """Take no new messages; what was delivered is settled first. Safe in a signal handler."""
        self._desk.meter.stopping = True
        self._stopping.set()

    def run(self, *, burst: bool = False) -> None:
        """Work until stopped, or with `burst` until nothing is left anywhere.

        Raises the errors of transport and store that waiting does not mend.
        """
        self._relay.start()
        meter = self._desk.meter
        pauses = _Pauses(self._stopping, meter)
        try:
            while not self._stopping.is_set():
                try:
                    with self._transport.consumer(self._topology.inbox_queue) as consumer:
                        pauses.reset()
                        meter.consumer_opened()
                        if self._consume(consumer, burst=burst):
                            return
                except ConnectionLost as trouble:
                    meter.consumer_ended()
                    pauses.wait("broker_lost", trouble)
        finally:
            meter.stopping = True
            self._relay.stop(self._pace.shutdown_seconds_max)

    def _consume(self, consumer: Consumer, *, burst: bool) -> bool:
        """Work with one consumer; True: stopped, or a burst has come to its end."""
        while not self._stopping.is_set():
            wait = 0.0 if self._unfinished else (0.05 if burst else _IDLE_SECONDS)
            deliveries = consumer.receive(self._pace.batch_size_max, wait)
            self._settle(consumer, deliveries)
            self._desk.meter.turned()
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
        for part in _suspects_alone(deliveries):
            if self._settle_part(part):
                watch = Stopwatch(self._desk.clock)
                consumer.ack(part)
                watch.lap("ack")
                self._desk.meter.acknowledged(watch.laps["ack"])
                crash_point("after_ack")

    def _settle_part(self, part: Sequence[Delivery]) -> bool:
        """Settle deliveries, waiting for a database that is down; False: stopped meanwhile."""
        pauses = _Pauses(self._stopping, self._desk.meter)
        batch = BatchLine(self._desk, part)
        while True:
            try:
                report = settle(self._desk, batch.take_in())
            except (Unavailable, Transient) as trouble:
                pauses.wait("database_waits", trouble)
                if self._stopping.is_set():
                    return False
                continue
            self.settled += len(part)
            self._unfinished = self._unfinished or report.tasks > 0
            if report.emitted:
                self._relay.hint()
            batch.settled(report)
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
        logger().info("step", emitted=report.emitted, late=sum(report.late.values()))
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
        clock = self._desk.clock
        deadline = clock.monotonic() + self._pace.shutdown_seconds_max
        self._stopping.clear()  # a database that comes back in time still settles them
        try:
            consumer.stop()
            while consumer.buffered() and clock.monotonic() < deadline:
                self._settle(consumer, consumer.receive(self._pace.batch_size_max, 0.0))
            consumer.release()
        except TransportError as trouble:
            logger().warning("drain_ended", reason=str(trouble))
        finally:
            self._stopping.set()
        logger().info("worker_drained", settled=self.settled)


class _Pauses:
    """Growing pauses with jitter, one log line each; over at once when the worker stops."""

    def __init__(self, stopping: threading.Event, meter: Meter) -> None:
        self._stopping = stopping
        self._meter = meter
        self._count = 0

    def reset(self) -> None:
        """Begin anew: it works again."""
        self._count = 0

    def wait(self, event: str, trouble: Exception) -> None:
        """Say what is wrong and wait."""
        self._count += 1
        self._meter.waits(event, trouble)
        seconds = jittered(self._count, first_seconds=0.25, seconds_max=_PAUSE_SECONDS_MAX)
        logger().warning(event, reason=str(trouble), seconds=round(seconds, 2))
        self._stopping.wait(seconds)


def _suspects_alone(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Split a batch, in its order: what came too often before goes one by one."""
    for suspect, group in groupby(
        deliveries, key=lambda delivery: delivery.delivery_count >= _SUSPECT_DELIVERIES
    ):
        if suspect:
            yield from ([delivery] for delivery in group)
        else:
            yield list(group)
