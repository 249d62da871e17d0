"""A longer story after which every kind of counter is stored somewhere, for `audit` to look at.

To `tests.support.story` it adds, each with a sku of its own:

POST  nobody manages; D  shipped; E  early; H  held back by staff; M  ships when somebody says so
BUY   bought to order, 1 of 3 units lies at the dock; DROP  ships from its vendor; PICK  a buyer's
PAY   waits for its payment; RISK  on another hold; G  half of a group; LOST  found, and owed
COUNT was counted, found and owes since; W sells what is bought of all these
"""

from datetime import timedelta

from events.envelope import Event
from handlers.rules.identity import spoken
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_cancelled,
    order_placed,
    order_shipped,
    replenishment_closed,
    replenishment_requested,
    stock_counted,
    stock_received,
    stock_transferred,
)
from tests.support.story import story
from tests.support.wire import T0

SENT = spoken("R", "W", "WH1", "1")  # finalized: for BUY and PICK
NEXT = spoken("R", "W", "WH1", "2")  # the open one, for BUY
TO_CUSTOMER = spoken("R", "W", "customer:main/drop", "1")  # open
SHIPPED_BY_W = spoken("R", "W", "customer:main/dropped", "1")  # received
COUNTED = T0 + timedelta(hours=1)
AFTER = T0 + timedelta(hours=2)


def full_story() -> list[Event]:
    """Return its events, in the order in which they are told."""
    return [*story(), *_simple(), *_unreleased(), *_bought(), *_missing()]


def _simple() -> list[Event]:
    return [
        item_changed("POST", policy={"manage_stock": False}),
        order_placed("post", [("POST", 1)]),
        stock_received("r7", "WH1", [("D", 3)]),
        order_placed("gone", [("D", 2)]),
        order_shipped("gone", "s1", "WH1", [("1", 2)]),
        order_cancelled("unknown", event_id="early"),
        replenishment_closed("R-unknown", event_id="unheard"),
        order_placed("pay", [("PAY", 2)], holds=["payment"]),
    ]


def _unreleased() -> list[Event]:
    group = [{"sku": sku, "qty": 1, "group": "g"} for sku in ("RISK", "G")]
    return [
        stock_received("r8", "WH1", [("H", 2), ("M", 1), ("RISK", 2)]),
        order_placed("held", [("H", 2)]),
        line_backordered("held", ("1", 2), "WH1", reason="hold"),
        order_placed("manual", [("M", 1)], release="manual"),
        order_placed("risk", [("RISK", 1)], holds=["fraud"]),
        order_placed("group", group),
    ]


def _bought() -> list[Event]:
    line = {"sku": "PICK", "shop": "main", "order_id": "pick", "line_id": "1", "qty": 2}
    return [
        item_changed("BUY", vendor="W", policy={"sourcing": "buy_to_order"}),
        item_changed("DROP", vendor="W", policy={"sourcing": "drop_ship"}),
        item_changed("PICK", vendor="W"),
        order_placed("buy", [("BUY", 3)]),
        order_placed("pick", [("PICK", 4)]),
        replenishment_requested("W", [line]),
        replenishment_closed(SENT),
        stock_received("r9", "DOCK", [("BUY", 1)], replenishment_id=SENT),
        order_placed("later", [("BUY", 2)]),
        order_placed("drop", [("DROP", 2)]),
        order_placed("dropped", [("DROP", 1)]),
        order_shipped("dropped", "s2", "vendor:W", [("1", 1)]),
    ]


def _missing() -> list[Event]:
    return [
        stock_transferred("t1", "WH2", "WH1", [("LOST", 2)]),
        stock_counted("c1", "WH2", [("COUNT", 3)], counted_at=COUNTED),
        stock_transferred("t2", "WH2", "WH1", [("COUNT", 5)], time=AFTER),
    ]
