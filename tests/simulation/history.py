"""What was really committed, in its order: enough to do it all again on a clean database.

1. While a world runs, `recording` notes what each transaction decides: a batch with all that was
   learned about it, a step, dead letters; its commit enters it into the history.
2. `replay` does the same transactions again with nothing going wrong. What the two databases hold
   must be equal, row by row: whatever was rolled back, repeated or killed has left no trace.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self
from unittest.mock import patch

from handlers.decision import Decision, SetAside
from handlers.state import Keys
from store import schema
from store.statements import Query, Rows
from store.transaction import Transaction
from tests.simulation.scheduler import Scheduler, Task
from workers import collector, intake, isolate, process, unfinished, wary
from workers.clock import SettableClock
from workers.intake import Intake
from workers.process import Desk, EventKey, Report
from workers.transports.base import Delivery
from workers.unfinished import StepSize


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that was decided, and what earlier tries had learned about it."""

    intake: Intake
    failed: Mapping[EventKey, SetAside]
    more: Keys

    def again(self, desk: Desk) -> None:
        """Decide it again."""
        process.process(desk, self.intake, self.failed, self.more)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of what was unfinished; which one it was depended on the tries that were counted."""

    size: StepSize
    attempt: "Attempt"
    young: bool
    suspects: Rows

    def again(self, desk: Desk) -> None:
        """Do it again."""
        same = replace(desk, young_until=float("inf") if self.young else 0.0)
        with desk.database.begin() as tx:
            tx.append(schema.suspects, self.suspects)
            _REAL_STEP(same, tx, self.size, self.attempt)
            tx.delete(schema.suspects, [row[:1] for row in self.suspects])


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What the broker had given up on."""

    deliveries: Sequence[Delivery]

    def again(self, desk: Desk) -> None:
        """Collect it again."""
        collector.collect(desk, _Handing(self.deliveries), "dead")  # type: ignore[arg-type]


Deed = Batch | Step | DeadLetters

_REAL_STEP = unfinished._step  # noqa: SLF001 - one transaction of `step`, without its repeats
_SUSPECTS = Query("SELECT body_hash, tries, seen_at FROM suspects")
Attempt = unfinished._Attempt  # noqa: SLF001 - what its earlier tries have learned


@dataclass(slots=True)
class History:
    """All commits of one world."""

    scheduler: Scheduler
    deeds: list[tuple[Deed, datetime]] = field(default_factory=list)
    _doing: dict[Task, Deed] = field(default_factory=dict)

    def doing(self, deed: Deed) -> None:
        """Note what the task whose turn it is will commit next."""
        if self.scheduler.current is not None:
            self._doing[self.scheduler.current] = deed

    def committed(self) -> None:
        """Enter it."""
        task = self.scheduler.current
        if task is not None and (deed := self._doing.pop(task, None)) is not None:
            assert task.told_now is not None
            self.deeds.append((deed, task.told_now))

    def rolled_back(self) -> None:
        """Forget it."""
        if self.scheduler.current is not None:
            self._doing.pop(self.scheduler.current, None)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note what the workers of this world do."""

        def noted_process(
            desk: Desk, batch: Intake, failed: Mapping[EventKey, SetAside], more: Keys
        ) -> Report:
            self.doing(Batch(batch, dict(failed), Keys().join(more)))
            return process.process(desk, batch, failed, more)

        def noted_step(
            desk: Desk, tx: Transaction, size: StepSize, attempt: Attempt
        ) -> Decision | None:
            counted = tx.query(_SUSPECTS)
            self.doing(Step(size, _copied(attempt), wary.is_young(desk), counted))
            return _REAL_STEP(desk, tx, size, attempt)

        def noted_take_in(deliveries: Sequence[Delivery], received_at: datetime) -> Intake:
            self.doing(DeadLetters(list(deliveries)))
            return intake.take_in(deliveries, received_at)

        with ExitStack() as patches:
            patches.enter_context(patch.object(isolate, "process", noted_process))
            patches.enter_context(patch.object(unfinished, "_step", noted_step))
            patches.enter_context(patch.object(collector, "take_in", noted_take_in))
            yield

    def replay(self, desk: Desk, clock: SettableClock) -> None:
        """Do it all again, each at its time."""
        for deed, now in self.deeds:
            clock.set(now)
            deed.again(desk)


def _copied(attempt: Attempt) -> Attempt:
    return Attempt(Keys().join(attempt.more), dict(attempt.failed))


class _Handing:
    """A transport that has one batch of dead letters."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = list(deliveries)

    def ready_count(self, _queue: str) -> int:
        return len(self._deliveries)

    def consumer(self, _queue: str, *, prefetch_max: int) -> Self:
        del prefetch_max
        return self

    def receive(self, _count_max: int, _wait_seconds: float) -> list[Delivery]:
        taken, self._deliveries = self._deliveries, []
        return taken

    def ack(self, _deliveries: Sequence[Delivery]) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
