"""What will happen when: the demo's people put their next acts here, and the replay takes them.

An act is `informed` when it depends on what Backship has said so far: the replay lets Backship
catch up before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from console.demo_events import Telling

Doing = Callable[[datetime], Sequence[Telling]]


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """Something that will be done; of two at one moment the one planned first comes first."""

    at: datetime
    number: int
    informed: bool = field(compare=False)
    do: Doing = field(compare=False)


class Agenda:
    """All that is planned, by time."""

    def __init__(self) -> None:
        self._acts: list[Act] = []
        self._numbers = count()

    def plan(self, at: datetime, do: Doing, *, informed: bool = False) -> None:
        """Plan an act."""
        heappush(self._acts, Act(at, next(self._numbers), informed, do))

    def next(self) -> Act | None:
        """Show what comes next; None: nothing is planned."""
        return self._acts[0] if self._acts else None

    def take(self) -> Act:
        """Take what comes next."""
        return heappop(self._acts)


def at_hour(day: datetime, hour: int, *, days_later: int = 0) -> datetime:
    """Return a full hour of the day, or of one of the days after it (UTC)."""
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=days_later, hours=hour)
