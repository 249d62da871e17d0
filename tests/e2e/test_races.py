"""Races between real workers on PostgreSQL and RabbitMQ: whoever wins, it is decided once (L6, R6).

Each round has skus, orders and a vendor of its own; all rounds of a race are published at once, in
small batches, so that several workers meet on the same rows again and again.
"""

import random
from dataclasses import dataclass

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.stack import Stack, outgoing

WORKERS = 3
ROUNDS = [
    pytest.param(8, id="a few"),
    pytest.param(100, id="a hundred", marks=[pytest.mark.long, pytest.mark.timeout(1200)]),
]


@dataclass
class Race:
    """A stack that has been given what a race starts from."""

    stack: Stack

    def given(self, *events: Event) -> None:
        """Let events have their effect, one after the other."""
        self.stack.publish([outgoing(event) for event in events])
        assert self.stack.burst() == 0

    def run(self, events: list[Event]) -> None:
        """Publish all at once and let the workers race for them; then the books balance."""
        random.Random(7).shuffle(events)
        workers = [self.stack.worker() for _ in range(WORKERS)]
        try:
            self.stack.publish([outgoing(event) for event in events])
            for worker in workers:
                _out, err = worker.communicate(timeout=600)
                assert worker.returncode == 0, err.decode()
        finally:
            for worker in workers:
                worker.kill()
        assert self.stack.burst() == 0  # whoever was early has left before the last message
        assert self.stack.differences() == []

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the database."""
        return self.stack.rows(sql)


@pytest.fixture
def race(vhost_url: str, topology_prefix: str, postgres_database_url: str) -> Race:
    """Tables and queues of its own; batches so small that workers share every queue."""
    stack = Stack(
        postgres_database_url, vhost_url, topology_prefix, {"BACKSHIP_BATCH_SIZE_MAX": "2"}
    )
    stack.init()
    return Race(stack)


@rule("L6", "O3", "O4")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_orders_racing_for_the_last_unit_exactly_one_gets_it(
    race: Race, rounds: int
) -> None:
    skus = [f"S{n}" for n in range(rounds)]
    race.given(
        place_changed("WH"),
        *(item_changed(sku, policy={"backorder_policy": "none"}) for sku in skus),
        stock_received("r", "WH", [(sku, 1) for sku in skus]),
    )
    race.run([order_placed(f"{sku}-{n}", [(sku, 1)]) for sku in skus for n in range(3)])
    assert race.rows(
        "SELECT COUNT(*), SUM(allocated), SUM(rejected), MAX(allocated) FROM order_lines"
    ) == [(3 * rounds, rounds, 2 * rounds, 1)]
    assert race.rows("SELECT COUNT(DISTINCT sku) FROM order_lines WHERE allocated = 1") == [
        (rounds,)
    ]
    assert race.rows("SELECT COUNT(*) FROM emitted WHERE type = 'ReadyToShip'") == [(rounds,)]
    assert race.rows("SELECT COUNT(*) FROM emitted WHERE type = 'OrderRejected'") == [(2 * rounds,)]


@rule("R6", "R1", "R2")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_new_shortage_lands_in_exactly_one_replenishment_while_it_is_finalized(
    race: Race, rounds: int
) -> None:
    vendors = [f"V{n}" for n in range(rounds)]
    race.given(
        place_changed("WH"),
        *(item_changed(f"of {vendor}", vendor=vendor) for vendor in vendors),
        *(order_placed(f"first of {vendor}", [(f"of {vendor}", 5)]) for vendor in vendors),
    )
    opened = race.rows("SELECT replenishment_id FROM replenishments WHERE state = 'open'")
    assert len(opened) == rounds
    race.run(
        [
            *(replenishment_closed(str(name)) for (name,) in opened),
            *(
                order_placed(f"{n} of {vendor}", [(f"of {vendor}", 2)])
                for vendor in vendors
                for n in range(3)
            ),
        ]
    )
    bought = race.rows(
        "SELECT t.vendor, SUM(l.qty) FROM replenishments AS t "
        "JOIN replenishment_lines AS l ON l.replenishment_id = t.replenishment_id "
        "WHERE t.state IN ('open', 'finalized') GROUP BY t.vendor ORDER BY t.vendor"
    )
    assert bought == [(vendor, 5 + 3 * 2) for vendor in sorted(vendors)]
    assert race.rows("SELECT COUNT(*) FROM replenishments WHERE state = 'finalized'") == [(rounds,)]
    assert race.rows(
        "SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM replenishments "
        "WHERE state = 'open' GROUP BY vendor, destination) AS o"
    )[0][0] in {0, 1}


@rule("L6", "O9", "S5")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_fills_that_complete_an_order_one_releases_it_once(race: Race, rounds: int) -> None:
    race.given(
        place_changed("WH"),
        *(
            order_placed(str(n), [(f"A{n}", 2), (f"B{n}", 3)], ship_mode="complete")
            for n in range(rounds)
        ),
    )
    race.run(
        [
            stock_received(f"{sku}{n}", "WH", [(f"{sku}{n}", 3)])
            for n in range(rounds)
            for sku in ("A", "B")
        ]
    )
    assert race.rows("SELECT COUNT(*) FROM emitted WHERE type = 'BackToShip'") == [(rounds,)]
    assert race.rows(
        "SELECT COUNT(DISTINCT release_id), COUNT(*), SUM(qty) FROM allocations "
        "WHERE release_id IS NOT NULL"
    ) == [(rounds, 2 * rounds, 5 * rounds)]


@rule("R1", "R3", "L6")
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_fifty_shortages_of_one_vendor_at_once_comes_one_open_replenishment(
    race: Race, rounds: int
) -> None:
    vendors = [f"V{n}" for n in range(max(1, rounds // 8))]
    race.given(
        place_changed("WH"),
        *(item_changed(f"{n} of {vendor}", vendor=vendor) for vendor in vendors for n in range(50)),
    )
    race.run(
        [
            order_placed(f"{n} of {vendor}", [(f"{n} of {vendor}", 1)])
            for vendor in vendors
            for n in range(50)
        ]
    )
    assert race.rows("SELECT vendor, state FROM replenishments ORDER BY vendor") == [
        (vendor, "open") for vendor in sorted(vendors)
    ]
    assert race.rows("SELECT COUNT(*), SUM(qty) FROM replenishment_lines") == [
        (50 * len(vendors), 50 * len(vendors))
    ]
