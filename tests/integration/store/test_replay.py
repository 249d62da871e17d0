"""The stored inbox, told to an empty database in the order it was heard, ends the same (L1, L5)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.codec import decode
from events.envelope import Event
from handlers.policy import Rules
from store import schema
from store.transaction import Database
from tests.support.desk import hear
from tests.support.histories import histories
from tests.support.keeping import NOW, emptied, rows
from tests.support.rules import rule
from workers.clock import SettableClock
from workers.process import Desk
from workers.unfinished import StepSize, step

KEPT = (
    schema.movements,
    schema.stock,
    schema.orders,
    schema.order_lines,
    schema.allocations,
    schema.links,
    schema.demand,
    schema.replenishments,
    schema.replenishment_lines,
    schema.items,
    schema.item_statuses,
    schema.emitted,
    schema.waiting,
)


def tell(database: Database, history: list[Event]) -> dict[str, list[Any]]:
    """Tell events one by one, a second apart, and return everything that is kept of it."""
    clock = SettableClock(NOW)
    desk = Desk(emptied(database), Rules(), clock)
    for event in history:
        hear(desk, event)
        clock.advance(1)
        while step(desk, StepSize()) is not None:
            clock.advance(1)
    return {table.name: rows(database, table) for table in KEPT}


def heard(database: Database) -> list[Event]:
    """What the inbox has kept, in the order it came, as it came."""
    found = rows(database, schema.inbox, "received_at", "body")
    events = [decode(body.encode()) for _at, body in sorted(found)]
    return [event for event in events if isinstance(event, Event)]


@rule("L1", "L5", "C4")
@settings(max_examples=10)
@given(data=st.data())
def test_the_stored_inbox_told_again_gives_the_same_ledger(
    kept: Database, data: st.DataObject
) -> None:
    first = tell(kept, data.draw(histories()))
    again = heard(kept)
    assert tell(kept, again) == first
