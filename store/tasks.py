"""Work left over from events (S6): long changes to one sku, walks of a policy change over many.

A task is one row, held by the worker that does its next step; two workers never hold the same, and
of one sku only the oldest is to be had.
"""

# ruff: noqa: S608 - what is put into SQL is a list of columns

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from events.envelope import Cause
from handlers.state import Task, TaskKind
from store import schema
from store.columns import instant_text
from store.statements import Query, Row, Value
from store.transaction import Database, Transaction

_COLUMNS = """t.task_id, t.kind, t.event_source, t.event_id, t.event_type, t.at, t.sku, t.place,
        t.arrived, t.scope, t.name, t.cursor, t.traceparent, t.clock, t.n"""

_WALKS = Query(f"SELECT {_COLUMNS} FROM tasks AS t WHERE t.kind = 'walk' ORDER BY t.clock, t.n")
_FIRST = Query(
    f"""
    SELECT {_COLUMNS} FROM tasks AS t
    WHERE (t.sku IS NULL OR NOT EXISTS (
        SELECT 1 FROM tasks AS earlier
        WHERE earlier.sku = t.sku AND (earlier.clock, earlier.n) < (t.clock, t.n)
    )) AND NOT EXISTS (
        SELECT 1 FROM suspects AS s
        WHERE s.body_hash = 'task ' || t.task_id AND s.tries > :tries_max AND s.seen_at > :since
    )
    ORDER BY t.clock, t.n
    LIMIT 1 {{take}}
    """
)
_COUNT = Query("SELECT COUNT(*) FROM tasks AS t WHERE t.sku = :sku")
_UNFINISHED = Query(
    """
    SELECT 1 WHERE EXISTS (SELECT 1 FROM tasks)
        OR EXISTS (SELECT 1 FROM waiting WHERE sku IS NOT NULL)
        OR EXISTS (SELECT 1 FROM set_aside WHERE state = 'retrying')
    """
)
_OF_VENDOR = Query(
    """
    SELECT sku FROM items WHERE vendor = :name AND sku > :cursor ORDER BY sku LIMIT :count_max
    """
)
_OF_PLACE = Query(
    """
    SELECT sku FROM stock WHERE place = :name AND sku > :cursor ORDER BY sku LIMIT :count_max
    """
)
_OF_ALL = Query("SELECT sku FROM items WHERE sku > :cursor ORDER BY sku LIMIT :count_max")

_OF_SCOPE = {"vendor": _OF_VENDOR, "place": _OF_PLACE}

_NUMBERS = 1_000_000  # tasks of one transaction, by far: `ordinal` is (clock, n) in one number


def walks(tx: Transaction) -> Callable[[], list[Task]]:
    """Ask for the walks under way, in the order of the changes they carry."""
    asked = tx.ask(_WALKS)
    return lambda: [_task(tx, row) for row in asked()]


def first(tx: Transaction, tries_max: int, since: datetime) -> Task | None:
    """Return the oldest task nobody else has in hand; it is this transaction's. None: none.

    One that was tried more than `tries_max` times without an end, last after `since`, is left out.
    """
    rows = tx.query(_FIRST, tries_max=tries_max, since=instant_text(since))
    return next((_task(tx, row) for row in rows), None)


def count_for(tx: Transaction, sku: str) -> int:
    """Return how many tasks of a sku are unfinished."""
    ((count,),) = tx.query(_COUNT, sku=sku)
    return int(count)


def unfinished(database: Database) -> bool:
    """Is there a task, an event that waits for one to end, or one to be tried again?"""
    with database.read() as tx:
        return bool(tx.query(_UNFINISHED))


def skus_of_walk(tx: Transaction, task: Task, count_max: int) -> list[str]:
    """Return the next skus a walk has to do with, after its cursor, in their order."""
    query = _OF_SCOPE.get(task.scope or "", _OF_ALL)
    named: dict[str, Value] = {} if query is _OF_ALL else {"name": task.name}
    rows = tx.query(query, (), cursor=task.cursor, count_max=count_max, **named)
    return [sku for (sku,) in rows]


def save(tx: Transaction, tasks: Iterable[Task], clock: int) -> None:
    """Write new and changed tasks; delete those that are done."""
    new: list[Row] = []
    changed: list[Row] = []
    done: list[Row] = []
    for n, task in enumerate({task.task_id: task for task in tasks}.values()):
        if task.done:
            if task.loaded is not None:
                done.append((task.task_id,))
        elif task.loaded is None:
            task.ordinal = clock * _NUMBERS + n
            new.append(_row(task))
        elif task.values() != task.loaded:
            changed.append(_row(task))
    tx.delete(schema.tasks, done)
    tx.update(schema.tasks, changed)
    tx.append(schema.tasks, new)


def _row(task: Task) -> Row:
    cause = task.cause
    return (
        task.task_id,
        str(task.kind),
        cause.source,
        cause.id,
        cause.type,
        instant_text(task.at),
        task.sku,
        task.place,
        task.arrived,
        task.scope,
        task.name,
        task.cursor,
        *divmod(task.ordinal, _NUMBERS),
        task.traceparent,
    )


def _task(tx: Transaction, row: tuple[Any, ...]) -> Task:
    task_id, kind, source, event_id, event_type, at, *rest, clock, n = row
    moment = tx.instant(at)
    assert moment is not None
    task = Task(task_id, TaskKind(kind), Cause(source, event_id, event_type), moment, *rest)
    task.ordinal = clock * _NUMBERS + n
    task.loaded = task.values()
    tx.saw(clock)
    return task
