"""Orders placed steadily, and how long each takes from its publishing until it is told to ship.

They are timed from when they were due, so that a late probe hides nothing. The answers come to a
queue of the probe's own, bound to `ReadyToShip` only: a sink beside it keeps what else comes out.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import orjson
import pika
from pika.adapters.blocking_connection import BlockingChannel

from benchmarks.kit.load import SEED, Skew, orders
from benchmarks.kit.room import Room
from workers.topology import topology

KIND = "probe"
_ORDERS_MAX = 100_000
_POLL_SECONDS = 0.2
_LATE_SECONDS_MAX = 30.0

Part = Callable[[BlockingChannel, threading.Event], None]


@dataclass(frozen=True, slots=True)
class Took:
    """One order: when it was due (monotonic seconds), and how long the answer took."""

    due: float
    seconds: float


@dataclass
class Probe:
    """Places so many orders a second, of these skus, while the block runs."""

    place: Room
    skew: Skew
    per_second: float = 50.0
    lines: int = 3
    took: list[Took] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._due: dict[str, float] = {}
        self._stop = threading.Event()
        self._ended: list[BaseException] = []
        listening = threading.Event()
        self._listener = threading.Thread(target=self._run, args=(self._listen, listening))
        self._listener.start()
        listening.wait(_LATE_SECONDS_MAX)
        self._sender = threading.Thread(target=self._run, args=(self._send, listening))
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._sender.join()
        self._listener.join()
        if self._ended and error is None:
            raise self._ended[0]

    def between(self, began: float, ended: float) -> list[float]:
        """Return how long the orders took that were due between two moments."""
        return [one.seconds for one in self.took if began <= one.due < ended]

    @property
    def missing(self) -> int:
        """How many orders have had no answer."""
        return len(self._due)

    def _run(self, part: Part, listening: threading.Event) -> None:
        connection = pika.BlockingConnection(pika.URLParameters(self.place.broker_url))
        try:
            part(connection.channel(), listening)
        except BaseException as trouble:  # noqa: BLE001 - raised at the end of the block
            self._ended.append(trouble)
        finally:
            connection.close()

    def _send(self, channel: BlockingChannel, _listening: threading.Event) -> None:
        exchange = topology(self.place.stack.prefix).inbox_exchange
        due = time.monotonic()
        load = orders(KIND, _ORDERS_MAX, skew=self.skew, lines=self.lines, qty=1, seed=SEED)
        for message in load:
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            self._due[message.id] = due
            properties = pika.BasicProperties(message_id=message.id, delivery_mode=2)
            channel.basic_publish(exchange, message.routing_key, message.body, properties)
            due += 1 / self.per_second

    def _listen(self, channel: BlockingChannel, listening: threading.Event) -> None:
        queue = f"{self.place.stack.prefix}.probe"
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        out = topology(self.place.stack.prefix).out_exchange
        channel.queue_bind(queue, out, "ReadyToShip.#")
        channel.basic_qos(prefetch_count=500)
        listening.set()
        late_until = None
        for method, _properties, body in channel.consume(queue, inactivity_timeout=_POLL_SECONDS):
            now = time.monotonic()
            if method is not None:
                due = self._due.pop(orjson.loads(body or b"")["data"]["order_id"], None)
                if due is not None:
                    self.took.append(Took(due, now - due))
                channel.basic_ack(method.delivery_tag or 0)
            if self._stop.is_set():
                late_until = late_until or now + _LATE_SECONDS_MAX
                if not self._due or now > late_until:
                    return


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of all do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
