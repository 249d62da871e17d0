"""What was set aside and an operator wants tried again (`backship dead retry`).

1. Choose what is due, in the order in which it first came, and count the try of each, committed
   before it begins. The first time all are tried together; what was tried before without an end is
   tried alone; after three such tries it is set aside as what ends its workers.
2. In one transaction, as for any batch: judge the bodies anew, claim, load, decide, save. The row
   is resolved, or set aside again with what is wrong now, in the same transaction: killed anywhere,
   tried twice, or by two at once, it has one effect.

A bug or data the database refuses costs its event alone, as in `isolate`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile

from config.logs import logger
from events.codec import decode
from events.envelope import Event
from events.inbound import OrderCancelled
from events.routing import inbound_key
from handlers.batch import HandlerFailed, decide, keys_of
from handlers.decision import Decision, Deferred, Outcome, SetAside
from handlers.refusals import not_found_in_time
from handlers.state import Heard, Keys, Unloaded
from store import inbox, retries, suspects
from store.columns import json_value
from store.errors import DataRefused, Transient
from store.load import load
from store.operations import is_cut
from store.retries import Due, Failure, Taken
from store.save import save
from store.transaction import Transaction
from workers.crash import crash_point
from workers.intake import take_in
from workers.process import Desk, EventKey, Report, blamed
from workers.retry import repeating_a_transaction, saying
from workers.transports.base import Delivery

TRIES_MAX = 3
"""Tries that may end without an end before it is set aside as `crashed_worker`."""

IN_HAND_SECONDS = 2.0
"""A try that began so recently is another worker's, which lives; much longer than it takes from
counting tries to holding the rows."""

_LOADS_MAX = 50  # as in isolate: each load learns at least one key


@dataclass(slots=True)
class _Attempt:
    """What earlier tries of this transaction learned; `keys`: of the events it was about."""

    more: Keys = field(default_factory=Keys)
    failed: dict[EventKey, SetAside] = field(default_factory=dict)
    keys: list[EventKey] = field(default_factory=list)


def step(desk: Desk, count_max: int) -> Report | None:
    """Try the next that are due; None: none are, or others are at it."""
    with desk.database.read() as tx:
        if not retries.are_due(tx):
            return None
    report = Report(tasks=1)
    lot = begin(desk, count_max, report)
    if not lot:
        return report if report.counts else None
    crash_point("retry_before_work")
    report.merge(_settle(desk, [row.id for row in lot]))
    desk.trying.difference_update(row.body_hash for row in lot)
    return report


def begin(desk: Desk, count_max: int, report: Report) -> list[Due]:
    """Choose what to try now and count the try; give up on what has ended too many workers."""
    now = desk.clock.now()
    with desk.database.begin() as tx:
        lot = _lot(desk, retries.due(tx, count_max), now)
        if lot and lot[0].tries >= TRIES_MAX:
            (poison,) = lot
            told = f"{poison.tries} workers ended while they tried it again"
            retries.give_up(tx, poison.id, told, now)
            suspects.forget(tx, [poison.body_hash])
            report.add(None, "crashed_worker")
            logger().error("retry_ends_workers", set_aside_id=poison.id, tries=poison.tries)
            return []
        hashes = {row.body_hash for row in lot} - desk.trying
        suspects.begin(tx, hashes, now)
    desk.trying.update(hashes)
    return lot


def _lot(desk: Desk, due: Sequence[Due], now: datetime) -> list[Due]:
    """Return what may be tried together: all that were not tried before, or one that was."""
    free: list[Due] = []
    for row in due:
        if row.seen_at is None:
            desk.trying.discard(row.body_hash)  # somebody has settled it since
        if row.body_hash in desk.trying:
            free.append(replace(row, tries=row.tries - 1))  # this process's own, and it lives
        elif row.seen_at is None or not _is_in_hand(row.seen_at, now):
            free.append(row)
    if free and free[0].tries:
        return free[:1]
    return list(takewhile(lambda row: not row.tries, free))


def _is_in_hand(seen_at: datetime, now: datetime) -> bool:
    return abs((now - seen_at).total_seconds()) < IN_HAND_SECONDS


def _settle(desk: Desk, ids: Sequence[str]) -> Report:
    """Try some to their end: each resolved, or set aside again."""
    attempt = _Attempt()
    loads = 0
    again = repeating_a_transaction(
        (Transient,), sleep=desk.clock.sleep, before_wait=saying("transaction_repeated")
    )
    while True:
        try:
            return again(_transaction, desk, ids, attempt)
        except Unloaded as missing:
            attempt.more.learn(missing)
            loads += 1
            if loads > _LOADS_MAX:
                return _halves(desk, ids, missing)
        except HandlerFailed as bug:
            _blame(attempt, (bug.event.source, bug.event.id), blamed(bug), bug)
        except DataRefused as refusal:
            if len(ids) > 1:
                return _halves(desk, ids, refusal)
            why = SetAside("gave_up", None, f"the database refuses it: {refusal}")
            _blame(attempt, next(iter(attempt.keys), None), why, refusal)


def _blame(attempt: _Attempt, key: EventKey | None, why: SetAside, trouble: Exception) -> None:
    """Let one event fail the next time; raises where that did not mend it, or none is to blame."""
    if key is None or key in attempt.failed:
        raise trouble
    attempt.failed[key] = why


def _halves(desk: Desk, ids: Sequence[str], trouble: Exception) -> Report:
    if len(ids) <= 1:
        raise trouble
    middle = len(ids) // 2
    report = _settle(desk, ids[:middle])
    report.merge(_settle(desk, ids[middle:]))
    return report


def _transaction(desk: Desk, ids: Sequence[str], attempt: _Attempt) -> Report:
    with desk.database.begin() as tx, tx.together():
        report = _try(desk, tx, retries.take(tx, ids), attempt)
        crash_point("retry_before_commit")
    crash_point("retry_after_commit")
    desk.meter.late(report.late)
    return report


def _try(desk: Desk, tx: Transaction, rows: Sequence[Taken], attempt: _Attempt) -> Report:
    now = desk.clock.now()
    heard: dict[int, inbox.Arrival] = {}
    ends: dict[int, Failure | None] = {}
    for n, row in enumerate(rows):
        judged = _judged(row)
        if isinstance(judged, Failure):
            ends[n] = judged
        else:
            heard[n] = judged
    attempt.keys = [arrival.key for arrival in heard.values()]
    claim = inbox.claim(tx, list(heard.values()), again=True)
    decision = _decision(desk, tx, claim.fresh, attempt, now)
    outcomes = {(event.source, event.id): outcome for event, outcome in decision.outcomes}
    fresh, conflicts = set(map(id, claim.fresh)), set(map(id, claim.conflicts))
    for n, arrival in heard.items():
        if id(arrival) in conflicts:
            ends[n] = _conflict(arrival)
        else:
            ends[n] = _failure(outcomes[arrival.key]) if id(arrival) in fresh else None
    retries.settle(tx, [(row, ends[n]) for n, row in enumerate(rows)], now)
    suspects.forget(tx, [row.body_hash for row in rows])
    return _report(decision, list(ends.values()))


def _judged(row: Taken) -> inbox.Arrival | Failure:
    """Read a body again: what was wrong with it may be right for this version of the program."""
    if row.reason == "too_large" and is_cut(row.detail):
        return Failure(row.reason, row.field, row.message, json_value(row.detail or "null"))
    key = row.routing_key
    if key is None:  # it had been found right when it was claimed, and is not kept with every row
        event = decode(row.body)
        key = inbound_key(event) if isinstance(event, Event) else ""
    delivery = Delivery(
        row.body, key, 0, redelivered=True, delivery_count=0, headers=row.headers, compressed=False
    )
    intake = take_in([delivery], row.received_at)
    if intake.arrivals:
        return intake.arrivals[0]
    (fault,) = intake.rejected
    return Failure(fault.reason, fault.field, fault.message, fault.detail)


def _decision(
    desk: Desk,
    tx: Transaction,
    fresh: Sequence[inbox.Arrival],
    attempt: _Attempt,
    now: datetime,
) -> Decision:
    """Decide what is this transaction's, and save it."""
    heard: list[Heard] = [
        (row.event, row.received_at) for row in fresh if row.key not in attempt.failed
    ]
    events = [event for event, _received_at in heard]
    state = load(tx, keys_of(events).join(attempt.more), events, desk.rules)
    decision = decide(state, heard, now)
    came = {(event.source, event.id): received_at for event, received_at in heard}
    decision.outcomes = [
        (
            event,
            not_found_in_time()
            if isinstance(outcome, Deferred) and _is_overdue(event, outcome, came, now - desk.wait)
            else outcome,
        )
        for event, outcome in decision.outcomes
    ]
    decision.outcomes += [
        (row.event, attempt.failed[row.key]) for row in fresh if row.key in attempt.failed
    ]
    save(tx, state, decision, now)
    return decision


def _is_overdue(
    event: Event, outcome: Deferred, came: Mapping[EventKey, datetime], before: datetime
) -> bool:
    """Has it waited long enough for what it names, counted from when it first came (C3)?

    It was told then that it did not come, and is not told again. A cancellation waits for ever.
    """
    if outcome.sku is not None or isinstance(event.data, OrderCancelled):
        return False
    received_at = came.get((event.source, event.id))
    return received_at is not None and received_at <= before


def _conflict(arrival: inbox.Arrival) -> Failure:
    event = arrival.event
    told = f"event {event.id} of {event.source} came before with other content"
    return Failure("conflict", "data", told)


def _failure(outcome: Outcome) -> Failure | None:
    if not isinstance(outcome, SetAside):
        return None
    detail = None if outcome.detail is None else {"stack": outcome.detail}
    return Failure(outcome.reason, outcome.field, outcome.message, detail)


def _report(decision: Decision, ends: Sequence[Failure | None]) -> Report:
    report = Report(emitted=len(decision.emissions))
    for why in ends:
        report.add(None, "retried" if why is None else why.reason)
    report.decided(decision, ())
    return report
