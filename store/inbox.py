"""What has been heard: one row per event, for ever the proof that it had its effect once (C4).

`claim` puts a whole batch in with one statement. Two workers with the same event: the second waits
for the first to commit, then finds the row there; where the first rolls back, the second has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from events.envelope import Event
from handlers.decision import Applied, Deferred, Outcome, Repeated, SetAside
from store.columns import instant_text
from store.statements import Query
from store.transaction import Transaction

EventKey = tuple[str, str]  # source, id

_CLAIM = Query(
    """
    INSERT INTO inbox
        (source, event_id, type, data_hash, body, received_at, outcome, traceparent)
    SELECT source, event_id, type, data_hash, body, received_at, 'applied', traceparent
    FROM {given} WHERE true
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING source, event_id
    """,
    (
        ("source", "text"),
        ("event_id", "text"),
        ("type", "text"),
        ("data_hash", "text"),
        ("body", "text"),
        ("received_at", "timestamptz"),
        ("traceparent", "text"),
    ),
)

# What was set aside and is tried again: only with the content it had.
_REOPEN = Query(
    """
    UPDATE inbox AS t SET outcome = 'applied'
    FROM {given} WHERE t.source = given.of_source AND t.event_id = given.of_event
        AND t.data_hash = given.of_hash AND t.outcome = 'set_aside'
    RETURNING source, event_id, data_hash
    """,
    (("of_source", "text"), ("of_event", "text"), ("of_hash", "text")),
)

_KNOWN = Query(
    """
    SELECT t.source, t.event_id, t.data_hash
    FROM {given} CROSS JOIN inbox AS t
    WHERE t.source = given.source AND t.event_id = given.event_id
    """,
    (("source", "text"), ("event_id", "text")),
)
# Where all are known nothing would be written, and the commit would not wait for a synchronous
# standby. But a commit whose wait was broken off is seen by all and kept by one machine only: what
# is acknowledged for its sake must wait for it. A row lock is written down, and so is waited for.
_ALL_KNOWN = Query(f"{_KNOWN.sql} {{lock}}", _KNOWN.given)

_OUTCOME = Query(
    """
    UPDATE inbox AS t SET outcome = given.outcome
    FROM {given} WHERE t.source = given.source AND t.event_id = given.event_id
    """,
    (("source", "text"), ("event_id", "text"), ("outcome", "text")),
)

_BODIES = Query(
    """
    SELECT t.source, t.event_id, t.body
    FROM {given} CROSS JOIN inbox AS t
    WHERE t.source = given.source AND t.event_id = given.event_id
    """,
    (("source", "text"), ("event_id", "text")),
)


@dataclass(slots=True)  # not frozen: of these a batch makes hundreds
class Arrival:
    """An event as it came: checked, with the bytes it was read from."""

    event: Event
    body: bytes
    received_at: datetime
    routing_key: str
    headers: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> EventKey:
        """What tells events apart."""
        return (self.event.source, self.event.id)


@dataclass(slots=True)
class Claim:
    """A batch after the inbox: what is new, in the order it came, and what was heard before.

    `repeats` have the content of the first, `conflicts` another under the same source and id.
    """

    fresh: list[Arrival] = field(default_factory=list)
    repeats: list[Arrival] = field(default_factory=list)
    conflicts: list[Arrival] = field(default_factory=list)


def claim(tx: Transaction, arrivals: Sequence[Arrival], *, again: bool = False) -> Claim:
    """Enter a batch; each event belongs to this transaction or was heard before.

    `again`: what was set aside with the same content is this transaction's as well.
    """
    firsts: dict[EventKey, Arrival] = {}
    for arrival in arrivals:
        firsts.setdefault(arrival.key, arrival)
    # In one order for every worker: two batches with the same events must not wait for each other.
    entered = {
        (source, event_id)
        for source, event_id in tx.query(_CLAIM, [_row(firsts[key]) for key in sorted(firsts)])
    }
    known = tx.query(_KNOWN if entered else _ALL_KNOWN, sorted(firsts.keys() - entered))
    hashes = {(source, event_id): data_hash for source, event_id, data_hash in known}
    others = {(*row.key, row.event.data_hash) for row in arrivals if row.key not in entered}
    opened = set(map(tuple, tx.query(_REOPEN, sorted(others)))) if again else set()
    claimed = Claim()
    for arrival in arrivals:
        key = arrival.key
        content = (*key, arrival.event.data_hash)
        if (key in entered and firsts[key] is arrival) or content in opened:
            opened.discard(content)
            claimed.fresh.append(arrival)
        elif arrival.event.data_hash == hashes.get(key, firsts[key].event.data_hash):
            claimed.repeats.append(arrival)
        else:
            claimed.conflicts.append(arrival)
    return claimed


def mark(tx: Transaction, outcomes: Mapping[EventKey, Outcome]) -> None:
    """Keep what became of events; `claim` has entered every one as applied."""
    rows = [(*key, _WORD[type(outcome)]) for key, outcome in sorted(outcomes.items(), key=_by_key)]
    tx.run(_OUTCOME, rows)


def bodies(tx: Transaction, keys: Sequence[EventKey]) -> dict[EventKey, bytes]:
    """Return the bytes events came as."""
    return {
        (source, event_id): body.encode()
        for source, event_id, body in tx.query(_BODIES, sorted(keys))
    }


_WORD: dict[type[Outcome], str] = {
    Applied: "applied",
    Repeated: "repeated",
    SetAside: "set_aside",
    Deferred: "waiting",
}


def _by_key(pair: tuple[EventKey, Outcome]) -> EventKey:
    return pair[0]


def _row(arrival: Arrival) -> tuple[str | None, ...]:
    event = arrival.event
    return (
        event.source,
        event.id,
        event.type,
        event.data_hash,
        arrival.body.decode(),  # strict UTF-8: the codec has refused everything else
        instant_text(arrival.received_at),
        event.traceparent,
    )
