"""`/healthz` and `/readyz`: is it alive, and does it work? Each answers with the reasons why not.

- Alive: the loop has come round, or has said that it waits, within `LIVE_SECONDS_MAX`. A database
  or broker that is away does not make a worker dead: starting it again would mend nothing.
- Ready: it has a consumer, waits for no server, and the database answered its last heartbeat, a
  moment ago.

With `--processes N` each worker writes its answers to a file every second, and the supervisor reads
them: it answers for the fleet, which is alive while some worker runs and none is stuck, and ready
while one is ready.
"""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from workers.clock import Clock
from workers.meter import Meter

LIVE_SECONDS_MAX = 180.0
"""Longer than a batch may take: its statements end after `STATEMENT_SECONDS_MAX` (60 s) each."""

READY_SECONDS_MAX = 20.0
"""How old an answer of the database may be: four heartbeats."""


class Checks(Protocol):
    """Answers both questions; [] is yes, else one sentence for each reason."""

    def live(self) -> list[str]:
        """Say why it is not alive."""
        ...

    def ready(self) -> list[str]:
        """Say why it does not work now."""
        ...


class Health:
    """One worker."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._answered_at: float | None = None
        self._trouble: str | None = None

    def database_answered(self) -> None:
        """Note that the database took a heartbeat."""
        self._answered_at = self._meter.clock.monotonic()
        self._trouble = None

    def database_failed(self, trouble: str) -> None:
        """Note that it did not."""
        self._trouble = trouble

    def live(self) -> list[str]:
        """Say why it is not alive."""
        return _stuck("the loop", self._meter.turned_at, self._meter.clock)

    def ready(self) -> list[str]:
        """Say why it does not work now."""
        meter = self._meter
        if meter.stopping:
            return ["it is stopping"]
        reasons = (
            [] if meter.consuming else ["it has no consumer: it starts, or has lost the broker"]
        )
        if meter.waits_for is not None:
            reasons.append(meter.waits_for)
        if self._trouble is not None:
            reasons.append(f"the database: {self._trouble}")
        elif self._answered_at is None:
            reasons.append("the database has not been asked yet")
        elif meter.clock.monotonic() - self._answered_at > READY_SECONDS_MAX:
            reasons.append(f"the database has not answered for {READY_SECONDS_MAX:.0f} s")
        return reasons

    def write(self, file: Path) -> None:
        """Leave the answers where the supervisor reads them; whole at every instant."""
        told = {
            "turned_at": self._meter.turned_at,
            "written_at": self._meter.clock.monotonic(),
            "not_ready": self.ready(),
        }
        new = file.with_suffix(".new")
        new.write_text(json.dumps(told), encoding="utf-8")
        new.replace(file)


class FleetHealth:
    """All workers of a supervisor. `running`: the numbers of those that have a process."""

    def __init__(self, folder: Path, running: Callable[[], Collection[int]], clock: Clock) -> None:
        self._folder = folder
        self._running = running
        self._clock = clock

    def live(self) -> list[str]:
        """Say why it is not alive: nobody runs, or somebody is stuck."""
        running = self._running()
        if not running:
            return ["no worker runs"]
        told = ((number, self._told(number)) for number in running)
        return [
            reason
            for number, answers in told
            if answers is not None
            for reason in _stuck(f"worker {number}", answers["turned_at"], self._clock)
        ]

    def ready(self) -> list[str]:
        """Say why not one of them works."""
        reasons = []
        for number in self._running():
            found = self._not_ready(self._told(number))
            if not found:
                return []
            reasons += [f"worker {number}: {reason}" for reason in found]
        return reasons or ["no worker runs"]

    def _not_ready(self, answers: dict[str, Any] | None) -> list[str]:
        if answers is None:
            return ["it starts"]
        if self._clock.monotonic() - answers["written_at"] > READY_SECONDS_MAX:
            return [f"it has said nothing for {READY_SECONDS_MAX:.0f} s"]
        return list(answers["not_ready"])

    def _told(self, number: int) -> dict[str, Any] | None:
        try:
            return dict(json.loads(health_file(self._folder, number).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None


def health_file(folder: Path, number: int) -> Path:
    """Return where worker `number` of a fleet leaves its answers."""
    return folder / f"health-{number}.json"


def _stuck(who: str, turned_at: float, clock: Clock) -> list[str]:
    seconds = clock.monotonic() - turned_at
    return [] if seconds <= LIVE_SECONDS_MAX else [f"{who} has not come round for {seconds:.0f} s"]
