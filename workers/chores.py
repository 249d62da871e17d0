"""What a worker does now and then beside its batches: each chore at its own pace, in one place.

A chore that meets trouble from below says so and is due again after its pause; the loop that calls
it goes on. Chores run between batches in the worker's thread: each must be short.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.logs import logger
from store.errors import StoreError
from workers.clock import Clock
from workers.transports.errors import TransportError


@dataclass(slots=True)
class Chore:
    """`work` every so many seconds, at first at once.

    `in_burst`: also each time a burst finds nothing else to do, whenever it was done last.
    """

    name: str
    every_seconds: float
    work: Callable[[], object]
    in_burst: bool = False
    _done_at: float | None = field(default=None, init=False)

    def is_due(self, now: float) -> bool:
        """Is it time again? `now` in seconds of the monotonic clock."""
        return self._done_at is None or now - self._done_at >= self.every_seconds

    def do(self, now: float) -> None:
        """Do it; trouble from below is logged, and the chore is due again after its pause."""
        self._done_at = now
        try:
            self.work()
        except (TransportError, StoreError) as trouble:
            logger().warning("chore_waits", chore=self.name, reason=str(trouble))


def tend(chores: Sequence[Chore], clock: Clock, *, idle_burst: bool) -> None:
    """Do what is due, and in a burst that is idle what such a burst waits for."""
    for chore in chores:
        now = clock.monotonic()
        if chore.is_due(now) or (idle_burst and chore.in_burst):
            chore.do(now)
