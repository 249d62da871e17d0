"""The steps of what was too large for one transaction: long fills and policy walks (S6).

A step is decided like a batch: loaded, decided, saved, in one transaction with the task's new
state. What it emits belongs to the event that caused the task.
"""

from collections.abc import Sequence
from datetime import datetime

from handlers.batch import books_of, close, finish
from handlers.catalogue import place_disabled, reached
from handlers.decision import Decision
from handlers.rules.allocation import trim
from handlers.rules.filling import fill, leave_rest, place_of, serve
from handlers.rules.replenishment import replenish
from handlers.rules.telling import cursor_after, redate
from handlers.state import Keys, State, Task, TaskKind
from handlers.turn import Books, Origin, Turn


def keys_of_sku(task: Task) -> Keys:
    """Return what a step of a task of one sku loads besides the heads of its queues."""
    sku = task.sku or ""
    keys = Keys(skus={sku}, exempt=frozenset({sku}))
    if task.kind is TaskKind.DATE:
        keys.linked.add(sku)
        keys.dated[sku] = cursor_after(task.cursor)
        return keys
    keys.usable.add(sku)
    match task.kind:
        case TaskKind.FILL:
            after = place_of(task.cursor)
            if after is not None:
                keys.fill_after[sku] = (task.place or "", *after)
        case TaskKind.TRIM:
            keys.reserved.add(sku)
        case _:
            keys.orderable.add(sku)
    return keys


def keys_of_walk(task: Task, skus: Sequence[str]) -> Keys:
    """Return what a step of a walk loads: some skus, whose stock may have become usable."""
    keys = Keys(skus=set(skus), usable=set(skus))
    if task.scope in {"vendor", "all"}:
        keys.orderable |= set(skus)
    if task.scope == "vendor":
        keys.dated |= dict.fromkeys(skus)
    return keys


def step_sku(state: State, task: Task, now: datetime, *, resting: bool) -> Decision:
    """Do the next step of a task of one sku (S6).

    `resting`: no other task and no event waits for the sku: when this one is done, it rests.
    """
    books = books_of(state, now)
    turn = _turn(books, task, f"{task.task_id} {task.cursor}")
    item = state.item(task.sku or "")
    turn.touch(item)
    task.done = True
    turn.step = task
    match task.kind:
        case TaskKind.FILL:
            after = place_of(task.cursor)
            rest = fill(turn, item, task.place or "", task.arrived, after)
            if rest is not None:
                leave_rest(turn, item, task.place or "", rest)
        case TaskKind.TRIM:
            trim(turn, item, task.place or "")
            if task.done:
                serve(turn, item, {})
        case TaskKind.DATE:
            redate(turn, item, task.cursor, task.name)
        case _:
            pass
    if task.done:
        replenish(turn, item)
    finish(turn)
    books.decision.tasks.append(task)
    return close(books, (item.sku,) if resting else ())


def step_walk(state: State, task: Task, skus: Sequence[str], now: datetime) -> Decision:
    """Let a policy change take effect on the next skus, in their order; none left: done (S6)."""
    state.walks = [walk for walk in state.walks if walk.task_id != task.task_id]
    books = books_of(state, now)
    turn = _turn(books, task, f"after {task.cursor}")
    for sku in skus:
        item = state.item(sku)
        reached(turn, task, item)
        if task.scope == "place":
            place = state.places.get(task.name or "")
            if place is not None:
                place_disabled(turn, item, place)
    finish(turn)
    task.cursor = skus[-1] if skus else task.cursor
    task.done = not skus
    books.decision.tasks.append(task)
    return close(books)


def _turn(books: Books, task: Task, part: str) -> Turn:
    return Turn(books, Origin(task.cause, task.at, task.traceparent, part))
