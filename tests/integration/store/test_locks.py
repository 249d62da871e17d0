"""Decisions are made under locks, taken in one order (L6): what several writers at once come to.

PostgreSQL only, but for the last: SQLite has one writer at a time.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from handlers.batch import decide
from handlers.decision import Applied, Decision, Deferred
from handlers.policy import Rules
from handlers.state import Keys, State
from store import inbox, load_items, load_orders, load_supply, schema, waiting
from store.dialects.base import Limits
from store.errors import Contention, Transient
from store.load import load
from store.save import save
from store.statements import Query
from store.transaction import Database
from tests.support.builders import (
    order_placed,
    stock_received,
)
from tests.support.keeping import (
    NOW,
    after_waiting,
    arrival,
    keep,
    loaded,
    other,
    still_waits,
    stored,
)
from tests.support.services import isolation

SECONDS_MAX = 20


@contextmanager
def holding(database: Database, keys: Keys) -> Iterator[Callable[[], None]]:
    """Another worker that holds the locks of these keys until it is told to let go."""
    held, let_go = threading.Event(), threading.Event()

    def worker() -> None:
        with loaded(database, keys):
            held.set()
            assert let_go.wait(SECONDS_MAX)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(worker)
        assert held.wait(SECONDS_MAX)
        try:
            yield let_go.set
        finally:
            let_go.set()
            working.result(SECONDS_MAX)


LOCKS = [
    pytest.param(Keys(skus={"A", "B"}), Keys(skus={"B", "C"}), True, id="one_sku_of_two"),
    pytest.param(Keys(skus={"A"}), Keys(skus={"B"}), False, id="other_skus"),
    pytest.param(Keys(slots={("v", "P")}), Keys(slots={("v", "P")}), True, id="one_slot"),
    pytest.param(Keys(slots={("v", "P")}), Keys(slots={("v", "Q")}), False, id="other_slots"),
    pytest.param(Keys(orders={("main", "1")}), Keys(orders={("main", "1")}), True, id="one_order"),
    pytest.param(
        Keys(skus={"X"}, usable={"X"}),
        Keys(skus={"Y"}, usable={"Y"}),
        True,
        id="one_order_that_waits_for_both",
    ),
    pytest.param(Keys(), Keys(), False, id="the_catalogue_is_read_together"),
    pytest.param(Keys(catalogue=True), Keys(), True, id="who_changes_it_is_alone"),
    pytest.param(Keys(), Keys(catalogue=True), True, id="alone_or_not_at_all"),
    pytest.param(Keys(places={"new"}), Keys(), True, id="a_new_place_changes_it"),
    pytest.param(Keys(shops={"new"}), Keys(), True, id="a_new_shop_changes_it"),
    pytest.param(Keys(shops={"main"}), Keys(), False, id="a_known_shop_does_not"),
]


@pytest.mark.parametrize(("one", "another", "meet"), LOCKS)
def test_two_workers_wait_for_each_other_where_they_meet(
    postgres: Database, one: Keys, another: Keys, *, meet: bool
) -> None:
    keep(postgres, order_placed("1", [("Z", 1)]), order_placed("2", [("X", 1), ("Y", 1)]))
    stored(postgres, Keys(skus={"A", "B", "C"}, slots={("v", "P"), ("v", "Q")}))
    with holding(postgres, one) as let_go, ThreadPoolExecutor(1) as pool:
        second = pool.submit(stored, postgres, another)
        assert still_waits(second) is meet
        let_go()
        second.result(SECONDS_MAX)


def test_a_sku_seen_first_by_two_workers_at_once_is_locked_as_well(postgres: Database) -> None:
    with holding(postgres, Keys(skus={"new"})) as let_go, ThreadPoolExecutor(1) as pool:
        second = pool.submit(stored, postgres, Keys(skus={"new"}))
        assert still_waits(second)
        let_go()
        again = after_waiting(second, lambda: stored(postgres, Keys(skus={"new"})))
        assert again.items["new"].base_status is None


def test_what_is_read_under_a_lock_is_what_the_one_before_has_written(postgres: Database) -> None:
    keep(postgres, stock_received("R1", "WH1", [("A", 1)]))
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            state = load(tx, Keys(skus={"A"}), [], Rules())
            second = pool.submit(stored, postgres, Keys(skus={"A"}))
            assert still_waits(second)
            state.items["A"].stock["WH1"].on_hand = 7
            save(tx, state, decide(state, [], NOW), NOW)
        # At SERIALIZABLE, who writes nothing may have come first.
        seen = second.result(SECONDS_MAX).items["A"].stock["WH1"].on_hand
        assert seen == (7 if isolation() == "read_committed" else 1)
    assert stored(postgres, Keys(skus={"A"})).items["A"].stock["WH1"].on_hand == 7


@pytest.mark.parametrize(
    ("lock", "keys"),
    [
        pytest.param(load_items.LOCK, [("a",), ("B",), ("é",), ("A",)], id="skus"),
        pytest.param(load_orders.LOCK, [("s", "2"), ("S", "3"), ("s", "1")], id="orders"),
        pytest.param(load_supply.LOCK, [("v", "2"), ("V", "3"), ("v", "1")], id="slots"),
    ],
)
def test_rows_are_locked_by_code_point_in_whatever_order_they_are_given(
    postgres: Database, lock: Query, keys: list[tuple[str, ...]]
) -> None:
    stored(postgres, Keys(skus={"a", "B", "é", "A"}, slots={("v", "2"), ("V", "3"), ("v", "1")}))
    for shop, number in (("s", "2"), ("S", "3"), ("s", "1")):
        keep(postgres, order_placed(number, [("Z", 1)], shop=shop))
    with postgres.begin() as tx:
        # PostgreSQL locks rows as it returns them.
        assert [row[: len(keys[0])] for row in tx.query(lock, keys)] == sorted(keys)


def test_batches_that_overlap_in_any_order_never_deadlock(postgres: Database) -> None:
    skus = [f"S{number}" for number in range(12)]
    stored(postgres, Keys(skus=set(skus), slots={("v", sku) for sku in skus}))
    trouble: list[str] = []

    def worker(seed: int) -> None:
        for step in range(12):
            first = (seed * 5 + step * 7) % 12
            wanted = {skus[(first + n * 5) % 12] for n in range(6)}
            try:
                stored(postgres, Keys(skus=wanted, slots={("v", sku) for sku in wanted}))
            except Transient as error:
                trouble.append(str(error))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(worker, range(4)))
    assert trouble == []


def test_events_that_wait_are_in_one_hand_only(postgres: Database) -> None:
    event = order_placed("1", [("A", 1)])
    with postgres.begin() as tx:
        inbox.claim(tx, [arrival(event)])
        state = load(tx, Keys(skus={"A"}), [], Rules())
        save(tx, state, Decision(outcomes=[(event, Deferred(sku="A"))]), NOW)

    def drain(database: Database) -> int:
        with database.begin() as tx:
            return len(waiting.for_sku(tx, "A", 10))

    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            assert len(waiting.for_sku(tx, "A", 10)) == 1
            second = pool.submit(drain, postgres)
            assert still_waits(second)
            save(tx, State(Rules()), Decision(outcomes=[(event, Applied())]), NOW)
        assert after_waiting(second, lambda: drain(postgres)) == 0


def test_a_deadlock_is_contention_and_again_helps(postgres: Database) -> None:
    stored(postgres, Keys(skus={"A", "B"}))
    lock = schema.items.select().with_for_update()
    both = threading.Barrier(2, timeout=SECONDS_MAX)

    def crossing(skus: str) -> str:
        try:
            with postgres.begin() as tx:
                tx.connection.execute(lock.where(schema.items.c.sku == skus[0]))
                both.wait()
                tx.connection.execute(lock.where(schema.items.c.sku == skus[1]))
        except Contention as error:
            return str(error.code)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(crossing, ["AB", "BA"])) == ["40P01", "done"]


def test_a_lock_that_does_not_come_in_time_is_contention(postgres: Database) -> None:
    impatient = other(postgres, Limits(lock_seconds_max=1))
    stored(impatient, Keys(skus={"A"}))
    with holding(impatient, Keys(skus={"A"})), pytest.raises(Contention) as refusal:
        stored(impatient, Keys(skus={"A"}))
    assert refusal.value.code == "55P03"
    impatient.close()
