"""How long a worker goes on waiting, and the pauses it makes while something is away.

Every wait has a limit, and a stop ends them all: what was delivered has one last while to be
settled in, what was decided to be published.
"""

import threading

from config.logs import logger
from workers.clock import Clock
from workers.meter import Meter
from workers.retry import jittered

PAUSE_SECONDS_MAX = 30.0


class Patience:
    """How long there is to wait: for ever, until the worker is told to stop; then a last while."""

    def __init__(self, stopping: threading.Event, clock: Clock, last_seconds: float) -> None:
        self._stopping = stopping
        self._clock = clock
        self._last_seconds = last_seconds
        self._until: float | None = None

    def seconds_left(self) -> float:
        """Tell how much of the last while is left: all of it, before it has begun."""
        if not self._stopping.is_set():
            return self._last_seconds
        now = self._clock.monotonic()
        if self._until is None:
            self._until = now + self._last_seconds
        return max(0.0, self._until - now)

    def is_over(self) -> bool:
        """Is nothing to be tried again?"""
        return self.seconds_left() <= 0

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the stop, or in the last while to its end; True: time is left."""
        if self._stopping.is_set():
            self._clock.sleep(min(seconds, self.seconds_left()))
        else:
            self._stopping.wait(seconds)
        return not self.is_over()


class Pauses:
    """Growing pauses with jitter, one log line each.

    They begin anew after a time without trouble: what comes back only to be lost again is trouble.
    """

    def __init__(self, patience: Patience, meter: Meter) -> None:
        self._patience = patience
        self._meter = meter
        self._count = 0
        self._over_at = 0.0

    def wait(self, event: str, trouble: Exception) -> bool:
        """Say what is wrong and wait; False: the worker is to end."""
        clock = self._meter.clock
        if clock.monotonic() - self._over_at > PAUSE_SECONDS_MAX:
            self._count = 0
        self._count += 1
        self._meter.waits(event, trouble)
        seconds = jittered(self._count, first_seconds=0.25, seconds_max=PAUSE_SECONDS_MAX)
        logger().warning(event, reason=str(trouble), seconds=round(seconds, 2))
        goes_on = self._patience.wait(seconds)
        self._over_at = clock.monotonic()
        return goes_on
