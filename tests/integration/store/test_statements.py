"""The number of statements of a batch does not grow with the batch (architecture.md)."""

import random
from datetime import timedelta

import pytest

from events.envelope import Event
from store import outbox, schema
from store.transaction import Database
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
    stock_transferred,
    vendor_changed,
)
from tests.support.keeping import keep, rows
from tests.support.wire import T0

SIZES = (10, 100, 500)
SKUS = [f"S{number:03}" for number in range(200)]
STATEMENTS_MAX = 56  # every kind of row at once


def orders(tag: str, count: int, draw: random.Random, qty: int = 1) -> list[Event]:
    return [
        order_placed(
            f"{tag}-{number}",
            [(sku, qty) for sku in draw.sample(SKUS, 3)],
            placed_at=T0 + timedelta(seconds=number),
        )
        for number in range(count)
    ]


@pytest.fixture
def shop(database: Database) -> Database:
    """Two hundred skus with a vendor and some stock, one order placed."""
    keep(database, vendor_changed("acme"))
    keep(database, *(item_changed(sku, vendor="acme") for sku in SKUS))
    keep(database, stock_received("R0", "WH1", [(sku, 20) for sku in SKUS]))
    keep(database, order_placed("0", [("S000", 1)]))
    return database


def counts(shop: Database, batches: list[list[Event]]) -> list[list[str]]:
    """The statements of each batch."""
    return [keep(shop, *batch).trail for batch in batches]


def bounded(trails: list[list[str]]) -> None:
    """No batch sends a statement twice, and the largest sends none that the middle one does not.

    Of a kind of row that is absent from the smallest there is no statement in it.
    """
    small, middle, large = trails
    for trail in trails:
        assert len(trail) <= STATEMENTS_MAX
        # Asked twice: what waits for an order, where rows are locked one by one; replenishments,
        # under the locks of their skus and again under those of their slots.
        assert len(trail) <= len(set(trail)) + 4
    assert set(small) <= set(middle)
    assert set(middle) == set(large)


@pytest.mark.slow
def test_placing_orders_from_stock(shop: Database) -> None:
    draw = random.Random(1)
    trails = counts(shop, [orders(f"a{size}", size, draw) for size in SIZES])
    bounded(trails)


@pytest.mark.slow
def test_placing_orders_that_wait(shop: Database) -> None:
    draw = random.Random(2)
    keep(shop, *orders("drain", 500, draw, qty=9))  # from here on nothing is left
    trails = counts(shop, [orders(f"b{size}", size, draw) for size in SIZES])
    assert sum(rows(shop, schema.order_lines, "shortage")) > 1000
    bounded(trails)


@pytest.mark.slow
def test_everything_at_once(shop: Database) -> None:
    draw = random.Random(3)
    keep(shop, *orders("c", 500, draw, qty=7))
    # What is there once and for all is there before: a place, a slot and its replenishment.
    keep(shop, stock_received("R1", "DOCK", [(sku, 1) for sku in SKUS]))
    keep(shop, order_placed("short", [("S000", 99)]))
    trails = []
    for size in SIZES:
        some = draw.sample(range(500), size)
        third = size // 3
        batch = [
            *(
                order_cancelled(f"c-{number}", time=T0 + timedelta(seconds=size))
                for number in some[:third]
            ),
            *(
                order_shipped(f"c-{number}", f"sh{size}", "WH1", [("1", 1)])
                for number in some[third : 2 * third]
            ),
            stock_received(f"R{size}", "DOCK", [(sku, 3) for sku in SKUS[:size]]),
            stock_transferred(f"T{size}", "DOCK", "WH1", [(sku, 3) for sku in SKUS[:size]]),
            *orders(f"d{size}", third, draw),
            *(order_cancelled(f"nobody-{size}-{number}") for number in range(third)),
        ]
        trails.append(keep(shop, *batch).trail)
    bounded(trails)


@pytest.mark.slow
def test_publishing_a_window(shop: Database) -> None:
    keep(shop, *orders("w", 500, random.Random(4)))
    waiting = outbox.count(shop)
    assert waiting > 1000 or waiting >= 500
    with outbox.guard(shop) as guard:
        taken = guard.take(1000)
        guard.delete(row.id for row in taken)
    assert outbox.count(shop) == waiting - len(taken)


def test_a_batch_of_repeats_writes_nothing(shop: Database) -> None:
    batch = orders("r", 5, random.Random(5))
    keep(shop, *batch)
    again = keep(shop, *batch)
    assert len(again.claim.repeats) == 5
    assert not [step for step in again.trail if step.split()[0] in {"append", "upsert", "update"}]
