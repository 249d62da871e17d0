"""What batches left to do: steps of tasks (S6), events that waited for a sku, or too long (C3).

One call does one step in one transaction, so that the loop serves other skus in between. Any worker
may do any step: rows locked by another are passed over, and what is left is looked at again under
the sku's lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers import steps
from handlers.batch import HandlerFailed, decide, expire, keys_of
from handlers.decision import Decision, Deferred, SetAside
from handlers.state import Keys, State, Task, TaskKind, Unloaded
from store import tasks, waiting
from store.errors import Transient
from store.load import load
from store.save import save
from store.transaction import Transaction
from workers.crash import crash_point
from workers.meter import sqlstate_of
from workers.process import Desk, EventKey, Report, blamed
from workers.retry import jittered

_TRIES_MAX = 50


@dataclass(frozen=True, slots=True)
class StepSize:
    """How much one transaction does: skus of a policy walk, events that waited."""

    skus_max: int = 200
    events_max: int = 500


@dataclass(slots=True)
class _Attempt:
    """What earlier tries of this step learned."""

    more: Keys = field(default_factory=Keys)
    failed: dict[EventKey, SetAside] = field(default_factory=dict)


def step(desk: Desk, size: StepSize) -> Report | None:
    """Do one step of what is unfinished; None: nothing is, or others are at it."""
    attempt = _Attempt()
    for tries in range(_TRIES_MAX):
        try:
            with desk.database.begin() as tx:
                decision = _step(desk, tx, smaller(size, tries), attempt)
                crash_point("step_before_commit")
        except Unloaded as missing:
            attempt.more.learn(missing)
        except HandlerFailed as bug:
            attempt.failed[bug.event.source, bug.event.id] = blamed(bug)
        except Transient as trouble:
            desk.meter.repeated(sqlstate_of(trouble))
            if tries == _TRIES_MAX - 1:
                raise
            desk.clock.sleep(jittered(tries, first_seconds=0.01, seconds_max=2.0))
        else:
            crash_point("step_after_commit")
            return None if decision is None else _report(desk, decision)
    message = "a step of unfinished work did not come to an end"
    raise Transient(message)


def smaller(size: StepSize, tries: int) -> StepSize:
    """Return less to do in one transaction, the more often it has not come to an end."""
    return StepSize(size.skus_max, max(1, size.events_max >> tries // 8))


def _report(desk: Desk, decision: Decision) -> Report:
    report = Report(emitted=len(decision.emissions), tasks=1)
    report.decided(decision, ())
    desk.meter.late(report.late)
    return report


def _step(desk: Desk, tx: Transaction, size: StepSize, attempt: _Attempt) -> Decision | None:
    task = tasks.first(tx)
    if task is not None and task.kind is TaskKind.WALK:
        return _walk(desk, tx, task, size.skus_max, attempt.more)
    if task is not None:
        return _sku(desk, tx, task, attempt.more)
    sku = waiting.first_sku(tx)
    if sku is not None:
        return _drain(desk, tx, sku, size.events_max, attempt)
    return _expire(desk, tx, size.events_max)


def _walk(desk: Desk, tx: Transaction, task: Task, skus_max: int, more: Keys) -> Decision:
    skus = tasks.skus_of_walk(tx, task, skus_max)
    state = load(tx, steps.keys_of_walk(task, skus).join(more), [], desk.rules)
    now = desk.clock.now()
    decision = steps.step_walk(state, task, skus, now)
    save(tx, state, decision, now)
    return decision


def _sku(desk: Desk, tx: Transaction, task: Task, more: Keys) -> Decision:
    sku = task.sku or ""
    state = load(tx, steps.keys_of_sku(task).join(more), [], desk.rules)
    resting = tasks.count_for(tx, sku) <= 1 and waiting.count_for(tx, sku) == 0
    now = desk.clock.now()
    decision = steps.step_sku(state, task, now, resting=resting)
    save(tx, state, decision, now)
    return decision


def _drain(desk: Desk, tx: Transaction, sku: str, events_max: int, attempt: _Attempt) -> Decision:
    """Let events that waited for a sku take effect, in the order they came."""
    rows = waiting.for_sku(tx, sku, events_max)
    heard = [(row.event, row.received_at) for row in rows if not _is_in(attempt.failed, row)]
    events = [event for event, _received_at in heard]
    keys = keys_of(events).join(attempt.more)
    keys.skus.add(sku)
    keys.exempt = frozenset({sku})
    state = load(tx, keys, events, desk.rules)
    last = waiting.count_for(tx, sku) <= len(rows) and tasks.count_for(tx, sku) == 0
    now = desk.clock.now()
    decision = decide(state, heard, now, resting=(sku,) if last else ())
    decision.outcomes += [
        (row.event, attempt.failed[row.event.source, row.event.id])
        for row in rows
        if _is_in(attempt.failed, row)
    ]
    decision.taken += [
        event for event, outcome in decision.outcomes if not isinstance(outcome, Deferred)
    ]
    save(tx, state, decision, now)
    return decision


def _expire(desk: Desk, tx: Transaction, events_max: int) -> Decision | None:
    """Give up on events whose order or replenishment has not come in time (C3)."""
    now = desk.clock.now()
    rows = waiting.overdue(tx, now - desk.wait, events_max)
    if not rows:
        return None
    state = State(desk.rules)
    decision = expire(state, [(row.event, row.received_at) for row in rows], now)
    save(tx, state, decision, now)
    return decision


def _is_in(failed: Mapping[EventKey, SetAside], row: waiting.WaitingEvent) -> bool:
    return (row.event.source, row.event.id) in failed
