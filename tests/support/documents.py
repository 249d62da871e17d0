"""The documents every query prints for one small story, as contract.md §6 shapes them.

One order waits for a finalized replenishment, one of its lines for a sku nobody sells, and one body
was set aside. `given` are the events of it.
"""

from typing import Any

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    replenishment_closed,
    shop_changed,
    stock_received,
)
from tests.support.story import FIRST, SOON

BROKEN = b'{"specversion": "1.0", "id": "broken", "source": "/shops/main"}'


def given() -> list[Event]:
    """Return the events, in the order in which they are told."""
    return [
        shop_changed("main", sources=["WH1"]),
        item_changed("A", vendor="V", policy={"backorder_limit": 9}),
        stock_received("r1", "WH1", [("A", 1)]),
        order_placed("1", [("A", 3), ("B", 1)]),
        order_shipped("1", "s1", "WH1", [("1", 1)]),
        replenishment_closed(FIRST, lines=[("A", [(4, SOON)])]),
    ]


LINE_A = {
    "line_id": "1",
    "sku": "A",
    "ordered": 3,
    "allocated": 0,
    "released": 0,
    "shortage": 2,
    "pending": 0,
    "drop_ship": 0,
    "shipped": 1,
    "cancelled": 0,
    "rejected": 0,
    "expected_at": "2026-11-24T10:00:00Z",
    "allocations": [],
}
LINE_B = {**LINE_A, "line_id": "2", "sku": "B", "ordered": 1, "shortage": 1, "shipped": 0}
ORDER = {
    "shop": "main",
    "order_id": "1",
    "status": "held",
    "restock_status": "none",
    "holds": [],
    "expected_at": None,
    "lines": [LINE_A, {**LINE_B, "expected_at": None}],
}
STOCK = {
    "sku": "A",
    "on_hand": 0,
    "allocated": 0,
    "available": 0,
    "shortage": 2,
    "incoming": 4,
    "net_position": -2,
    "sellable": {"main": 7},
    "places": [{"place": "WH1", "kind": "source", "on_hand": 0, "allocated": 0, "available": 0}],
}
BACKORDER = {
    "shop": "main",
    "order_id": "1",
    "placed_at": "2026-11-21T10:00:00Z",
    "restock_status": "none",
    "expected_at": None,
    "lines": [
        {"line_id": "1", "sku": "A", "shortage": 2},
        {"line_id": "2", "sku": "B", "shortage": 1},
    ],
}
REPLENISHMENT = {
    "replenishment_id": FIRST,
    "vendor": "V",
    "destination": "WH1",
    "state": "finalized",
    "automatic": True,
    "revision": 1,
    "expected_at": "2026-11-24T10:00:00Z",
    "lines": [
        {
            "sku": "A",
            "qty": 4,
            "received": 0,
            "outstanding": 4,
            "covers": [{"shop": "main", "order_id": "1", "line_id": "1", "qty": 2}],
        }
    ],
}
EXCEPTION = {
    "code": "no_vendor",
    "reason": None,
    "message": "1 of B wait and no vendor is known for it",
    "refs": {"sku": "B", "shop": "main", "order_id": "1", "line_id": "2"},
    "at": "2026-11-21T10:00:00Z",
}
SET_ASIDE = {
    "source": "/shops/main",
    "event_id": "broken",
    "type": None,
    "reason": "malformed",
    "field": "type",
    "message": "type is missing",
    "attempts": 1,
    "first_seen": "2026-11-21T12:00:00Z",
    "last_seen": "2026-11-21T12:00:00Z",
    "state": "set_aside",
}
CHECKED = {
    "items": 2,
    "stock": 1,
    "movements": 2,
    "demand": 2,
    "orders": 1,
    "order_lines": 2,
    "allocations": 0,
    "links": 0,
    "replenishments": 1,
    "replenishment_lines": 1,
    "replenishment_slots": 1,
    "emitted": 7,
    "outbox": 7,
    "waiting": 0,
    "tasks": 0,
}

QUERIES: dict[tuple[str, ...], Any] = {
    ("order", "main/1"): ORDER,
    ("stock", "A"): STOCK,
    ("backorders",): [BACKORDER],
    ("backorders", "--shop", "main", "--sku", "A", "--vendor", "V", "--source", "WH1"): [BACKORDER],
    ("backorders", "--shop", "web"): [],
    ("backorders", "--ready"): [],
    ("replenishments",): [REPLENISHMENT],
    ("replenishments", "--state", "open"): [],
    ("replenishments", "--vendor", "V"): [REPLENISHMENT],
    ("replenishment", FIRST): REPLENISHMENT,
    ("exceptions",): [EXCEPTION],
    ("audit",): {"checked": CHECKED, "differences": []},
    ("dead", "list", "--reason", "gave_up"): [],
}
