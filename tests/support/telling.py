"""Events told to a real database by the worker's own main path, with the steps they leave behind.

`tell` is for stories: each event is a batch of its own, at a time the test says.
"""

from datetime import datetime

from events.envelope import Event
from handlers.policy import Rules
from store.transaction import Database
from tests.support.keeping import NOW, arrival
from workers.clock import SettableClock
from workers.intake import Intake
from workers.isolate import settle
from workers.process import Desk
from workers.unfinished import StepSize, step


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
        settle(desk, Intake([arrival(event, now)]))
    while steps and step(desk, StepSize()) is not None:
        pass
