"""A fleet of workers under kill -9: what was published has its effect once, whoever dies (L5, F39).

Several real workers consume one queue; again and again one is killed at a random instant and
another takes its place. Everything is counted before and after, in SQL.
"""

import random
import time
from collections import Counter

import pytest

from events.envelope import Event
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.fleet import Fleet
from tests.support.stack import Stack, outgoing

SKUS = 40
SEED = 20_261_121


def story(orders: int, draw: random.Random) -> tuple[list[Event], Counter[str]]:
    """Stock for a part of what is ordered, then the orders; and what is ordered of each sku."""
    skus = [f"SKU-{n:02}" for n in range(SKUS)]
    told: list[Event] = [place_changed("WH1")]
    told += [item_changed(sku, vendor=f"V{n % 4}") for n, sku in enumerate(skus)]
    told += [stock_received(f"R{sku}", "WH1", [(sku, orders // 10)]) for sku in skus]
    asked: Counter[str] = Counter()
    for n in range(orders):
        lines = [(sku, draw.randint(1, 3)) for sku in draw.sample(skus, 3)]
        asked.update(dict(lines))
        told.append(
            order_placed(f"{n}", lines, placed_at=f"2026-11-20T10:{n // 60 % 60:02}:{n % 60:02}Z")
        )
    return told, asked


def reach(stack: Stack, heard: int) -> None:
    """Wait until so many events have had their effect."""
    deadline = time.monotonic() + 300
    while int(str(stack.value("SELECT COUNT(*) FROM inbox"))) < heard:
        assert time.monotonic() < deadline, "the fleet has stopped working"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("orders", "kills"),
    [
        pytest.param(1_500, 3, id="1500 orders"),
        pytest.param(20_000, 12, id="20000 orders", marks=[pytest.mark.long]),
    ],
)
@pytest.mark.timeout(900)
def test_a_fleet_that_is_killed_again_and_again_applies_every_order_once(
    vhost_url: str, topology_prefix: str, postgres_database_url: str, orders: int, kills: int
) -> None:
    draw = random.Random(SEED)
    small = {"BACKSHIP_BATCH_SIZE_MAX": "40"}  # so that a kill finds every worker in a batch
    stack = Stack(postgres_database_url, vhost_url, topology_prefix, small)
    stack.init()
    told, asked = story(orders, draw)
    stack.publish([outgoing(event) for event in told])
    with Fleet(stack, 2, draw) as fleet:
        for part in range(1, kills + 1):
            reach(stack, len(told) * part // (kills + 2))
            fleet.kill_one()
        fleet.wait()
    assert fleet.killed == kills
    assert stack.burst() == 0

    assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", len(told))
    ]
    assert stack.value("SELECT COUNT(*) FROM orders") == orders
    lines = stack.rows(
        "SELECT sku, SUM(ordered), SUM(allocated), SUM(shortage) FROM order_lines "
        "GROUP BY sku ORDER BY sku"
    )
    had = {sku: min(qty, orders // 10) for sku, qty in asked.items()}
    assert lines == [(sku, qty, had[sku], qty - had[sku]) for sku, qty in sorted(asked.items())]
    assert stack.rows("SELECT sku, on_hand, allocated FROM stock ORDER BY sku") == [
        (sku, orders // 10, had[sku]) for sku in sorted(asked)
    ]
    bought = stack.rows(
        "SELECT sku, SUM(qty) FROM replenishment_lines WHERE qty > 0 GROUP BY sku ORDER BY sku"
    )
    assert bought == [
        (sku, asked[sku] - had[sku]) for sku in sorted(asked) if asked[sku] > had[sku]
    ]
    emitted = {str(id_) for (id_,) in stack.rows("SELECT id FROM emitted")}
    assert stack.published().keys() == emitted
    assert stack.differences() == []
