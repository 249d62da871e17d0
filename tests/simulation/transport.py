"""One process's way to the model broker: the seam of `workers.transports.base`, with its faults.

A consumer whose connection is lost gives back what it held, as the broker sees to it; a process
that dies has acknowledged as much as had left it by then.
"""

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.simulation.broker import Broker, Message
from tests.simulation.scheduler import Life
from workers.topology import Topology, TopologyReport
from workers.transports.base import (
    Delivery,
    OutgoingMessage,
    PublishFailure,
    PublishResult,
)
from workers.transports.errors import ConnectionLost, TopologyMissing, TransportError


class ModelTransport:
    """What a process of this world is given for a broker."""

    name = "model"
    address = "the model broker"
    promise_kept = True

    def __init__(self, broker: Broker, life: Life, prefetch: int) -> None:
        self._broker = broker
        self._life = life
        self._prefetch = prefetch
        self._epochs = itertools.count(1)

    def consumer(self, queue: str, *, prefetch_max: int | None = None) -> "ModelConsumer":
        """Connect and begin to take."""
        self._step()
        self._reach("no connection for a consumer")
        if self._broker.is_missing(queue):
            raise TopologyMissing(queue)
        ahead = min(self._prefetch, prefetch_max or self._prefetch)
        return ModelConsumer(self._broker, self._life, queue, ahead, next(self._epochs))

    def publisher(self) -> "ModelPublisher":
        """Make a publisher."""
        return ModelPublisher(self._broker, self._life)

    def declare(self, topology: Topology) -> None:
        """Nothing to do: it was made with its topology."""

    def missing(self, topology: Topology) -> list[str]:
        """Name what is not there."""
        self._step()
        self._reach("no connection for a consumer")
        return [queue.name for queue in topology.queues if self._broker.is_missing(queue.name)]

    def check(self, topology: Topology) -> TopologyReport:
        """Everything is as it should be."""
        del topology
        return TopologyReport()

    def ready_count(self, queue: str) -> int:
        """Count what could be delivered now."""
        self._step()
        self._reach("no connection for a consumer")
        if self._broker.is_missing(queue):
            raise TopologyMissing(queue)
        return len(self._broker.queues[queue].ready) if self._broker.has_ready(queue) else 0

    def outstanding_count(self, queue: str) -> int | None:
        """Count everything; a broker that fetches ahead does not say."""
        if self._broker.flavour.fetches_ahead:
            return None
        found = self.ready_count(queue)
        return found + self._broker.queues[queue].held + len(self._broker.queues[queue].leased)

    def oldest_at(self, queue: str) -> float | None:
        """Not know it."""
        del queue
        return None

    def delete_queue(self, name: str) -> None:
        """Delete a queue."""
        del self._broker.queues[name]

    def close(self) -> None:
        """Nothing is kept open."""

    def _step(self) -> None:
        self._broker.scheduler.pause()
        if self._broker.faults.hit("killed at a broker call"):
            self._broker.scheduler.kill(self._life)

    def _reach(self, kind: str) -> None:
        if self._broker.is_down or self._broker.faults.hit(kind):
            raise ConnectionLost("The model broker does not answer.")


class ModelConsumer:
    """One consumer of one queue; see `base.Consumer`."""

    def __init__(self, broker: Broker, life: Life, queue: str, prefetch: int, epoch: int) -> None:
        self.epoch = epoch
        self._broker = broker
        self._life = life
        self._queue = queue
        self._prefetch = prefetch
        self._tags = itertools.count(1)
        self._buffer: list[Delivery] = []
        self._held: dict[int, Message] = {}
        self._acks: list[int] = []  # on their way
        self._lost: TransportError | None = None
        self._stopped = False
        self._closed = False
        self._outages = broker.outages
        life.last_words.append(self._die)
        broker.consumers.add(self)

    def receive(self, count_max: int, wait_seconds: float) -> list[Delivery]:
        """Take what is there, or wait for it."""
        self._step()
        self._flush()
        self._look_for_trouble()
        if not self._buffer and not self._stopped and not self._broker.has_ready(self._queue):
            self._broker.scheduler.wait(
                lambda: self._broker.has_ready(self._queue) or self._must_end(), wait_seconds
            )
        self._look_for_trouble()
        self._fetch(count_max)
        rng = self._broker.rng
        most = min(count_max, len(self._buffer))
        count = most if self._stopped or rng.random() < 0.5 else rng.randint(min(1, most), most)
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these are done; whether that arrives is another matter."""
        self._step()
        tags = [each.tag for each in deliveries if each.epoch == self.epoch]
        self._acks += [tag for tag in tags if tag in self._held]
        faults = self._broker.faults
        if faults.hit("ack late"):
            return
        if faults.hit("ack lost"):
            self._acks.clear()
            self._lose()
        elif len(self._acks) > 1 and faults.hit("ack half done"):
            del self._acks[self._broker.rng.randint(1, len(self._acks) - 1) :]
            self._flush()
            self._lose()
        else:
            self._flush()

    def release(self) -> None:
        """Give everything back."""
        self._step()
        self.stop()
        self._flush()
        self._buffer.clear()
        self._return(counted=not self._broker.flavour.leased, leased=False)

    def stop(self) -> None:
        """Take no new ones."""
        self._stopped = True

    def buffered(self) -> int:
        """Count what was fetched ahead."""
        return len(self._buffer)

    def close(self) -> None:
        """Disconnect."""
        if self._closed:
            return
        self._broker.scheduler.pause()  # raises in a dead process: it has closed already
        self._flush()
        self._end(leased=self._broker.flavour.leased)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ----------------------------------------------------------------

    def _step(self) -> None:
        self._broker.scheduler.pause()
        if self._broker.faults.hit("killed at a broker call"):
            self._broker.scheduler.kill(self._life)

    def _must_end(self) -> bool:
        if self._outages != self._broker.outages or self._broker.is_missing(self._queue):
            return True
        return self._lost is not None

    def _look_for_trouble(self) -> None:
        faults = self._broker.faults
        lost = faults.hit("connection lost while receiving") or faults.hit("consumer cancelled")
        if self._lost is None and (lost or self._must_end()):
            missing = self._broker.is_missing(self._queue)
            self._lose()
            if missing:
                self._lost = TopologyMissing(self._queue)
        if self._lost is not None:
            raise self._lost

    def _fetch(self, count_max: int) -> None:
        if self._stopped:
            return
        ahead = self._broker.flavour.fetches_ahead
        room = (self._prefetch if ahead else count_max) - len(self._held)
        while room > 0 and (message := self._broker.take(self._queue)) is not None:
            tag = next(self._tags)
            self._held[tag] = message
            self._buffer.append(
                Delivery(
                    body=message.body,
                    routing_key=message.routing_key,
                    tag=tag,
                    redelivered=message.returns > 0,
                    delivery_count=message.returns,
                    headers=message.headers,
                    compressed=False,
                    epoch=self.epoch,
                )
            )
            room -= 1

    def _flush(self) -> None:
        """Let the acknowledgements on their way arrive."""
        for tag in self._acks:
            if self._held.pop(tag, None) is not None:
                self._broker.done(self._queue)
        self._acks.clear()

    def _lose(self) -> None:
        """The connection is gone; what was not acknowledged goes back."""
        self._lost = ConnectionLost("The connection to the model broker is gone.")
        self._end(leased=self._broker.flavour.leased)

    def _die(self) -> None:
        """The process is gone; some of the acknowledgements had left it."""
        if not self._closed:
            del self._acks[self._broker.rng.randint(0, len(self._acks)) :]
            self._flush()
            self._end(leased=self._broker.flavour.leased)

    def _end(self, *, leased: bool) -> None:
        self._closed = True
        self._buffer.clear()
        self._return(counted=True, leased=leased)
        self._broker.consumers.discard(self)

    def _return(self, *, counted: bool, leased: bool) -> None:
        held = list(self._held.values())
        self._held.clear()
        if held:
            self._broker.give_back(self._queue, held, counted=counted, leased=leased)


class ModelPublisher:
    """Publishes batches; see `base.Publisher`."""

    def __init__(self, broker: Broker, life: Life) -> None:
        self._broker = broker
        self._life = life

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Send all and tell what is known of each."""
        broker = self._broker
        broker.scheduler.pause()
        if broker.is_down or broker.faults.hit("no connection for a publisher"):
            raise ConnectionLost("The model broker does not answer.")
        if broker.is_blocked:
            return self._blocked(messages, exchange, deadline_seconds)
        cut = len(messages)
        if broker.faults.hit("connection lost while publishing"):
            cut = broker.rng.randint(0, len(messages))
        outcomes = [
            (message.id, self._one(message, exchange, lost=n >= cut))
            for n, message in enumerate(messages)
        ]
        if broker.faults.hit("killed amid a publish"):
            broker.scheduler.kill(self._life)
        return _result(outcomes)

    def close(self) -> None:
        """Nothing is kept open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _blocked(
        self, messages: Sequence[OutgoingMessage], exchange: str, deadline_seconds: float
    ) -> PublishResult:
        """Nobody reads: the deadline passes. What was sent may be kept later all the same."""
        self._broker.scheduler.wait(None, deadline_seconds)
        for message in messages:
            if self._broker.rng.random() < 0.3:
                self._broker.put(exchange, message)
        return _result([(message.id, "timeout") for message in messages])

    def _one(self, message: OutgoingMessage, exchange: str, *, lost: bool) -> PublishFailure | None:
        """Send one; None: it is kept and we know."""
        broker = self._broker
        if message.unsendable:
            return message.unsendable
        if lost:
            if broker.rng.random() < 0.4:
                broker.put(exchange, message)
            return "closed"
        if broker.faults.hit("nacked"):
            return "nacked"
        if broker.faults.hit("returned") or not broker.put(exchange, message):
            return "unroutable"
        return "timeout" if broker.faults.hit("confirm lost") else None


def _result(outcomes: Sequence[tuple[str, PublishFailure | None]]) -> PublishResult:
    failed = {key: failure for key, failure in outcomes if failure is not None}
    confirmed = frozenset(key for key, _failure in outcomes) - failed.keys()
    return PublishResult(confirmed, failed, "so the model said" if failed else "")
