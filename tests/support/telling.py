"""Events told to a database by the worker's own main path, with the steps they leave behind.

`tell` is for stories: each event is a batch of its own, at a time the test says.
"""

from datetime import datetime

from events.envelope import Event
from handlers.policy import Rules
from store.transaction import Database
from tests.support.desk import NOW, Body, finish, hear
from workers.clock import SettableClock
from workers.process import Desk


def tell(
    database: Database,
    *events: Event,
    now: datetime = NOW,
    rules: Rules | None = None,
    steps: bool = True,
) -> None:
    """Let each event have its effect; without `steps`, what is left to them stays undone."""
    desk = Desk(database, rules or Rules(), SettableClock(now))
    for event in events:
        hear(desk, event)
    if steps:
        finish(desk)


def deliver(database: Database, *bodies: bytes, now: datetime = NOW) -> None:
    """Let bodies of orders come as from the broker, good and bad, in one batch."""
    sent: list[Body] = [("OrderPlaced.main", body) for body in bodies]
    hear(Desk(database, Rules(), SettableClock(now)), *sent)
