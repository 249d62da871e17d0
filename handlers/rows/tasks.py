"""Work left over from an event that was too large for one transaction (S6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from events.envelope import Cause


class TaskKind(StrEnum):
    """Work left over from an event (S6)."""

    FILL = "fill"  # held lines of one sku are served from one source (S3)
    TRIM = "trim"  # unreleased units of one sku at one source go back to held (S8)
    LINK = "link"  # lines of one sku are linked to the replenishments they need (R10)
    DATE = "date"  # held lines of one sku are told their new dates (R12)
    WALK = "walk"  # every sku a policy change concerns


@dataclass(slots=True, eq=False)
class Task:
    """A consequence too large for one transaction, done in steps (S6).

    `fill`: `sku`, `place`, in `arrived` the units that came and no line has taken yet; `cursor` is
    where the walk along the queue goes on, if lines were passed over. `trim`: `sku`, `place`.
    `link`: `sku`. `date`: `sku`, in `cursor` where it goes on with what stands before it, and a
    `name` if only those are told who wait again.
    `walk`: `scope` is one of `vendor`, `place`, `shop`, `all`, `name` which; `cursor` the last sku
    done ("" at first). `cause`, `at` and `traceparent` are of the event the task belongs to: which
    it was, when it happened, and its trace, which what the steps emit carries on.
    `ordinal` orders the tasks of one sku; derived by the store when it is first saved.
    """

    task_id: str
    kind: TaskKind
    cause: Cause
    at: datetime
    sku: str | None = None
    place: str | None = None
    arrived: int = 0
    scope: str | None = None
    name: str | None = None
    cursor: str = ""
    traceparent: str | None = None
    done: bool = False
    ordinal: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (
            self.task_id,
            self.kind,
            self.cause,
            self.at,
            self.sku,
            self.place,
            self.arrived,
            self.scope,
            self.name,
            self.cursor,
            self.traceparent,
        )
