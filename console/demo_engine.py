"""The engine under the demo: the real worker on a clock that shows the data's own time.

1. Events go to the inbox exchange through the transport's publisher, confirmed.
2. A worker, as `backship worker` runs it, consumes them in a thread of its own and publishes what
   it decides.
3. When nothing is left to do, what it published is taken from a queue of the demo's, bound to the
   exchange for events out as a warehouse binds its own. A mark sent after it tells where it ends.

Nothing here looks into the database to learn what was decided.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from typing_extensions import override

from store import outbox, tasks
from store.statements import Query
from workers.clock import SettableClock, SystemClock
from workers.topology import KEEPING_DELIVERY_LIMIT, Binding, Queue, Topology
from workers.transports.base import Consumer, Delivery, OutgoingMessage, Publisher
from workers.transports.errors import ConnectionLost
from workers.wiring import House
from workers.worker import Worker

_MARK = "demo.mark"
_LOOK_SECONDS = 0.005  # each look asks the database, and takes time from the worker
_TAKE_SECONDS = 0.2
_REMEMBERED_MAX = 50_000  # ids already heard: an event may be published twice, never decided twice

_HELD = Query("SELECT SUM(t.shortage) FROM demand AS t")


class DataClock(SettableClock):
    """Shows the data's time. What is waited for, and how long anything takes, is real time."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._system = SystemClock()

    @override
    def monotonic(self) -> float:
        return self._system.monotonic()

    @override
    def sleep(self, seconds: float) -> None:
        self._system.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Heard:
    """One event out."""

    type: str
    at: datetime
    data: dict[str, Any]


class Engine:
    """A worker at work, and the two ends of it: what is told, what is heard."""

    def __init__(
        self, house: House, worker: Worker, publisher: Publisher, consumer: Consumer
    ) -> None:
        self._house = house
        self._worker = worker
        self._publisher = publisher
        self._consumer = consumer
        self._told = 0
        self._marks = 0
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._trouble: Exception | None = None

    def tell(self, messages: Sequence[OutgoingMessage]) -> list[Heard]:
        """Publish events, let the worker come to rest, and return what it has said."""
        self._publish(messages, self._house.topology.inbox_exchange)
        self._told += len(messages)
        self._rest()
        return self._take()

    def held_units(self) -> int:
        """Return how many units wait, of all skus."""
        with self._house.database.read() as tx:
            ((units,),) = tx.query(_HELD)
        return int(units or 0)

    def _publish(self, messages: Sequence[OutgoingMessage], exchange: str) -> None:
        seconds = self._house.settings.publish_seconds_max
        result = self._publisher.publish(messages, exchange, deadline_seconds=seconds)
        if result.failed:
            why = ", ".join(sorted(set(result.failed.values())))
            message = f"{len(result.failed)} events were not confirmed ({why}) {result.remark}"
            raise ConnectionLost(message.strip())

    def _rest(self) -> None:
        """Wait until everything told is settled, finished and published."""
        database, clock = self._house.database, self._house.clock
        while (
            self._worker.settled < self._told
            or tasks.unfinished(database)
            or outbox.count(database)
        ):
            if self._trouble is not None:
                raise self._trouble
            clock.sleep(_LOOK_SECONDS)

    def _take(self) -> list[Heard]:
        """Take what lies before the mark."""
        self._marks += 1
        mark = OutgoingMessage(f"{_MARK}-{self._marks}", "Mark", _MARK, b"%d" % self._marks)
        self._publish([mark], self._house.topology.out_exchange)
        heard: list[Heard] = []
        ended = False
        while not ended:
            deliveries = self._consumer.receive(self._house.settings.batch_size_max, _TAKE_SECONDS)
            for delivery in deliveries:
                if delivery.routing_key == _MARK:
                    ended = ended or delivery.body == mark.body
                else:
                    heard += self._read(delivery)
            self._consumer.ack(deliveries)
        return heard

    def _read(self, delivery: Delivery) -> list[Heard]:
        envelope = orjson.loads(delivery.body)
        if envelope["id"] in self._remembered:
            return []
        self._remembered[envelope["id"]] = None
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        at = datetime.fromisoformat(envelope["time"])
        return [Heard(envelope["type"], at, envelope["data"])]

    def work(self) -> None:
        """Run the worker until it is stopped; the thread's own function."""
        try:
            self._worker.run()
        except Exception as error:  # noqa: BLE001 - raised where somebody waits for the worker
            self._trouble = error


@contextmanager
def running(house: House) -> Iterator[Engine]:
    """Start the worker and listen to it; stop it at the end. Tables and topology are there."""
    house.ready()
    queue = queue_name(house)
    house.transport.declare(_listening(house, queue))
    worker = house.worker()
    with ExitStack() as stack:
        # Nobody would empty it afterwards: what is emitted later belongs to `unrouted` again.
        stack.callback(house.transport.delete_queue, queue)
        publisher = stack.enter_context(house.transport.publisher())
        consumer = stack.enter_context(house.transport.consumer(queue))
        engine = Engine(house, worker, publisher, consumer)
        thread = threading.Thread(target=engine.work, name="demo-worker", daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            worker.stop()
            thread.join()


def queue_name(house: House) -> str:
    """Return the name of the demo's own queue."""
    return f"{house.settings.topology_prefix}.demo"


def _listening(house: House, queue: str) -> Topology:
    """Return what is declared besides the topology: a queue that hears everything."""
    ours = house.topology
    return Topology(
        inbox_exchange=ours.inbox_exchange,
        inbox_queue=ours.inbox_queue,
        dead_queue=ours.dead_queue,
        out_exchange=ours.out_exchange,
        unrouted_queue=ours.unrouted_queue,
        exchanges=(),
        queues=(Queue(queue, KEEPING_DELIVERY_LIMIT),),
        bindings=(Binding(ours.out_exchange, queue, "#"),),
    )
