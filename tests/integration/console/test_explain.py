"""`explain`: the story of an order, from what was kept of it, on a database of each kind."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from events.envelope import Event
from handlers.rules.identity import spoken
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
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.command import Inside
from tests.support.rules import rule
from tests.support.telling import tell
from tests.support.wire import T0

FIRST = spoken("R", "V", "WH1", "1")
DASH = "\N{EN DASH}"


def _at(hours: int) -> datetime:
    return T0 + timedelta(hours=hours)


def _tell(database: Database, *events: Event) -> None:
    """Tell events where there is a source, a dock that feeds it, and a vendor of A and B."""
    lead = {"lead_time_days": 7}
    tell(
        database,
        place_changed("WH1"),
        place_changed("DOCK", kind="dock", feeds="WH1"),
        shop_changed("main", sources=["WH1"]),
        item_changed("A", vendor="V", policy=lead),
        item_changed("B", vendor="V", policy={**lead, "sourcing": "buy_to_order"}),
        *events,
    )


def _texts(backship: Inside, name: str) -> list[tuple[str, str | None, str]]:
    rows: Sequence[dict[str, Any]] = backship.json("explain", name)
    return [(row["rule"], row["line_id"], row["text"]) for row in rows]


def _waiting() -> list[Event]:
    """One order in which all that can wait waits, and comes by a transfer."""
    return [
        stock_received("R5", "WH1", [("A", 3)]),
        order_cancelled("1", [("1", 1)], time=_at(0)),
        order_placed("1", [("A", 6), ("B", 2)], time=_at(1)),
        replenishment_closed(
            FIRST, lines=[("A", [(2, _at(120))]), ("B", [(2, None)])], time=_at(2)
        ),
        order_placed("2", [("A", 1)], placed_at=_at(3), time=_at(3)),
        stock_received("R6", "DOCK", [("A", 2), ("B", 2)], replenishment_id=FIRST, time=_at(4)),
        stock_transferred("T1", "DOCK", "WH1", [("A", 2), ("B", 2)], time=_at(5)),
    ]


@rule("O3", "O8", "R10", "R11", "R12", "S4", "S5", "C3")
def test_a_story_is_told_in_the_order_of_decision_with_its_numbers(
    database: Database, backship: Inside
) -> None:
    _tell(database, *_waiting())
    bought = f"replenishment {FIRST}, 2 units"
    queued = f"{bought}, you are units 1{DASH}2"
    alone = f"{bought}, 2 of them for you alone"
    day, hour = "28 November 2026", "28 November 2026, 11:00"
    waits = f"2 units of A wait, expected {day}; 2 units of B wait, expected {day}"
    new_a = f"A 26 November 2026, before {day}"
    new_b = f"B 28 November 2026, 12:00, before {hour}"
    new = f"2 units of A expected 26 November 2026, before: {day}"
    for_you = f"bought for you with replenishment {FIRST}"
    since = "which waited since 21 November 2026; that is all of it"
    assert _texts(backship, "main/1") == [
        ("C3", "1", "1 unit of A cancelled before the order came"),
        ("O3", "1", "3 of 5 units of A allocated at WH1: 3 available, 0 held before you"),
        ("O3", "1", "2 of 5 units of A wait: 3 available, 0 held before you"),
        ("O2", "2", "2 units of B are bought for you, not from stock"),
        ("R10", "2", f"2 units of B {for_you}"),
        ("R11", "1", f"2 units of A expected {day}: {queued}"),
        ("R11", "2", f"2 units of B expected {day}: {alone}"),
        ("O8", None, f"the shop was told that {waits}"),
        ("O9", None, "WH1 was told to ship 3 units of A"),
        ("R12", "1", f"{new}: {queued}"),
        ("R12", "2", f"2 units of B expected 28 November 2026, 12:00, before: {hour}: {alone}"),
        ("R12", None, f"the shop was told the new date: {new_a}; {new_b}"),
        ("S4", "1", "filled with 2 units of A at WH1 by transfer T1"),
        ("S4", "2", f"filled with 2 units of B at WH1 by transfer T1; {for_you}"),
        ("S5", None, f"WH1 was told to ship 2 units of A and 2 units of B, {since}"),
    ]


def test_every_entry_names_the_event_that_caused_it_and_when_it_happened(
    database: Database, backship: Inside
) -> None:
    _tell(database, *_waiting())
    entries = backship.json("explain", "main/1")
    assert [list(entry) for entry in entries] == [
        ["at", "event", "rule", "text", "line_id"] for _ in entries
    ]
    last = entries[-1]
    assert last["at"] == "2026-11-21T15:00:00Z"
    assert (last["event"]["source"], last["event"]["type"]) == ("/places/DOCK", "StockTransferred")
    assert {entry["event"]["type"] for entry in entries} == {
        "OrderCancelled",
        "OrderPlaced",
        "ReplenishmentClosed",
        "StockTransferred",
    }


def test_a_person_reads_it_event_by_event(database: Database, backship: Inside) -> None:
    _tell(
        database,
        stock_received("R5", "WH1", [("A", 3)]),
        order_placed("1", [("A", 2), ("A", 1)], holds=["fraud"], time=_at(1)),
    )
    assert backship.done("explain", "main/1") == (
        "Order main/1\n"
        "\n"
        "21 November 2026, 11:00 UTC, order 1\n"
        "  line 1: 2 of 3 units of A allocated at WH1: 3 available, 0 held before you (O3)\n"
        "  line 2: 1 of 3 units of A allocated at WH1: 3 available, 0 held before you (O3)\n"
        "\n"
        "Now: 3 units are kept for it and wait until hold fraud is lifted (O10)\n"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"release": "manual"}, "wait for a person to send it (O10)", id="manual"),
        pytest.param({"ship_mode": "complete"}, "wait for the rest of it (O9)", id="complete"),
    ],
)
def test_what_is_kept_for_an_order_says_what_it_waits_for(
    database: Database, backship: Inside, fields: dict[str, Any], said: str
) -> None:
    stocked = stock_received("R5", "WH1", [("A", 2)])
    _tell(database, stocked, order_placed("1", [("A", 2), ("B", 1)], **fields))
    assert f"Now: 2 units are kept for it and {said}" in backship.done("explain", "main/1")


@rule("S9", "S10", "S11", "C1", "C2", "O10", "O11")
def test_what_people_and_warehouses_say_of_an_order_belongs_to_its_story(
    database: Database, backship: Inside
) -> None:
    _tell(
        database,
        stock_received("R5", "WH1", [("A", 4)]),
        order_placed("1", [("A", 4)], holds=["payment"], time=_at(1)),
        back_to_ship_requested("1", time=_at(2)),
        order_hold_cleared("1", time=_at(3)),
        line_backordered("1", ("1", 1), "WH1", time=_at(4)),
        line_backordered("1", ("1", 1), "WH1", reason="hold", time=_at(5)),
        back_to_ship_requested("1", event_id="again", time=_at(6)),
        order_changed("1", [("A", 5)], time=_at(7)),
        order_shipped("1", "S1", "WH1", [("1", 2)], time=_at(8)),
        order_cancelled("1", [("1", 2)], time=_at(9)),
    )
    told = _texts(backship, "main/1")
    wanted = [
        ("O10", "1", "4 units of A wait for the payment; nothing is kept or bought for it before"),
        ("S11", None, "a person has to look: main/1: sending it is refused, on hold"),
        ("O10", None, "hold payment lifted"),
        ("O3", "1", "4 units of A allocated at WH1: 4 available, 0 held before you"),
        ("O9", None, "WH1 was told to ship 4 units of A; that is all of it"),
        ("S10", "1", "1 unit of A not found at WH1 and written off there; you wait for others"),
        ("O11", None, "WH1 was told not to ship 1 unit of A after all"),
        ("S10", "1", "1 unit of A at WH1 held back by a person, and free for others"),
        ("O11", None, "WH1 was told not to ship 1 unit of A after all"),
        ("S11", "1", "the hold a person had put on 2 units of A is lifted"),
        ("C2", "1", "1 more unit of A ordered by change 1 of order 1"),
        ("S9", "1", "2 units of A shipped from WH1 with shipment S1"),
        ("C1", "1", "2 units of A cancelled, 2 of them were waiting"),
    ]
    assert [row for row in told if row in wanted] == wanted
