"""What is bought for single lines, in what people are shown: dates, coverage, what is left."""

from datetime import timedelta
from typing import Any

from events.envelope import Event
from handlers.policy import Rules
from handlers.rules.identity import spoken
from store.transaction import Database
from store.views.backorders import Wanted, backorders
from store.views.orders import order
from store.views.shapes import OrderView, ReplenishmentView
from store.views.stock import stock
from store.views.supply import Chosen, replenishments
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.story import FIRST, LATER, NOW, OPEN, SOON
from tests.support.telling import tell
from tests.support.wire import T0

LEAD = {"lead_time_days": 7}
BY_ORDER = {**LEAD, "sourcing": "buy_to_order"}
DROPPED = {**LEAD, "sourcing": "drop_ship"}
TO_CUSTOMER = spoken("R", "W", "customer:main/1", "1")
BY_HAND = spoken("R", "X", "WH1", "1")


def _tell(database: Database, *events: Event) -> None:
    """Tell events where A is kept in stock, B is bought to order, and W ships D itself."""
    tell(
        database,
        place_changed("WH1"),
        place_changed("DOCK", kind="dock", feeds="WH1"),
        shop_changed("main", sources=["WH1"]),
        item_changed("A", vendor="V", policy=LEAD),
        item_changed("B", vendor="V", policy=BY_ORDER),
        item_changed("D", vendor="W", policy=DROPPED),
        *events,
    )


def _placed(order_id: str, *lines: tuple[str, int], minute: int = 0) -> Event:
    return order_placed(order_id, lines, placed_at=T0 + timedelta(minutes=minute))


def _picked(order_id: str, qty: int) -> Event:
    line = {"sku": "N", "shop": "main", "order_id": order_id, "line_id": "1", "qty": qty}
    return replenishment_requested("X", [line])


def _order(database: Database, order_id: str) -> OrderView:
    with database.read() as tx:
        found = order(tx, Rules(), "main", order_id, NOW)
        listed = list(backorders(tx, Rules(), Wanted(), NOW))
    assert found is not None
    for row in listed:  # two ways to the same date
        if row["order_id"] == order_id:
            assert row["expected_at"] == found["expected_at"]
    return found


def _bought(database: Database, replenishment_id: str) -> ReplenishmentView:
    with database.read() as tx:
        (found,) = list(replenishments(tx, Rules(), Chosen(replenishment_id), NOW))
        every = list(replenishments(tx, Rules(), Chosen(), NOW))
    assert found in every
    return found


def _covers(order_id: str, qty: int, line_id: str = "1") -> dict[str, Any]:
    return {"shop": "main", "order_id": order_id, "line_id": line_id, "qty": qty}


@rule("R10", "R11")
def test_a_line_bought_to_order_expects_its_own_place_among_the_parts(database: Database) -> None:
    _tell(database, _placed("1", ("B", 2)), _placed("2", ("B", 3), minute=1))
    assert _order(database, "2")["expected_at"] == OPEN
    tell(database, replenishment_closed(FIRST, lines=[("B", [(3, LATER), (2, SOON)])]))
    assert [_order(database, name)["expected_at"] for name in ("1", "2")] == [SOON, LATER]
    received = [("B", 2)]
    tell(database, stock_received("r1", "DOCK", received, replenishment_id=FIRST))
    assert [_order(database, name)["expected_at"] for name in ("1", "2")] == [NOW, LATER]


@rule("R11")
def test_a_line_that_nobody_buys_for_has_no_date(database: Database) -> None:
    _tell(database, item_changed("B", policy={"auto_replenish": False}), _placed("1", ("B", 2)))
    assert _order(database, "1")["expected_at"] is None


@rule("R9", "R10", "R11")
def test_a_line_picked_in_part_expects_the_later_of_both(database: Database) -> None:
    sold = item_changed("N", policy=LEAD)
    _tell(database, sold, _placed("1", ("N", 5)), _placed("2", ("N", 1), minute=1), _picked("1", 2))
    assert _order(database, "1")["expected_at"] is None  # three units of it are not bought yet
    tell(database, _picked("1", 3), _picked("2", 1))
    assert _order(database, "1")["expected_at"] == OPEN
    tell(database, replenishment_closed(BY_HAND, lines=[("N", [(5, LATER), (1, SOON)])]))
    assert [_order(database, name)["expected_at"] for name in ("1", "2")] == [LATER, LATER]
    with database.read() as tx:
        found = list(backorders(tx, Rules(), Wanted(vendor="X"), NOW))
    assert [row["order_id"] for row in found] == ["1", "2"]


@rule("S10", "R11")
def test_a_line_that_staff_hold_keeps_its_place_in_the_queue_and_its_date(
    database: Database,
) -> None:
    _tell(
        database,
        stock_received("r1", "WH1", [("A", 2)]),
        _placed("1", ("A", 2)),
        line_backordered("1", ("1", 2), "WH1", reason="hold"),
        _placed("2", ("A", 5), minute=1),
        replenishment_closed(FIRST, lines=[("A", [(2, SOON), (9, LATER)])]),
    )
    first = _order(database, "1")
    assert (first["status"], first["expected_at"]) == ("held", SOON)
    assert _order(database, "2")["expected_at"] == LATER


@rule("R10")
def test_a_replenishment_covers_the_lines_it_was_bought_for_before_the_queue(
    database: Database,
) -> None:
    _tell(
        database,
        _placed("1", ("A", 4), ("B", 2)),
        _placed("2", ("A", 3), minute=1),
        stock_received("r1", "DOCK", [("A", 2)]),
        replenishment_requested(
            "V", [{"sku": "A", "shop": "main", "order_id": "2", "line_id": "1", "qty": 2}]
        ),
    )
    found = _bought(database, FIRST)
    covers = {row["sku"]: (row["qty"], row["covers"]) for row in found["lines"]}
    # Two units at the dock serve order 1 first; then the queue has its last two and one of order 2.
    assert covers == {
        "A": (5, [_covers("2", 3), _covers("1", 2)]),
        "B": (2, [_covers("1", 2, "2")]),
    }
    assert found["expected_at"] == OPEN


@rule("R10", "R11")
def test_what_a_vendor_ships_is_outstanding_until_it_has_shipped(database: Database) -> None:
    _tell(database, _placed("1", ("D", 3)))
    shown = _bought(database, TO_CUSTOMER)
    assert (shown["destination"], shown["expected_at"]) == ("customer:main/1", OPEN)
    assert shown["lines"] == [
        {"sku": "D", "qty": 3, "received": 0, "outstanding": 3, "covers": [_covers("1", 3)]}
    ]
    tell(database, replenishment_closed(TO_CUSTOMER, time=T0))
    shown = _bought(database, TO_CUSTOMER)
    assert (shown["state"], shown["expected_at"]) == ("finalized", T0 + timedelta(days=7))
    tell(database, order_shipped("1", "s1", "vendor:W", [("1", 2)]))
    (line,) = _bought(database, TO_CUSTOMER)["lines"]
    assert (line["received"], line["outstanding"], line["covers"]) == (2, 1, [_covers("1", 1)])
    assert _order(database, "1")["lines"][0]["drop_ship"] == 1
    tell(database, order_shipped("1", "s2", "vendor:W", [("1", 1)]))
    shown = _bought(database, TO_CUSTOMER)
    assert (shown["state"], shown["expected_at"]) == ("received", None)
    assert shown["lines"][0]["outstanding"] == 0
    assert _order(database, "1")["status"] == "shipped"


@rule("O2", "S13")
def test_what_goes_to_customers_is_not_incoming_and_selling_it_has_no_limit(
    database: Database,
) -> None:
    limit = {"backorder_limit": 1}
    _tell(
        database,
        item_changed("D", policy=limit),
        item_changed("B", policy=limit),
        _placed("1", ("D", 3), ("B", 4)),
        replenishment_closed(TO_CUSTOMER),
        replenishment_closed(FIRST),
    )
    with database.read() as tx:
        dropped, by_order = (stock(tx, Rules(), sku, NOW) for sku in ("D", "B"))
    assert dropped is not None
    assert by_order is not None
    assert (dropped["incoming"], dropped["net_position"], dropped["sellable"]) == (
        0,
        0,
        {"main": None},
    )
    assert (by_order["incoming"], by_order["net_position"], by_order["sellable"]) == (
        4,
        -4,
        {"main": None},
    )
