"""Two workers on the same skus, orders and vendors at once: what must hold, asked in SQL (L6, §8).

Any history is dealt out to two workers, each with a connection of its own, who work through their
share as fast as they can. Nobody knows who was first; but the books balance.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from events.envelope import Event
from handlers.policy import Rules
from store.audit.inspection import inspect
from store.dialects.base import Limits
from store.transaction import Database
from tests.support.desk import hear
from tests.support.histories import histories
from tests.support.keeping import NOW, emptied, other
from tests.support.rules import rule
from workers.clock import SettableClock
from workers.process import Desk
from workers.unfinished import StepSize, step

# Each finds rows that must not be: the rule, and what is wrong.
BROKEN = {
    "L2: on hand is what moved in less what moved out": """
        SELECT s.sku, s.place, s.on_hand FROM stock AS s
        WHERE s.on_hand <> (SELECT COALESCE(SUM(qty), 0) FROM movements AS m
                WHERE m.sku = s.sku AND m.target = s.place)
            - (SELECT COALESCE(SUM(qty), 0) FROM movements AS m
                WHERE m.sku = s.sku AND m.origin = s.place)""",
    "L3: what is promised at a source is what lines were promised there": """
        SELECT s.sku, s.place, s.allocated FROM stock AS s
        WHERE s.allocated <> (SELECT COALESCE(SUM(a.qty), 0) FROM allocations AS a
            JOIN order_lines AS l
                ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
            WHERE l.sku = s.sku AND a.source = s.place)""",
    "L3: the quantities of a line add up": """
        SELECT shop, order_id, line_id FROM order_lines
        WHERE ordered <> allocated + shortage + pending + drop_ship + shipped + cancelled + rejected
            OR allocated <> (SELECT COALESCE(SUM(a.qty), 0) FROM allocations AS a
                WHERE a.shop = order_lines.shop AND a.order_id = order_lines.order_id
                    AND a.line_id = order_lines.line_id)""",
    "L4: demand is what lines are short of": """
        SELECT d.sku, d.destination, d.shop FROM demand AS d
        WHERE d.shortage <> (SELECT COALESCE(SUM(l.shortage), 0) FROM order_lines AS l
            WHERE l.sku = d.sku AND l.destination = d.destination AND l.shop = d.shop)""",
    "R1: one open replenishment for each vendor and destination": """
        SELECT vendor, destination FROM replenishments WHERE state = 'open'
        GROUP BY vendor, destination HAVING COUNT(*) > 1""",
    "R10: what is bought for single lines is what they are linked to": """
        SELECT r.replenishment_id, r.sku FROM replenishment_lines AS r
        WHERE r.linked + r.picked <> (SELECT COALESCE(SUM(k.qty), 0) FROM links AS k
            WHERE k.replenishment_id = r.replenishment_id AND k.sku = r.sku)""",
    "C4: every movement belongs to an event that had its effect": """
        SELECT m.event_id FROM movements AS m
        LEFT JOIN inbox AS i ON i.source = m.event_source AND i.event_id = m.event_id
        WHERE i.outcome IS NULL OR i.outcome <> 'applied'""",
    "S6: nothing is left unfinished": """
        SELECT sku FROM items WHERE busy UNION ALL SELECT task_id FROM tasks
        UNION ALL SELECT sku FROM waiting WHERE sku IS NOT NULL""",
}


def share_out(database: Database, histories_of_two: Sequence[Sequence[Event]]) -> None:
    """Let each worker settle its events, two at a time, and do what is left over in between."""

    def work(events: Sequence[Event]) -> None:
        own = other(database, Limits())
        try:
            desk = Desk(own, Rules(), SettableClock(NOW))
            for start in range(0, len(events), 2):
                hear(desk, *events[start : start + 2])
                step(desk, StepSize())
        finally:
            own.close()

    with ThreadPoolExecutor(2) as workers:
        for done in [workers.submit(work, events) for events in histories_of_two]:
            done.result(timeout=60)
    desk = Desk(database, Rules(), SettableClock(NOW))
    while step(desk, StepSize()) is not None:
        pass


def hold_after(database: Database, history: Sequence[Event], shares: Sequence[bool]) -> None:
    """Deal a history out and ask what must hold."""
    marked = list(zip(history, shares, strict=False))
    share_out(
        emptied(database),
        [[event for event, mine in marked if mine is whose] for whose in (True, False)],
    )
    with database.read() as tx:
        for what, sql in BROKEN.items():
            assert tx.connection.execute(text(sql)).all() == [], what
        assert inspect(tx, Rules())["differences"] == []


@rule("L6", "L2", "L3", "L4", "R1")
@settings(max_examples=15)
@given(histories(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_what_must_hold_holds_whoever_was_first(
    kept: Database, history: list[Event], shares: list[bool]
) -> None:
    hold_after(kept, history, shares)


@pytest.mark.long
@pytest.mark.timeout(1800)
@rule("L6", "L2", "L3", "L4", "R1")
@settings(max_examples=1000)
@given(histories(), st.lists(st.booleans(), min_size=40, max_size=40))
def test_what_must_hold_holds_a_thousand_times(
    kept: Database, history: list[Event], shares: list[bool]
) -> None:
    hold_after(kept, history, shares)
