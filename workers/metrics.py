"""The counters of a worker, for Prometheus. Imported only when metrics are asked for.

Counted once a batch, never once an event: some 0.1 ms a batch of any size. Labels hold only words
from short lists; never an order, a sku or an id (a type nobody knows is `unknown`). Names begin
with those of OpenTelemetry's messaging conventions where it has one. docs/operations.md lists all.

With `--processes N` the values live in files of a private folder, one set for each worker's
number, which outlives a worker that is killed: a counter never falls (`in_fleet`).
"""

import os
from collections.abc import Mapping
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, values

from events.inbound import INBOUND
from workers.clock import Clock
from workers.meter import BatchTold, Meter
from workers.transports.base import PublishResult

UNKNOWN_TYPE = "unknown"
_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # OTel's
_SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000)
_AGES = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 604_800)
_WHERE = ("messaging_system", "messaging_destination_name")
_CRASHED = "crashed_worker"

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


def in_fleet(folder: Path, number: int) -> None:
    """Keep values in files for the supervisor from here on; call it before any `Metrics` is made.

    By the worker's number among the fleet, not by its process: one that starts again goes on where
    the last one ended, and a crash loop does not fill the disk.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]


class Metrics(Meter):
    """A meter that counts."""

    def __init__(
        self, clock: Clock, system: str, inbox: str, out: str, registry: CollectorRegistry
    ) -> None:
        super().__init__(clock)
        self._in, self._out = (system, inbox), (system, out)
        self._of_messages(registry)
        self._of_batches(registry)
        self._of_trouble(registry)

    def _of_messages(self, registry: CollectorRegistry) -> None:
        self._consumed = Counter(
            "messaging_client_consumed_messages",
            "Messages settled: committed, whatever became of them.",
            _WHERE,
            registry=registry,
        )
        self._sent = Counter(
            "messaging_client_sent_messages",
            "Messages of the outbox the broker has confirmed.",
            _WHERE,
            registry=registry,
        )
        self._processed = Histogram(
            "messaging_process_duration_seconds",
            "From the receipt of a batch to its commit.",
            _WHERE,
            buckets=_DURATIONS,
            registry=registry,
        )
        self._operations = Histogram(
            "messaging_client_operation_duration_seconds",
            "What was asked of the broker: publish (a window, with its confirms), ack (a batch).",
            ("messaging_operation_name", *_WHERE),
            buckets=_DURATIONS,
            registry=registry,
        )
        self._outcomes = Counter(
            "backship_publish_outcome",
            "Messages offered to the broker, by what it said.",
            ("outcome",),
            registry=registry,
        )

    def _of_batches(self, registry: CollectorRegistry) -> None:
        self._size = Histogram(
            "backship_batch_size",
            "Messages of a batch.",
            buckets=_SIZES,
            registry=registry,
        )
        self._stage = Histogram(
            "backship_batch_duration_seconds",
            "Where the time of a batch goes: decode, load, decide, save, ack.",
            ("stage",),
            buckets=_DURATIONS,
            registry=registry,
        )
        self._events = Counter(
            "backship_events",
            "Messages settled, by type and first outcome; they add up to those consumed.",
            ("type", "outcome"),
            registry=registry,
        )
        self._late = Counter(
            "backship_late_events",
            "Events that had waited and were decided later, by type and outcome.",
            ("type", "outcome"),
            registry=registry,
        )
        self._ages = Histogram(
            "backship_event_age_seconds",
            "From when the oldest event of its type in a batch happened to the batch's commit.",
            ("type",),
            buckets=_AGES,
            registry=registry,
        )

    def _of_trouble(self, registry: CollectorRegistry) -> None:
        self._repeats = Counter(
            "backship_tx_retries",
            "Transactions begun again, by the code the database gave.",
            ("sqlstate",),
            registry=registry,
        )
        self._epochs = Counter(
            "backship_channel_epoch",
            "Consumers opened, by cause: start, broker_lost.",
            ("cause",),
            registry=registry,
        )
        self._crashes = Counter(
            "backship_crashed_messages",
            "Messages set aside because their workers ended over them.",
            registry=registry,
        )

    def batch(self, told: BatchTold) -> None:
        """Count a batch."""
        super().batch(told)
        self._consumed.labels(*self._in).inc(told.size)
        self._processed.labels(*self._in).observe(told.seconds)
        self._size.observe(told.size)
        for stage, seconds in told.stages.items():
            self._stage.labels(stage).observe(seconds)
        _count(self._events, told.kinds)
        for kind, seconds in told.event_ages.items():
            self._ages.labels(_type(kind)).observe(seconds)
        self.crashed(sum(n for (_kind, what), n in told.kinds.items() if what == _CRASHED))

    def late(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count what had waited."""
        _count(self._late, counts)

    def acknowledged(self, seconds: float) -> None:
        """Time an acknowledgement."""
        self._stage.labels("ack").observe(seconds)
        self._operations.labels("ack", *self._in).observe(seconds)

    def published(self, result: PublishResult, seconds: float) -> None:
        """Count a window of the outbox."""
        self._sent.labels(*self._out).inc(len(result.confirmed))
        self._operations.labels("publish", *self._out).observe(seconds)
        self._outcomes.labels("ack").inc(len(result.confirmed))
        for failure in result.failed.values():
            self._outcomes.labels(failure).inc()

    def crashed(self, count: int) -> None:
        """Count messages that ended their workers."""
        self._crashes.inc(count)

    def epoch(self, cause: str) -> None:
        """Count a new consumer."""
        self._epochs.labels(cause).inc()

    def repeated(self, sqlstate: str) -> None:
        """Count a transaction that is tried again."""
        self._repeats.labels(sqlstate).inc()


def _count(counter: Counter, counts: Mapping[tuple[str, str], int]) -> None:
    for (kind, outcome), count in counts.items():
        counter.labels(_type(kind), outcome).inc(count)


def _type(kind: str) -> str:
    return kind if kind in INBOUND else UNKNOWN_TYPE
