"""What of the outbox the broker did not take: offered again later, with its followers behind it.

- The first of its subject that fails is offered again after a pause that grows with its failures.
- What comes later under the same subject waits behind it (`behind`), so that what concerns one
  order, sku or replenishment keeps its order. It is free as soon as that one is published.
- Nothing waits for ever: followers are looked at anew now and then, and a clock that was set back
  holds nothing longer than the longest pause.

Hardly anything ever is held back: then all this costs one look at an empty table for each window.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from store import schema
from store.columns import instant_text
from store.statements import Firsts, Query, Row
from store.transaction import Transaction

Place = tuple[int, int, str]
"""Clock, n and id: where a row stands in the outbox."""

BEHIND = "behind"
SECONDS_MAX = 60.0
"""The longest pause; also how often followers are looked at anew."""
_SLACK_SECONDS = 5.0
_EVER, _NEVER = "0001-01-01T00:00:00.000000+00:00", "9999-12-31T00:00:00.000000+00:00"

_ANY = Query("SELECT EXISTS (SELECT 1 FROM held_back)")
_COUNT = Query("SELECT COUNT(*) FROM held_back")
_FIRST_OF_SUBJECT = Firsts(
    (("subject", "text"),),
    "held_back",
    ("subject", "clock", "n", "id"),
    """t.subject = given.subject AND EXISTS (
        SELECT 1 FROM outbox AS o WHERE o.clock = t.clock AND o.n = t.n AND o.id = t.id)""",
    "t.clock, t.n, t.id",
)
# Only what is still in the outbox: another relay may have published it meanwhile.
_ENTER = Query(
    """
    INSERT INTO held_back (clock, n, id, subject, reason, failures, retry_at)
    SELECT t.clock, t.n, t.id, given.subject, given.reason, given.failures, given.retry_at
    FROM {given} CROSS JOIN outbox AS t
    WHERE t.clock = given.clock AND t.n = given.n AND t.id = given.id
    ON CONFLICT (clock, n, id) DO UPDATE SET reason = excluded.reason,
        failures = excluded.failures, retry_at = excluded.retry_at
    """,
    (
        ("clock", "bigint"),
        ("n", "bigint"),
        ("id", "text"),
        ("subject", "text"),
        ("reason", "text"),
        ("failures", "bigint"),
        ("retry_at", "timestamptz"),
    ),
)
_FREE = Query(
    """
    DELETE FROM held_back
    WHERE reason = 'behind' AND subject IN (SELECT given.subject FROM {given})
    """,
    (("subject", "text"),),
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one was not taken, how often by now, and when it is offered again."""

    reason: str
    failures: int
    retry_at: datetime


def any_held(tx: Transaction) -> bool:
    """Is anything held back?"""
    ((found,),) = tx.query(_ANY)
    return bool(found)


def count(tx: Transaction) -> int:
    """Return how many rows are held back, followers too."""
    ((rows,),) = tx.query(_COUNT)
    return int(rows)


def due_spans(now: datetime | None) -> list[tuple[str, str]]:
    """Return between which times what is due was to come again; without a `now` nothing is due.

    The second is for a clock that was set back: nothing is held back for so long.
    """
    if now is None:
        return []
    beyond = now + timedelta(seconds=SECONDS_MAX + _SLACK_SECONDS)
    return [(_EVER, instant_text(now)), (instant_text(beyond), _NEVER)]


def subject_of(body: bytes) -> str | None:
    """Return the subject of an envelope of ours."""
    subject = orjson.loads(body).get("subject")
    return subject if isinstance(subject, str) else None


def firsts(tx: Transaction, subjects: Iterable[str | None]) -> dict[str, Place]:
    """Return the first place that is held back of each of these subjects that has one."""
    asked: list[Row] = [(subject,) for subject in sorted({each for each in subjects if each})]
    found = tx.ask_first(_FIRST_OF_SUBJECT, asked, 1)()
    return {subject: (clock, n, key) for subject, clock, n, key in found}


def put_behind(tx: Transaction, rows: Mapping[Place, str], now: datetime) -> None:
    """Hold back what follows something held back: rows by their places, with their subjects."""
    retry_at = instant_text(now + timedelta(seconds=SECONDS_MAX))
    tx.run(_ENTER, [(*place, rows[place], BEHIND, 0, retry_at) for place in sorted(rows)])


def enter(tx: Transaction, rows: Mapping[Place, tuple[str | None, Refusal]], now: datetime) -> None:
    """Hold back what was not taken: the first of each subject, the others behind it."""
    seen: set[str] = set()
    behind: dict[Place, str] = {}
    entered: list[Row] = []
    for place in sorted(rows):
        subject, refusal = rows[place]
        if subject is not None and subject in seen:
            behind[place] = subject
            continue
        if subject is not None:
            seen.add(subject)
        retry_at = instant_text(refusal.retry_at)
        entered.append((*place, subject, refusal.reason, refusal.failures, retry_at))
    tx.run(_ENTER, entered)
    put_behind(tx, behind, now)


def forget(tx: Transaction, rows: Mapping[Place, bytes]) -> None:
    """Forget what was published after all, given with its bodies; free what waited behind it."""
    if rows and any_held(tx):
        tx.delete(schema.held_back, list(rows))
        subjects = {subject_of(body) for body in rows.values()}
        tx.run(_FREE, [(subject,) for subject in sorted(each for each in subjects if each)])
