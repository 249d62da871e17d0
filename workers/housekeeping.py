"""The chore that clears away what is kept for a time: every hour, by one worker of all.

Whoever moves `due_at` on does it. A turn lasts a fraction of a second, because it runs between
batches in the worker's thread; what is left is due again at once, for whoever comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.logs import logger
from config.settings import Settings
from store import housekeeping
from store.housekeeping import Ages, Removed
from store.transaction import Database
from workers.clock import Clock

LOOK_SECONDS = 5.0
"""How often a worker looks whether it is due."""

_EVERY = timedelta(hours=1)
_TURN_SECONDS_MAX = 0.3


def ages(settings: Settings, now: datetime) -> Ages:
    """Return from when on things are kept, by these settings."""
    return Ages(
        now - timedelta(days=settings.inbox_days),
        now - timedelta(days=settings.emitted_days),
        now - timedelta(days=settings.resolved_days),
    )


@dataclass(slots=True)
class Housekeeper:
    """One worker's part in it. `slices`: where it left off, when its time was up."""

    database: Database
    clock: Clock
    settings: Settings
    slices: Iterator[Removed] | None = None

    def turn(self) -> Removed:
        """Remove for a moment, if it is due and nobody else is at it; return what.

        Raises the errors of the store; what was not removed then is in an hour.
        """
        now, started = self.clock.now(), self.clock.monotonic()
        removed = Removed()
        if not housekeeping.claim(self.database, now, now + _EVERY):
            return removed
        slices = self.slices or housekeeping.clear(self.database, ages(self.settings, now))
        self.slices = None
        for part in slices:
            removed = removed.plus(part)
            if self.clock.monotonic() - started >= _TURN_SECONDS_MAX:
                self.slices = slices
                housekeeping.leave(self.database, now)
                break
        if removed.rows:
            logger().info(
                "housekeeping",
                inbox=removed.inbox,
                emitted=removed.emitted,
                set_aside=removed.set_aside,
                proofs=removed.proofs,
                finished=self.slices is None,
            )
        return removed
