"""`backship status`, and the gauges: how much waits where, and who works. Cheap on a big store.

1. Every count goes along an index, in its order, and ends at `COUNT_MAX`: nothing scans orders,
   lines, movements or the inbox. What ends there is named in `at_least`.
2. One snapshot, one statement for each figure; none grows with what the store has heard.

The order by the index's own columns is what makes the planner take it: without, a table that was
never analyzed is read from its beginning until enough rows are found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from store import presence
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import OutboxFigures, SetAsideFigures, WaitingFigures, WorkerView

COUNT_MAX = 10_000
"""How far anything is counted: an operator acts no differently on more."""

_DAY = timedelta(days=1)


def _bounded(rows: str) -> Query:
    return Query(f"SELECT COUNT(*) FROM ({rows} LIMIT :count_max) AS counted")  # noqa: S608 - ours


# Lines with shortage, along the index of who stands behind whom; then how many orders they are of.
_HELD = Query(
    """
    SELECT COALESCE(SUM(held.lines), 0), COUNT(*) FROM (
        SELECT COUNT(*) AS lines FROM (
            SELECT t.shop, t.order_id FROM order_lines AS t WHERE t.shortage > 0
            ORDER BY t.sku, t.destination, t.priority, t.placed_at, t.shop, t.order_id, t.position
            LIMIT :count_max
        ) AS l
        GROUP BY l.shop, l.order_id
    ) AS held
    """
)
_OPEN = _bounded(
    "SELECT 1 FROM replenishments AS t WHERE t.state = 'open' ORDER BY t.vendor, t.destination"
)
_OUTBOX = _bounded("SELECT 1 FROM outbox AS t ORDER BY t.clock, t.n, t.id")
_OUTBOX_FIRST = Query(
    """
    SELECT t.clock FROM outbox AS t
    WHERE NOT EXISTS (
        SELECT 1 FROM held_back AS h WHERE h.clock = t.clock AND h.n = t.n AND h.id = t.id
    )
    ORDER BY t.clock, t.n, t.id LIMIT 1
    """
)
_HELD_BACK = _bounded("SELECT 1 FROM held_back AS t ORDER BY t.retry_at")
_FOR_ORDERS = _bounded(
    "SELECT 1 FROM waiting AS t WHERE t.order_id IS NOT NULL ORDER BY t.shop, t.order_id"
)
_FOR_SUPPLY = _bounded(
    "SELECT 1 FROM waiting AS t WHERE t.replenishment_id IS NOT NULL ORDER BY t.replenishment_id"
)
_FOR_SKUS = _bounded(
    "SELECT 1 FROM waiting AS t WHERE t.sku IS NOT NULL ORDER BY t.sku, t.clock, t.n"
)
_WAITING_SINCE = Query(
    """
    SELECT t.received_at FROM waiting AS t WHERE t.received_at IS NOT NULL
    ORDER BY t.received_at LIMIT 1
    """
)
_TASKS = _bounded("SELECT 1 FROM tasks AS t ORDER BY t.clock, t.n")
_SET_ASIDE = Query(
    """
    SELECT counted.reason, COUNT(*) FROM (
        SELECT t.reason FROM set_aside AS t WHERE t.state = 'set_aside'
        ORDER BY t.state, t.first_seen, t.id LIMIT :count_max
    ) AS counted
    GROUP BY counted.reason ORDER BY counted.reason
    """
)
_RETRYING = _bounded(
    "SELECT 1 FROM set_aside AS t WHERE t.state = 'retrying' ORDER BY t.state, t.first_seen, t.id"
)
_EXCEPTIONS = _bounded(
    "SELECT 1 FROM exceptions AS t WHERE t.clock >= :since ORDER BY t.clock, t.n, t.id"
)
_WORKERS = Query(
    """
    SELECT t.worker_id, t.host, t.pid, t.version, t.state, t.started_at, t.seen_at, t.settled,
        t.message_age_ms
    FROM workers AS t ORDER BY t.started_at, t.worker_id
    """
)


@dataclass(slots=True)
class Figures:
    """What the database tells. `at`: by its own clock. Ages in seconds."""

    at: datetime
    held_orders: int
    open_replenishments: int
    outbox: OutboxFigures
    waiting: WaitingFigures
    tasks: int
    set_aside: SetAsideFigures
    retrying: int
    exceptions: int
    exceptions_last_day: int
    workers: list[WorkerView]
    message_age_seconds: float | None
    """Of the oldest message of the last batch of a worker that is alive; None: none told."""
    at_least: list[str] = field(default_factory=list)

    @property
    def workers_alive(self) -> int:
        """Count the workers seen a moment ago."""
        return sum(worker["alive"] for worker in self.workers)


class _Counter:
    """Counts, and notes what was not counted to its end."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.at_least: list[str] = []

    def count(self, name: str, query: Query, **values: int) -> int:
        ((count,),) = self.tx.query(query, (), count_max=COUNT_MAX, **values)
        return self.noted(name, int(count))

    def noted(self, name: str, count: int) -> int:
        if count >= COUNT_MAX:
            self.at_least.append(name)
        return count


def figures(tx: Transaction) -> Figures:
    """Look at everything; a fixed number of statements, each bounded."""
    now = presence.now(tx)
    counter = _Counter(tx)
    ((lines, held),) = tx.query(_HELD, (), count_max=COUNT_MAX)
    counter.noted("held_orders", int(lines))
    workers, age = _workers(tx, now)
    found = Figures(
        at=now,
        held_orders=int(held),
        open_replenishments=counter.count("open_replenishments", _OPEN),
        outbox=_outbox(counter, now),
        waiting=_waiting(counter, now),
        tasks=counter.count("tasks", _TASKS),
        set_aside=_set_aside(counter),
        retrying=counter.count("retrying", _RETRYING),
        exceptions=counter.count("exceptions.total", _EXCEPTIONS, since=0),
        exceptions_last_day=counter.count(
            "exceptions.last_24h", _EXCEPTIONS, since=_microseconds(now - _DAY)
        ),
        workers=workers,
        message_age_seconds=age,
    )
    found.at_least = counter.at_least
    return found


def _outbox(counter: _Counter, now: datetime) -> OutboxFigures:
    first = next((clock for (clock,) in counter.tx.query(_OUTBOX_FIRST)), None)
    # Its logical clock, which runs with the time of decision and may be a little ahead of it.
    age = None if first is None else max(0.0, (_microseconds(now) - first) / 1_000_000)
    return {
        "count": counter.count("outbox.count", _OUTBOX),
        "oldest_age_seconds": age,
        "held_back": counter.count("outbox.held_back", _HELD_BACK),
    }


def _waiting(counter: _Counter, now: datetime) -> WaitingFigures:
    since = next((counter.tx.instant(at) for (at,) in counter.tx.query(_WAITING_SINCE)), None)
    return {
        "orders": counter.count("waiting.orders", _FOR_ORDERS),
        "replenishments": counter.count("waiting.replenishments", _FOR_SUPPLY),
        "skus": counter.count("waiting.skus", _FOR_SKUS),
        "oldest_age_seconds": None if since is None else max(0.0, (now - since).total_seconds()),
    }


def _set_aside(counter: _Counter) -> SetAsideFigures:
    rows: Sequence[Any] = counter.tx.query(_SET_ASIDE, (), count_max=COUNT_MAX)
    by_reason = {reason: int(count) for reason, count in rows}
    total = counter.noted("set_aside.total", sum(by_reason.values()))
    return {"total": total, "by_reason": by_reason}


def _workers(tx: Transaction, now: datetime) -> tuple[list[WorkerView], float | None]:
    alive_since = now - timedelta(seconds=presence.ALIVE_SECONDS)
    views: list[WorkerView] = []
    ages = []
    for worker_id, host, pid, version, state, started_at, seen_at, settled, age in tx.query(
        _WORKERS
    ):
        seen = tx.instant(seen_at)
        views.append(
            {
                "worker_id": worker_id,
                "host": host,
                "pid": pid,
                "version": version,
                "state": state,
                "started_at": tx.instant(started_at),
                "seen_at": seen,
                "settled": settled,
                "alive": seen >= alive_since,
            }
        )
        if seen >= alive_since and age is not None:
            ages.append(age / 1000)
    return views, max(ages, default=None)


def _microseconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
