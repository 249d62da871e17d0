"""kill -9 at every step between receive and confirm: nothing lost, nothing doubled (L5, F01-F07).

The real worker process is killed at each named point, on the embedded default and on PostgreSQL
with RabbitMQ. Then another finishes. What must hold is checked in the database and on the broker,
not in the program: every event has its effect once, every emitted event came out at least once.
"""

from collections import Counter
from collections.abc import Callable
from itertools import chain

import pytest

from handlers.rules.identity import spoken
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.stack import KILLED, FreshStack, Stack, outgoing
from tests.support.total_queue import found, known_by_bytes, tally
from workers.crash import POINTS
from workers.transports.base import OutgoingMessage
from workers.wiring import opened

ORDERS = 30
REPLENISHMENT = spoken("R", "V1", "WH1", "1")
COLLECTOR = "collector_after_commit"  # passed only where the broker gave a message up
SOLO = "solo_after_begin"  # passed only by what came before
ELSEWHERE = {COLLECTOR, SOLO, *(name for name in POINTS if name.startswith("retry_"))}
# what is tried again: tests/e2e/test_dead_letters.py


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    """A fresh stack of each kind, with small steps and short leases."""
    return fresh_stack(
        {"BACKSHIP_FILL_STEP_LINES_MAX": "16", "BACKSHIP_EMBEDDED_LEASE_SECONDS": "1"}
    )


def earlier() -> list[OutgoingMessage]:
    """Everything before the crash: held orders, a finalized replenishment, goods at a dock."""
    told = [
        place_changed("WH1"),
        place_changed("DOCK", kind="dock", feeds="WH1"),
        shop_changed("main", sources=["WH1"]),
        item_changed("A", vendor="V1"),
        *(order_placed(f"E{n}", [("A", 2)]) for n in range(ORDERS)),
        replenishment_closed(REPLENISHMENT),
        stock_received("R1", "DOCK", [("A", 2 * ORDERS)], replenishment_id=REPLENISHMENT),
    ]
    return [outgoing(event) for event in told]


def later() -> list[OutgoingMessage]:
    """What is in flight when the worker is killed; its parts may come in any order."""
    told = [
        stock_transferred("T1", "DOCK", "WH1", [("A", 2 * ORDERS)]),
        *(order_placed(f"L{n}", [("A", 1), ("B", 1)]) for n in range(ORDERS)),
        *(order_cancelled(f"E{n}") for n in range(0, ORDERS, 7)),
        stock_received("R2", "WH1", [("B", 10)]),
    ]
    good = [outgoing(event) for event in told]
    bad = OutgoingMessage("bad", "OrderPlaced", "OrderPlaced.main", b'{"specversion": "1.0"', None)
    return [*good[:20], bad, *good[20:]]


def rows_of_story() -> int:
    return len(earlier()) + len(later()) - 1  # the malformed one is no row of the inbox


def check_everything_once(stack: Stack) -> None:
    """Ask the database in SQL whether every event had its effect once and all sums hold."""
    story = chain(earlier(), later())
    heard = Counter(id_ for (id_,) in stack.rows("SELECT event_id FROM inbox"))
    assert heard == Counter(message.id for message in story if message.id != "bad")
    assert stack.rows("SELECT DISTINCT outcome FROM inbox") == [("applied",)]
    assert stack.rows("SELECT reason FROM set_aside") == [("malformed",)]
    assert stack.rows("SELECT id FROM outbox") == []
    assert stack.rows("SELECT task_id FROM tasks") == []
    assert stack.rows("SELECT event_id FROM waiting") == []
    assert stack.value("SELECT COUNT(*) FROM items WHERE busy") == 0
    assert sorted(stack.rows("SELECT reason, SUM(qty) FROM movements GROUP BY reason")) == [
        ("received", 2 * ORDERS + 10),
        ("transferred", 2 * ORDERS),
    ]
    assert stack.rows("SELECT sku, on_hand FROM stock WHERE place = 'WH1' ORDER BY sku") == [
        ("A", 2 * ORDERS),
        ("B", 10),
    ]
    cancelled = 2 * len(range(0, ORDERS, 7))
    assert stack.value("SELECT SUM(cancelled) FROM order_lines") == cancelled
    waiting = 3 * ORDERS - cancelled - 2 * ORDERS
    assert stack.rows(
        "SELECT sku, SUM(shortage), SUM(allocated) FROM order_lines GROUP BY sku ORDER BY sku"
    ) == [("A", waiting, 2 * ORDERS), ("B", ORDERS - 10, 10)]
    promised = "SELECT sku, allocated FROM stock WHERE place = 'WH1' ORDER BY sku"
    assert stack.rows(promised) == [("A", 2 * ORDERS), ("B", 10)]
    demand = "SELECT sku, SUM(shortage) FROM demand GROUP BY sku ORDER BY sku"
    assert stack.rows(demand) == [("A", waiting), ("B", ORDERS - 10)]


def check_the_total_queue(stack: Stack, record: Callable[[str, object], None]) -> None:
    """Nothing lost, doubled or from nowhere, in and out; the counts are in the test's record.

    What came out did not come once each: the relay of the killed process may have been between
    publish and delete.
    """
    sent = [
        known_by_bytes(message.body) if message.id == "bad" else message.id
        for message in chain(earlier(), later())
    ]
    total = tally(sent, sent, found(stack))
    record("total queue", str(total))
    assert total.faults == ()
    assert (total.applied, total.set_aside, total.waiting) == (len(sent) - 1, 1, 0)


@pytest.mark.parametrize("point", [name for name in POINTS if name not in ELSEWHERE])
def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(
    stack: Stack, point: str, record_property: Callable[[str, object], None]
) -> None:
    stack.publish(earlier())
    stack.work()
    stack.publish(later())
    assert stack.burst(crash_at=point) == KILLED
    assert stack.burst() == 0
    check_everything_once(stack)
    check_the_total_queue(stack, record_property)
    assert stack.differences() == []


def test_a_worker_killed_again_over_what_it_gets_again_loses_and_doubles_nothing(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    stack.publish(earlier())
    stack.work()
    stack.publish(later())
    for point in ("after_save", SOLO):
        assert stack.burst(crash_at=point) == KILLED
    assert stack.burst() == 0
    check_everything_once(stack)
    check_the_total_queue(stack, record_property)
    assert stack.rows("SELECT * FROM suspects") == []
    assert stack.differences() == []


def test_a_worker_killed_while_it_keeps_a_dead_letter_keeps_it_once(stack: Stack) -> None:
    order = outgoing(order_placed("given-up", [("A", 1)]))
    with opened(stack.settings) as house, house.transport.publisher() as publisher:
        dead = house.topology.dead_queue  # its exchange has the same name
        assert not publisher.publish([order], dead, deadline_seconds=10).failed
    assert stack.burst(crash_at=COLLECTOR) == KILLED
    assert stack.burst() == 0
    assert stack.rows("SELECT reason, attempts, event_id FROM set_aside") == [
        ("gave_up", 1, order.id)
    ]
    assert stack.rows("SELECT outcome FROM inbox") == [("set_aside",)]
    assert stack.rows("SELECT order_id FROM orders") == []
    with opened(stack.settings) as house:
        assert house.transport.ready_count(house.topology.dead_queue) == 0
