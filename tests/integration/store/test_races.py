"""What several workers at once come to: each unit, order and event once (L6, C3, C4).

PostgreSQL only, but for one: SQLite has one writer at a time.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from events.envelope import Event
from handlers.batch import decide, keys_of
from handlers.policy import Rules
from handlers.state import Keys
from store import inbox, schema
from store.dialects.base import Limits
from store.errors import Transient
from store.load import load
from store.save import save
from store.statements import Query, names_of
from store.transaction import Database, Transaction
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
)
from tests.support.keeping import (
    NOW,
    after_waiting,
    arrival,
    in_the_way,
    keep,
    other,
    rows,
    still_waits,
    stored,
)
from tests.support.rules import rule
from tests.support.services import isolation

SECONDS_MAX = 20


def kept_again(database: Database, events: Sequence[Event], tries: int = 20) -> None:
    """Keep a batch as a worker does: the whole transaction again, while it is worth it."""
    for attempt in range(tries):
        try:
            keep(database, *events)
        except Transient:
            if attempt == tries - 1:
                raise
        else:
            return


@rule("L6", "O3")
def test_of_many_orders_racing_for_the_last_units_each_unit_goes_to_one(
    postgres: Database,
) -> None:
    keep(postgres, stock_received("R1", "WH1", [("A", 5), ("B", 5), ("C", 5)]))
    keep(postgres, order_placed("0", [("Z", 1)]))
    turns = [("A", "B", "C"), ("C", "B", "A"), ("B", "C", "A"), ("C", "A", "B")]

    def shop(number: int) -> None:
        lines = [(sku, 1) for sku in turns[number % 4]]
        kept_again(postgres, [order_placed(str(1 + number), lines)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shop, range(16)))
    stock = rows(postgres, schema.stock, "sku", "on_hand", "allocated")
    assert stock == [("A", 5, 5), ("B", 5, 5), ("C", 5, 5)]
    lines = rows(postgres, schema.order_lines, "sku", "allocated", "shortage")
    for sku in "ABC":
        assert sum(allocated for name, allocated, _ in lines if name == sku) == 5
        assert sum(shortage for name, _, shortage in lines if name == sku) == 11


@rule("C4")
def test_one_order_under_two_event_ids_at_once_is_placed_once(postgres: Database) -> None:
    keep(postgres, order_placed("0", [("Z", 1)]))
    events = [order_placed("1", [("A", 1)], event_id=f"e{n}") for n in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda event: kept_again(postgres, [event]), events))
    assert len(rows(postgres, schema.orders)) == 2
    outcomes = rows(postgres, schema.inbox, "outcome")
    assert sorted(outcomes) == ["applied"] * 2 + ["repeated"] * 5


def decided(tx: Transaction, event: Event) -> None:
    """Everything of a batch but the commit."""
    claim = inbox.claim(tx, [arrival(event)])
    assert len(claim.fresh) == 1
    state = load(tx, keys_of([event]), [event], Rules())
    save(tx, state, decide(state, [(event, NOW)], NOW), NOW)


@rule("C3")
def test_a_cancellation_put_to_wait_while_its_order_is_placed_begins_again(
    postgres: Database,
) -> None:
    keep(postgres, order_placed("0", [("A", 1)]))
    placing, cancelling = order_placed("1", [("B", 1)]), order_cancelled("1")
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            decided(tx, placing)
            late = pool.submit(keep, postgres, cancelling)
            assert still_waits(late)
        with pytest.raises(in_the_way()):
            late.result(SECONDS_MAX)
    keep(postgres, cancelling)
    assert rows(postgres, schema.waiting) == []
    assert rows(postgres, schema.order_lines, "cancelled") == [0, 1]


@rule("C3")
def test_an_order_placed_while_its_cancellation_is_put_to_wait_begins_again(
    postgres: Database,
) -> None:
    keep(postgres, order_placed("0", [("A", 1)]))
    placing, cancelling = order_placed("1", [("B", 1)]), order_cancelled("1")
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            decided(tx, cancelling)
            late = pool.submit(keep, postgres, placing)
            assert still_waits(late)
        with pytest.raises(in_the_way()):
            late.result(SECONDS_MAX)
    keep(postgres, placing)
    assert rows(postgres, schema.waiting) == []
    assert rows(postgres, schema.order_lines, "cancelled") == [0, 1]


@rule("C3")
def test_orders_and_their_cancellations_at_once_never_miss_each_other(postgres: Database) -> None:
    keep(postgres, order_placed("0", [("A", 1)]))
    placed = [[order_placed(str(n), [("A", 1)]) for n in range(1, 31)][k::2] for k in (0, 1)]
    gone = [[order_cancelled(str(n)) for n in range(30, 0, -1)][k::2] for k in (0, 1)]

    def worker(events: list[Event]) -> None:
        for start in range(0, len(events), 3):
            kept_again(postgres, events[start : start + 3])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, [*placed, *gone]))
    assert rows(postgres, schema.waiting) == []
    assert rows(postgres, schema.order_lines, "cancelled") == [0] + [1] * 30
    assert set(rows(postgres, schema.inbox, "outcome")) == {"applied"}


@rule("C3", "L6")
def test_an_order_placed_between_the_locks_and_the_lines_is_unknown(postgres: Database) -> None:
    keep(postgres, order_placed("0", [("A", 1)]))
    both = {("main", "0"), ("main", "9")}
    keys = Keys(orders=both, usable_orders=both)
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            tx.query(Query("SELECT t.order_id FROM orders AS t {lock}"))
            waits = pool.submit(stored, postgres, keys)
            assert still_waits(waits)  # for the one order; the other is not there yet
            for table in (schema.orders, schema.order_lines):
                names = names_of(table)
                copied = ["'9'" if name == "order_id" else name for name in names]
                tx.run(
                    Query(
                        f"INSERT INTO {table.name} ({', '.join(names)})"
                        f" SELECT {', '.join(copied)} FROM {table.name}"
                    )
                )
        state = after_waiting(waits, partial(stored, postgres, keys))
    assert [line.sku for line in state.orders["main", "0"].lines.values()] == ["A"]
    if isolation() == "read_committed":
        assert state.unknown_orders == {("main", "9")}


def test_no_stand_in_for_an_unknown_order_is_left_behind(database: Database) -> None:
    keep(database, order_cancelled("1"), order_cancelled("2"))
    assert rows(database, schema.orders) == []
    assert len(rows(database, schema.waiting)) == 2


@rule("L6")
def test_under_serializable_the_same_comes_out_by_doing_it_again(postgres: Database) -> None:
    strict = other(postgres, Limits(isolation="SERIALIZABLE"))
    keep(strict, stock_received("R1", "WH1", [("A", 5)]), item_changed("A", vendor="acme"))
    keep(strict, place_changed("WH1", priority=1), order_placed("0", [("A", 1)]))
    with ThreadPoolExecutor(3) as pool:
        list(
            pool.map(
                lambda n: kept_again(strict, [order_placed(str(n), [("A", 1)])], 60), range(1, 13)
            )
        )
    assert rows(strict, schema.stock, "on_hand", "allocated") == [(5, 5)]
    shortage = sum(rows(strict, schema.order_lines, "shortage"))
    assert shortage == 8
    assert rows(strict, schema.replenishment_lines, "qty") == [8]
    strict.close()
