"""`order`: one order as contract.md §6 shapes it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from events.envelope import Event
from handlers.policy import Rules
from store import schema
from store.transaction import Database
from store.views.orders import order, restock_status
from store.views.shapes import OrderView
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    replenishment_closed,
    shop_changed,
    stock_received,
)
from tests.support.story import FIRST, LATER, NOW, SOON, UNCONFIRMED, story
from tests.support.telling import tell


def _order(database: Database, order_id: str, shop: str = "main") -> OrderView:
    with database.read() as tx:
        found = order(tx, Rules(), shop, order_id, NOW)
    assert found is not None
    return found


def _line(**quantities: object) -> dict[str, object]:
    return {
        **dict.fromkeys(("allocated", "released", "shortage", "pending", "drop_ship"), 0),
        **dict.fromkeys(("shipped", "cancelled", "rejected"), 0),
        "expected_at": None,
        "allocations": [],
        **quantities,
    }


def test_an_order_that_waits_in_part_is_shown_line_by_line(database: Database) -> None:
    tell(database, *story())
    at_source = [{"source": "WH1", "qty": 3}]
    assert _order(database, "1") == {
        "shop": "main",
        "order_id": "1",
        "status": "held",
        "restock_status": "none",
        "holds": [],
        "expected_at": UNCONFIRMED,
        "lines": [
            _line(line_id="1", sku="A", ordered=3, allocated=3, released=3, allocations=at_source),
            _line(
                line_id="2",
                sku="B",
                ordered=2,
                allocated=1,
                released=1,
                shortage=1,
                expected_at=UNCONFIRMED,
                allocations=[{"source": "WH1", "qty": 1}],
            ),
        ],
    }


def test_r11_each_line_expects_the_supply_that_reaches_it_in_queue_order(
    database: Database,
) -> None:
    tell(database, *story())
    # The dock's unit and the first part serve order 2, the second part order 3; what order 4 still
    # lacks is on the open replenishment, whose lead time counts from now.
    dates = {n: _order(database, n)["expected_at"] for n in ("2", "3", "4")}
    assert dates == {"2": SOON, "3": LATER, "4": NOW + timedelta(days=7)}
    assert _order(database, "9", "web")["expected_at"] is None  # nobody sells C


def test_r11_two_lines_of_one_sku_wait_one_behind_the_other(database: Database) -> None:
    parts = [(2, SOON), (3, LATER)]
    tell(
        database,
        item_changed("A", vendor="V"),
        shop_changed("main", sources=["WH1"]),
        order_placed("1", [("A", 2), ("A", 3)]),
        replenishment_closed(FIRST, lines=[("A", parts)]),
    )
    found = _order(database, "1")
    assert [line["expected_at"] for line in found["lines"]] == [SOON, LATER]
    assert found["expected_at"] == LATER


def _history(name: str) -> list[Event]:
    """What may happen to an order of four units of a sku of its own, both named alike."""
    units = dict.fromkeys(("held", "filled", "late"), 1)
    placed = order_placed(name, [(name, 4)])
    stocked = stock_received(name, "WH1", [(name, units.get(name.split("-", maxsplit=1)[0], 4))])
    more = {"filled": 1, "late": 9}.get(name.split("-", maxsplit=1)[0], 0)
    events = [stocked, placed]
    if more:
        events.append(stock_received(f"{name}-more", "WH1", [(name, more)]))
    if "refused" in name:
        events = [item_changed(name, policy={"backorder_policy": "none"}), placed]
    if "shipped" in name:
        events.append(order_shipped(name, "s", "WH1", [("1", 4)]))
    if "part" in name:
        events.append(order_shipped(name, "s", "WH1", [("1", 1)]))
    if "cancelled" in name:
        events.append(order_cancelled(name))
    return events


STATUSES = {
    "held": ("held", "none"),
    "filled": ("held", "partial"),
    "late": ("open", "full"),
    "ready": ("open", None),
    "shipped": ("shipped", None),
    "late-shipped": ("shipped", "full"),
    "refused": ("rejected", None),
    "cancelled": ("cancelled", None),
    "part-cancelled": ("shipped", None),
}


def test_the_status_says_how_far_an_order_is(database: Database) -> None:
    tell(database, *(event for name in STATUSES for event in _history(name)))
    found = {name: _order(database, name) for name in STATUSES}
    assert {name: (row["status"], row["restock_status"]) for name, row in found.items()} == STATUSES


PLACED = order_placed("1", [("A", 4)])
STOCKED = stock_received("r1", "WH1", [("A", 1)])
ENOUGH = stock_received("r3", "WH1", [("A", 10)])
REFUSING = item_changed("A", policy={"backorder_policy": "none"})


def test_a_status_nothing_brings_about_yet_is_read_from_the_lines(database: Database) -> None:
    tell(database, REFUSING, PLACED)
    lines = schema.order_lines
    statuses = {}
    for column in ("pending", "shortage", "drop_ship"):
        zero = dict.fromkeys(("rejected", "pending", "shortage", "drop_ship"), 0)
        with database.begin() as tx:
            tx.connection.execute(update(lines).values({**zero, column: lines.c.ordered}))
        statuses[column] = _order(database, "1")["status"]
    assert statuses == {"pending": "pending", "shortage": "held", "drop_ship": "open"}


def test_units_the_warehouse_was_not_told_of_are_allocated_and_not_released(
    database: Database,
) -> None:
    tell(database, ENOUGH, PLACED)
    with database.begin() as tx:
        tx.connection.execute(update(schema.allocations).values(release_id=None))
    found = _order(database, "1")
    (line,) = found["lines"]
    assert (found["status"], line["allocated"], line["released"]) == ("ready", 4, 0)


def test_a_line_filled_in_parts_from_one_source_shows_one_sum(database: Database) -> None:
    fills = [stock_received(f"r{n}", "WH2", [("A", 1)]) for n in (8, 9)]
    tell(database, STOCKED, PLACED, *fills)
    (line,) = _order(database, "1")["lines"]
    assert line["allocations"] == [{"source": "WH1", "qty": 1}, {"source": "WH2", "qty": 2}]


def test_an_unmanaged_line_is_allocated_without_a_source(database: Database) -> None:
    tell(database, item_changed("P", policy={"manage_stock": False}), order_placed("1", [("P", 2)]))
    (line,) = _order(database, "1")["lines"]
    assert line["allocations"] == [{"source": None, "qty": 2}]


def test_an_order_nobody_knows_is_none(database: Database) -> None:
    tell(database, PLACED)
    with database.read() as tx:
        assert order(tx, Rules(), "main", "2", NOW) is None
        assert order(tx, Rules(), "web", "1", NOW) is None


@pytest.mark.parametrize(
    ("short", "shortage", "status"),
    [(0, 0, None), (3, 3, "none"), (3, 2, "partial"), (3, 0, "full")],
)
def test_the_restock_status_is_how_much_of_what_was_short_is_there(
    short: int, shortage: int, status: str | None
) -> None:
    assert restock_status(short, shortage) == status


def test_a_line_cancelled_while_it_waited_is_not_counted_as_short(database: Database) -> None:
    tell(database, STOCKED, PLACED, order_cancelled("1", [("1", 3)]))
    found = _order(database, "1")
    assert (found["status"], found["restock_status"]) == ("open", None)


def test_what_is_expected_is_expected_from_now(database: Database) -> None:
    tell(database, *story())
    with database.read() as tx:
        late = order(tx, Rules(), "main", "4", NOW + timedelta(days=30))
    assert late is not None
    assert late["expected_at"] == NOW + timedelta(days=37)
