"""Which rows of the outbox may be published now, in what order.

1. All that is not held back, from the first on.
2. Of what is held back, what is due: up to a tenth of the window, so that a full queue with a
   hundred thousand rows before it never fills the windows of the others.
3. Not what follows something held back under its subject: that is put behind it.
"""

from dataclasses import dataclass
from datetime import datetime

from store import held_back
from store.held_back import Place
from store.statements import Query
from store.transaction import Transaction

_DUE_SHARE = 10  # one in ten, at least one

_TAKE = Query(
    """
    SELECT t.clock, t.n, t.id, t.type, t.routing_key, t.body, t.at, 0 FROM outbox AS t
    ORDER BY t.clock, t.n, t.id LIMIT :count_max
    """
)
_TAKE_FREE = Query(
    """
    SELECT t.clock, t.n, t.id, t.type, t.routing_key, t.body, t.at, 0 FROM outbox AS t
    WHERE NOT EXISTS (
        SELECT 1 FROM held_back AS h WHERE h.clock = t.clock AND h.n = t.n AND h.id = t.id
    )
    ORDER BY t.clock, t.n, t.id LIMIT :count_max
    """
)
_TAKE_DUE = Query(
    """
    SELECT t.clock, t.n, t.id, t.type, t.routing_key, t.body, t.at, h.failures
    FROM held_back AS h CROSS JOIN outbox AS t
    WHERE h.retry_at >= :since AND h.retry_at <= :until
        AND t.clock = h.clock AND t.n = h.n AND t.id = h.id
    ORDER BY h.retry_at, h.clock, h.n, h.id LIMIT :count_max
    """
)
_ANY_FREE = Query(
    """
    SELECT 1 FROM outbox AS t WHERE NOT EXISTS (
        SELECT 1 FROM held_back AS h WHERE h.clock = t.clock AND h.n = t.n AND h.id = t.id
    ) LIMIT 1
    """
)
_ANY_DUE = Query(
    """
    SELECT 1 FROM held_back AS h CROSS JOIN outbox AS t
    WHERE h.retry_at >= :since AND h.retry_at <= :until
        AND t.clock = h.clock AND t.n = h.n AND t.id = h.id LIMIT 1
    """
)


@dataclass(slots=True)  # not frozen: of these a window has a thousand
class Outgoing:
    """One event to publish. `at`: when its cause happened; `failures`: refused so often before."""

    id: str
    type: str
    routing_key: str
    body: bytes
    at: datetime
    failures: int = 0

    @property
    def unix_seconds(self) -> int:
        """Return `at` as AMQP writes it."""
        return int(self.at.timestamp())


@dataclass(frozen=True, slots=True)
class Look:
    """What may be published, what must wait behind something, with its subject; by place.

    `more`: there may be further rows that could be taken now.
    """

    rows: dict[Place, Outgoing]
    behind: dict[Place, str]
    more: bool


def look(tx: Transaction, count_max: int, now: datetime | None) -> Look:
    """Look for up to `count_max` rows, and a tenth as many that were held back until `now`."""
    if not held_back.any_held(tx):
        rows = _read(tx, _TAKE, count_max)
        return Look(rows, {}, more=len(rows) == count_max)
    due_max = max(1, count_max // _DUE_SHARE)
    due: dict[Place, Outgoing] = {}
    for since, until in held_back.due_spans(now):
        due |= _read(tx, _TAKE_DUE, due_max - len(due), since=since, until=until)
    free = _read(tx, _TAKE_FREE, count_max)
    rows = dict(sorted((due | free).items()))
    subjects = {place: held_back.subject_of(row.body) for place, row in rows.items()}
    firsts = held_back.firsts(tx, subjects.values())
    behind = {
        place: subject
        for place, subject in subjects.items()
        if subject is not None and firsts.get(subject, place) < place
    }
    ready = {place: row for place, row in rows.items() if place not in behind}
    return Look(ready, behind, more=len(due) == due_max or len(free) == count_max)


def anything(tx: Transaction, now: datetime | None) -> bool:
    """Is there anything that could be taken?"""
    spans = held_back.due_spans(now)
    if any(tx.query(_ANY_DUE, (), since=since, until=until) for since, until in spans):
        return True
    return bool(tx.query(_ANY_FREE))


def _read(tx: Transaction, query: Query, count_max: int, **values: str) -> dict[Place, Outgoing]:
    return {
        (clock, n, key): Outgoing(key, kind, routing_key, body.encode(), tx.instant(at), failures)
        for clock, n, key, kind, routing_key, body, at, failures in tx.query(
            query, (), count_max=count_max, **values
        )
    }
