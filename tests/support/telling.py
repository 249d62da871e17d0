"""Events told to a real database by the worker's own main path, with the steps they leave behind.

`tell` is for stories: each event is a batch of its own, at a time the test says.
"""

from datetime import datetime

from events.envelope import Event
from handlers.policy import Rules
from store.transaction import Database
from tests.support.keeping import NOW, arrival
from workers.clock import SettableClock
from workers.intake import Intake, take_in
from workers.isolate import settle
from workers.process import Desk
from workers.transports.base import Delivery
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


def deliver(database: Database, *bodies: bytes, now: datetime = NOW) -> None:
    """Let bodies come as from the broker, good and bad, in one batch."""
    deliveries = [
        Delivery(
            body,
            routing_key="OrderPlaced.main",
            tag=tag,
            redelivered=False,
            delivery_count=0,
            headers={"tag": tag},
            compressed=False,
        )
        for tag, body in enumerate(bodies, 1)
    ]
    settle(Desk(database, Rules(), SettableClock(now)), take_in(deliveries, now))
