"""`emitted`, `exceptions` and `dead`: what was told, and what was set aside."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

import orjson

from store.transaction import Database
from store.views.dead import dead_list, dead_show
from store.views.history import emitted, exceptions
from store.views.shapes import SetAsideView
from tests.support.builders import order_placed, stock_counted, stock_received
from tests.support.story import NOW, story
from tests.support.telling import deliver, tell
from tests.support.wire import T0, body_of

LATER = NOW + timedelta(hours=1)
UNREADABLE = b'{"specversion": "1.0", "id": "e1", \xff'
NO_QTY = body_of(
    "OrderPlaced",
    {"shop": "main", "order_id": "1", "placed_at": T0, "lines": [{"line_id": "1", "sku": "A"}]},
    source="/shops/main",
    event_id="no-qty",
)


def _emitted(database: Database, **wanted: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - filters
    with database.read() as tx:
        return [orjson.loads(body) for body in emitted(tx, **wanted)]


def test_what_was_emitted_is_shown_as_it_went_out_in_order_of_decision(database: Database) -> None:
    tell(
        database,
        order_placed("1", [("A", 2)]),
        stock_received("r1", "main", [("A", 2)], received_at=T0 + timedelta(days=1)),
    )
    found = _emitted(database)
    assert [row["type"] for row in found] == [
        "ExceptionRaised",
        "OrderBackordered",
        "BackToShip",
    ]
    assert found[2] == {
        "specversion": "1.0",
        "id": found[2]["id"],
        "source": "/backship",
        "type": "BackToShip",
        "subject": "main/1",
        "time": "2026-11-22T10:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:backship:BackToShip:1",
        "data": {
            "shop": "main",
            "order_id": "1",
            "source": "main",
            "release_id": found[2]["data"]["release_id"],
            "lines": [{"line_id": "1", "sku": "A", "qty": 2}],
            "order_complete": True,
            "waited_since": "2026-11-21T10:00:00Z",
            "caused_by": {
                "source": "/places/main",
                "id": found[2]["data"]["caused_by"]["id"],
                "type": "StockReceived",
            },
        },
    }


def test_what_was_emitted_can_be_chosen_by_type_and_time(database: Database) -> None:
    tell(
        database,
        order_placed("1", [("A", 2)]),
        stock_received("r1", "main", [("A", 2)], received_at=T0 + timedelta(days=1)),
    )
    assert [row["type"] for row in _emitted(database, kind="BackToShip")] == ["BackToShip"]
    assert _emitted(database, kind="Nothing") == []
    after = T0 + timedelta(hours=1)
    assert [row["type"] for row in _emitted(database, since=after)] == ["BackToShip"]
    exactly = T0 + timedelta(days=1)
    assert len(_emitted(database, since=exactly)) == 1
    assert _emitted(database, since=exactly + timedelta(microseconds=1)) == []


def test_exceptions_say_what_a_person_must_look_at(database: Database) -> None:
    tell(database, *story())
    with database.read() as tx:
        assert list(exceptions(tx)) == [
            {
                "code": "no_vendor",
                "reason": None,
                "message": "4 of C wait and no vendor is known for it",
                "refs": {"sku": "C", "shop": "web", "order_id": "9", "line_id": "1"},
                "at": T0,
            }
        ]


def _dead(database: Database, **wanted: str) -> list[SetAsideView]:
    with database.read() as tx:
        return list(dead_list(tx, **wanted))


def test_what_was_set_aside_is_listed_the_oldest_first(database: Database) -> None:
    deliver(database, NO_QTY)
    deliver(database, NO_QTY, UNREADABLE, now=LATER)
    first, second = _dead(database)
    assert first == {
        "id": first["id"],
        "source": "/shops/main",
        "event_id": "no-qty",
        "type": "OrderPlaced",
        "reason": "malformed",
        "field": "data.lines.0.qty",
        "message": "data.lines.0.qty is missing",
        "attempts": 2,
        "first_seen": NOW,
        "last_seen": LATER,
        "state": "set_aside",
    }
    assert (second["source"], second["event_id"], second["reason"]) == (None, None, "malformed")


def test_what_was_set_aside_can_be_chosen_by_reason_type_and_state(database: Database) -> None:
    deliver(database, NO_QTY, UNREADABLE)
    for qty in (1, 2):
        tell(database, stock_counted("c1", "WH1", [("A", qty)]))  # other content the second time
    assert [row["type"] for row in _dead(database, reason="conflict")] == ["StockCounted"]
    assert [row["event_id"] for row in _dead(database, kind="OrderPlaced")] == ["no-qty"]
    assert len(_dead(database, reason="malformed")) == 2
    assert _dead(database, state="discarded") == []


def test_one_of_them_is_shown_with_its_body(database: Database) -> None:
    deliver(database, NO_QTY)
    (listed,) = _dead(database)
    with database.read() as tx:
        shown = dead_show(tx, listed["id"])
    assert shown == {
        **listed,
        "body": NO_QTY.decode(),
        "headers": {},
        "detail": None,
        "operations": [],
    }


def test_a_body_that_is_no_text_is_shown_in_base64(database: Database) -> None:
    deliver(database, UNREADABLE)
    (listed,) = _dead(database)
    with database.read() as tx:
        shown = dead_show(tx, listed["id"])
        nobody = dead_show(tx, "0" * 16)
    assert shown is not None
    assert shown["body"] == b64encode(UNREADABLE).decode()
    assert nobody is None
