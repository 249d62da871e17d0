"""Decisions are made under locks, taken in one order (L6): what several writers at once come to.

PostgreSQL only, but for the last: SQLite has one writer at a time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from events.envelope import Event
from handlers.batch import decide, keys_of
from handlers.decision import Applied, Decision, Deferred
from handlers.policy import Rules
from handlers.state import Keys, State
from store import inbox, schema, waiting
from store.dialects.base import Limits
from store.errors import Collision, Contention, Transient
from store.load import load
from store.save import save
from store.transaction import Database, Transaction
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
)
from tests.support.keeping import NOW, arrival, keep, loaded, other, rows, stored
from tests.support.rules import rule

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


def waits(work: Future[object]) -> bool:
    """Is it still waiting after a while that is long for a computer?"""
    try:
        work.result(timeout=0.4)
    except TimeoutError:
        return True
    return False


LOCKS = [
    pytest.param(Keys(skus={"A", "B"}), Keys(skus={"B", "C"}), True, id="one_sku_of_two"),
    pytest.param(Keys(skus={"A"}), Keys(skus={"B"}), False, id="other_skus"),
    pytest.param(Keys(slots={("v", "P")}), Keys(slots={("v", "P")}), True, id="one_slot"),
    pytest.param(Keys(slots={("v", "P")}), Keys(slots={("v", "Q")}), False, id="other_slots"),
    pytest.param(Keys(orders={("main", "1")}), Keys(orders={("main", "1")}), True, id="one_order"),
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
    keep(postgres, order_placed("1", [("Z", 1)]))
    stored(postgres, Keys(skus={"A", "B", "C"}, slots={("v", "P"), ("v", "Q")}))
    with holding(postgres, one) as let_go, ThreadPoolExecutor(1) as pool:
        second = pool.submit(stored, postgres, another)
        assert waits(second) is meet  # type: ignore[arg-type]
        let_go()
        second.result(SECONDS_MAX)


def test_a_sku_seen_first_by_two_workers_at_once_is_locked_as_well(postgres: Database) -> None:
    with holding(postgres, Keys(skus={"new"})) as let_go, ThreadPoolExecutor(1) as pool:
        second = pool.submit(stored, postgres, Keys(skus={"new"}))
        assert waits(second)  # type: ignore[arg-type]
        let_go()
        assert second.result(SECONDS_MAX).items["new"].base_status is None


def test_what_is_read_under_a_lock_is_what_the_one_before_has_written(postgres: Database) -> None:
    keep(postgres, stock_received("R1", "WH1", [("A", 1)]))
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            state = load(tx, Keys(skus={"A"}), [], Rules())
            second = pool.submit(stored, postgres, Keys(skus={"A"}))
            assert waits(second)  # type: ignore[arg-type]
            state.items["A"].stock["WH1"].on_hand = 7
            save(tx, state, decide(state, [], NOW), NOW)
        assert second.result(SECONDS_MAX).items["A"].stock["WH1"].on_hand == 7


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
            assert waits(late)  # type: ignore[arg-type]
        with pytest.raises(Collision):
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
            assert waits(late)  # type: ignore[arg-type]
        with pytest.raises(Collision):
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


def test_no_stand_in_for_an_unknown_order_is_left_behind(database: Database) -> None:
    keep(database, order_cancelled("1"), order_cancelled("2"))
    assert rows(database, schema.orders) == []
    assert len(rows(database, schema.waiting)) == 2


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
            assert waits(second)  # type: ignore[arg-type]
            save(tx, State(Rules()), Decision(outcomes=[(event, Applied())]), NOW)
        assert second.result(SECONDS_MAX) == 0


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
