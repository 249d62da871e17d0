"""The only place where real time enters.

Everything that needs to know the time is given a `Clock`. The worker runs on the `SystemClock`; the
demo replays a year of orders on a `SettableClock` that shows the data's own time; tests set theirs.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Tell the time of day: aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never go back, the same in every process of a machine."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; nothing at all if `seconds` is not positive."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the time of day: aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds since the machine started: steps of the wall clock do not touch it."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        if seconds > 0:
            time.sleep(seconds)


class SettableClock:
    """A clock somebody sets. It never moves by itself, and `sleep` moves it at once.

    May be shared by threads. `monotonic` follows the moves forward only, as a real one would.
    """

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._now = _aware(start)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Tell the time it was set to."""
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        """Tell how many seconds it has been moved forward so far."""
        with self._lock:
            return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Move forward by `seconds` without waiting."""
        if seconds > 0:
            self.advance(seconds)

    def set(self, moment: datetime) -> None:
        """Show `moment` from now on, earlier or later than before."""
        with self._lock:
            forward = (_aware(moment) - self._now).total_seconds()
            self._now = _aware(moment)
            self._monotonic += max(0.0, forward)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._monotonic += seconds


class Stopwatch:
    """Seconds between one lap and the next, by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """End a lap."""
        now = self._clock.monotonic()
        self.laps[name] = self.laps.get(name, 0.0) + now - self._last
        self._last = now


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = f"A clock needs an instant with a time zone, not {moment!r}."
        raise ValueError(message)
    return moment.astimezone(UTC)
