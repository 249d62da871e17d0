"""What batches left to do: steps of tasks (S6), events that waited for a sku, or too long (C3).

When nothing of that is left: what operators want tried again (`retried`).

One call does one step in one transaction, so that the loop serves other skus in between. Any worker
may do any step: rows locked by another are passed over, and what is left is looked at again under
the sku's lock. A step that has a bug, or ends its worker, does not stop the others (`wary`).

What stands in the way of a step is tried again as often as for a batch, then raised: the loop has
batches to settle meanwhile. An event that waited and that the database refuses is found by doing
less at once, and set aside alone.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tenacity import RetryCallState

from events.envelope import Event
from handlers import steps
from handlers.batch import HandlerFailed, decide, expire, keys_of
from handlers.decision import Decision, Deferred, SetAside
from handlers.state import Keys, State, Task, TaskKind, Unloaded
from store import suspects, tasks, waiting
from store.errors import (
    Collision,
    DataRefused,
    Locked,
    SchemaError,
    TooMuch,
    Transient,
    Unavailable,
)
from store.load import load
from store.save import save
from store.transaction import Transaction
from workers import retried
from workers.crash import crash_point
from workers.isolate import refused
from workers.process import Desk, EventKey, Report, blamed
from workers.retry import repeating_a_transaction, saying
from workers.wary import (
    count,
    first_task,
    is_young,
    leave_out,
    of_drain,
    of_event,
    of_task,
    one_by_one,
)

_EMITTED_MAX = 500  # by one step: what the relay has published before the next one is at its end
_TRIES_MAX = 50  # of a step that learns something each time: rows to load, events to leave out


@dataclass(frozen=True, slots=True)
class StepSize:
    """How much one transaction does: skus of a policy walk, events that waited, lines of a sku.

    Of lines never more than the rules say.
    """

    skus_max: int = 200
    events_max: int = 500
    lines_max: int = 100_000

    def halved(self) -> "StepSize":
        """Return the half of it, at least one of each."""
        sizes = (self.skus_max, self.events_max, self.lines_max)
        return StepSize(*(max(1, size // 2) for size in sizes))

    def first(self) -> "StepSize":
        """Return the size to begin with: for all one knows, each line is an order of its own."""
        return replace(self, lines_max=min(self.lines_max, _EMITTED_MAX))

    def after(self, emitted: int, lines_max: int) -> "StepSize":
        """Return the size of the step after one that emitted so much; `lines_max`: at most.

        A line of one unit may be an order, with a message to publish, or the tenth of one: steps
        of as many lines would take others three times as long to wait for.
        """
        lines = self.lines_max
        if emitted > _EMITTED_MAX:
            lines = max(1, lines * _EMITTED_MAX // emitted)
        elif 2 * emitted <= _EMITTED_MAX:
            lines *= 2
        return replace(self, lines_max=min(lines, lines_max))


@dataclass(slots=True)
class _Attempt:
    """What earlier tries of this step learned; `forget`: counted tries that end with it."""

    more: Keys = field(default_factory=Keys)
    failed: dict[EventKey, SetAside] = field(default_factory=dict)
    forget: list[str] = field(default_factory=list)
    task: Task | None = None
    events: Sequence[Event] = ()

    def less(self, size: StepSize, trouble: DataRefused | Collision | TooMuch) -> StepSize:
        """Return half of the size, or blame the one event it came down to; else raise."""
        half = size.halved()
        if len(self.events) == 1 and not isinstance(trouble, TooMuch):
            (event,) = self.events
            self.failed[event.source, event.id] = refused(trouble)
            return size
        if half == size or len(self.events) == 1:
            raise trouble
        return half


def _never() -> bool:
    return False


def step(desk: Desk, size: StepSize, given_up: Callable[[], bool] = _never) -> Report | None:
    """Do one step of what is unfinished; None: nothing is, or others are at it.

    Raises Transient, Unavailable, and DataRefused where no event is to blame. `given_up`: asked
    before anything is tried again.
    """
    attempt = _Attempt()
    if is_young(desk):
        counted = count(desk)
        attempt.forget, attempt.failed = counted.forget, counted.failed
    try:
        return _tried(desk, size, attempt, given_up)
    except (Transient, Unavailable, SchemaError):
        raise
    except Exception:
        if attempt.task is None:
            raise
        leave_out(desk, attempt.task, traceback.format_exc())
        return Report()


def _tried(
    desk: Desk, size: StepSize, attempt: _Attempt, given_up: Callable[[], bool]
) -> Report | None:
    """Try one step until it comes to its end, doing less the more often it does not."""
    again = repeating_a_transaction(
        (Transient,),
        but_not=(TooMuch, Locked),
        given_up=given_up,
        sleep=desk.clock.sleep,
        before_wait=_both(saying("step_repeated"), desk.meter.transaction_repeated),
    )
    for tries in range(_TRIES_MAX):
        try:
            decision = again(_transaction, desk, smaller(size, tries), attempt)
        except Unloaded as missing:
            attempt.more.learn(missing)
        except HandlerFailed as bug:
            attempt.failed[bug.event.source, bug.event.id] = blamed(bug)
        except (DataRefused, Collision, TooMuch) as trouble:
            size = attempt.less(size, trouble)
        else:
            crash_point("step_after_commit")
            if decision is None:
                return retried.step(desk, size.events_max)
            return _report(desk, decision)
    message = "a step of unfinished work did not come to an end"
    raise Transient(message)


def _both(*noted: Callable[[RetryCallState], None]) -> Callable[[RetryCallState], None]:
    def note(state: RetryCallState) -> None:
        for one in noted:
            one(state)

    return note


def _transaction(desk: Desk, size: StepSize, attempt: _Attempt) -> Decision | None:
    attempt.events = ()
    with desk.database.begin() as tx, tx.together():
        decision = _step(desk, tx, size, attempt)
        if attempt.task is not None and attempt.task.done:
            attempt.forget.append(of_task(attempt.task))
        suspects.forget(tx, attempt.forget)
        crash_point("step_before_commit")
    return decision


def smaller(size: StepSize, tries: int) -> StepSize:
    """Return less to do in one transaction, the more often it has not come to an end."""
    return replace(size, events_max=max(1, size.events_max >> tries // 8))


def _report(desk: Desk, decision: Decision) -> Report:
    report = Report(emitted=len(decision.emissions), tasks=1)
    report.decided(decision, ())
    desk.meter.late(report.late)
    return report


def _step(desk: Desk, tx: Transaction, size: StepSize, attempt: _Attempt) -> Decision | None:
    attempt.task = task = first_task(desk, tx)
    if task is not None and task.kind is TaskKind.WALK:
        return _walk(desk, tx, task, size.skus_max, attempt.more)
    if task is not None:
        return _sku(desk, tx, task, size.lines_max, attempt.more)
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
    state.dissolve()
    return decision


def _sku(desk: Desk, tx: Transaction, task: Task, lines_max: int, more: Keys) -> Decision:
    sku = task.sku or ""
    rules = replace(desk.rules, fill_step_lines_max=min(lines_max, desk.rules.fill_step_lines_max))
    state = load(tx, steps.keys_of_sku(task).join(more), [], rules)
    resting = tasks.count_for(tx, sku) <= 1 and waiting.count_for(tx, sku) == 0
    now = desk.clock.now()
    decision = steps.step_sku(state, task, now, resting=resting)
    save(tx, state, decision, now)
    state.dissolve()
    return decision


def _drain(desk: Desk, tx: Transaction, sku: str, events_max: int, attempt: _Attempt) -> Decision:
    """Let events that waited for a sku take effect, in the order they came."""
    alone = one_by_one(desk, tx, sku)
    if alone:
        events_max = 1
    rows = waiting.for_sku(tx, sku, events_max)
    heard = [(row.event, row.received_at) for row in rows if not _is_in(attempt.failed, row)]
    given_up = [(row.event, row.received_at) for row in rows if _is_in(attempt.failed, row)]
    events = [event for event, _received_at in heard]
    attempt.events = events
    keys = keys_of(events).join(attempt.more)
    keys.skus.add(sku)
    keys.exempt = frozenset({sku})
    state = load(tx, keys, events, desk.rules)
    last = waiting.count_for(tx, sku) <= len(rows) and tasks.count_for(tx, sku) == 0
    if alone:
        attempt.forget += map(of_event, events)
    if last:
        attempt.forget.append(of_drain(sku))
    now = desk.clock.now()
    decision = decide(state, heard, now, resting=(sku,) if last else (), given_up=given_up)
    decision.outcomes += [
        (event, attempt.failed[event.source, event.id]) for event, _received_at in given_up
    ]
    decision.taken += [
        event for event, outcome in decision.outcomes if not isinstance(outcome, Deferred)
    ]
    save(tx, state, decision, now)
    state.dissolve()
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
    state.dissolve()
    return decision


def _is_in(failed: Mapping[EventKey, SetAside], row: waiting.WaitingEvent) -> bool:
    return (row.event.source, row.event.id) in failed
