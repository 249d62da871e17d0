"""Events for a replenishment nobody has raised yet (C3): they wait, are found with it, or not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from events.envelope import Event
from handlers.decision import Applied, Decision, Deferred, Outcome, SetAside
from handlers.policy import Rules
from handlers.rules.identity import spoken
from handlers.state import Keys, State, Unloaded
from store import inbox, schema, waiting
from store.load import load
from store.save import save
from store.transaction import Database, Transaction
from tests.support.builders import order_cancelled, order_shipped, replenishment_closed
from tests.support.hand_made import bought
from tests.support.keeping import NOW, after_waiting, arrival, in_the_way, rows, still_waits, stored
from tests.support.rules import rule
from tests.support.services import isolation

SECONDS_MAX = 20
SLOT = ("acme", "WH1")
NEXT = spoken("R", "acme", "WH1", "1")


def put(tx: Transaction, event: Event, outcome: Outcome, after_hours: int = 0) -> None:
    """Everything of a batch that lets one event wait, but the commit."""
    now = NOW + timedelta(hours=after_hours)
    inbox.claim(tx, [arrival(event, now)])
    state = load(tx, Keys(), [], Rules())
    save(tx, state, Decision(outcomes=[(event, outcome)]), now)


def put_to_wait(
    database: Database, event: Event, outcome: Outcome, *, after_hours: int = 0
) -> Event:
    with database.begin() as tx:
        put(tx, event, outcome, after_hours)
    return event


def closed(database: Database, name: str, number: int = 0) -> Event:
    event = replenishment_closed(name, event_id=f"{name}-{number}")
    return put_to_wait(database, event, Deferred(replenishment=name), after_hours=number)


@rule("C3")
def test_what_waits_for_the_next_replenishment_of_a_slot_is_loaded_with_it(
    database: Database,
) -> None:
    early = [closed(database, NEXT, number) for number in range(2)]
    closed(database, "another")
    assert rows(database, schema.waiting, "replenishment_id", "order_id", "sku") == [
        (name, None, None) for name in sorted([NEXT, NEXT, "another"])
    ]
    state = stored(database, Keys(slots={SLOT}))
    assert state.early == {NEXT: [(early[0], NOW), (early[1], NOW + timedelta(hours=1))]}
    assert state.asked_early == {NEXT}
    assert stored(database, Keys()).asked_early is None


@rule("C3")
def test_so_is_what_waits_for_one_that_may_be_raised_after_it(database: Database) -> None:
    second = spoken("R", "acme", "WH1", "2")
    early = closed(database, second)
    state = stored(database, Keys(slots={SLOT}, raising={second}))
    assert state.early == {second: [(early, NOW)]}
    assert state.asked_early == {NEXT, second}


def test_nothing_is_asked_where_nothing_waits_for_any(database: Database) -> None:
    put_to_wait(database, order_cancelled("1"), Deferred(order=("main", "1")))
    state = stored(database, Keys(slots={SLOT}, raising={"R"}))
    assert state.asked_early is None
    assert state.early == {}


@rule("C3")
def test_what_has_taken_effect_with_its_replenishment_waits_no_more(database: Database) -> None:
    early = closed(database, NEXT)
    with database.begin() as tx:
        state = load(tx, Keys(slots={SLOT}), [], Rules())
        bought(state, NEXT)
        save(tx, state, Decision(outcomes=[(early, Applied())], taken=[early]), NOW)
    assert rows(database, schema.waiting) == []
    assert rows(database, schema.inbox, "outcome") == ["applied"]


def test_no_stand_in_for_an_unknown_replenishment_is_left_behind(database: Database) -> None:
    closed(database, NEXT)
    assert rows(database, schema.replenishments) == []


# ---------------------------------------------------------------- too late


@rule("C3")
def test_what_has_waited_too_long_is_found_by_arrival_but_no_cancellation(
    database: Database,
) -> None:
    put_to_wait(database, order_cancelled("1"), Deferred(order=("main", "1")), after_hours=-99)
    shipped = order_shipped("2", "s", "WH1", [("1", 1)])
    put_to_wait(database, shipped, Deferred(order=("main", "2")), after_hours=2)
    busy = order_shipped("3", "s", "WH1", [("1", 1)])
    put_to_wait(database, busy, Deferred(sku="A"), after_hours=-99)
    early = closed(database, NEXT, 1)

    def overdue(hours: int, count_max: int = 10) -> list[Event]:
        before = NOW + timedelta(hours=hours)
        with database.begin() as tx:
            found = waiting.overdue(tx, before, count_max)
            assert waiting.has_overdue(tx, before) is bool(found)
            return [row.event for row in found]

    assert overdue(0) == []
    assert overdue(1) == [early]
    assert overdue(2) == [early, shipped]
    assert overdue(2, 1) == [early]


# ---------------------------------------------------------------- both at once


@rule("C3")
@pytest.mark.parametrize(
    ("outcome", "keys"),
    [
        (Deferred(order=("main", "1")), Keys(orders={("main", "1")})),
        (Deferred(replenishment=NEXT), Keys(slots={SLOT})),
    ],
)
def test_what_is_set_aside_does_not_take_effect_as_well(
    postgres: Database, outcome: Deferred, keys: Keys
) -> None:
    event = order_shipped("1", "s", "WH1", [("1", 1)])
    put_to_wait(postgres, event, outcome)
    stored(postgres, keys)
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            assert len(waiting.overdue(tx, NOW, 9)) == 1
            second = pool.submit(stored, postgres, keys)
            assert still_waits(second)
            late = SetAside("not_found_in_time", None, "too late")
            save(tx, State(Rules()), Decision(outcomes=[(event, late)]), NOW)
        state = after_waiting(second, lambda: stored(postgres, keys))
    assert (state.waiting, state.early) == ({}, {})
    assert rows(postgres, schema.waiting) == []


def raise_it(tx: Transaction) -> None:
    state = load(tx, Keys(slots={SLOT}), [], Rules())
    bought(state, NEXT)
    save(tx, state, Decision(), NOW)


@rule("C3", "R6")
def test_a_close_put_to_wait_while_its_replenishment_is_raised_begins_again(
    postgres: Database,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            raise_it(tx)
            late = pool.submit(closed, postgres, NEXT)
            assert still_waits(late)
        with pytest.raises(in_the_way(), match=r"raised while|serialize"):
            late.result(SECONDS_MAX)
    assert rows(postgres, schema.waiting) == []
    assert stored(postgres, Keys(replenishments={NEXT})).unknown_supply == set()


@rule("C3", "R6")
def test_a_replenishment_raised_while_its_close_is_put_to_wait_begins_again(
    postgres: Database,
) -> None:
    def raised() -> None:
        with postgres.begin() as tx:
            raise_it(tx)

    stored(postgres, Keys(slots={SLOT}))
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            early = replenishment_closed(NEXT)
            put(tx, early, Deferred(replenishment=NEXT))
            late = pool.submit(raised)
            assert still_waits(late)
        with pytest.raises(in_the_way(), match=r"came to wait|serialize"):
            late.result(SECONDS_MAX)
    assert rows(postgres, schema.replenishments) == []
    assert stored(postgres, Keys(slots={SLOT})).early == {NEXT: [(early, NOW)]}


@rule("C3")
def test_a_replenishment_raised_while_its_skus_were_looked_up_is_asked_for_again(
    postgres: Database,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            state = load(tx, Keys(slots={SLOT}, catalogue=True), [], Rules())
            late = pool.submit(stored, postgres, Keys(replenishments={NEXT, "R-0"}))
            assert still_waits(late)
            bought(state, NEXT)
            save(tx, state, Decision(), NOW)
        # At SERIALIZABLE it saw what there was before: it is as if it had come first.
        if isolation() == "read_committed":
            with pytest.raises(Unloaded, match=NEXT):
                late.result(SECONDS_MAX)
        else:
            assert late.result(SECONDS_MAX).unknown_supply == {NEXT, "R-0"}
    again = stored(postgres, Keys(replenishments={NEXT, "R-0"}))
    assert again.unknown_supply == {"R-0"}
    assert again.replenishments[NEXT].complete
