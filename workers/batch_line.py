"""One batch, told once: the line in the log (docs/operations.md lists its fields) and the meter.

1. `take_in` decodes; called again for each try that waited for the database.
2. `settled` says what became of it, after the commit and before the acknowledgement.

Costs some 0.2 ms for a batch of 500, of which the line itself is the half.
"""

import itertools
from collections.abc import Sequence
from datetime import datetime

from config.logs import logger
from workers.identity import worker_id
from workers.intake import Intake, take_in
from workers.meter import BatchTold
from workers.process import Desk, Report
from workers.transports.base import Delivery

_numbers = itertools.count(1)


class BatchLine:
    """What is known of a batch while it is worked on."""

    def __init__(self, desk: Desk, part: Sequence[Delivery]) -> None:
        self._desk = desk
        self._part = part
        self._name = f"{worker_id()}/{next(_numbers)}"
        self._started = desk.clock.monotonic()
        self._decode = 0.0
        self._tries = 0
        self._intake = Intake()

    def take_in(self) -> Intake:
        """Decode the deliveries."""
        clock = self._desk.clock
        started = clock.monotonic()
        self._tries += 1
        self._intake = take_in(self._part, clock.now())
        self._decode = clock.monotonic() - started
        return self._intake

    def settled(self, report: Report) -> None:
        """Tell what became of it."""
        clock = self._desk.clock
        now = clock.now()
        seconds = clock.monotonic() - self._started
        stages = {"decode": self._decode, **report.seconds}
        age = _age(self._part, now)
        told = BatchTold(len(self._part), report.kinds, seconds, stages, age, self._ages(now))
        self._desk.meter.batch(told)
        self._desk.meter.late(report.late)
        logger().info(
            "batch",
            batch=self._name,
            epoch=self._part[0].epoch,
            size=len(self._part),
            tries=self._tries,
            repeats=report.repeats,
            deliveries_max=1 + max(delivery.delivery_count for delivery in self._part),
            age_ms=None if age is None else round(age * 1000),
            milliseconds=round(seconds * 1000, 1),
            **{f"{stage}_ms": round(spent * 1000, 1) for stage, spent in stages.items()},
            skus=report.skus,
            orders=report.orders,
            emitted=report.emitted,
            tasks=report.tasks,
            late=sum(report.late.values()),
            outcomes=report.counts,
        )

    def _ages(self, now: datetime) -> dict[str, float]:
        """Return how long ago the oldest event of each type happened, never less than 0."""
        oldest: dict[str, datetime] = {}
        for arrival in self._intake.arrivals:
            event = arrival.event
            if event.time is not None and event.time < oldest.get(event.type, now):
                oldest[event.type] = event.time
        return {kind: (now - at).total_seconds() for kind, at in oldest.items()}


def _age(part: Sequence[Delivery], now: datetime) -> float | None:
    """Return how long ago the oldest message was sent; clocks that differ make no negative age."""
    sent = [delivery.published_at for delivery in part if delivery.published_at is not None]
    return max(0.0, now.timestamp() - min(sent)) if sent else None
