"""What waits in the database: events for their order (C3) or a sku (S6), and tasks (S6)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from events.envelope import Cause, Event
from handlers.batch import decide, keys_of
from handlers.decision import Applied, Decision, Deferred, Outcome, Repeated, SetAside
from handlers.policy import Rules
from handlers.state import Keys, State, Task, TaskKind
from store import inbox, schema, tasks, waiting
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.builders import (
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    stock_received,
)
from tests.support.keeping import NOW, arrival, keep, rows, save_state, stored
from tests.support.rules import rule

CAUSE = Cause("/tests", "1", "StockReceived")


def put_to_wait(database: Database, *events: Event, sku: str = "A", after_seconds: int = 0) -> None:
    now = NOW + timedelta(seconds=after_seconds)
    with database.begin() as tx:
        inbox.claim(tx, [arrival(event, now) for event in events])
        state = load(tx, Keys(skus={sku}), [], Rules())
        outcomes: list[tuple[Event, Outcome]] = [(event, Deferred(sku=sku)) for event in events]
        save(tx, state, Decision(outcomes=outcomes), now)


def settle(database: Database, *outcomes: tuple[Event, Outcome], sku: str = "A") -> None:
    with database.begin() as tx:
        waiting.for_sku(tx, sku, 100)
        save(tx, load(tx, Keys(skus={sku}), [], Rules()), Decision(outcomes=list(outcomes)), NOW)


def fill(name: str, sku: str, arrived: int = 1) -> Task:
    return Task(name, TaskKind.FILL, CAUSE, NOW, sku=sku, place="WH1", arrived=arrived)


def leave(database: Database, *left: Task, after_seconds: int = 0) -> None:
    now = NOW + timedelta(seconds=after_seconds)
    save_state(database, State(Rules()), Decision(tasks=list(left)), now)


# ---------------------------------------------------------------- events that wait


@rule("C3")
def test_a_cancellation_waits_for_its_order_and_takes_effect_with_it(database: Database) -> None:
    early = order_cancelled("1", ["1"])
    kept = keep(database, early)
    assert kept.decision.outcomes == [(early, Deferred(order=("main", "1")))]
    assert rows(database, schema.inbox, "outcome") == ["waiting"]
    assert rows(database, schema.waiting, "shop", "order_id", "sku") == [("main", "1", None)]
    keep(database, order_placed("1", [("A", 3), ("A", 4)]))
    assert rows(database, schema.waiting) == []
    assert rows(database, schema.inbox, "outcome") == ["applied", "applied"]
    assert rows(database, schema.order_lines, "cancelled") == [3, 0]


@rule("C3")
def test_what_waits_for_an_order_comes_in_the_order_it_came(database: Database) -> None:
    early = [order_cancelled("1", [("1", qty)]) for qty in (5, 2, 9)]
    for number, event in enumerate(early):
        keep(database, event, now=NOW + timedelta(seconds=number))
    keep(database, order_cancelled("2"))
    state = stored(database, Keys(orders={("main", "1"), ("main", "3")}))
    assert state.waiting == {
        ("main", "1"): [(event, NOW + timedelta(seconds=n)) for n, event in enumerate(early)]
    }


@rule("S6", "S9")
def test_a_shipment_waits_for_the_skus_of_its_lines_and_for_no_other_of_its_order(
    database: Database,
) -> None:
    keep(
        database,
        place_changed("WH1"),
        stock_received("r", "WH1", [("A", 1), ("B", 1)]),
        order_placed("1", [("A", 1), ("B", 1)]),
    )
    with database.begin() as tx:
        busy = load(tx, Keys(skus={"A"}), [], Rules())
        busy.items["A"].busy = True
        save(tx, busy, Decision(), NOW)
    left = [order_shipped("1", f"s{n}", "WH1", [(n, 1)]) for n in ("1", "2")]
    kept = keep(database, *left)
    assert kept.decision.outcomes == [(left[0], Deferred(sku="A")), (left[1], Applied())]
    assert rows(database, schema.order_lines, "sku", "shipped") == [("A", 0), ("B", 1)]


@rule("C3")
def test_an_event_and_its_order_in_one_batch_leave_nothing_behind(database: Database) -> None:
    keep(database, order_cancelled("1"), order_placed("1", [("A", 1)]))
    assert rows(database, schema.waiting) == []
    assert rows(database, schema.inbox, "outcome") == ["applied", "applied"]
    assert rows(database, schema.order_lines, "cancelled") == [1]


def test_an_event_may_be_left_waiting_for_an_order_that_comes_in_its_batch(
    database: Database,
) -> None:
    events = [order_cancelled("1"), order_placed("1", [("A", 1)])]
    with database.begin() as tx:
        inbox.claim(tx, [arrival(event) for event in events])
        state = load(tx, keys_of(events), events, Rules())
        decision = decide(state, [(events[1], NOW)], NOW)
        decision.outcomes.append((events[0], Deferred(order=("main", "1"))))
        save(tx, state, decision, NOW)
    assert len(rows(database, schema.orders)) == 1
    assert len(rows(database, schema.waiting)) == 1


@rule("S6")
def test_events_that_wait_for_a_sku_are_read_in_the_order_they_came(database: Database) -> None:
    events = [order_placed(str(n), [("A", 1)]) for n in (3, 1, 2)]
    put_to_wait(database, *events)
    put_to_wait(database, order_placed("0", [("A", 1)]), after_seconds=-60)  # a clock behind
    with database.begin() as tx:
        assert waiting.first_sku(tx) == "A"
        assert waiting.count_for(tx, "A") == 4
        assert waiting.count_for(tx, "B") == 0
        found = waiting.for_sku(tx, "A", 3)
        assert [row.event for row in found] == events
        assert [row.received_at for row in found] == [NOW] * 3
        assert len(waiting.for_sku(tx, "A", 9)) == 4


@rule("S6")
def test_an_event_that_must_wait_again_keeps_its_place(database: Database) -> None:
    events = [order_placed(str(n), [("A", 1)]) for n in range(3)]
    put_to_wait(database, *events)
    settle(database, (events[0], Deferred(sku="A")), (events[1], Applied()))
    with database.begin() as tx:
        assert [row.event for row in waiting.for_sku(tx, "A", 9)] == [events[0], events[2]]
    settle(database, (events[0], Deferred(sku="B")))
    with database.begin() as tx:
        assert [row.event for row in waiting.for_sku(tx, "B", 9)] == [events[0]]


@rule("S6")
def test_what_becomes_of_an_event_that_waited_is_kept(database: Database) -> None:
    events = [order_placed(str(n), [("A", 1)], event_id=f"e{n}") for n in range(4)]
    put_to_wait(database, *events)
    assert rows(database, schema.inbox, "outcome") == ["waiting"] * 4
    settle(
        database,
        (events[0], Applied()),
        (events[1], Repeated()),
        (events[2], SetAside("conflict", "data", "came before")),
    )
    assert rows(database, schema.inbox, "outcome") == [
        "applied",
        "repeated",
        "set_aside",
        "waiting",
    ]
    assert rows(database, schema.waiting, "event_id") == ["e3"]
    assert rows(database, schema.set_aside, "event_id", "body") == [("e2", arrival(events[2]).body)]


@rule("S6")
def test_a_sku_with_a_task_is_not_served_out_of_turn(database: Database) -> None:
    put_to_wait(database, order_placed("1", [("A", 1)]))
    put_to_wait(database, order_placed("2", [("B", 1)]), sku="B", after_seconds=1)
    leave(database, fill("t", "A"))
    with database.begin() as tx:
        assert waiting.first_sku(tx) == "B"


# ---------------------------------------------------------------- tasks


@rule("S6")
def test_the_oldest_task_comes_first_and_is_in_one_hand(postgres: Database) -> None:
    leave(postgres, fill("z", "A"), fill("y", "B"))
    leave(postgres, fill("x", "A"), after_seconds=1)

    def take() -> str | None:
        with postgres.begin() as tx:
            task = tasks.first(tx, 2, NOW)
            return None if task is None else task.task_id

    with ThreadPoolExecutor(1) as pool, postgres.begin() as tx:
        mine = tasks.first(tx, 2, NOW)
        assert mine is not None
        assert mine.task_id == "z"
        assert pool.submit(take).result(20) == "y"  # not x: A is not done with z
        with postgres.begin() as other:
            assert tasks.first(other, 2, NOW) is not None
            assert pool.submit(take).result(20) is None


@rule("S6")
def test_a_task_goes_on_where_its_last_step_ended_and_is_gone_when_done(
    database: Database,
) -> None:
    leave(database, fill("t", "A", arrived=9))
    with database.begin() as tx:
        task = tasks.first(tx, 2, NOW)
        assert task is not None
        task.arrived = 4
        save(tx, load(tx, Keys(skus={"A"}), [], Rules()), Decision(tasks=[task]), NOW)
    with database.begin() as tx:
        again = tasks.first(tx, 2, NOW)
        assert again is not None
        assert (again.task_id, again.arrived, again.ordinal) == ("t", 4, task.ordinal)
        assert tasks.count_for(tx, "A") == 1
        again.done = True
        save(tx, load(tx, Keys(skus={"A"}), [], Rules()), Decision(tasks=[again]), NOW)
    assert rows(database, schema.tasks) == []
    assert not tasks.unfinished(database)


def test_a_task_that_is_done_at_once_is_never_written(database: Database) -> None:
    task = fill("t", "A")
    task.done = True
    leave(database, task)
    assert rows(database, schema.tasks) == []


@rule("S6")
def test_a_walk_goes_through_the_skus_it_concerns_in_their_order(database: Database) -> None:
    keep(
        database,
        stock_received("R1", "WH1", [(sku, 1) for sku in ("D", "a", "B")]),
        stock_received("R2", "WH2", [("C", 1), ("B", 1)]),
    )

    def walk(scope: str, name: str | None, cursor: str = "") -> list[str]:
        task = Task("w", TaskKind.WALK, CAUSE, NOW, scope=scope, name=name, cursor=cursor)
        with database.read() as tx:
            return tasks.skus_of_walk(tx, task, 3)

    assert walk("all", None) == ["B", "C", "D"]  # by code point: capitals first
    assert walk("all", None, "C") == ["D", "a"]
    assert walk("shop", "main", "D") == ["a"]
    assert walk("place", "WH1") == ["B", "D", "a"]
    assert walk("place", "WH2", "B") == ["C"]
    with database.begin() as tx:
        tx.connection.execute(
            schema.items.update().where(schema.items.c.sku > "C").values(vendor="acme")
        )
    assert walk("vendor", "acme") == ["D", "a"]
    assert walk("vendor", "acme", "a") == []


def test_unfinished_are_tasks_and_what_waits_for_a_sku_but_not_for_an_order(
    database: Database,
) -> None:
    keep(database, order_cancelled("1"))
    assert not tasks.unfinished(database)
    put_to_wait(database, order_placed("3", [("A", 1)]))
    assert tasks.unfinished(database)
