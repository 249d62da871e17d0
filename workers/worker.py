"""The loop: receive, settle, acknowledge, hint the relay, do a step of what is left; for ever.

- After a batch has committed it is acknowledged, never before.
- What was delivered before runs alone (`solo`): a message that kills its worker takes no
  neighbour along.
- The database down: the batch in hand waits with growing pauses, heartbeats go on, and it resumes.
- The broker down, the queue deleted, our password changed: a new consumer, with growing pauses, for
  ever. Only at the start is a queue that is missing, or a no, an error.
- `stop()` (SIGTERM) takes no new messages, settles what was delivered, publishes, and returns, all
  within one deadline: a database that is away does not hold it up.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from config.logs import logger
from store import outbox, tasks
from store.errors import SchemaError, StoreError, Transient, Unavailable
from workers.batch_line import BatchLine
from workers.chores import Chore, tend
from workers.clock import Stopwatch
from workers.crash import crash_point
from workers.patience import PAUSE_SECONDS_MAX, Patience, Pauses
from workers.process import Desk
from workers.relay import Relay
from workers.retry import jittered
from workers.solo import Settling, parts
from workers.topology import Topology
from workers.transports.base import Consumer, Delivery, Transport
from workers.transports.errors import ConnectionLost, Refused, TopologyMissing, TransportError
from workers.unfinished import StepSize, step

_EVENTS = {TopologyMissing: "queue_missing", Refused: "broker_refuses"}
_IDLE_SECONDS = 0.5
_LAST_SECONDS_MIN = 1.0  # for the relay's last pass, whatever the rest took
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
        self._patience = Patience(self._stopping, desk.clock, pace.shutdown_seconds_max)
        self._unfinished = True  # what an earlier process left: looked at first
        self._looked_at = 0.0
        self._step_failures = 0
        self._step_size = pace.step.first()
        self._chores = chores
        self.settled = 0

    def stop(self) -> None:
        """Take no new messages; what was delivered is settled first. From any thread."""
        self._desk.meter.stopping = True
        self._stopping.set()

    def run(self, *, burst: bool = False) -> None:
        """Work until stopped, or with `burst` until nothing is left anywhere.

        Raises the errors of transport and store that waiting does not mend.
        """
        self._relay.start()
        meter = self._desk.meter
        pauses = Pauses(self._patience, meter)
        has_worked = False
        try:
            while not self._stopping.is_set():
                try:
                    with self._transport.consumer(self._topology.inbox_queue) as consumer:
                        has_worked = True
                        meter.consumer_opened()
                        if self._consume(consumer, burst=burst):
                            return
                except TransportError as trouble:
                    meter.consumer_ended()
                    if not (has_worked or isinstance(trouble, ConnectionLost)):
                        raise
                    pauses.wait(_EVENTS.get(type(trouble), "broker_lost"), trouble)
        finally:
            meter.stopping = True
            self._relay.stop(max(_LAST_SECONDS_MIN, self._patience.seconds_left()))

    def _consume(self, consumer: Consumer, *, burst: bool) -> bool:
        """Work with one consumer; True: stopped, or a burst is at its end; False: take another."""
        while not self._stopping.is_set():
            wait = 0.0 if self._unfinished else (0.05 if burst else _IDLE_SECONDS)
            deliveries = consumer.receive(self._pace.batch_size_max, wait)
            self._settle(consumer, deliveries)
            self._desk.meter.turned()
            tend(self._chores, self._desk.clock, idle_burst=burst and not deliveries)
            busy = self._do_step(idle=not deliveries, burst=burst)
            if burst and not deliveries and not busy and self._nothing_left(consumer):
                return self._nothing_on_its_way(consumer)
        self._drain(consumer)
        return True

    def _settle(self, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
        if not deliveries:
            return
        crash_point("after_receive")
        for part in parts(deliveries):
            if not self._settle_part(part):
                return  # no time is left: it comes again, and what follows it as well
            watch = Stopwatch(self._desk.clock)
            consumer.ack(part)
            watch.lap("ack")
            self._desk.meter.acknowledged(watch.laps["ack"])
            crash_point("after_ack")

    def _settle_part(self, part: Sequence[Delivery]) -> bool:
        """Settle deliveries, waiting for a database that is down; False: no time is left."""
        pauses = Pauses(self._patience, self._desk.meter)
        batch = BatchLine(self._desk, part)
        settling = Settling(self._desk, part, batch.take_in, self._patience.is_over)
        while True:
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
            batch.settled(report)
            return True

    def _do_step(self, *, idle: bool, burst: bool) -> bool:
        """Do a step of what is unfinished, if anything is; True: there was."""
        clock = self._desk.clock
        if not self._unfinished:
            due = clock.monotonic() - self._looked_at >= _STEP_SECONDS
            if not (due or (idle and burst and not self._step_failures)):
                return False
        self._looked_at = clock.monotonic()
        try:
            report = step(self._desk, self._step_size, self._patience.is_over)
        except SchemaError:
            raise
        except StoreError as trouble:
            self._postpone_steps(trouble)
            report = None
        else:
            self._step_failures = 0
        self._unfinished = report is not None
        if report is None:
            self._step_size = self._pace.step.first()
            return False
        self._step_size = self._step_size.after(report.emitted, self._pace.step.lines_max)
        if report.emitted:
            self._relay.hint()
        logger().info("step", emitted=report.emitted, late=sum(report.late.values()))
        return True

    def _postpone_steps(self, trouble: StoreError) -> None:
        """Look for steps again after a growing pause; batches are settled meanwhile."""
        self._step_failures += 1
        seconds = jittered(self._step_failures, first_seconds=0.5, seconds_max=PAUSE_SECONDS_MAX)
        logger().warning("step_waits", reason=str(trouble), seconds=round(seconds, 2))
        self._looked_at += seconds - _STEP_SECONDS

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
        try:
            if tasks.unfinished(database):
                return False
            if outbox.count(database):
                self._relay.hint()
                return False
        except (Unavailable, Transient) as trouble:
            self._postpone_steps(trouble)
            self._stopping.wait(_IDLE_SECONDS)
            return False
        return True

    def _nothing_on_its_way(self, consumer: Consumer) -> bool:
        """Had nothing left the queue that has not arrived here? False: take another consumer.

        A delivery on its way is in no count. The answer to the stop comes behind the last of them;
        it is buffered by then, or back in its queue.
        """
        consumer.stop()
        if not consumer.buffered():
            return self._nothing_left(consumer)
        while consumer.buffered() and not self._stopping.is_set():
            self._settle(consumer, consumer.receive(self._pace.batch_size_max, 0.0))
        return False

    def _drain(self, consumer: Consumer) -> None:
        """Settle what was delivered before the stop, within the deadline; give back the rest."""
        try:
            consumer.stop()
            while consumer.buffered() and not self._patience.is_over():
                self._settle(consumer, consumer.receive(self._pace.batch_size_max, 0.0))
            consumer.release()
        except TransportError as trouble:
            logger().warning("drain_ended", reason=str(trouble))
        logger().info("worker_drained", settled=self.settled)
