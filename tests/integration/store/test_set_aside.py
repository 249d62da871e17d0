"""What nobody could use is kept with its reason; the same again is counted, not added."""

from datetime import timedelta

import pytest

from events.codec import Malformed, decode
from handlers.decision import Decision, SetAside
from handlers.policy import Rules
from handlers.state import Keys
from store import inbox, schema, set_aside
from store.load import load
from store.save import save
from store.set_aside import SetAsideRow
from store.transaction import Database
from tests.support.builders import order_placed
from tests.support.keeping import NOW, arrival, keep, rows

LATER = NOW + timedelta(minutes=5)


def malformed(body: bytes, headers: dict[str, object] | None = None) -> SetAsideRow:
    fault = decode(body)
    assert isinstance(fault, Malformed)
    return SetAsideRow.malformed(fault, body, "OrderPlaced.main", headers or {})


def record(database: Database, *found: SetAsideRow, now: object = NOW) -> None:
    with database.begin() as tx:
        set_aside.record(tx, found, now)  # type: ignore[arg-type]


def shown(database: Database, *columns: str) -> list[object]:
    return rows(database, schema.set_aside, *columns)


def test_bytes_that_are_no_event_are_kept_to_the_last(database: Database) -> None:
    body = b'\x00\xff{"a": "\\ud800"'
    headers: dict[str, object] = {"x": b"\xff\x00", "when": NOW, "deep": {"n": [1, None]}}
    record(database, malformed(body, headers))
    (row,) = shown(database)
    key, source, event_id, kind, reason, field, message, attempts, first, last, state = row[:11]  # type: ignore[index]
    assert len(key) == 16
    assert (source, event_id, kind, reason, state) == (None, None, None, "malformed", "set_aside")
    assert (attempts, first, last) == (1, NOW, NOW)
    assert message
    assert row[11] == body  # type: ignore[index]
    assert row[12] == {"x": "\\xff\x00", "when": str(NOW), "deep": {"n": [1, None]}}  # type: ignore[index]
    assert row[14] == "OrderPlaced.main"  # type: ignore[index]
    assert field is None or isinstance(field, str)


def test_the_same_bytes_again_raise_attempts_and_add_no_row(database: Database) -> None:
    record(database, malformed(b"{"), malformed(b"{"), malformed(b"["))
    record(database, malformed(b"{"), now=LATER)
    assert sorted(shown(database, "attempts", "first_seen", "last_seen")) == [  # type: ignore[type-var]
        (1, NOW, NOW),
        (3, NOW, LATER),
    ]


def test_another_content_under_the_same_id_is_another_row(database: Database) -> None:
    one, other = (order_placed("1", [("A", qty)], event_id="x") for qty in (1, 2))
    for event in (one, other, one):
        row = arrival(event)
        record(
            database,
            SetAsideRow.of_event(
                event, row.body, reason="conflict", field="data", message="came before"
            ),
        )
    assert sorted(shown(database, "attempts", "event_id", "reason")) == [  # type: ignore[type-var]
        (1, "x", "conflict"),
        (2, "x", "conflict"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("set_aside", "set_aside"),
        ("resolved", "set_aside"),
        ("retrying", "retrying"),
        ("discarded", "discarded"),
    ],
)
def test_what_a_person_has_discarded_or_wants_tried_again_stays_so(
    database: Database, before: str, after: str
) -> None:
    record(database, malformed(b"{"))
    with database.begin() as tx:
        tx.connection.execute(schema.set_aside.update().values(state=before))
    record(database, malformed(b"{"), now=LATER)
    assert shown(database, "state", "attempts") == [(after, 2)]


def test_an_event_decided_to_be_set_aside_is_kept_with_its_body(database: Database) -> None:
    keep(database, order_placed("1", [("B", 9)]))
    event = order_placed("1", [("B", 8)])  # the same order with other content (C4)
    kept = keep(database, event, order_placed("2", [("A", 1)]))
    assert isinstance(dict(kept.decision.outcomes)[event], SetAside)
    assert shown(database, "source", "event_id", "type", "reason", "body") == [
        (event.source, event.id, "OrderPlaced", "conflict", arrival(event).body)
    ]
    outcomes = dict(rows(database, schema.inbox, "event_id", "outcome"))
    assert outcomes[event.id] == "set_aside"
    assert len(rows(database, schema.orders)) == 2


def test_a_batch_whose_every_event_is_given_up_is_kept(database: Database) -> None:
    event = order_placed("1", [("A", 1)])
    with database.begin() as tx:
        claim = inbox.claim(tx, [arrival(event)])
        state = load(tx, Keys(), [], Rules())
        why = SetAside("gave_up", None, "a bug\x00 in its \ud800 handler")
        save(tx, state, Decision(outcomes=[(claim.fresh[0].event, why)]), NOW)
    assert shown(database, "reason", "message") == [
        ("gave_up", "a bug\\x00 in its \\ud800 handler")
    ]
