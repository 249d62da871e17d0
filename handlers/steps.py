"""The steps of what was too large for one transaction: long fills and policy walks (S6).

A step is decided like a batch: loaded, decided, saved, in one transaction with the task's new
state. What it emits belongs to the event that caused the task.
"""

from collections.abc import Sequence
from datetime import datetime

from handlers.batch import books_of, close
from handlers.catalogue import place_disabled, reached
from handlers.decision import Decision
from handlers.rules import release
from handlers.rules.allocation import fill
from handlers.rules.replenishment import replenish
from handlers.state import Keys, State, Task
from handlers.turn import Books, Origin, Turn


def keys_of_fill(task: Task) -> Keys:
    """Return what a step of a fill loads: one sku and the heads of its queues."""
    sku = task.sku or ""
    return Keys(skus={sku}, usable={sku}, exempt=frozenset({sku}))


def keys_of_walk(skus: Sequence[str]) -> Keys:
    """Return what a step of a walk loads: some skus, whose stock may have become usable."""
    return Keys(skus=set(skus), usable=set(skus))


def step_fill(state: State, task: Task, now: datetime, *, resting: bool) -> Decision:
    """Serve the next held lines of one sku from one source (S6).

    `resting`: no other task and no event waits for the sku: when this one is done, it rests.
    """
    books = books_of(state, now)
    turn = _turn(books, task, task.task_id)
    item = state.item(task.sku or "")
    turn.touch(item)
    left = fill(turn, item, task.place or "", task.arrived)
    task.done = left is None
    task.arrived = left or 0
    if task.done:
        replenish(turn, item)
    release.tell(turn)
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
    release.tell(turn)
    task.cursor = skus[-1] if skus else task.cursor
    task.done = not skus
    books.decision.tasks.append(task)
    return close(books)


def _turn(books: Books, task: Task, part: str) -> Turn:
    return Turn(books, Origin(task.cause, task.at, part=part))
