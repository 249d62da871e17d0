"""`backship status`: is it well? A verdict first, each reason with what to do, then the figures.

1. Ask the database and the broker; who does not answer leaves its part unknown, with the reason.
2. Judge (`console.judging_status`).
3. Show: for a person, or one JSON document; with `--watch` again every two seconds. Each look has
   a transaction of its own, which is over before anything is shown.
"""

import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime

from config import settings as config
from config.settings import Settings
from console import screen
from console.judging_status import Thresholds, judge
from console.show_status import lines
from console.trouble import Status
from store.errors import SchemaError, StoreError
from store.transaction import Database
from store.views import status
from store.views.shapes import QueueFigures, StatusView
from store.views.status import Figures
from workers.clock import Clock, SystemClock
from workers.topology import Topology, topology
from workers.transports.base import Transport
from workers.transports.errors import TransportError
from workers.wiring import open_broker, open_database

WATCH_SECONDS = 2.0

_BROKER_PART = ("queue", "dead_queue", "unrouted")
_DATABASE_PART = (
    "held_orders",
    "open_replenishments",
    "outbox",
    "waiting",
    "tasks",
    "set_aside",
    "retrying",
    "exceptions",
    "workers",
    "workers_alive",
)


class NobodyAnswers(StoreError):  # noqa: N818 - names what happened
    """Neither database nor broker."""


def show(*, watch: bool, as_json: bool) -> int:
    """Look once, or until Ctrl-C. Exit status 0 whatever the verdict: it could look.

    Raises StoreError where neither answers, SchemaError where the tables are not ours.
    """
    given = config.read()
    clock = SystemClock()
    with closing(open_database(given)) as database:
        broker = open_broker(given, database)
        with closing(broker):

            def look() -> StatusView:
                return seen(given, database, broker, clock)

            if not watch:
                _print(look(), as_json=as_json)
                return Status.DONE
            with suppress(KeyboardInterrupt):
                _watch(look, clock, as_json=as_json)
            return Status.DONE


def seen(settings: Settings, database: Database, broker: Transport, clock: Clock) -> StatusView:
    """Look at everything and judge it."""
    unknown: dict[str, str] = {}
    found = _of_database(database, unknown)
    named = topology(settings.topology_prefix)
    counts = _of_broker(broker, named, unknown)
    if found is None and counts is None:
        raise NobodyAnswers(f"{unknown['outbox']} {unknown['queue']}")
    at = clock.now() if found is None else found.at
    queue = None if counts is None else _queue(broker, named, counts, found, at, unknown)
    view: StatusView = {
        "at": at,
        "verdict": "ok",
        "reasons": [],
        "queue": queue,
        "dead_queue": None if counts is None else counts[named.dead_queue],
        "unrouted": None if counts is None else counts[named.unrouted_queue],
        "held_orders": None if found is None else found.held_orders,
        "open_replenishments": None if found is None else found.open_replenishments,
        "outbox": None if found is None else found.outbox,
        "waiting": None if found is None else found.waiting,
        "tasks": None if found is None else found.tasks,
        "set_aside": None if found is None else found.set_aside,
        "retrying": None if found is None else found.retrying,
        "exceptions": None
        if found is None
        else {"total": found.exceptions, "last_24h": found.exceptions_last_day},
        "workers": None if found is None else found.workers,
        "workers_alive": None if found is None else found.workers_alive,
        "unknown": unknown,
        "at_least": [] if found is None else found.at_least,
    }
    return judge(view, Thresholds(wait_hours=settings.wait_hours))


def _of_database(database: Database, unknown: dict[str, str]) -> Figures | None:
    try:
        database.check_schema()
        with database.read() as tx:
            return status.figures(tx)
    except SchemaError:
        raise
    except StoreError as trouble:
        unknown.update(dict.fromkeys(_DATABASE_PART, _sentence(trouble)))
        return None


def _of_broker(
    broker: Transport, named: Topology, unknown: dict[str, str]
) -> dict[str, int] | None:
    try:
        return {
            name: broker.ready_count(name)
            for name in (named.inbox_queue, named.dead_queue, named.unrouted_queue)
        }
    except TransportError as trouble:
        unknown.update(dict.fromkeys(_BROKER_PART, _sentence(trouble)))
        return None


def _queue(  # noqa: PLR0913, PLR0917 - what is known so far
    broker: Transport,
    named: Topology,
    counts: dict[str, int],
    found: Figures | None,
    at: datetime,
    unknown: dict[str, str],
) -> QueueFigures:
    ready = counts[named.inbox_queue]
    outstanding = broker.outstanding_count(named.inbox_queue)
    if outstanding is None:
        unknown["queue.outstanding"] = (
            f"{broker.name} does not tell how many messages workers hold."
        )
    age: float | None = 0.0
    if outstanding or (outstanding is None and ready):
        since = broker.oldest_at(named.inbox_queue)
        told = None if found is None else found.message_age_seconds
        age = told if since is None else max(0.0, at.timestamp() - since)
        if age is None:
            unknown["queue.oldest_age_seconds"] = (
                f"{broker.name} does not show its oldest message without taking it, and no worker "
                "that is alive has told the age of one."
            )
    return {"ready": ready, "outstanding": outstanding, "oldest_age_seconds": age}


def _sentence(trouble: Exception) -> str:
    said = " ".join(str(trouble).split())
    return said if said.endswith(".") else f"{said}."


# ---------------------------------------------------------------- showing


def _watch(look: Callable[[], StatusView], clock: Clock, *, as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        while True:
            _print(look(), as_json=as_json)
            sys.stdout.flush()
            clock.sleep(WATCH_SECONDS)
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False, emoji=False)
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            live.update(Text("\n".join(lines(look()))), refresh=True)
            clock.sleep(WATCH_SECONDS)


def _print(view: StatusView, *, as_json: bool) -> None:
    if as_json:
        screen.document(view)
        return
    for line in lines(view):
        screen.say(line)
