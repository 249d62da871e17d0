"""When something happened, and how an instant is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from events.envelope import Event, happened_at, instant_text
from tests.support import builders
from tests.support.wire import T0

OWN, RECEIVED = T0 - timedelta(days=2), T0 + timedelta(days=1)

_WITH_A_TIME_OF_ITS_OWN = {
    "StockReceived": builders.stock_received("R", "W", [("A", 1)], received_at=OWN),
    "OrderShipped": builders.order_shipped("1", "S", "W", [("1", 1)], shipped_at=OWN),
    "StockTransferred": builders.stock_transferred("T", "D", "W", [("A", 1)], transferred_at=OWN),
    "StockCounted": builders.stock_counted("C", "W", [("A", 1)], counted_at=OWN),
    "StockReturned": builders.stock_returned("X", "W", [("A", 1)], returned_at=OWN),
    "ReplenishmentClosed": builders.replenishment_closed("R", closed_at=OWN),
}
_WITHOUT = {
    "StockReceived": builders.stock_received("R", "W", [("A", 1)]),
    "OrderShipped": builders.order_shipped("1", "S", "W", [("1", 1)]),
    "StockTransferred": builders.stock_transferred("T", "D", "W", [("A", 1)]),
    "StockReturned": builders.stock_returned("X", "W", [("A", 1)]),
    "ReplenishmentClosed": builders.replenishment_closed("R"),
    "OrderCancelled": builders.order_cancelled("1"),
    "ItemChanged": builders.item_changed("A"),
}


@pytest.mark.parametrize("event", _WITH_A_TIME_OF_ITS_OWN.values(), ids=_WITH_A_TIME_OF_ITS_OWN)
def test_an_event_happened_at_its_own_time(event: Event) -> None:
    assert happened_at(event, RECEIVED) == OWN


@pytest.mark.parametrize("event", _WITHOUT.values(), ids=_WITHOUT)
def test_else_it_happened_at_the_time_of_its_envelope(event: Event) -> None:
    assert happened_at(event, RECEIVED) == T0


def test_else_it_happened_when_it_was_received() -> None:
    assert happened_at(builders.order_cancelled("1", time=None), RECEIVED) == RECEIVED


def test_an_order_happened_when_its_envelope_says_not_when_it_was_placed() -> None:
    assert happened_at(builders.order_placed("1", [("A", 1)], placed_at=OWN), RECEIVED) == T0
    imported = builders.order_placed("1", [("A", 1)], placed_at=OWN, time=None)
    assert happened_at(imported, RECEIVED) == RECEIVED


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 21, 10, tzinfo=UTC), "2026-11-21T10:00:00Z"),
        (datetime(2026, 11, 21, 10, 0, 0, 1, tzinfo=UTC), "2026-11-21T10:00:00.000001Z"),
        (datetime(2026, 11, 21, 0, tzinfo=timezone(timedelta(hours=2))), "2026-11-20T22:00:00Z"),
    ],
)
def test_an_instant_is_written_in_utc(moment: datetime, text: str) -> None:
    assert instant_text(moment) == text
