"""A desk on a real database, to decide batches at without a broker around it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import text

from events.envelope import Event
from handlers.policy import Rules
from store import migrations
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.services import limits
from tests.support.stack import outgoing
from workers.clock import SettableClock
from workers.intake import take_in
from workers.isolate import settle
from workers.process import Desk, Report
from workers.transports.base import Delivery
from workers.unfinished import StepSize, step

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Body = tuple[str, bytes]  # routing key and bytes, for what is no event


@contextmanager
def open_desk(database_url: str, rules: Rules | None = None) -> Iterator[Desk]:
    """Open a desk; the tables are made where there are none."""
    database = Database(database_url, limits())
    migrations.upgrade(database)
    try:
        yield Desk(database, rules or Rules(), SettableClock(NOW))
    finally:
        database.close()


def hear(desk: Desk, *events: Event | Body) -> Report:
    """Settle events as one batch."""
    return settle(desk, take_in(deliveries(*events), desk.clock.now()))


def deliveries(*events: Event | Body) -> list[Delivery]:
    """Deliver events, or bodies with their routing keys, as a transport would."""
    messages = [event if isinstance(event, tuple) else _sent(event) for event in events]
    return [
        Delivery(body, key, tag, redelivered=False, delivery_count=0, headers={}, compressed=False)
        for tag, (key, body) in enumerate(messages, 1)
    ]


def finish(desk: Desk, *, skus_max: int = 200, events_max: int = 500) -> int:
    """Do every step that is left; return how many there were."""
    steps = 0
    while step(desk, StepSize(skus_max, events_max)) is not None:
        steps += 1
    return steps


def rows(desk: Desk, sql: str) -> list[tuple[object, ...]]:
    """Ask the database."""
    with desk.database.read() as tx:
        return [tuple(row) for row in tx.connection.execute(text(sql))]


def differences(desk: Desk) -> list[object]:
    """Return what the audit finds wrong."""
    with desk.database.read() as tx:
        return list(inspect(tx, desk.rules)["differences"])


def _sent(event: Event) -> Body:
    message = outgoing(event)
    return message.routing_key, message.body
