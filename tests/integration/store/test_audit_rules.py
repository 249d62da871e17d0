"""`audit` asks the rules again, and knows what explains that they would do more."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, insert, update

from handlers.policy import Policy, Rules
from store import rule_settings, schema
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
    stock_transferred,
    vendor_changed,
)
from tests.support.keeping import NOW
from tests.support.rules import rule
from tests.support.telling import tell
from tests.support.wire import T0

CAREFUL = Rules(defaults=replace(Policy(), safety_stock=3))


def _audit(database: Database, rules: Rules | None = None) -> list[str]:
    with database.read() as tx:
        rows = inspect(tx, rules or Rules())["differences"]
    return [f"{row['rule']} {row['sku']} {row['expected']} {row['found']}" for row in rows]


@rule("S8")
def test_more_allocated_than_there_is_wants_an_exception_that_says_why(
    database: Database,
) -> None:
    tell(
        database,
        stock_received("r1", "WH1", [("A", 5)]),
        order_placed("1", [("A", 5)]),
        stock_transferred("t1", "WH1", "ELSEWHERE", [("A", 2)]),
    )
    assert _audit(database) == []
    with database.begin() as tx:
        exceptions = schema.exceptions
        done = tx.connection.execute(
            delete(exceptions).where(exceptions.c.code == "over_allocated")
        )
        assert done.rowcount == 1
    assert _audit(database) == ["S8 A 3 5"]


@rule("S3")
def test_nobody_waits_for_stock_that_is_free(database: Database) -> None:
    tell(database, shop_changed("main", sources=["WH1"]), order_placed("1", [("A", 2)]))
    # A receipt that did not fill: its movement and its counter agree.
    with database.begin() as tx:
        moved = {"event_source": "/x", "event_id": "x", "n": 0, "event_type": "StockReceived"}
        units = {"sku": "A", "qty": 5, "target": "WH1", "outside": "vendor", "reason": "received"}
        tx.connection.execute(
            insert(schema.movements).values(**moved, **units, happened_at=T0, clock=1)
        )
        tx.connection.execute(
            insert(schema.stock).values(sku="A", place="WH1", on_hand=5, allocated=0, clock=1)
        )
    assert _audit(database) == ["S13 A in_stock backorder", "S3 A 0 2"]
    # Above the safety stock nothing is free; nor is it where its shop may not ship from.
    assert _audit(database, Rules(defaults=replace(Policy(), safety_stock=5))) == []
    with database.begin() as tx:
        tx.connection.execute(update(schema.shops).values(sources=["WH2"]))
    assert _audit(database) == []


@rule("R2")
def test_a_need_nobody_ordered_is_found(database: Database) -> None:
    tell(database, order_placed("1", [("A", 2)]))
    with database.begin() as tx:
        tx.connection.execute(update(schema.items).values(vendor="V"))
    assert _audit(database) == ["R2 A 2 0"]
    # Automation may not order it: then nothing is missing.
    assert _audit(database, Rules(auto_replenish_enabled=False)) == []


@rule("R2")
def test_what_is_open_with_a_former_vendor_is_found(database: Database) -> None:
    tell(database, item_changed("A", vendor="V"), order_placed("1", [("A", 2)]))
    with database.begin() as tx:
        tx.connection.execute(update(schema.items).values(vendor="W"))
    assert _audit(database) == ["R2 A 0 2", "R2 A 2 0"]


@rule("S6")
def test_what_a_policy_walk_has_yet_to_reach_is_no_difference(database: Database) -> None:
    off, on = {"auto_replenish": False}, {"auto_replenish": True}
    tell(
        database,
        vendor_changed("V", policy=off),
        *(item_changed(sku, vendor="V") for sku in "AB"),
        order_placed("1", [("A", 1), ("B", 1)]),
    )
    tell(database, vendor_changed("V", policy=on), steps=False)
    assert _audit(database) == []
    with database.begin() as tx:
        tx.connection.execute(update(schema.tasks).values(cursor="A"))
    assert _audit(database) == ["R2 A 1 0"]  # said to be done, and is not
    with database.begin() as tx:
        tx.connection.execute(update(schema.tasks).values(cursor=""))
    tell(database)
    assert _audit(database) == []


@rule("S6")
def test_an_unfinished_fill_explains_who_still_waits(database: Database) -> None:
    waiting = [
        order_placed(str(n), [("A", 1)], placed_at=T0 + timedelta(minutes=n)) for n in range(20)
    ]
    few = Rules(fill_step_lines_max=1)
    tell(database, place_changed("main"), *waiting, rules=few)
    tell(database, stock_received("r1", "main", [("A", 20)]), rules=few, steps=False)
    with database.read() as tx:
        assert inspect(tx, few)["checked"]["tasks"] == 1
    assert _audit(database, few) == []
    tell(database, rules=few)
    assert _audit(database, few) == []


def test_what_waits_may_be_as_the_last_init_left_it(database: Database) -> None:
    with database.begin() as tx:
        rule_settings.keep(tx, Rules(), NOW)
    tell(
        database,
        place_changed("main"),
        item_changed("A", vendor="V"),
        order_placed("1", [("A", 2)]),
        stock_received("r1", "main", [("B", 5)]),
        order_placed("2", [("B", 4)]),
    )
    # Somebody has turned automation off, and not yet run `backship init`.
    off = Rules(auto_replenish_enabled=False)
    assert _audit(database, off) == []
    with database.begin() as tx:
        assert rule_settings.keep(tx, off, NOW) == "changed"
    assert _audit(database, off) == []  # the walk is still to come
    tell(database, rules=off)
    assert _audit(database, off) == []
    assert _audit(database, Rules()) == []  # as the last init left it
    with database.begin() as tx:
        rule_settings.keep(tx, CAREFUL, NOW)
        tx.connection.execute(delete(schema.tasks))
    assert _audit(database, CAREFUL) == ["R2 A 2 0", "S13 B backorder in_stock"]
