"""What the broker did not take: when it is offered again, and what a person is told of it.

- `unroutable`, `nacked`: again after a second or two, then after twice as long, up to a minute.
- `too_large`, `refused`: again is of no use until somebody changes something. They are `stuck`:
  offered once in up to a minute, so that a change is noticed.
- `timeout`, `closed`: the connection's trouble, not the message's; they are no refusals.

One wait for all of a window with as many failures: they come back together, not one by one.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from config.logs import logger
from store.held_back import SECONDS_MAX, Refusal
from store.outgoing import Outgoing
from workers.clock import Clock
from workers.retry import jittered
from workers.transports.base import PublishResult

CONNECTION_TROUBLE = frozenset({"timeout", "closed"})
HOPELESS = frozenset({"too_large", "refused"})

FIRST_SECONDS = 1.0
SAY_SECONDS = 30.0
"""How often at most a person is told; in between it is counted."""
IDS_TOLD_MAX = 10


class Refusals:
    """Keeps count from window to window; `say` after a pass writes a line, if one is due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._stuck_ids: dict[str, None] = {}
        self._remark = ""
        self._said_at: float | None = None

    def of(self, rows: Iterable[Outgoing], result: PublishResult) -> dict[str, Refusal]:
        """Return the refusals of a window by id, each with the time of its next attempt."""
        now = self._clock.now()
        waits: dict[tuple[int, bool], float] = {}
        refusals = {}
        for row in rows:
            reason = result.failed.get(row.id)
            if reason is None or reason in CONNECTION_TROUBLE:
                continue
            kind = (row.failures + 1, reason in HOPELESS)
            if kind not in waits:
                waits[kind] = _seconds(*kind)
            retry_at = now + timedelta(seconds=waits[kind])
            refusals[row.id] = Refusal(reason, row.failures + 1, retry_at)
            self._counts[reason] += 1
            if reason in HOPELESS and len(self._stuck_ids) < IDS_TOLD_MAX:
                self._stuck_ids[row.id] = None
        if refusals and result.remark:
            self._remark = result.remark
        return refusals

    def say(self) -> None:
        """Tell a person once about all since the last time, at most twice a minute."""
        now = self._clock.monotonic()
        lately = self._said_at is not None and now - self._said_at < SAY_SECONDS
        if not self._counts or lately:
            return
        logger().warning(
            "publish_stuck" if self._stuck_ids else "publish_held_back",
            count=self._counts.total(),
            reasons=dict(sorted(self._counts.items())),
            remark=self._remark,
            **({"stuck": list(self._stuck_ids)} if self._stuck_ids else {}),
        )
        self._counts.clear()
        self._stuck_ids.clear()
        self._remark = ""
        self._said_at = now


def _seconds(failures: int, hopeless: bool) -> float:  # noqa: FBT001 - a kind of refusal, in short
    first = SECONDS_MAX if hopeless else FIRST_SECONDS
    return jittered(failures, first_seconds=first, seconds_max=SECONDS_MAX)
