"""What is kept for a time is cleared away: inbox, emitted history, resolved dead letters.

Slice by slice, each a transaction of its own, in the order of age and by an index. It takes only
rows nobody has locked and holds no lock of a batch, so neither waits for the other.

1. Inbox. Never what waits, is set aside for a person, or has left a task. What an event did must be
   done once for ever: where no business name says so, a fact of the kind `event` takes the place of
   the row, in the same transaction (C4, decision 0007). What it told of shipments and receipts is
   added up in `told_before`, for the audit.
2. Emitted events, unless they are still to be published.
3. Dead letters that were resolved or discarded.
"""

# ruff: noqa: S608 - what is put into SQL are conditions of our own

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import orjson

from handlers.facts import event_key, names_its_fact
from store import schema
from store.columns import instant_text
from store.statements import Query, Row
from store.transaction import Database, Transaction

SLICE_ROWS_MAX = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_INBOX_WHERE = """
    t.received_at >= :after AND t.received_at < :before AND t.outcome <> 'waiting'
        AND NOT EXISTS (
            SELECT 1 FROM set_aside AS s
            WHERE s.source = t.source AND s.event_id = t.event_id
                AND s.state IN ('set_aside', 'retrying')
        )
"""
_INBOX = Query(
    f"""
    SELECT t.received_at, t.source, t.event_id, t.type, t.data_hash, t.outcome,
        CASE WHEN t.type IN ('StockReceived', 'OrderShipped') AND t.outcome = 'applied'
            THEN t.body END
    FROM inbox AS t WHERE {_INBOX_WHERE}
    ORDER BY t.received_at LIMIT :count_max {{take}}
    """
)
# Asked when the rows are locked: a task can be left only by an event that was waiting until then.
_AT_WORK = Query("SELECT DISTINCT event_source, event_id FROM tasks")
_PROVE = Query(
    """
    INSERT INTO facts (kind, key, data_hash, event_source, event_id)
    SELECT kind, key, data_hash, event_source, event_id FROM {given} WHERE true
    ON CONFLICT (kind, key) DO NOTHING
    """,
    tuple((name, "text") for name in ("kind", "key", "data_hash", "event_source", "event_id")),
)

_EMITTED_WHERE = """
    t.clock < :before
        AND NOT EXISTS (
            SELECT 1 FROM outbox AS o WHERE o.clock = t.clock AND o.n = t.n AND o.id = t.id
        )
"""
_EMITTED = Query(
    f"""
    SELECT t.clock, t.n, t.id FROM emitted AS t
    WHERE (t.clock, t.n, t.id) > (:clock, :n, :id) AND {_EMITTED_WHERE}
    ORDER BY t.clock, t.n, t.id LIMIT :count_max {{take}}
    """
)

# Not by the index of states, which does not know how old a row is.
_RESOLVED_WHERE = "t.closed_at < :before AND t.state || '' IN ('resolved', 'discarded')"
_RESOLVED = Query(
    f"""
    SELECT t.id FROM set_aside AS t WHERE {_RESOLVED_WHERE}
    ORDER BY t.closed_at LIMIT :count_max {{take}}
    """
)

_COUNT_INBOX = Query(
    f"""
    SELECT COUNT(*) FROM inbox AS t
    WHERE {_INBOX_WHERE} AND NOT EXISTS (
        SELECT 1 FROM tasks AS k WHERE k.event_source = t.source AND k.event_id = t.event_id
    )
    """
)
_COUNT_EMITTED = Query(f"SELECT COUNT(*) FROM emitted AS t WHERE {_EMITTED_WHERE}")
_COUNT_RESOLVED = Query(f"SELECT COUNT(*) FROM set_aside AS t WHERE {_RESOLVED_WHERE}")

_IS_DUE = Query("SELECT 1 FROM housekeeping WHERE due_at IS NULL OR due_at <= :now")
_MOVE_ON = Query(
    """
    UPDATE housekeeping SET due_at = :next
    WHERE id = 1 AND (due_at IS NULL OR due_at <= :now)
    RETURNING id
    """
)
_DUE = Query("UPDATE housekeeping SET due_at = :at WHERE id = 1")


@dataclass(frozen=True, slots=True)
class Ages:
    """What is older than these moments may go."""

    inbox: datetime
    emitted: datetime
    resolved: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows by table. `proofs`: of the inbox's rows, those that left one in `facts`."""

    inbox: int = 0
    emitted: int = 0
    set_aside: int = 0
    proofs: int = 0

    @property
    def rows(self) -> int:
        """How many rows are gone."""
        return self.inbox + self.emitted + self.set_aside

    def plus(self, other: Self) -> Self:
        """Return both added up."""
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


def claim(database: Database, now: datetime, following: datetime) -> bool:
    """Is it due, and this caller's to do? Then nobody else's before `following`."""
    at = instant_text(now)
    with database.read() as tx:
        if not tx.query(_IS_DUE, now=at):
            return False
    with database.begin() as tx:
        return bool(tx.query(_MOVE_ON, now=at, next=instant_text(following)))


def leave(database: Database, at: datetime) -> None:
    """Let whoever comes first go on from `at`."""
    with database.begin() as tx:
        tx.run(_DUE, at=instant_text(at))


def clear(database: Database, ages: Ages) -> Iterator[Removed]:
    """Remove what is old, slice by slice; yield after each what it removed.

    It may be left off after any slice, and gone on with at any time.
    """
    yield from _inbox(database, ages.inbox)
    yield from _emitted(database, ages.emitted)
    yield from _resolved(database, ages.resolved)


def count(tx: Transaction, ages: Ages) -> Removed:
    """Return what `clear` would remove now; of proofs it says nothing."""
    ((inbox,),) = tx.query(
        _COUNT_INBOX, after=instant_text(_EPOCH), before=instant_text(ages.inbox)
    )
    ((emitted,),) = tx.query(_COUNT_EMITTED, before=_clock(ages.emitted))
    ((resolved,),) = tx.query(_COUNT_RESOLVED, before=instant_text(ages.resolved))
    return Removed(inbox, emitted, resolved)


def _inbox(database: Database, before: datetime) -> Iterator[Removed]:
    after, more = _EPOCH, True
    while more:
        with database.begin() as tx:
            tx.walk()
            rows = tx.query(
                _INBOX,
                after=instant_text(after),
                before=instant_text(before),
                count_max=SLICE_ROWS_MAX,
            )
            at_work = set(tx.query(_AT_WORK)) if rows else set()
            gone = [row for row in rows if (row[1], row[2]) not in at_work]
            proofs = [
                (*event_key(row[1], row[2]), row[4], row[1], row[2])
                for row in gone
                if not (names_its_fact(row[3]) and row[5] in {"applied", "repeated"})
            ]
            tx.run(_PROVE, sorted(proofs))
            told = "qty = told_before.qty + excluded.qty"
            tx.upsert(schema.told_before, _told(gone), told)
            tx.delete(schema.inbox, [(row[1], row[2]) for row in gone])
            more = len(rows) == SLICE_ROWS_MAX
            if more:
                after = tx.instant(rows[-1][0])
                if not gone:  # all of one moment, and all to be kept
                    after += _MICROSECOND
        yield Removed(inbox=len(gone), proofs=len(proofs))


def _emitted(database: Database, before: datetime) -> Iterator[Removed]:
    clock, n, key = 0, 0, ""
    more = True
    while more:
        with database.begin() as tx:
            tx.walk()
            rows = tx.query(
                _EMITTED,
                clock=clock,
                n=n,
                id=key,
                before=_clock(before),
                count_max=SLICE_ROWS_MAX,
            )
            tx.delete(schema.emitted, [(row[2],) for row in rows])
            more = len(rows) == SLICE_ROWS_MAX
            if more:
                clock, n, key = rows[-1]
        yield Removed(emitted=len(rows))


def _resolved(database: Database, before: datetime) -> Iterator[Removed]:
    more = True
    while more:
        with database.begin() as tx:
            tx.walk()
            rows = tx.query(_RESOLVED, before=instant_text(before), count_max=SLICE_ROWS_MAX)
            tx.delete(schema.set_aside, list(rows))
            more = len(rows) == SLICE_ROWS_MAX
        yield Removed(set_aside=len(rows))


def _told(rows: Sequence[Any]) -> list[Row]:
    """Return what these events told of shipments and receipts, added up by line."""
    sums: dict[tuple[str, str, str, str], int] = {}
    for _at, _source, _id, kind, _hash, _outcome, body in rows:
        if body is None:
            continue
        data = orjson.loads(body)["data"]
        owner = data["shop"] if kind == "OrderShipped" else data.get("replenishment_id")
        if owner is None:
            continue
        for line in data["lines"]:
            name = line["line_id"] if kind == "OrderShipped" else line["sku"]
            key = (kind, owner, data["order_id"] if kind == "OrderShipped" else "", name)
            sums[key] = sums.get(key, 0) + line["qty"]
    return [(*key, qty) for key, qty in sums.items()]


def _clock(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
