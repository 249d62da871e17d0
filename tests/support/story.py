"""A small story that all views are shown with: two shops, two sources, a dock.

A  5 received and 7 ordered; 10 bought, confirmed in two parts, 1 of them lies at the dock
B  1 received and 2 ordered; bought, not confirmed
C  4 ordered, and nobody sells it
"""

from datetime import UTC, datetime, timedelta

from events.envelope import Event
from handlers.rules.identity import spoken
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
    vendor_changed,
)
from tests.support.wire import T0

FIRST = spoken("R", "V", "WH1", "1")  # the replenishment that was finalized
SECOND = spoken("R", "V", "WH1", "2")  # the open one
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOON = T0 + timedelta(days=3)
LATER = T0 + timedelta(days=10)
UNCONFIRMED = T0 + timedelta(days=7)  # finalized at T0, lead time of V
OPEN = NOW + timedelta(days=7)  # lead time of V, counted from now


def story() -> list[Event]:
    """Return its events, in the order in which they are told."""
    return [
        place_changed("WH1"),
        place_changed("WH2"),
        place_changed("DOCK", kind="dock", feeds="WH1"),
        shop_changed("main", sources=["WH1"]),
        shop_changed("web", sources=["WH2"]),
        vendor_changed("V", policy={"lead_time_days": 7}),
        item_changed("A", vendor="V", policy={"pack_size": 5}),
        item_changed("B", vendor="V"),
        stock_received("r1", "WH1", [("A", 5), ("B", 1)]),
        order_placed("1", [("A", 3), ("B", 2)]),
        order_placed("2", [("A", 4)], placed_at=T0 + timedelta(minutes=5)),
        order_placed("9", [("C", 4)], shop="web", placed_at=T0 + timedelta(minutes=6)),
        order_placed("3", [("A", 4)], placed_at=T0 + timedelta(minutes=7)),
        replenishment_closed(FIRST, lines=[("A", [(2, SOON), (8, LATER)])]),
        stock_received("r2", "DOCK", [("A", 1)], replenishment_id=FIRST),
        order_placed("4", [("A", 9)], placed_at=T0 + timedelta(minutes=9)),
    ]
