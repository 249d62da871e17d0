"""`backorders`: the orders that wait, in queue order, and which of them a filter chooses."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from handlers.policy import Rules
from store import schema
from store.transaction import Database
from store.views import backorders as view
from store.views.backorders import Wanted, backorders
from store.views.shapes import BackorderView
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.story import LATER, NOW, OPEN, SOON, UNCONFIRMED, story
from tests.support.telling import tell
from tests.support.wire import T0

ALL = Wanted()


def _backorders(database: Database, wanted: Wanted = ALL) -> list[BackorderView]:
    with database.read() as tx:
        return list(backorders(tx, Rules(), wanted, NOW))


def _names(found: list[BackorderView]) -> list[str]:
    return [f"{row['shop']}/{row['order_id']}" for row in found]


def _waits(order: str, minute: int, sku: str, qty: int, **more: object) -> dict[str, object]:
    shop, order_id = order.split("/")
    return {
        "shop": shop,
        "order_id": order_id,
        "placed_at": T0 + timedelta(minutes=minute),
        "restock_status": "none",
        "lines": [{"line_id": "1", "sku": sku, "shortage": qty}],
        **more,
    }


def test_orders_that_wait_stand_in_queue_order(database: Database) -> None:
    tell(database, *story())
    line_2 = [{"line_id": "2", "sku": "B", "shortage": 1}]
    assert _backorders(database) == [
        _waits("main/1", 0, "B", 1, expected_at=UNCONFIRMED, lines=line_2),
        _waits("main/2", 5, "A", 2, expected_at=SOON),
        _waits("web/9", 6, "C", 4, expected_at=None),
        _waits("main/3", 7, "A", 4, expected_at=LATER),
        _waits("main/4", 9, "A", 9, expected_at=OPEN),
    ]


def test_s4_priority_goes_before_the_time_it_was_placed(database: Database) -> None:
    tell(
        database,
        order_placed("1", [("A", 1)]),
        order_placed("2", [("A", 1)], priority=5, placed_at=T0 + timedelta(days=1)),
    )
    assert _names(_backorders(database)) == ["main/2", "main/1"]


FILTERS: list[tuple[Wanted, list[str]]] = [
    (Wanted(shop="web"), ["web/9"]),
    (Wanted(sku="B"), ["main/1"]),
    (Wanted(vendor="V"), ["main/1", "main/2", "main/3", "main/4"]),
    (Wanted(vendor="V", sku="A"), ["main/2", "main/3", "main/4"]),
    (Wanted(source="WH2"), ["web/9"]),
    (Wanted(source="WH1", sku="B"), ["main/1"]),
    (Wanted(source="DOCK"), []),
    (Wanted(shop="nobody"), []),
    (Wanted(ready=True), []),
]


def test_a_filter_chooses_orders(database: Database) -> None:
    tell(database, *story())
    assert [(wanted, _names(_backorders(database, wanted))) for wanted, _ in FILTERS] == FILTERS


def test_an_order_is_shown_whole_whichever_of_its_lines_fits(database: Database) -> None:
    tell(database, order_placed("1", [("A", 1), ("B", 2)]))
    (found,) = _backorders(database, Wanted(sku="B"))
    assert [line["sku"] for line in found["lines"]] == ["A", "B"]
    assert found["expected_at"] is None


def test_a_disabled_source_serves_no_backorder(database: Database) -> None:
    tell(
        database,
        shop_changed("main", sources=["WH1", "WH2"]),
        order_placed("1", [("A", 1)]),
        place_changed("WH2", enabled=False),
    )
    assert _names(_backorders(database, Wanted(source="WH1"))) == ["main/1"]
    assert _backorders(database, Wanted(source="WH2")) == []


def test_r11_the_date_of_an_order_counts_all_who_wait_before_it_whatever_the_filter(
    database: Database,
) -> None:
    tell(database, *story())
    whole = {row["order_id"]: row["expected_at"] for row in _backorders(database)}
    for wanted in (Wanted(sku="A"), Wanted(shop="main"), Wanted(source="WH1")):
        for row in _backorders(database, wanted):
            assert row["expected_at"] == whole[row["order_id"]]


def test_an_order_partly_restocked_says_so(database: Database) -> None:
    tell(database, order_placed("1", [("A", 3)]), stock_received("r1", "main", [("A", 1)]))
    (found,) = _backorders(database)
    assert found["restock_status"] == "partial"
    assert found["lines"] == [{"line_id": "1", "sku": "A", "shortage": 2}]


def test_ready_ones_are_allocated_and_the_warehouse_was_not_told(database: Database) -> None:
    tell(
        database,
        item_changed("B", vendor="V"),
        stock_received("r1", "WH1", [("A", 5), ("B", 1)]),
        order_placed("1", [("A", 1)]),
        order_placed("2", [("A", 1), ("B", 2)], placed_at=T0 + timedelta(minutes=1)),
        order_placed("3", [("C", 1)], placed_at=T0 + timedelta(minutes=2)),
        order_placed("4", [("A", 1)], placed_at=T0 + timedelta(minutes=3)),
    )
    allocations, lines = schema.allocations, schema.order_lines
    with database.begin() as tx:
        tx.connection.execute(
            update(allocations).where(allocations.c.order_id != "4").values(release_id=None)
        )
        tx.connection.execute(
            update(lines).where(lines.c.order_id != "4").values(unreleased=lines.c.allocated)
        )
    found = _backorders(database, Wanted(ready=True))
    assert [(row["order_id"], [line["shortage"] for line in row["lines"]]) for row in found] == [
        ("1", [0]),
        ("2", [0, 1]),
    ]
    assert [row["restock_status"] for row in found] == [None, "none"]
    assert _names(_backorders(database, Wanted(ready=True, source="WH1", sku="B"))) == ["main/2"]
    assert _backorders(database, Wanted(ready=True, source="WH2")) == []


def test_orders_read_page_by_page_are_those_read_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(database, *story())
    whole = [_backorders(database), _backorders(database, Wanted(ready=True))]
    monkeypatch.setattr(view, "FIRST_ORDERS", 1)
    monkeypatch.setattr(view, "ORDERS_MAX", 2)
    assert [_backorders(database), _backorders(database, Wanted(ready=True))] == whole
