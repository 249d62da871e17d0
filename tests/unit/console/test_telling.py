"""The words of `backship explain`: quantities, dates, events by their names, what was told."""

from datetime import UTC, datetime

import pytest

from console.telling_events import spoken
from console.telling_messages import TOLD, raised, rule_of, set_aside, told, waits
from console.telling_words import day, listed, minute, units, units_of
from events.examples import INBOUND_EXAMPLES, OUTBOUND_EXAMPLES
from store.views.shapes import EventView
from store.views.story import Happening, Kind

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_quantities_dates_and_lists_are_said_as_people_do() -> None:
    assert (units(1), units(0), units(2000)) == ("1 unit", "0 units", "2,000 units")
    assert units_of(2, "A") == "2 units of A"
    assert day(AT) == "21 November 2026"
    assert minute(AT) == "21 November 2026, 10:00"
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


SPOKEN = {
    "OrderPlaced": "order 100000123",
    "OrderChanged": "change 1 of order 100000123",
    "OrderCancelled": "the cancellation of order 100000123",
    "OrderHoldCleared": "the end of hold payment",
    "OrderShipped": "shipment sh-9",
    "BackToShipRequested": "the request of grace to ship order 100000123",
    "LineBackordered": "the short pick at WH1 by grace",
}


@pytest.mark.parametrize("kind", INBOUND_EXAMPLES)
def test_an_event_is_called_by_its_own_name(kind: str) -> None:
    event: EventView = {"source": "/shops/main", "id": "01J", "type": kind}
    name = spoken(event, INBOUND_EXAMPLES[kind])
    assert not name.startswith(kind)
    assert name == SPOKEN.get(kind, name)
    assert spoken(event, None) == f"{kind} 01J"
    assert spoken(event, {}) == f"{kind} 01J"


def test_what_can_not_be_read_is_an_event_all_the_same() -> None:
    assert spoken({"source": None, "id": None, "type": None}, {"lines": 3}) == "event"


def test_what_is_told_of_one_order_is_told_in_words() -> None:
    said = {kind: told(kind, OUTBOUND_EXAMPLES[kind]) for kind in TOLD}
    assert said["BackToShip"] == (
        "WH1 was told to ship 2 units of LANTERN, which waited since 21 November 2026; "
        "that is all of it"
    )
    assert told("SomethingNew", {}) == "SomethingNew was told"


def test_units_without_a_source_are_left_to_the_pickers() -> None:
    lines = [{"line_id": "1", "sku": "A", "qty": 1}]
    data = {"source": None, "lines": lines, "order_complete": False}
    assert told("ReadyToShip", data) == "the pickers were told to ship 1 unit of A"
    assert told("ReleaseCancelled", {**data, "source": "WH1"}) == (
        "WH1 was told not to ship 1 unit of A after all"
    )


RULED: list[tuple[Kind, str, str, str | None]] = [
    ("decided", "S4", "StockReceived", "S4"),
    ("told", "ReadyToShip", "OrderPlaced", "O9"),
    ("told", "BackToShip", "StockReceived", "S5"),
    ("told", "BackToShip", "BackToShipRequested", "S11"),
    ("told", "SomethingNew", "StockReceived", None),
    ("raised", "no_vendor", "OrderPlaced", "R7"),
    ("raised", "refused", "LineBackordered", "S10"),
    ("waits", "order", "OrderCancelled", "C3"),
    ("waits", "sku", "OrderPlaced", "S6"),
    ("set_aside", "conflict", "OrderChanged", "C2"),
    ("set_aside", "conflict", "OrderPlaced", "C4"),
    ("set_aside", "not_found_in_time", "OrderShipped", "C3"),
    ("set_aside", "malformed", "OrderPlaced", None),
]


@pytest.mark.parametrize(
    ("kind", "name", "event", "number"), RULED, ids=[str(n) for n in range(len(RULED))]
)
def test_whatever_happened_happened_by_a_rule(
    kind: Kind, name: str, event: str, number: str | None
) -> None:
    view: EventView = {"source": None, "id": None, "type": event}
    assert rule_of(Happening(kind, AT, view, None, name, {})) == number


def test_what_had_no_effect_says_why() -> None:
    assert waits("sku", {"sku": "A"}, "order 1") == (
        "order 1 waits: sku A is being served to others first"
    )
    assert waits("order", {"sku": None}, "shipment S") == "shipment S waits for the order it names"
    assert raised({"message": "look"}) == "a person has to look: look"
    why = {"field": "data.lines.0.qty", "message": "data.lines.0.qty must be at least 1"}
    assert set_aside("malformed", why, "order 1") == (
        "order 1 had no effect and was set aside (malformed): data.lines.0.qty must be at least 1"
    )
