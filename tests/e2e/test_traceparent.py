"""A trace goes all the way: whatever an event brings about, at once or late, carries its trace."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
    vendor_changed,
)
from tests.support.stack import FreshStack, Stack, outgoing
from workers.wiring import opened

LINES = 12  # of a queue, in steps of five


def trace(n: int) -> str:
    return f"00-{n:032x}-{n:016x}-01"


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    return fresh_stack({"BACKSHIP_FILL_STEP_LINES_MAX": "5", "BACKSHIP_WALK_STEP_SKUS_MAX": "1"})


def tell(stack: Stack, *events: Event) -> list[Mapping[str, Any]]:
    """Let events have all their effects; return the envelopes that came out."""
    stack.publish([outgoing(event) for event in events])
    stack.work()
    return published(stack)


def published(stack: Stack) -> list[Mapping[str, Any]]:
    """Take what has come out of the broker."""
    found = []
    with (
        opened(stack.settings) as house,
        house.transport.consumer(house.topology.unrouted_queue) as consumer,
    ):
        while deliveries := consumer.receive(1_000, 0.5):
            found += [orjson.loads(row.body) for row in deliveries]
            consumer.ack(deliveries)
    return found


def traces(told: list[Mapping[str, Any]], kind: str) -> list[str | None]:
    return [envelope.get("traceparent") for envelope in told if envelope["type"] == kind]


@pytest.mark.slow
def test_what_is_emitted_carries_the_trace_of_its_cause_at_once_late_and_in_steps(
    stack: Stack,
) -> None:
    # At once: each order's own trace, whatever else is in the batch.
    told = tell(
        stack,
        place_changed("WH1"),
        item_changed("A", vendor="V1"),
        item_changed("B", vendor="V1"),
        stock_received("R1", "WH1", [("A", 1)], traceparent=trace(1)),
        order_placed("0", [("A", 1)], traceparent=trace(10)),
        *(order_placed(f"{n}", [("B", 1)], traceparent=trace(10 + n)) for n in range(1, LINES + 1)),
    )
    assert traces(told, "ReadyToShip") == [trace(10)]
    held = [trace(10 + n) for n in range(1, LINES + 1)]
    assert sorted(map(str, traces(told, "OrderBackordered"))) == held

    # Later, from the queue and in three steps: the trace of the receipt, not of the orders.
    told = tell(stack, stock_received("R2", "WH1", [("B", LINES)], traceparent=trace(2)))
    assert stack.value("SELECT COUNT(*) FROM tasks") == 0
    assert traces(told, "BackToShip") == [trace(2)] * LINES

    # By the steps of a policy change, sku by sku: the trace of the change.
    told = tell(
        stack,
        order_placed("n1", [("N1", 1)], traceparent=trace(31)),
        order_placed("n2", [("N2", 1)], traceparent=trace(32)),
        item_changed("N1", vendor="V2"),
        item_changed("N2", vendor="V2"),
    )
    told = tell(
        stack,
        vendor_changed("V2", policy={"backorder_policy": "none"}, traceparent=trace(33)),
    )
    changed = traces(told, "StockStatusChanged")
    assert changed
    assert set(changed) == {trace(33)}


@pytest.mark.slow
def test_an_event_that_waited_keeps_its_own_trace(stack: Stack) -> None:
    told = tell(
        stack,
        place_changed("WH1"),
        item_changed("A", vendor="V1"),
        stock_received("R1", "WH1", [("A", 5)]),
        order_cancelled("1", [("1", 2)], traceparent=trace(7)),  # before its order
    )
    assert traces(told, "ReadyToShip") == []
    told = tell(stack, order_placed("1", [("A", 3)], traceparent=trace(8)))
    by_trace: dict[str | None, set[str]] = {}
    for envelope in told:
        by_trace.setdefault(envelope.get("traceparent"), set()).add(envelope["type"])
    assert "ReadyToShip" in by_trace[trace(8)]
    assert set(by_trace) <= {trace(7), trace(8)}
    assert "ReleaseCancelled" not in by_trace[trace(8)]
