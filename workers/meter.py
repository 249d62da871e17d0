"""What a worker notes about itself while it works: how it goes, for presence, health and metrics.

By itself a `Meter` only remembers the last of everything, a few assignments a batch. `metrics`
builds one that counts as well. One thread writes each field and others only read it, so there is
no lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tenacity import RetryCallState

from store.errors import StoreError
from workers.clock import Clock, SystemClock
from workers.transports.base import PublishResult

WorkerState = Literal["working", "waiting", "stopping"]

NO_CODE = "none"
"""The `sqlstate` of an error to which the engine gave none: a pool or a connection of ours."""


@dataclass(frozen=True, slots=True)
class BatchTold:
    """What a batch was like. Times in seconds, by stage; `kinds` counts by (type, outcome)."""

    size: int
    kinds: Mapping[tuple[str, str], int]
    seconds: float
    stages: Mapping[str, float]
    age_seconds: float | None
    """Of the oldest message, since it was sent or queued; None: no message said when."""
    event_ages: Mapping[str, float] = field(default_factory=dict)
    """Of the oldest event of each type, since it happened."""


class Meter:
    """Remembers; see `workers.metrics` for one that counts."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.turned_at = self.clock.monotonic()
        self.consuming = False
        self.waits_for: str | None = None
        self.stopping = False
        self.settled = 0
        self.message_age_ms: int | None = None
        self._consumers = 0

    @property
    def state(self) -> WorkerState:
        """Say in a word what the worker does."""
        if self.stopping:
            return "stopping"
        return "working" if self.consuming and self.waits_for is None else "waiting"

    def turned(self) -> None:
        """Note that the loop has come round, with its consumer and its database at hand."""
        self.turned_at = self.clock.monotonic()
        self.waits_for = None

    def waits(self, event: str, trouble: Exception) -> None:
        """Note that the loop waits for a server, and why; it turns all the same."""
        self.turned_at = self.clock.monotonic()
        self.waits_for = f"{event}: {trouble}"

    def consumer_opened(self) -> None:
        """Note that messages can come."""
        self.consuming = True
        self.waits_for = None
        self.epoch("start" if not self._consumers else "broker_lost")
        self._consumers += 1

    def consumer_ended(self) -> None:
        """Note that none can come."""
        self.consuming = False

    def batch(self, told: BatchTold) -> None:
        """Note what became of a batch, once it is committed."""
        self.settled += told.size
        if told.age_seconds is not None:
            self.message_age_ms = round(told.age_seconds * 1000)

    def epoch(self, cause: str) -> None:
        """Note a new consumer and why it was made."""

    def acknowledged(self, seconds: float) -> None:
        """Note how long it took to acknowledge a batch."""

    def published(self, result: PublishResult, seconds: float) -> None:
        """Note what became of a window of the outbox."""

    def crashed(self, count: int) -> None:
        """Note messages that ended their workers and were set aside."""

    def late(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Note events that had waited and were decided by a step, by type and outcome."""

    def repeated(self, sqlstate: str) -> None:
        """Note that a transaction is to be tried again."""

    def transaction_repeated(self, state: RetryCallState) -> None:
        """Note the same, where tenacity says so."""
        self.turned_at = self.clock.monotonic()
        trouble = state.outcome.exception() if state.outcome is not None else None
        self.repeated(sqlstate_of(trouble))


def sqlstate_of(trouble: BaseException | None) -> str:
    """Return the engine's own code of an error."""
    code = trouble.code if isinstance(trouble, StoreError) else None
    return code or NO_CODE
