"""`replenishments`: what is bought and whom it will serve, in queue order (R10)."""

from datetime import timedelta
from typing import Any

import pytest

from handlers.policy import Rules
from handlers.rules.identity import spoken
from store.transaction import Database
from store.views import supply
from store.views.shapes import ReplenishmentView
from store.views.supply import Chosen, replenishments
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
)
from tests.support.story import FIRST, LATER, NOW, OPEN, SECOND, SOON, story
from tests.support.telling import tell
from tests.support.wire import T0

ALL = Chosen()


def _replenishments(database: Database, chosen: Chosen = ALL) -> list[ReplenishmentView]:
    with database.read() as tx:
        return list(replenishments(tx, Rules(), chosen, NOW))


def _covers(order_id: str, qty: int, line_id: str = "1") -> dict[str, Any]:
    return {"shop": "main", "order_id": order_id, "line_id": line_id, "qty": qty}


def _line(sku: str, qty: int, received: int, *covers: dict[str, Any]) -> dict[str, Any]:
    return {
        "sku": sku,
        "qty": qty,
        "received": received,
        "outstanding": qty - received,
        "covers": list(covers),
    }


def test_r10_what_is_bought_covers_who_waits_in_queue_order(database: Database) -> None:
    tell(database, *story())
    assert _replenishments(database) == [
        {
            "replenishment_id": FIRST,
            "vendor": "V",
            "destination": "WH1",
            "state": "partially_received",
            "automatic": True,
            "revision": 3,
            "expected_at": LATER,
            "lines": [
                # The unit at the dock serves order 2 first.
                _line("A", 10, 1, _covers("2", 1), _covers("3", 4), _covers("4", 4)),
                _line("B", 1, 0, _covers("1", 1, "2")),
            ],
        },
        {
            "replenishment_id": SECOND,
            "vendor": "V",
            "destination": "WH1",
            "state": "open",
            "automatic": True,
            "revision": 1,
            "expected_at": OPEN,
            "lines": [_line("A", 5, 0, _covers("4", 5))],
        },
    ]


FILTERS = [
    (Chosen(state="open"), [SECOND]),
    (Chosen(state="partially_received"), [FIRST]),
    (Chosen(state="closed"), []),
    (Chosen(vendor="V"), [FIRST, SECOND]),
    (Chosen(vendor="W"), []),
    (Chosen(SECOND), [SECOND]),
    (Chosen("R-none"), []),
]


def test_a_filter_chooses_replenishments(database: Database) -> None:
    tell(database, *story())
    found = [(chosen, _replenishments(database, chosen)) for chosen, _ in FILTERS]
    assert [
        (chosen, [row["replenishment_id"] for row in rows]) for chosen, rows in found
    ] == FILTERS


def test_what_a_filter_leaves_out_still_serves_those_before(database: Database) -> None:
    tell(database, *story())
    (shown,) = _replenishments(database, Chosen(state="open"))
    assert shown["lines"][0]["covers"] == [_covers("4", 5)]


def test_a_line_that_two_parts_serve_is_covered_once(database: Database) -> None:
    parts = [(2, SOON), (2, LATER)]
    replenishment_id = spoken("R", "V", "WH1", "1")
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 3)]),
        replenishment_closed(replenishment_id, lines=[("A", parts)]),
    )
    (shown,) = _replenishments(database)
    assert shown["expected_at"] == LATER
    assert shown["lines"] == [_line("A", 4, 0, _covers("1", 3))]


def test_what_can_not_arrive_any_more_is_not_outstanding_and_covers_nobody(
    database: Database,
) -> None:
    replenishment_id = spoken("R", "V", "WH1", "1")
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 3)]),
        replenishment_closed(replenishment_id),
        stock_received("r1", "WH1", [("A", 1)], replenishment_id=replenishment_id),
        replenishment_closed(replenishment_id, outcome="short_closed"),
    )
    closed, again = _replenishments(database)
    assert (closed["state"], closed["expected_at"]) == ("closed", None)
    assert closed["lines"] == [
        {"sku": "A", "qty": 3, "received": 1, "outstanding": 0, "covers": []}
    ]
    assert (again["state"], again["lines"]) == ("open", [_line("A", 2, 0, _covers("1", 2))])


def test_r11_one_unknown_date_makes_the_whole_unknown(database: Database) -> None:
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", vendor="V", policy={"lead_time_days": 2}),
        item_changed("B", vendor="V"),
        order_placed("1", [("A", 1), ("B", 1)]),
    )
    (shown,) = _replenishments(database)
    assert shown["expected_at"] is None


def test_each_destination_has_a_queue_of_its_own(database: Database) -> None:
    tell(
        database,
        item_changed("A", vendor="V"),
        shop_changed("main", sources=["WH1"]),
        shop_changed("web", sources=["WH2"]),
        order_placed("1", [("A", 1)], placed_at=T0 + timedelta(minutes=1)),
        order_placed("2", [("A", 2)], shop="web"),
    )
    shown = {row["destination"]: row["lines"][0]["covers"] for row in _replenishments(database)}
    assert shown == {"WH1": [_covers("1", 1)], "WH2": [{**_covers("2", 2), "shop": "web"}]}


def test_replenishments_read_page_by_page_are_those_read_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(database, *story())
    whole = _replenishments(database)
    assert len(whole) > 1
    monkeypatch.setattr(supply, "REPLENISHMENTS_MAX", 1)
    assert _replenishments(database) == whole


def test_a_list_without_whom_they_serve_is_the_same_but_for_that(database: Database) -> None:
    tell(database, *story())
    whole = _replenishments(database)
    for row in whole:
        for line in row["lines"]:
            line["covers"] = []
    with database.read() as tx:
        assert list(replenishments(tx, Rules(), ALL, NOW, covers=False)) == whole
