"""Work left over from an event that was too large for one transaction (S6)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from events.envelope import Cause


class TaskKind(StrEnum):
    """Work left over from an event (S6)."""

    FILL = "fill"  # one sku at one source
    WALK = "walk"  # every sku a policy change concerns


@dataclass(slots=True, eq=False)
class Task:
    """A consequence too large for one transaction, done in steps (S6).

    `fill`: `sku`, `place`, and in `arrived` the units that came and no line has taken yet.
    `walk`: `scope` is one of `vendor`, `place`, `shop`, `all`, `name` which; `cursor` the last sku
    done ("" at first). `cause` and `at` are the event the task belongs to and when it happened.
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
        )
