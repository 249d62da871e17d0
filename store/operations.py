"""What operators do with what was set aside: have it tried again, discard it. Each leaves a row.

A deed is judged and done under the lock of its row, in the order of the ids: two operators at once
do it once. What is to be tried again is only marked here; a worker does it (`workers.retried`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from events.envelope import Event
from handlers.rules.identity import derived
from store import schema
from store.columns import instant_text, json_value
from store.statements import Query
from store.transaction import Transaction

Action = Literal["retry", "discard"]
_FROM: dict[Action, tuple[str, ...]] = {
    "retry": ("set_aside",),
    "discard": ("set_aside", "retrying"),
}
_DONE: dict[Action, tuple[str, ...]] = {
    "retry": ("retrying", "resolved"),
    "discard": ("discarded",),
}
_TO: dict[Action, str] = {"retry": "retrying", "discard": "discarded"}

_PAGE = Query(
    """
    SELECT t.id, t.first_seen FROM set_aside AS t
    WHERE t.state = :state AND (:reason = '' OR t.reason = :reason)
        AND (:type = '' OR t.type = :type)
        AND t.first_seen <= :until AND (t.first_seen, t.id) > (:after, :id)
    ORDER BY t.first_seen, t.id
    LIMIT :count_max
    """
)
_NAMED = """
    SELECT t.id, t.state, t.reason, t.type, t.field, t.attempts, t.detail
    FROM {{given}} CROSS JOIN set_aside AS t
    WHERE t.id = given.id
    ORDER BY t.id {lock}
    """
_SEE = Query(_NAMED.format(lock=""), (("id", "text"),))
_TAKE = Query(_NAMED.format(lock="{lock}"), (("id", "text"),))
_MARK = Query(
    """
    UPDATE set_aside AS t SET state = given.state, closed_at = given.closed_at
    FROM {given} WHERE t.id = given.id
    """,
    (("id", "text"), ("state", "text"), ("closed_at", "timestamptz")),
)
_CORRECTED = Query(
    """
    SELECT t.id, t.attempts, given.by_source, given.by_id
    FROM {given} CROSS JOIN set_aside AS t
    WHERE t.source = given.source AND t.event_id = given.event_id
        AND t.state IN ('set_aside', 'retrying')
    ORDER BY t.id {lock}
    """,
    (("source", "text"), ("event_id", "text"), ("by_source", "text"), ("by_id", "text")),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones are meant; "" is any."""

    reason: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does what with them, when, and why."""

    action: Action
    operator: str
    why: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """One a deed can be done to."""

    id: str
    reason: str
    type: str | None
    field: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """One it is not done to, and why; `state` is None where nobody knows the id.

    `is_done`: nothing is left of it to do.
    """

    id: str
    state: str | None
    why: str
    is_done: bool = False


@dataclass(slots=True)
class Judged:
    """What of some ids a deed can be done to."""

    able: list[Found] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of them begins: after this one, in the order in which they first came."""

    first_seen: datetime
    id: str = ""


def page(
    tx: Transaction, wanted: Wanted, until: datetime, after: Place, count_max: int
) -> tuple[list[str], Place]:
    """Return the next ids that have been set aside since `until` or before, and where it ends."""
    rows = tx.query(
        _PAGE,
        (),
        state="set_aside",
        reason=wanted.reason,
        type=wanted.type,
        until=instant_text(until),
        after=instant_text(after.first_seen),
        id=after.id,
        count_max=count_max,
    )
    if not rows:
        return [], after
    last_id, first_seen = rows[-1]
    return [row[0] for row in rows], Place(tx.instant(first_seen), last_id)


def judge(tx: Transaction, deed: Deed, wanted: Wanted, ids: Sequence[str]) -> Judged:
    """Return what would be done, and change nothing."""
    return _judged(deed, wanted, ids, tx.query(_SEE, [(name,) for name in sorted(set(ids))]))


def do(tx: Transaction, deed: Deed, wanted: Wanted, ids: Sequence[str]) -> Judged:
    """Do it to those it can be done to, and keep who did what and why."""
    rows = tx.query(_TAKE, [(name,) for name in sorted(set(ids))])
    judged = _judged(deed, wanted, ids, rows)
    at = instant_text(deed.at)
    closed_at = at if deed.action == "discard" else None
    tx.run(_MARK, [(row.id, _TO[deed.action], closed_at) for row in judged.able])
    tx.append(
        schema.operations,
        [
            (
                derived("operation", deed.action, row.id, str(row.attempts), at),
                at,
                deed.operator,
                deed.action,
                row.id,
                deed.why,
            )
            for row in judged.able
        ],
    )
    return judged


def correct(tx: Transaction, events: Sequence[Event], now: datetime) -> None:
    """Resolve what events that have their effect now are corrected copies of."""
    named = [
        (event.caused_by.source, event.caused_by.id, event.source, event.id)
        for event in events
        if event.caused_by is not None
    ]
    found = {row[0]: row for row in tx.query(_CORRECTED, sorted(named))}
    at = instant_text(now)
    tx.run(_MARK, [(name, "resolved", at) for name in found])
    tx.append(
        schema.operations,
        [
            (
                derived("operation", "correct", name, str(attempts), source, event_id),
                at,
                source,
                "correct",
                name,
                f"event {event_id} took effect in its place",
            )
            for name, attempts, source, event_id in found.values()
        ],
    )


def _judged(deed: Deed, wanted: Wanted, ids: Sequence[str], rows: Sequence[Any]) -> Judged:
    judged = Judged()
    found = {row[0]: row for row in rows}
    for name in sorted(set(ids)):
        if name not in found:
            judged.skipped.append(Skipped(name, None, "it is not known"))
            continue
        _id, state, reason, kind, where, attempts, detail = found[name]
        if (wanted.reason not in {"", reason}) or (wanted.type not in {"", kind}):
            why = "it is of another reason or type"
            judged.skipped.append(Skipped(name, state, why, is_done=True))
        elif state not in _FROM[deed.action]:
            is_done = state in _DONE[deed.action]
            judged.skipped.append(Skipped(name, state, _STATE_AGAINST[state], is_done))
        elif deed.action == "retry" and reason == "too_large" and is_cut(detail):
            judged.skipped.append(Skipped(name, state, "only the beginning of its body is kept"))
        else:
            judged.able.append(Found(name, reason, kind, where, attempts))
    return judged


def is_cut(detail: str | None) -> bool:
    """Is only the head of a body kept, with its length and hash?"""
    told = None if detail is None else json_value(detail)
    return isinstance(told, dict) and "bytes" in told


_STATE_AGAINST = {
    "set_aside": "it is set aside",
    "retrying": "it is about to be tried again already",
    "resolved": "it has been resolved",
    "discarded": "it has been discarded",
}
