"""What was set aside and is tried again has its effect once, or is set aside again (F46, F47)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders
from handlers.decision import Outcome
from handlers.turn import Turn
from store import operations, schema
from store.operations import Action, Deed, Judged, Wanted
from store.set_aside import SetAsideRow, record
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_hold_cleared,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.desk import NOW, finish, hear, open_desk, rows
from tests.support.keeping import emptied
from tests.support.services import own_database, postgres_url
from tests.support.stack import outgoing
from tests.support.wire import body_of
from workers import retried
from workers.clock import SettableClock
from workers.process import Desk, Report
from workers.retried import IN_HAND_SECONDS, TRIES_MAX

ENDS = "SELECT state, reason, attempts FROM set_aside ORDER BY first_seen, id"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ],
)
def tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """One database of each kind for all of them: making one takes longer than most of them."""
    if request.param == "sqlite":
        with open_desk(f"sqlite:///{tmp_path_factory.mktemp('retries')}/backship.db") as made:
            yield made
        return
    with own_database(postgres_url()) as url, open_desk(url) as made:
        yield made


@pytest.fixture
def desk(tables: Desk) -> Desk:
    emptied(tables.database)
    return replace(tables, clock=SettableClock(NOW), trying=set())


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The orders whose placing has a bug; what is taken out of it is mended."""
    ids: set[str] = set()
    judge = orders.placed

    def placed(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
        if data.order_id in ids:
            raise ZeroDivisionError(data.order_id)
        return judge(turn, event, data)

    monkeypatch.setattr(orders, "placed", placed)
    return ids


def ask(desk: Desk, *ids: str, action: Action = "retry") -> Judged:
    """Do to those named, or to all that are set aside, what an operator does."""
    named = list(ids) or [str(key) for (key,) in rows(desk, "SELECT id FROM set_aside")]
    deed = Deed(action, "ada", "a test", desk.clock.now())
    with desk.database.begin() as tx:
        return operations.do(tx, deed, Wanted(), named)


def clock_of(desk: Desk) -> SettableClock:
    assert isinstance(desk.clock, SettableClock)
    return desk.clock


def placed(desk: Desk) -> list[object]:
    return [row[0] for row in rows(desk, "SELECT order_id FROM orders ORDER BY order_id")]


def outcomes(desk: Desk) -> list[tuple[object, ...]]:
    return rows(desk, "SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome ORDER BY outcome")


def suspects(desk: Desk) -> object:
    return rows(desk, "SELECT tries FROM suspects ORDER BY tries")


def some(ids: Sequence[str]) -> list[Event]:
    return [order_placed(order_id, [("A", 1)]) for order_id in ids]


def test_what_failed_by_a_bug_has_its_effect_once_the_bug_is_mended(
    desk: Desk, bug: set[str]
) -> None:
    bug |= {"2", "3"}
    hear(desk, *some("1234"))
    assert outcomes(desk) == [("applied", 2), ("set_aside", 2)]
    bug.clear()
    assert len(ask(desk).able) == 2
    assert rows(desk, ENDS) == [("retrying", "gave_up", 1)] * 2
    finish(desk)
    assert placed(desk) == ["1", "2", "3", "4"]
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)] * 2
    assert rows(desk, "SELECT COUNT(*) FROM set_aside WHERE closed_at IS NULL") == [(0,)]
    assert outcomes(desk) == [("applied", 4)]
    assert rows(desk, "SELECT shortage FROM demand") == [(4,)]
    assert suspects(desk) == []
    assert (
        rows(desk, "SELECT operator, action, why FROM operations")
        == [("ada", "retry", "a test")] * 2
    )


def test_f46_tried_again_twice_or_by_two_operators_it_has_its_effect_once(
    desk: Desk, bug: set[str]
) -> None:
    bug.add("1")
    hear(desk, *some("1"))
    bug.clear()
    assert [len(ask(desk).able), len(ask(desk).able)] == [1, 0]
    finish(desk)
    (skipped,) = ask(desk).skipped
    assert (skipped.state, skipped.is_done) == ("resolved", True)
    finish(desk)
    assert rows(desk, "SELECT shortage FROM demand") == [(1,)]
    assert rows(desk, "SELECT COUNT(*) FROM operations") == [(1,)]


def test_what_fails_again_is_set_aside_again_with_what_is_wrong_now(
    desk: Desk, bug: set[str]
) -> None:
    bug |= {"1", "2"}
    hear(desk, *some("12"))
    bug.remove("2")
    clock_of(desk).advance(60)
    ask(desk)
    finish(desk)
    assert placed(desk) == ["2"]
    assert sorted(rows(desk, ENDS)) == [("resolved", "gave_up", 1), ("set_aside", "gave_up", 2)]
    ((seen, first, detail, closed),) = rows(
        desk,
        "SELECT last_seen, first_seen, detail, closed_at FROM set_aside WHERE state = 'set_aside'",
    )
    assert str(seen) > str(first)
    assert "ZeroDivisionError" in str(detail)
    assert closed is None
    assert outcomes(desk) == [("applied", 1), ("set_aside", 1)]
    bug.clear()
    ask(desk)
    finish(desk)
    assert placed(desk) == ["1", "2"]
    assert outcomes(desk) == [("applied", 2)]


def test_data_the_database_refuses_costs_its_event_alone(desk: Desk, bug: set[str]) -> None:
    ids = [f"{n:02}" for n in range(9)]
    bug |= set(ids)
    hear(desk, *some(ids))
    bug.clear()
    if desk.database.dialect.name == "sqlite":
        poison = "WHEN NEW.order_id = '05' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        refuse = f"CREATE TRIGGER refuse BEFORE INSERT ON orders {poison}"
        no_more = "DROP TRIGGER refuse"
    else:
        refuse = "ALTER TABLE orders ADD CONSTRAINT refuse CHECK (order_id <> '05')"
        no_more = "ALTER TABLE orders DROP CONSTRAINT refuse"
    with desk.database.begin() as tx:
        tx.connection.execute(text(refuse))
    ask(desk)
    finish(desk)
    with desk.database.begin() as tx:
        tx.connection.execute(text(no_more))
    assert placed(desk) == [order_id for order_id in ids if order_id != "05"]
    assert sorted(rows(desk, ENDS)) == [("resolved", "gave_up", 1)] * 8 + [
        ("set_aside", "gave_up", 2)
    ]
    ((message,),) = rows(desk, "SELECT message FROM set_aside WHERE state = 'set_aside'")
    assert "the database refuses it" in str(message)


def test_a_late_broker_duplicate_of_what_is_set_aside_is_not_applied(
    desk: Desk, bug: set[str]
) -> None:
    bug.add("1")
    hear(desk, *some("1"))
    bug.clear()
    assert hear(desk, *some("1")).counts == {"duplicate": 1}
    ask(desk)
    assert hear(desk, *some("1")).counts == {"duplicate": 1}
    assert placed(desk) == []
    finish(desk)
    assert hear(desk, *some("1")).counts == {"duplicate": 1}
    assert rows(desk, "SELECT shortage FROM demand") == [(1,)]
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)]


def test_f47_what_the_inbox_has_forgotten_is_stopped_by_the_business_fact(desk: Desk) -> None:
    receipt = stock_received("R1", "WH1", [("A", 5)])
    hear(desk, receipt)
    message = outgoing(receipt)
    gave_up = SetAsideRow.of_event(
        receipt, message.body, message.routing_key, reason="gave_up", field=None, message="x"
    )
    with desk.database.begin() as tx:
        record(tx, [gave_up], desk.clock.now())
        tx.connection.execute(schema.inbox.delete())
    ask(desk)
    finish(desk)
    assert outcomes(desk) == [("repeated", 1)]
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)]
    assert rows(desk, "SELECT on_hand FROM stock") == [(5,)]
    assert rows(desk, "SELECT COUNT(*) FROM movements") == [(1,)]


def test_what_had_its_effect_after_all_is_resolved_without_another(desk: Desk) -> None:
    """A part that is cancelled has no business name that would stop it the second time."""
    hear(desk, order_placed("1", [("A", 5)]))
    cancelled = order_cancelled("1", [("1", 2)])
    message = outgoing(cancelled)
    row = SetAsideRow.of_event(cancelled, message.body, reason="gave_up", field=None, message="x")
    with desk.database.begin() as tx:
        record(tx, [row], desk.clock.now())
    hear(desk, cancelled)
    ask(desk)
    finish(desk)
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)]
    assert rows(desk, "SELECT shortage, cancelled FROM order_lines") == [(3, 2)]


def test_a_conflict_stays_a_conflict(desk: Desk) -> None:
    hear(desk, order_placed("1", [("A", 1)], event_id="E"))
    hear(desk, order_placed("1", [("A", 2)], event_id="E"))  # the same event, another content
    hear(desk, order_placed("1", [("A", 3)]))  # the same order, another content
    ask(desk)
    finish(desk)
    assert rows(desk, ENDS) == [("set_aside", "conflict", 2)] * 2
    assert rows(desk, "SELECT ordered FROM order_lines") == [(1,)]


def test_what_came_under_anothers_key_stays_set_aside(desk: Desk) -> None:
    message = outgoing(order_placed("1", [("A", 1)]))
    hear(desk, ("OrderPlaced.other", message.body))
    ask(desk)
    finish(desk)
    assert rows(desk, ENDS) == [("set_aside", "wrong_origin", 2)]
    assert (placed(desk), outcomes(desk)) == ([], [])


def test_what_is_malformed_is_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    good = outgoing(order_placed("1", [("A", 1)]))
    bad = body_of("OrderPlaced", {"shop": "main\x00", "order_id": "2"})
    with monkeypatch.context() as older:  # a program that does not know orders yet
        older.setattr("events.codec.INBOUND", {})
        hear(desk, (good.routing_key, good.body))
    hear(desk, ("OrderPlaced.main", bad), ("OrderPlaced.main", b"\xff\x00 no JSON"))
    reasons = [("malformed", 2), ("unknown_type", 1)]
    by_reason = "SELECT reason, COUNT(*) FROM set_aside GROUP BY reason ORDER BY reason"
    assert rows(desk, by_reason) == reasons
    ask(desk)
    finish(desk)
    assert placed(desk) == ["1"]
    assert sorted(rows(desk, ENDS)) == [
        ("resolved", "unknown_type", 1),
        ("set_aside", "malformed", 2),
        ("set_aside", "malformed", 2),
    ]


def test_a_body_of_which_only_the_head_is_kept_is_not_tried_again(desk: Desk) -> None:
    cut = SetAsideRow(
        "/s", "1", "OrderPlaced", "too_large", None, "x", b"{", detail={"bytes": 9, "sha256": "f"}
    )
    with desk.database.begin() as tx:
        record(tx, [cut], desk.clock.now())
    (skipped,) = ask(desk).skipped
    assert (skipped.state, skipped.is_done) == ("set_aside", False)
    assert "only the beginning" in skipped.why
    assert len(ask(desk, action="discard").able) == 1


def test_an_event_whose_order_has_come_meanwhile_finds_it(desk: Desk) -> None:
    cleared = order_hold_cleared("1", "payment")
    hear(desk, cleared)
    clock_of(desk).advance(25 * 3600)
    finish(desk)
    assert rows(desk, ENDS) == [("set_aside", "not_found_in_time", 1)]
    hear(desk, order_placed("1", [("A", 1)], holds=["payment"]))
    ask(desk)
    finish(desk)
    assert rows(desk, ENDS) == [("resolved", "not_found_in_time", 1)]
    assert rows(desk, "SELECT holds FROM orders") == [("[]",)]
    assert outcomes(desk) == [("applied", 2)]


def test_an_event_whose_order_has_still_not_come_is_told_of_once(desk: Desk) -> None:
    hear(desk, order_shipped("nobody", "S1", "WH1", [("1", 1)]))
    clock_of(desk).advance(25 * 3600)
    finish(desk)
    for attempts in (2, 3):
        ask(desk)
        finish(desk)
        assert rows(desk, ENDS) == [("set_aside", "not_found_in_time", attempts)]
    assert rows(desk, "SELECT code, COUNT(*) FROM exceptions GROUP BY code") == [
        ("over_shipment", 1)
    ]
    assert rows(desk, "SELECT COUNT(*) FROM waiting") == [(0,)]


def test_what_still_has_time_waits_for_its_order(desk: Desk) -> None:
    early, patient = order_hold_cleared("1", "payment"), order_cancelled("1")
    for event in (early, patient):
        message = outgoing(event)
        row = SetAsideRow.of_event(event, message.body, reason="gave_up", field=None, message="x")
        with desk.database.begin() as tx:
            record(tx, [row], desk.clock.now())
    clock_of(desk).advance(3600)
    ask(desk)
    finish(desk)
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)] * 2
    assert outcomes(desk) == [("waiting", 2)]
    hear(desk, order_placed("1", [("A", 1)], holds=["payment"]))
    assert outcomes(desk) == [("applied", 3)]


def test_an_order_and_what_names_it_find_each_other_tried_again_together(
    desk: Desk, bug: set[str]
) -> None:
    bug.add("1")
    hear(desk, order_placed("1", [("A", 2)]))
    clock_of(desk).advance(1)
    hear(desk, order_shipped("1", "S1", "WH1", [("1", 1)]))
    clock_of(desk).advance(25 * 3600)
    finish(desk)
    bug.clear()
    ask(desk)
    finish(desk)
    assert rows(desk, "SELECT shipped FROM order_lines") == [(1,)]
    assert outcomes(desk) == [("applied", 2)]


def test_discarded_it_stays_discarded_whatever_comes(desk: Desk, bug: set[str]) -> None:
    bug.add("1")
    hear(desk, *some("1"), ("OrderPlaced.main", b"{"))
    ask(desk)
    assert len(ask(desk, action="discard").able) == 2  # before a worker took them
    bug.clear()
    finish(desk)
    assert hear(desk, *some("1"), ("OrderPlaced.main", b"{")).counts == {
        "duplicate": 1,
        "malformed": 1,
    }
    assert [row.is_done for row in ask(desk).skipped] == [False, False]
    finish(desk)
    assert sorted(rows(desk, ENDS)) == [
        ("discarded", "gave_up", 1),
        ("discarded", "malformed", 2),
    ]
    assert rows(desk, "SELECT COUNT(*) FROM set_aside WHERE closed_at IS NULL") == [(0,)]
    assert placed(desk) == []


def corrected(order_id: str, qty: int, original: Event) -> tuple[str, bytes]:
    """A corrected copy as an operator publishes it."""
    message = outgoing(order_placed(order_id, [("A", qty)], event_id=f"{original.id}-corrected"))
    cause = f'"source":"{original.source}","id":"{original.id}","type":"{original.type}"'
    body = message.body.replace(b'"data":', b'"caused_by":{%b},"data":' % cause.encode(), 1)
    return message.routing_key, body


def test_a_corrected_copy_resolves_what_it_corrects_when_it_takes_effect(
    desk: Desk, bug: set[str]
) -> None:
    original = order_placed("1", [("A", 1)])
    bug.add("1")
    hear(desk, original)
    copy = corrected("1", 2, original)
    assert hear(desk, copy).counts == {"gave_up": 1}  # it has no effect: nothing is resolved
    assert rows(desk, ENDS) == [("set_aside", "gave_up", 1)] * 2
    bug.clear()
    ((copied,),) = rows(desk, "SELECT id FROM set_aside WHERE event_id LIKE '%-corrected'")
    ask(desk, str(copied))
    finish(desk)
    assert rows(desk, ENDS) == [("resolved", "gave_up", 1)] * 2
    assert rows(desk, "SELECT ordered FROM order_lines") == [(2,)]
    assert sorted(rows(desk, "SELECT action, operator, why FROM operations")) == [
        (
            "correct",
            original.source,
            f"event {original.id}-corrected took effect in its place",
        ),
        ("retry", "ada", "a test"),
    ]
    assert hear(desk, copy).counts == {"duplicate": 1}
    ask(desk)
    finish(desk)
    assert rows(desk, "SELECT ordered FROM order_lines") == [(2,)]


def test_two_workers_at_once_do_each_once(desk: Desk, bug: set[str]) -> None:
    ids = [f"{n:03}" for n in range(60)]
    bug |= set(ids)
    hear(desk, *some(ids))
    bug.clear()
    ask(desk)
    others = [replace(desk, trying=set()) for _ in range(3)]

    def work(one: Desk) -> int:
        return finish(one, events_max=7)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, others))
    clock_of(desk).advance(IN_HAND_SECONDS)
    finish(desk)
    assert placed(desk) == ids
    assert rows(desk, "SELECT shortage FROM demand") == [(60,)]
    assert set(rows(desk, ENDS)) == {("resolved", "gave_up", 1)}
    assert suspects(desk) == []


class Killed(BaseException):
    """What ends a worker, as far as a test in its process can tell."""


def test_f24_one_that_ends_its_workers_is_found_and_its_neighbours_take_effect(
    desk: Desk, bug: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bug |= set("123")
    hear(desk, *some("123"))
    bug.clear()
    judge = orders.placed

    def placed_or_killed(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
        if data.order_id == "2":
            raise Killed
        return judge(turn, event, data)

    monkeypatch.setattr(orders, "placed", placed_or_killed)
    ask(desk)
    ended = 0
    while ended < 10:
        worker = replace(desk, trying=set())  # each is a process of its own
        clock_of(desk).advance(IN_HAND_SECONDS)
        try:
            finish(worker)
            break
        except Killed:
            ended += 1
    assert ended == TRIES_MAX
    assert placed(desk) == ["1", "3"]
    assert sorted(rows(desk, ENDS)) == [
        ("resolved", "gave_up", 1),
        ("resolved", "gave_up", 1),
        ("set_aside", "crashed_worker", 2),
    ]
    assert outcomes(desk) == [("applied", 2), ("set_aside", 1)]
    assert suspects(desk) == []
    monkeypatch.setattr(orders, "placed", judge)
    ask(desk)
    finish(desk)
    assert placed(desk) == ["1", "2", "3"]


def test_what_another_worker_has_in_hand_is_left_to_it(desk: Desk, bug: set[str]) -> None:
    bug.add("1")
    hear(desk, *some("1"))
    bug.clear()
    ask(desk)
    other = replace(desk, trying=set())
    lot = retried.begin(other, 500, Report())
    assert len(lot) == 1
    assert retried.step(desk, 500) is None
    clock_of(desk).advance(IN_HAND_SECONDS)
    assert retried.step(desk, 500) is not None
    assert placed(desk) == ["1"]


def test_a_database_that_goes_away_is_held_against_nothing(desk: Desk, bug: set[str]) -> None:
    bug |= set("12")
    hear(desk, *some("12"))
    bug.clear()
    ask(desk)
    for _ in range(TRIES_MAX + 2):
        assert len(retried.begin(desk, 500, Report())) == 2  # and then it is gone
        clock_of(desk).advance(timedelta(seconds=IN_HAND_SECONDS).total_seconds())
    assert suspects(desk) == [(1,), (1,)]
    finish(desk)
    assert placed(desk) == ["1", "2"]
    assert set(rows(desk, ENDS)) == {("resolved", "gave_up", 1)}


def test_items_that_are_told_by_hand_are_tried_in_the_order_they_came(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [item_changed("A", vendor=vendor) for vendor in ("V1", "V2", "V3")]
    with monkeypatch.context() as older:
        older.setattr("events.codec.INBOUND", {})
        for event in told:
            message = outgoing(event)
            hear(desk, (message.routing_key, message.body))
            clock_of(desk).advance(1)
    ask(desk)
    finish(desk)
    assert rows(desk, "SELECT vendor FROM items") == [("V3",)]
