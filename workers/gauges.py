"""The gauges of `/metrics`: what `backship status` tells, looked up every 15 s.

One process of each port asks: the worker, or the supervisor for its fleet. What is shown is the
last answer; while there is none newer than a minute, the gauges are left out instead of lying.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from store.errors import StoreError
from store.transaction import Database
from store.views.status import Figures, figures
from workers.clock import Clock
from workers.health import Checks
from workers.presence import VERSION
from workers.topology import Topology
from workers.transports.base import Transport
from workers.transports.errors import TransportError

LOOK_SECONDS = 15.0
_STALE_SECONDS = 60.0


class Gauges(Collector):
    """What was seen last. `look` is called by one thread, `collect` by the server's."""

    def __init__(
        self,
        database: Database,
        transport: Transport,
        topology: Topology,
        checks: Checks,
        clock: Clock,
    ) -> None:
        self._database = database
        self._transport = transport
        self._topology = topology
        self._checks = checks
        self._clock = clock
        self._figures: tuple[float, Figures] | None = None
        self._queues: tuple[float, dict[str, int]] | None = None
        self._oldest_seconds: float | None = None

    def look(self) -> None:
        """Ask the database and the broker; who does not answer is asked again next time."""
        file = self._database.file
        if file is None or file.exists():  # else asking would create it
            with suppress(StoreError), self._database.read() as tx:  # the heartbeat says so
                self._figures = (self._clock.monotonic(), figures(tx))
        with suppress(TransportError):  # the loop, which needs it, says so
            self._ask_broker()

    def collect(self) -> Iterable[Metric]:
        """Yield what is known."""
        info = GaugeMetricFamily(
            "backship_build_info", "The version that runs; always 1.", labels=["version"]
        )
        info.add_metric([VERSION], 1)
        yield info
        yield _gauge("backship_ready", "1 while /readyz says yes.", not self._checks.ready())
        yield _gauge(
            "backship_database_up", "1 while the database answers.", self._fresh(self._figures)
        )
        yield _gauge("backship_broker_up", "1 while the broker answers.", self._fresh(self._queues))
        if self._figures is not None and self._fresh(self._figures):
            yield from _of_database(self._figures[1])
        if self._queues is not None and self._fresh(self._queues):
            yield from self._of_broker(self._queues[1])

    def _fresh(self, answer: tuple[float, object] | None) -> bool:
        return answer is not None and self._clock.monotonic() - answer[0] <= _STALE_SECONDS

    def _ask_broker(self) -> None:
        topology = self._topology
        names = (topology.inbox_queue, topology.dead_queue, topology.unrouted_queue)
        ready = {name: self._transport.ready_count(name) for name in names}
        oldest_at = self._transport.oldest_at(topology.inbox_queue)
        now = self._clock.now().timestamp()
        self._oldest_seconds = None if oldest_at is None else max(0.0, now - oldest_at)
        self._queues = (self._clock.monotonic(), ready)

    def _of_broker(self, ready: dict[str, int]) -> Iterator[Metric]:
        queues = GaugeMetricFamily(
            "backship_queue_ready", "Messages of a queue that could be delivered.", labels=["queue"]
        )
        for name, count in ready.items():
            queues.add_metric([name.removeprefix(_prefix(self._topology))], count)
        yield queues
        age = self._oldest_seconds
        if age is None and ready[self._topology.inbox_queue] == 0:
            age = 0.0
        if age is None and self._figures is not None and self._fresh(self._figures):
            age = self._figures[1].message_age_seconds
        if age is not None:
            yield _gauge(
                "backship_queue_oldest_age_seconds",
                "Age of the inbox's oldest message; on RabbitMQ as the workers saw it last.",
                age,
            )


def _prefix(topology: Topology) -> str:
    return topology.inbox_queue.removesuffix("inbox")


def _of_database(found: Figures) -> Iterator[Metric]:
    for name, told, value in _VALUES:
        yield _gauge(name, told, value(found))
    waiting = GaugeMetricFamily(
        "backship_waiting", "Events that wait in the database, by what for.", labels=["reason"]
    )
    waiting.add_metric(["order"], found.waiting["orders"])
    waiting.add_metric(["replenishment"], found.waiting["replenishments"])
    waiting.add_metric(["sku"], found.waiting["skus"])
    yield waiting
    aside = GaugeMetricFamily(
        "backship_set_aside", "Events set aside, by reason.", labels=["reason"]
    )
    for reason, count in found.set_aside["by_reason"].items():
        aside.add_metric([reason], count)
    yield aside


_VALUES: tuple[tuple[str, str, Callable[[Figures], float]], ...] = (
    ("backship_held_orders", "Orders with shortage.", lambda found: found.held_orders),
    (
        "backship_open_replenishments",
        "Replenishments that are open.",
        lambda found: found.open_replenishments,
    ),
    (
        "backship_outbox_pending",
        "Events decided and not yet published.",
        lambda found: found.outbox["count"],
    ),
    (
        "backship_outbox_oldest_age_seconds",
        "Since the first of them was decided; 0: none.",
        lambda found: found.outbox["oldest_age_seconds"] or 0.0,
    ),
    (
        "backship_outbox_held_back",
        "Those the broker would not take.",
        lambda found: found.outbox["held_back"],
    ),
    (
        "backship_waiting_oldest_age_seconds",
        "Since the first came that waits for an order or replenishment; 0: none.",
        lambda found: found.waiting["oldest_age_seconds"] or 0.0,
    ),
    ("backship_tasks", "Consequences left to later steps.", lambda found: found.tasks),
    ("backship_retrying", "Events set aside that are on their way back.", lambda f: f.retrying),
    (
        "backship_exceptions_last_day",
        "Exceptions raised within 24 h.",
        lambda found: found.exceptions_last_day,
    ),
    (
        "backship_workers",
        "Workers on this database that are alive.",
        lambda found: found.workers_alive,
    ),
)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=float(value))
