"""`backship dead retry` and `discard`: choose, show or do it a slice at a time, say what became.

1. Ids, reason, type and `--all` narrow each other down; none at all is wrong use.
2. Each slice is one transaction, which marks rows and keeps who did it and why: stopped anywhere,
   what is done is done, and the same command again does the rest.
3. Workers try again what is marked; `--wait` looks until they have.
"""

import getpass
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import typer

from config import settings
from console import screen, show_dead
from console.progress import Progress, progress
from console.trouble import Status, WrongUse
from store import operations
from store.operations import Action, Deed, Found, Judged, Place, Skipped, Wanted
from store.transaction import Database
from store.views.dead import dead_ends, dead_groups
from workers.clock import Clock, SystemClock
from workers.wiring import open_database

SLICE_MAX = 500
"""Rows in one transaction."""

_LOOK_SECONDS = 0.2
_NAMED_MAX = 20  # of what was skipped, for a person
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_WORDS: dict[Action, str] = {"retry": "tried again", "discard": "discarded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed. `rate`: events a second; `wait_seconds_max`: None is no waiting."""

    action: Action
    ids: Sequence[str]
    reason: str = ""
    kind: str = ""
    every: bool = False
    dry_run: bool = False
    rate: int | None = None
    wait_seconds_max: float | None = None
    why: str = ""
    operator: str = ""
    yes: bool = False
    as_json: bool = False

    @property
    def wanted(self) -> Wanted:
        """Which ones are meant."""
        return Wanted(self.reason, self.kind)


@dataclass(slots=True)
class Ends:
    """What workers made of those that were to be tried again, by what became of them."""

    left: list[str] = field(default_factory=list)
    effects: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str, str]] = field(default_factory=list)  # id, reason, message


def mend(request: Request, clock: Clock | None = None) -> int:
    """Do what was asked for and return the exit status."""
    if not (request.ids or request.reason or request.kind or request.every):
        raise WrongUse("Which ones? It takes ids, --reason, --type or --all.")
    if request.action == "discard" and not request.why.strip():
        raise WrongUse("Why? --why takes a few words, for the history.")
    time = clock or SystemClock()
    with closing(open_database(settings.read())) as database:
        database.check_schema()
        if request.dry_run:
            return _would(request, _judge(request, database, time))
        if not _is_meant(request):
            screen.complain("Nothing was changed.")
            return Status.NOT_SO
        return _do(request, database, time)


def _is_meant(request: Request) -> bool:
    """Ask a person who says `--all`."""
    if request.yes or not request.every or not sys.stdin.isatty():
        return True
    return typer.confirm(f"Everything set aside is to be {_WORDS[request.action]}?", err=True)


def _do(request: Request, database: Database, clock: Clock) -> int:
    total = _total(request, database)
    done = Judged()
    with progress(request.action, clock) as shown:
        for ids in _slices(request, database, clock):
            with database.begin() as tx:
                judged = operations.do(tx, _deed(request, clock), request.wanted, ids)
            done.able += judged.able
            done.skipped += judged.skipped
            reached = len(done.able) + len(done.skipped)
            told = f"{len(done.able):,} of {total:,} events {_WORDS[request.action]}"
            shown.reached(reached, max(total, reached), told)
            if request.rate is not None:
                clock.sleep(len(ids) / request.rate)
        ends = _wait(request, database, clock, done.able, shown)
    return _tell(request, done, ends)


def _judge(request: Request, database: Database, clock: Clock) -> Judged:
    """Return what would be done."""
    judged = Judged()
    deed = _deed(request, clock)
    for ids in _slices(request, database, clock):
        with database.read() as tx:
            part = operations.judge(tx, deed, request.wanted, ids)
        judged.able += part.able
        judged.skipped += part.skipped
    return judged


def _deed(request: Request, clock: Clock) -> Deed:
    operator = request.operator or _user()
    return Deed(request.action, operator, request.why.strip() or None, clock.now())


def _user() -> str:
    """Return who is at this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return f"user {os.getuid()}"


def _slices(request: Request, database: Database, clock: Clock) -> Iterator[list[str]]:
    """Yield the ids that are meant, not more at once than one transaction or second takes."""
    size = min(SLICE_MAX, request.rate or SLICE_MAX)
    if request.ids:
        ids = sorted(set(request.ids))
        yield from (ids[start : start + size] for start in range(0, len(ids), size))
        return
    until, place = clock.now(), Place(_EVER)
    while True:
        with database.read() as tx:
            ids, place = operations.page(tx, request.wanted, until, place, size)
        if not ids:
            return
        yield ids


def _total(request: Request, database: Database) -> int:
    if request.ids:
        return len(set(request.ids))
    with database.read() as tx:
        groups = dead_groups(tx, reason=request.reason, kind=request.kind)
    return sum(count for *_group, count in groups)


def _wait(
    request: Request, database: Database, clock: Clock, found: Sequence[Found], shown: Progress
) -> Ends | None:
    """Look until workers have tried them all, or it has taken too long."""
    if request.wait_seconds_max is None:
        return None
    ends = Ends(left=[row.id for row in found])
    deadline = clock.monotonic() + request.wait_seconds_max
    while ends.left:
        _look(database, ends)
        tried = len(found) - len(ends.left)
        shown.reached(tried, len(found), f"{tried:,} of {len(found):,} events tried")
        if not ends.left or clock.monotonic() >= deadline:
            break
        clock.sleep(_LOOK_SECONDS)
    return ends


def _look(database: Database, ends: Ends) -> None:
    """Note what became of those that are no more to be tried."""
    left: list[str] = []
    with database.read() as tx:
        for start in range(0, len(ends.left), SLICE_MAX):
            for row in dead_ends(tx, ends.left[start : start + SLICE_MAX]):
                name, state, reason, message, outcome = row
                if state == "retrying":
                    left.append(name)
                elif state == "set_aside":
                    ends.failed.append((name, reason, message))
                else:
                    ends.effects[state if outcome is None else outcome] += 1
    ends.left = left


def _would(request: Request, judged: Judged) -> int:
    ids = [row.id for row in judged.able]
    if request.as_json:
        screen.document({**_document(request, judged, done=0), "ids": ids})
    else:
        groups = Counter((row.reason, row.type, row.field) for row in judged.able)
        show_dead.grouped([(*group, count) for group, count in groups.most_common()])
        if ids:
            would = f"{screen.counted(len(ids), 'event')} would be {_WORDS[request.action]}"
            screen.pages(would, ("id",), ([name] for name in ids), nothing="")
        _name(judged.skipped)
    return _status(judged, None)


def _tell(request: Request, judged: Judged, ends: Ends | None) -> int:
    done = len(judged.able)
    if request.as_json:
        document = _document(request, judged, done=done)
        if ends is not None:
            document["ends"] = {
                **ends.effects,
                "retrying": len(ends.left),
                "set_aside": [
                    {"id": name, "reason": reason, "message": message}
                    for name, reason, message in ends.failed
                ],
            }
        screen.document(document)
        return _status(judged, ends)
    events = screen.counted(done, "event")
    if request.action == "discard":
        screen.say(f"{events} discarded.")
    elif ends is None:
        screen.say(f"{events} will be tried again by the workers.")
    else:
        _tell_ends(ends, done)
    _name(judged.skipped)
    return _status(judged, ends)


_EFFECTS = {
    "applied": "had their effect",
    "repeated": "had been known already",
    "waiting": "wait for what they name",
    "discarded": "were discarded meanwhile",
}


def _tell_ends(ends: Ends, done: int) -> None:
    parts = [
        f"{count:,} {_EFFECTS.get(word, 'were resolved')}"
        for word, count in ends.effects.most_common()
    ]
    parts += [f"{len(ends.failed):,} were set aside again"] if ends.failed else []
    parts += [f"{len(ends.left):,} wait for a worker"] if ends.left else []
    screen.say(f"Of {screen.counted(done, 'event')}: {', '.join(parts)}." if parts else "None.")
    if ends.failed:
        screen.pages("Set aside again", ("id", "reason", "message"), ends.failed, nothing="")


def _document(request: Request, judged: Judged, *, done: int) -> dict[str, object]:
    return {
        "action": request.action,
        "dry_run": request.dry_run,
        "matched": len(judged.able),
        "done": done,
        "skipped": [{"id": row.id, "state": row.state, "why": row.why} for row in judged.skipped],
    }


def _name(skipped: Sequence[Skipped]) -> None:
    for row in skipped[:_NAMED_MAX]:
        screen.complain(f"{row.id} is left as it is: {row.why}.")
    if len(skipped) > _NAMED_MAX:
        screen.complain(f"So are {len(skipped) - _NAMED_MAX:,} more.")


def _status(judged: Judged, ends: Ends | None) -> int:
    """Is anything not as it was asked for?"""
    failed = ends is not None and bool(ends.failed or ends.left)
    return (
        Status.NOT_SO if failed or not all(row.is_done for row in judged.skipped) else Status.DONE
    )
