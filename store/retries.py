"""What operators want tried again, for the workers: which are due, in whose hands, how they end.

Nobody is told twice to try one: whoever tries it holds its row, and what became of it is written in
the transaction in which it became so. Before that, and committed before it begins, the try is
counted among the suspects, by the SHA-256 of the body: one that ends its worker is found that way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from store.columns import instant_text, json_value
from store.set_aside import document, plain
from store.statements import Query
from store.transaction import Transaction

BYTES_MAX = 8 * 1024 * 1024
"""Of bodies in one transaction; one alone may be larger."""

_ANY = Query("SELECT EXISTS (SELECT 1 FROM set_aside WHERE state = 'retrying')")
_DUE = Query(
    """
    SELECT t.id, LENGTH(t.body) FROM set_aside AS t
    WHERE t.state = 'retrying'
    ORDER BY t.first_seen, t.id
    LIMIT :count_max {take}
    """
)
_BODIES = Query(
    """
    SELECT t.id, t.body FROM {given} CROSS JOIN set_aside AS t WHERE t.id = given.id
    """,
    (("id", "text"),),
)
_TRIES = Query(
    """
    SELECT t.body_hash, t.tries, t.seen_at FROM {given} CROSS JOIN suspects AS t
    WHERE t.body_hash = given.body_hash
    """,
    (("body_hash", "text"),),
)
# An event came when the inbox first heard it; one that never got so far, when it was set aside.
_TAKE = Query(
    """
    SELECT t.id, t.reason, t.field, t.message, t.attempts, t.last_seen, t.detail, t.body,
        t.headers, t.routing_key, COALESCE(i.received_at, t.first_seen)
    FROM {given} CROSS JOIN set_aside AS t
    LEFT JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.id = given.id AND t.state = 'retrying'
    ORDER BY t.first_seen, t.id {take}
    """,
    (("id", "text"),),
)
_SETTLE = Query(
    """
    UPDATE set_aside AS t SET state = given.state, closed_at = given.closed_at,
        reason = given.reason, field = given.field, message = given.message,
        detail = given.detail, attempts = given.attempts, last_seen = given.last_seen
    FROM {given} WHERE t.id = given.id
    """,
    (
        ("id", "text"),
        ("state", "text"),
        ("closed_at", "timestamptz"),
        ("reason", "text"),
        ("field", "text"),
        ("message", "text"),
        ("detail", "text"),
        ("attempts", "bigint"),
        ("last_seen", "timestamptz"),
    ),
)
_CRASHED = Query(
    """
    UPDATE set_aside AS t SET state = 'set_aside', reason = 'crashed_worker', field = NULL,
        message = :message, detail = NULL, attempts = t.attempts + 1, last_seen = :at
    FROM {given} WHERE t.id = given.id AND t.state = 'retrying'
    """,
    (("id", "text"),),
)


@dataclass(frozen=True, slots=True)
class Due:
    """One that is to be tried, and how often it was tried before without an end."""

    id: str
    body_hash: str
    tries: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """One in this transaction's hands, as it was set aside. `detail`: JSON text."""

    id: str
    reason: str
    field: str | None
    message: str
    attempts: int
    last_seen: datetime
    detail: str | None
    body: bytes
    headers: Mapping[str, object]
    routing_key: str | None
    received_at: datetime

    @property
    def body_hash(self) -> str:
        """What it is known by among the suspects."""
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it is set aside again."""

    reason: str
    field: str | None
    message: str
    detail: Mapping[str, object] | None = None


def are_due(tx: Transaction) -> bool:
    """Is there any to be tried?"""
    ((found,),) = tx.query(_ANY)
    return bool(found)


def due(tx: Transaction, count_max: int) -> list[Due]:
    """Return the next that nobody else holds, in the order in which they first came."""
    ids: list[str] = []
    size = 0
    for name, length in tx.query(_DUE, (), count_max=count_max):
        size += length
        if ids and size > BYTES_MAX:
            break
        ids.append(name)
    bodies = tx.query(_BODIES, [(name,) for name in ids])
    hashes = {name: sha256(body).hexdigest() for name, body in bodies}
    tried = {
        body_hash: (tries, tx.instant(seen_at))
        for body_hash, tries, seen_at in tx.query(
            _TRIES, [(body_hash,) for body_hash in sorted(set(hashes.values()))]
        )
    }
    return [Due(name, hashes[name], *tried.get(hashes[name], (0, None))) for name in ids]


def take(tx: Transaction, ids: Sequence[str]) -> list[Taken]:
    """Take those of them that are still to be tried and in nobody's hands."""
    return [_taken(tx, row) for row in tx.query(_TAKE, [(name,) for name in sorted(ids)])]


def settle(tx: Transaction, ends: Sequence[tuple[Taken, Failure | None]], now: datetime) -> None:
    """Write what became of those taken: None is resolved; others are set aside again."""
    at = instant_text(now)
    tx.run(
        _SETTLE,
        [
            (
                row.id,
                "resolved",
                at,
                row.reason,
                row.field,
                row.message,
                row.detail,
                row.attempts,
                instant_text(row.last_seen),
            )
            if why is None
            else (
                row.id,
                "set_aside",
                None,
                why.reason,
                plain(why.field),
                plain(why.message),
                document(why.detail),
                row.attempts + 1,
                at,
            )
            for row, why in sorted(ends, key=_by_id)
        ],
    )


def give_up(tx: Transaction, name: str, message: str, now: datetime) -> None:
    """Set one aside again that has ended too many workers."""
    tx.run(_CRASHED, [(name,)], message=message, at=instant_text(now))


def _by_id(end: tuple[Taken, Failure | None]) -> str:
    return end[0].id


def _taken(tx: Transaction, row: Sequence[Any]) -> Taken:
    name, reason, where, message, attempts, last_seen, detail, body, headers, key, received = row
    return Taken(
        name,
        reason,
        where,
        message,
        attempts,
        tx.instant(last_seen),
        detail,
        bytes(body),
        json_value(headers),
        key,
        tx.instant(received),
    )
