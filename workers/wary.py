"""A young worker is wary: the unfinished work it finds may have ended those before it.

1. In its first minute it counts each step before it begins it, as `solo` does for messages that
   come again; a step that comes to its end forgets its count in the same transaction.
2. A task that ended workers three times is left out and everybody is told: its sku (or its walk)
   waits, the rest goes on. Every five minutes it has one more try, for they may all have been
   killed from outside. A bug in a step has the same end at once.
3. Where letting events that waited for a sku take effect has ended a worker, they are tried one by
   one, and the one that ends two more is set aside as `crashed_worker`.

An older worker counts nothing: a transaction a step would be too much. If a step ends it, those
that take over are young.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from config.logs import logger
from events.envelope import Event
from handlers.decision import SetAside
from handlers.state import Task
from store import suspects, tasks, waiting
from store.transaction import Transaction
from workers.process import Desk, EventKey
from workers.solo import TRIES_MAX, crashed

YOUNG_SECONDS = 60.0
LEFT_OUT_MINUTES = 5


@dataclass(slots=True)
class Counted:
    """What was counted before a step: `forget` when it ends, `failed` when it is decided."""

    forget: list[str] = field(default_factory=list)
    failed: dict[EventKey, SetAside] = field(default_factory=dict)


def is_young(desk: Desk) -> bool:
    """Has this process begun so lately that another may just have ended?"""
    return desk.clock.monotonic() < desk.young_until


def first_task(desk: Desk, tx: Transaction) -> Task | None:
    """Return the task to do next; it is this transaction's. What ends workers is left out."""
    since = desk.clock.now() - timedelta(minutes=LEFT_OUT_MINUTES)
    return tasks.first(tx, TRIES_MAX, since)


def count(desk: Desk) -> Counted:
    """Count what the next step is about, committed before it begins."""
    counted = Counted()
    now = desk.clock.now()
    with desk.database.begin() as tx:
        task = first_task(desk, tx)
        if task is not None:
            _count_task(tx, task, now, counted)
            return counted
        sku = waiting.first_sku(tx)
        if sku is not None:
            _count_drain(tx, sku, now, counted)
    return counted


def one_by_one(desk: Desk, tx: Transaction, sku: str) -> bool:
    """Has letting the events of a sku take effect together ended a worker?"""
    key = of_drain(sku)
    own = 1 if is_young(desk) else 0
    return suspects.tries(tx, [key]).get(key, 0) > own


def leave_out(desk: Desk, task: Task, stack: str) -> None:
    """Leave a task out that has a bug, for a while, and say where the bug is."""
    logger().error("step_failed", task=task.task_id, kind=str(task.kind), sku=task.sku, stack=stack)
    now = desk.clock.now()
    with desk.database.begin() as tx:
        while suspects.begin(tx, [of_task(task)], now)[of_task(task)] <= TRIES_MAX:
            pass


def of_task(task: Task) -> str:
    """Return what the tries of a task are counted under; store.tasks knows it too."""
    return f"task {task.task_id}"


def of_drain(sku: str) -> str:
    """Return what the tries of the events that wait for a sku are counted under."""
    return f"drain {sku}"


def of_event(event: Event) -> str:
    """Return what the tries of one event that waits for a sku are counted under."""
    return suspects.hash_of(f"{event.source}\n{event.id}".encode())


def _count_task(tx: Transaction, task: Task, now: datetime, counted: Counted) -> None:
    key = of_task(task)
    tries = suspects.begin(tx, [key], now)[key]
    if tries > TRIES_MAX + 1:  # its time is over: one more
        suspects.forget(tx, [key])
        while tries != TRIES_MAX:
            tries = suspects.begin(tx, [key], now)[key]
    if tries > TRIES_MAX:
        logger().error("step_ends_workers", task=task.task_id, kind=str(task.kind), sku=task.sku)
    else:
        counted.forget.append(key)


def _count_drain(tx: Transaction, sku: str, now: datetime, counted: Counted) -> None:
    key = of_drain(sku)
    if suspects.begin(tx, [key], now)[key] == 1:
        counted.forget.append(key)
        return
    for row in waiting.for_sku(tx, sku, 1):
        event = row.event
        own = of_event(event)
        tries = suspects.begin(tx, [own], now)[own]
        counted.forget.append(own)
        if tries > TRIES_MAX:
            counted.failed[event.source, event.id] = crashed(tries)
