"""A message that ends the process it is in: set aside after four at most, and no neighbour (F24).

The real worker process, on both stacks; a supervisor's part is played by the loop that starts it
again. The broker's own limit is twenty: what is set aside here, we have counted ourselves.
"""

from dataclasses import replace

import pytest

from tests.support.builders import order_placed
from tests.support.poisoned_worker import KILL, UNREADABLE
from tests.support.stack import KILLED, FreshStack, Stack, outgoing
from workers.transports.base import OutgoingMessage
from workers.wiring import opened

NEIGHBOURS = 16
CRASHES_MAX = 4
MANY = 2_000
BAD_ONE = 37  # of each hundred
POISONED = "tests.support.poisoned_worker"


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    """A fresh stack of each kind, with short leases."""
    return fresh_stack({"BACKSHIP_EMBEDDED_LEASE_SECONDS": "0.5"})


def neighbours() -> list[OutgoingMessage]:
    return [outgoing(order_placed(f"N{n:02}", [("A", 1)])) for n in range(NEIGHBOURS)]


def run_until_it_lives(stack: Stack) -> int:
    """Start the worker again and again; return how often it was killed before it came to an end."""
    for crashes in range(CRASHES_MAX + 2):
        if stack.burst(program=POISONED) != KILLED:
            return crashes
    pytest.fail("the worker is killed again and again")


def check_neighbours(stack: Stack) -> None:
    """Every neighbour has had its effect once, and nothing is left behind anywhere."""
    assert stack.rows("SELECT order_id FROM orders ORDER BY order_id") == [
        (f"N{n:02}",) for n in range(NEIGHBOURS)
    ]
    assert stack.rows("SELECT COUNT(*) FROM inbox WHERE outcome = 'applied'") == [(NEIGHBOURS,)]
    assert stack.rows("SELECT * FROM suspects") == []
    assert stack.differences() == []
    with opened(stack.settings) as house:
        for queue in (house.topology.inbox_queue, house.topology.dead_queue):
            assert house.transport.ready_count(queue) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "position",
    [
        pytest.param(0, marks=pytest.mark.long),
        NEIGHBOURS // 2,
        pytest.param(NEIGHBOURS, marks=pytest.mark.long),
    ],
)
def test_what_kills_its_worker_is_set_aside_after_few_crashes_and_no_neighbour_with_it(
    stack: Stack, position: int
) -> None:
    poison = outgoing(order_placed(f"{KILL}-1", [("A", 1)]))
    told = neighbours()
    stack.publish([*told[:position], poison, *told[position:]])
    assert 1 <= run_until_it_lives(stack) <= CRASHES_MAX
    assert stack.rows("SELECT reason, event_id, type, state FROM set_aside") == [
        ("crashed_worker", poison.id, "OrderPlaced", "set_aside")
    ]
    assert stack.rows("SELECT event_id FROM inbox WHERE outcome = 'set_aside'") == [(poison.id,)]
    check_neighbours(stack)


@pytest.mark.slow
def test_two_that_kill_their_worker_are_both_set_aside_and_their_neighbours_are_not(
    stack: Stack,
) -> None:
    told = neighbours()
    poisons = [outgoing(order_placed(f"{KILL}-{n}", [("A", 1)])) for n in range(2)]
    stack.publish([*told[:5], poisons[0], *told[5:10], poisons[1], *told[10:]])
    for _ in range(2 * CRASHES_MAX + 1):
        if stack.burst(program=POISONED) != KILLED:
            break
    assert sorted(stack.rows("SELECT reason, event_id FROM set_aside")) == sorted(
        ("crashed_worker", poison.id) for poison in poisons
    )
    check_neighbours(stack)


@pytest.mark.slow
def test_a_body_that_kills_whoever_reads_it_is_set_aside_as_the_bytes_it_came_as(
    stack: Stack,
) -> None:
    body = b'{"specversion": "1.0", "id": "' + UNREADABLE + b'"}'
    told = neighbours()
    bad = OutgoingMessage("bad", "OrderPlaced", "OrderPlaced.main", body, None)
    stack.publish([*told[:8], bad, *told[8:]])
    assert 1 <= run_until_it_lives(stack) <= CRASHES_MAX
    assert [
        (reason, source, event_id, bytes(kept))  # type: ignore[call-overload] # bytes, or a view
        for reason, source, event_id, kept in stack.rows(
            "SELECT reason, source, event_id, body FROM set_aside"
        )
    ] == [("crashed_worker", None, None, body)]
    check_neighbours(stack)


@pytest.mark.slow
def test_the_same_poison_sent_again_after_it_was_set_aside_ends_nobody(stack: Stack) -> None:
    poison = outgoing(order_placed(f"{KILL}-1", [("A", 1)]))
    stack.publish([poison])
    run_until_it_lives(stack)
    stack.publish([poison, *neighbours()])
    assert stack.burst(program=POISONED) == 0
    assert stack.rows("SELECT reason, event_id FROM set_aside") == [("crashed_worker", poison.id)]
    check_neighbours(stack)


@pytest.mark.slow
def test_of_many_messages_exactly_the_bad_ones_are_set_aside(stack: Stack) -> None:  # F25
    told, bad = [], []
    for n in range(MANY):
        message = outgoing(order_placed(f"N{n:05}", [("A", 1)]))
        if n % 100 == BAD_ONE:
            message = replace(message, body=message.body.replace(b'"qty":1', b'"qty":0'))
            bad.append(message.id)
        told.append(message)
    stack.publish(told)
    assert stack.burst() == 0
    assert sorted(stack.rows("SELECT event_id FROM set_aside")) == [(id_,) for id_ in sorted(bad)]
    assert stack.rows("SELECT DISTINCT reason, field FROM set_aside") == [
        ("malformed", "data.lines.0.qty")
    ]
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", MANY - len(bad))
    ]
    assert stack.value("SELECT COUNT(*) FROM orders") == MANY - len(bad)
    assert stack.differences() == []
