"""The same event has one effect for ever, also when the inbox has long forgotten it (C4, F47).

Each type in turn: the event has its effect, something else happens, all that may go is cleared
away, and the event comes again. Where nothing but a proof in `facts` can know it, taking that proof
away makes the test fail.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from events.envelope import Event
from events.inbound import OrderCancelled
from handlers.policy import Rules
from handlers.rules.identity import spoken
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
    vendor_changed,
)
from tests.support.clearing import cleared, published
from tests.support.desk import finish, hear
from tests.support.histories import cuts, histories
from tests.support.keeping import NOW, emptied, rows
from tests.support.rules import rule
from tests.support.wire import T0
from workers.clock import SettableClock
from workers.process import Desk

FIRST = spoken("R", "V", "WH1", "1")

KEPT = (
    schema.places,
    schema.shops,
    schema.vendors,
    schema.items,
    schema.item_statuses,
    schema.stock,
    schema.movements,
    schema.demand,
    schema.orders,
    schema.order_lines,
    schema.allocations,
    schema.links,
    schema.replenishments,
    schema.replenishment_lines,
    schema.emitted,
    schema.exceptions,
    schema.outbox,
    schema.reasons,
    schema.tasks,
)


def desk_of(database: Database) -> Desk:
    return Desk(database, Rules(), SettableClock(NOW))


def state_of(database: Database) -> dict[str, list[Any]]:
    """Everything but the clocks and the slots: a repeat still locks what it names."""
    found = {}
    for table in KEPT:
        names = [column.name for column in table.columns if column.name != "clock"]
        found[table.name] = sorted(map(repr, rows(database, table, *names)))
    return found


@dataclass(frozen=True)
class Case:
    """`before` and `after` the event; `proven`: it leaves a proof, for want of a business name.

    `again`: what it would come to without that proof.
    """

    event: Event
    before: Sequence[Event] = ()
    after: Sequence[Event] = ()
    proven: bool = True
    again: str = "applied"


SEVEN = [
    stock_received("r0", "WH1", [("A", 7)]),
    vendor_changed("V"),
    item_changed("A", vendor="V"),
]
SOLD = [*SEVEN, order_placed("1", [("A", 3)])]
SHORT = [*SEVEN, order_placed("1", [("A", 12)])]
HELD = [*SEVEN, order_placed("1", [("A", 3)], release="manual")]

CASES = {
    "OrderPlaced": Case(order_placed("1", [("A", 3)]), SEVEN, [order_cancelled("1")], proven=False),
    "OrderChanged": Case(
        order_changed("1", [("A", 5)], version=1),
        SOLD,
        [order_changed("1", [("A", 2)], version=2)],
        proven=False,
    ),
    "OrderCancelled": Case(order_cancelled("1", [("1", 1)]), SOLD),
    "OrderHoldCleared": Case(
        order_hold_cleared("1", "fraud", event_id="cleared"),
        [*SEVEN, order_placed("1", [("A", 3)], holds=["fraud"])],
        again="",  # no hold is ever set again
    ),
    "OrderShipped": Case(order_shipped("1", "s1", "WH1", [("1", 1)]), SOLD, proven=False),
    "BackToShipRequested": Case(
        back_to_ship_requested("1"), HELD, [order_changed("1", [("A", 5)], version=1)]
    ),
    # The ledger would have to carry its movements twice under one name, and refuses.
    "LineBackordered": Case(line_backordered("1", ("1", 1), "WH1"), SOLD, again=""),
    "StockReceived": Case(stock_received("r1", "WH1", [("A", 2)]), SHORT, proven=False),
    "StockTransferred": Case(stock_transferred("t1", "WH1", "D", [("A", 2)]), SOLD, proven=False),
    "StockCounted": Case(
        stock_counted("c1", "WH1", [("A", 9)], counted_at=T0 + timedelta(hours=1)),
        SOLD,
        proven=False,
    ),
    "StockReturned": Case(stock_returned("b1", "WH1", [("A", 1)]), SOLD, proven=False),
    "ReplenishmentClosed": Case(
        replenishment_closed(FIRST, lines=[("A", [(5, T0 + timedelta(days=5))])]),
        SHORT,
        [
            replenishment_closed(
                FIRST, lines=[("A", [(5, T0 + timedelta(days=9))])], event_id="later"
            )
        ],
    ),
    "ReplenishmentRequested": Case(replenishment_requested("V", [("A", 4)]), SOLD),
    "ItemChanged": Case(
        item_changed("A", policy={"safety_stock": 5}),
        SOLD,
        [item_changed("A", policy={"safety_stock": 1}, event_id="later")],
    ),
    "VendorChanged": Case(
        vendor_changed("V", name="Old & Sons"), SOLD, [vendor_changed("V", name="New Ltd")]
    ),
    "ShopChanged": Case(
        shop_changed("main", sources=["WH1", "D"]), SOLD, [shop_changed("main", sources=["WH1"])]
    ),
    "PlaceChanged": Case(
        place_changed("WH1", priority=7), SOLD, [place_changed("WH1", priority=8)]
    ),
}


def told_and_cleared(database: Database, case: Case) -> Desk:
    """The history is told and published, and all that may go is gone."""
    desk = desk_of(database)
    for event in (*case.before, case.event, *case.after):
        hear(desk, event)
        finish(desk)
    published(database)
    assert cleared(database).inbox == len(case.before) + 1 + len(case.after)
    assert rows(database, schema.inbox) == []
    return desk


def again(desk: Desk, event: Event) -> dict[str, int]:
    report = hear(desk, event)
    finish(desk)
    return report.counts


@rule("C4")
@pytest.mark.parametrize("case", CASES.values(), ids=[f"F47-{name}" for name in CASES])
def test_an_event_that_comes_again_after_years_has_no_second_effect(
    database: Database, case: Case
) -> None:
    desk = told_and_cleared(database, case)
    before = state_of(database)
    assert again(desk, case.event) == {"repeated": 1}
    assert state_of(database) == before
    # And once more: what is in the inbox now is cleared away again, and leaves what it met.
    assert cleared(database).inbox == 1
    assert again(desk, case.event) == {"repeated": 1}
    assert state_of(database) == before


@rule("C4")
@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if case.proven and case.again],
    ids=[f"F47-{name}" for name, case in CASES.items() if case.proven and case.again],
)
def test_without_its_proof_it_would_have_a_second_effect(database: Database, case: Case) -> None:
    desk = told_and_cleared(database, case)
    before = state_of(database)
    with database.begin() as tx:
        tx.connection.execute(delete(schema.facts).where(schema.facts.c.kind == "event"))
    assert again(desk, case.event) == {case.again: 1}
    assert state_of(database) != before


@rule("C4")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_only_what_has_no_business_name_leaves_a_proof(database: Database, case: Case) -> None:
    told_and_cleared(database, case)
    told = (*case.before, case.event, *case.after)
    named = {"OrderPlaced", "OrderChanged", "OrderShipped"}
    expected = {
        (event.source, event.id)
        for event in told
        if event.type not in named and not event.type.startswith("Stock")
    }
    proofs = rows(database, schema.facts, "kind", "event_source", "event_id", "data_hash")
    assert {row[1:3] for row in proofs if row[0] == "event"} == expected
    hashes = {(event.source, event.id): event.data_hash for event in told}
    assert all(hashes[row[1:3]] == row[3] for row in proofs if row[0] == "event")


@rule("C4")
def test_another_content_under_the_same_id_is_a_conflict_for_ever(database: Database) -> None:
    case = CASES["OrderCancelled"]
    desk = told_and_cleared(database, case)
    before = state_of(database)
    assert isinstance(case.event.data, OrderCancelled)
    other = order_cancelled("1", [("1", 2)], event_id=case.event.id)
    assert (other.source, other.id) == (case.event.source, case.event.id)
    assert again(desk, other) == {"conflict": 1}
    assert state_of(database) == before
    assert rows(database, schema.set_aside, "reason", "state") == [("conflict", "set_aside")]


@rule("C4")
def test_an_id_used_again_for_another_fact_is_set_aside_and_its_neighbours_go_on(
    database: Database,
) -> None:
    desk = desk_of(database)
    first = stock_received("R1", "WH1", [("A", 5)])
    hear(desk, first)
    finish(desk)
    cleared(database)
    other = replace(stock_received("R2", "WH1", [("A", 7)]), source=first.source, id=first.id)
    report = hear(desk, order_placed("1", [("A", 1)]), other, order_placed("2", [("A", 1)]))
    assert report.counts == {"applied": 2, "gave_up": 1}
    assert rows(database, schema.set_aside, "reason", "event_id") == [("gave_up", first.id)]
    assert rows(database, schema.stock, "on_hand", "allocated") == [(5, 2)]
    assert rows(database, schema.movements, "qty") == [5]


@rule("C4")
def test_an_event_that_was_given_up_stays_given_up_after_it_was_discarded(
    database: Database,
) -> None:
    desk = desk_of(database)
    lost = order_shipped("nobody", "s1", "WH1", [("1", 1)])
    hear(desk, lost)
    desk.clock.sleep(25 * 3600)
    finish(desk)
    assert rows(database, schema.set_aside, "reason") == ["not_found_in_time"]
    with database.begin() as tx:
        tx.connection.execute(
            schema.set_aside.update().values(state="discarded", closed_at=desk.clock.now())
        )
    published(database)
    assert cleared(database).set_aside == 1
    before = state_of(database)
    assert again(desk, lost) == {"repeated": 1}
    desk.clock.sleep(25 * 3600)
    finish(desk)
    assert state_of(database) == before


def copies(history: Sequence[Event]) -> Iterator[Event]:
    """The same events as a restored broker would bring them: equal, not the same objects."""
    for event in history:
        yield replace(event)


def never_twice(database: Database, data: st.DataObject) -> None:
    history = data.draw(histories())
    desk = desk_of(database)
    for batch in data.draw(cuts(history, after_walks=False)):
        hear(desk, *batch)
        finish(desk)
    published(database)
    # What waits for an order or replenishment stays; nothing else is left of the inbox.
    cleared(database)
    waiting = set(rows(database, schema.waiting, "source", "event_id"))
    assert set(rows(database, schema.inbox, "source", "event_id")) - waiting == set(
        rows(database, schema.set_aside, "source", "event_id")
    )
    assert rows(database, schema.emitted) == []
    before = state_of(database)
    for batch in data.draw(cuts(list(copies(history)), after_walks=False)):
        report = hear(desk, *batch)
        assert report.counts.keys() <= {"repeated", "duplicate", "conflict"}, report
        finish(desk)
    assert state_of(database) == before
    with database.read() as tx:
        assert inspect(tx, Rules())["differences"] == []


@rule("C4")
@settings(max_examples=8)
@given(data=st.data())
def test_any_history_told_again_after_all_was_cleared_away_changes_nothing(
    kept: Database, data: st.DataObject
) -> None:
    never_twice(emptied(kept), data)


@pytest.mark.long
@pytest.mark.timeout(1200)
@rule("C4")
@settings(max_examples=400)
@given(data=st.data())
def test_four_hundred_histories_told_again_change_nothing(
    kept: Database, data: st.DataObject
) -> None:
    never_twice(emptied(kept), data)
