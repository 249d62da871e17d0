"""Dead letters on real stacks: tried again while workers are killed, each has its effect once.

What the broker gave up on is put where it puts such messages; a worker keeps it, and the command
`backship dead retry` has it tried again.
"""

import random
import time
from pathlib import Path

import orjson
import pytest
from sqlalchemy import text

from events.envelope import Event
from tests.support.builders import order_placed, stock_received
from tests.support.command import Inside
from tests.support.fleet import Fleet
from tests.support.stack import KILLED, FreshStack, Stack, outgoing
from workers.crash import POINTS
from workers.wiring import opened

SEED = 20_261_122
RETRY_POINTS = [name for name in POINTS if name.startswith("retry_")]
ENDS = "SELECT state, reason, attempts, COUNT(*) FROM set_aside GROUP BY state, reason, attempts"


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    """A fresh stack of each kind, with short leases, so that a killed worker is soon followed."""
    return fresh_stack({"BACKSHIP_EMBEDDED_LEASE_SECONDS": "1", "BACKSHIP_BATCH_SIZE_MAX": "50"})


@pytest.fixture
def backship(stack: Stack, tmp_path: Path) -> Inside:
    settings = {name.removeprefix("BACKSHIP_").lower(): value for name, value in stack.more.items()}
    return Inside(tmp_path, {"database_url": stack.database_url, **settings})


def give_up(stack: Stack, *events: Event) -> None:
    """Let the broker give up on events, and a worker keep them."""
    with opened(stack.settings) as house, house.transport.publisher() as publisher:
        dead = house.topology.dead_queue  # its exchange has the same name
        told = [outgoing(event) for event in events]
        for start in range(0, len(told), 1000):
            window = told[start : start + 1000]
            assert not publisher.publish(window, dead, deadline_seconds=30).failed
    stack.work()
    assert stack.rows(ENDS) == [("set_aside", "gave_up", 1, len(events))]
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("set_aside", len(events))
    ]


def orders(count: int) -> list[Event]:
    return [order_placed(f"{n:05}", [("A", 1)]) for n in range(count)]


def check_once(stack: Stack, count: int) -> None:
    """Every order has had its effect once, and nothing is left anywhere."""
    assert stack.rows(ENDS) == [("resolved", "gave_up", 1, count)]
    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", count)
    ]
    assert stack.value("SELECT COUNT(*) FROM orders") == count
    assert stack.rows("SELECT SUM(ordered), SUM(shortage) FROM order_lines") == [(count, count)]
    assert stack.rows("SELECT shortage FROM demand") == [(count,)]
    assert stack.rows("SELECT body_hash FROM suspects") == []
    assert stack.rows("SELECT id FROM outbox") == []
    emitted = {str(id_) for (id_,) in stack.rows("SELECT id FROM emitted")}
    assert stack.published().keys() == emitted
    assert stack.differences() == []


@pytest.mark.slow
def test_f46_workers_killed_while_they_try_again_lose_and_double_nothing(
    stack: Stack, backship: Inside
) -> None:
    give_up(stack, *orders(5))
    assert backship.done("dead", "retry", "--all") == (
        "5 events will be tried again by the workers.\n"
    )
    resolved = []
    for point in RETRY_POINTS:  # the first time all together; then, under suspicion, one by one
        assert stack.burst(crash_at=point) == KILLED
        assert backship.json("dead", "retry", "--all")["done"] == 0
        resolved.append(stack.value("SELECT COUNT(*) FROM set_aside WHERE state = 'resolved'"))
    assert resolved == [0, 0, 1]
    assert stack.burst() == 0
    check_once(stack, 5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "kills"),
    [
        pytest.param(150, 2, id="150"),
        pytest.param(10_000, 12, id="10000", marks=[pytest.mark.long]),
    ],
)
@pytest.mark.timeout(900)
def test_f46_a_group_is_tried_again_twice_while_workers_are_killed_and_has_one_effect(
    stack: Stack, backship: Inside, count: int, kills: int
) -> None:
    give_up(stack, *orders(count))
    asked = backship.json("dead", "retry", "--reason", "gave_up", "--by", "ada")
    assert (asked["matched"], asked["done"], asked["skipped"]) == (count, count, [])
    resolved = "SELECT COUNT(*) FROM set_aside WHERE state = 'resolved'"
    deadline = time.monotonic() + 600
    with Fleet(stack, 2, random.Random(SEED)) as fleet:
        for part in range(kills):
            while int(str(stack.value(resolved))) <= part * count // (kills + 1):
                assert time.monotonic() < deadline, "the fleet has stopped working"
                time.sleep(0.02)
            fleet.kill_one()
            backship.done("dead", "retry", "--reason", "gave_up", "--by", "bob")
        fleet.wait()
    assert fleet.killed == kills
    assert stack.burst() == 0
    again = backship.json("dead", "retry", "--all")
    assert (again["matched"], again["done"]) == (0, 0)
    check_once(stack, count)
    assert stack.rows(
        "SELECT operator, action, COUNT(*) FROM operations GROUP BY operator, action"
    ) == [("ada", "retry", count)]


def test_f47_tried_again_after_the_inbox_forgot_it_the_business_fact_stops_it(
    stack: Stack, backship: Inside
) -> None:
    receipt = stock_received("R1", "WH1", [("A", 5)])
    stack.publish([outgoing(receipt)])
    stack.work()
    forget(stack)
    give_up(stack, receipt)
    forget(stack)
    backship.done("dead", "retry", "--all")
    stack.work()
    assert stack.rows("SELECT outcome FROM inbox") == [("repeated",)]
    assert stack.rows(ENDS) == [("resolved", "gave_up", 1, 1)]
    assert stack.rows("SELECT on_hand FROM stock") == [(5,)]
    assert stack.rows("SELECT qty FROM movements") == [(5,)]
    assert stack.differences() == []


def forget(stack: Stack) -> None:
    """Purge the inbox, as its retention does."""
    with opened(stack.settings) as house, house.database.begin() as tx:
        tx.connection.execute(text("DELETE FROM inbox"))


def test_a_corrected_copy_is_published_and_resolves_the_original(
    stack: Stack, backship: Inside, tmp_path: Path
) -> None:
    message = outgoing(order_placed("1", [("A", 3)], event_id="E1"))
    bad = message.body.replace(b'"qty":3', b'"qty":"three"')
    stack.publish([type(message)("E1", message.type, message.routing_key, bad, None)])
    stack.work()
    ((key,),) = stack.rows("SELECT id FROM set_aside")
    copy = orjson.loads(backship.done("dead", "show", str(key), "--copy"))
    assert copy["id"] == "E1-corrected"
    copy["data"]["lines"][0]["qty"] = 3
    (tmp_path / "mended.json").write_bytes(orjson.dumps(copy, option=orjson.OPT_INDENT_2))
    sending = Inside(tmp_path, backship.settings | broker_of(stack))
    assert sending.done("publish", "mended.json").startswith("1 event sent")
    stack.work()
    assert stack.rows("SELECT ordered FROM order_lines") == [(3,)]
    assert stack.rows(ENDS) == [("resolved", "malformed", 1, 1)]
    shown = backship.json("dead", "show", str(key))
    ((done),) = shown["operations"]
    assert (done["action"], done["operator"]) == ("correct", copy["source"])
    assert done["why"] == "event E1-corrected took effect in its place"


def broker_of(stack: Stack) -> dict[str, str]:
    return {"broker_url": stack.broker_url or "", "topology_prefix": stack.prefix}
