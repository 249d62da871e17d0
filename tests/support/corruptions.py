"""Ways in which stored counters go wrong, and what an audit has to say to each.

`everything` are events after which every kind of counter is stored somewhere.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, text, update

from events.envelope import Event
from store import schema
from store.transaction import Transaction
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.story import FIRST, SECOND, story

Corrupt = Callable[[Transaction], None]


def everything() -> list[Event]:
    """Return the events, in the order in which they are told."""
    return [
        *story(),
        item_changed("POST", policy={"manage_stock": False}),
        order_placed("post", [("POST", 1)]),
        stock_received("r7", "WH1", [("D", 3)]),
        order_placed("gone", [("D", 2)]),
        order_shipped("gone", "s1", "WH1", [("1", 2)]),
        order_cancelled("unknown", event_id="early"),
    ]


def _set(table: Table, where: dict[str, str], **values: Any) -> Corrupt:  # noqa: ANN401 - columns
    """Overwrite columns of one row; a callable is given the column."""

    def corrupt(tx: Transaction) -> None:
        new = {name: value(table.c) if callable(value) else value for name, value in values.items()}
        done = tx.connection.execute(update(table).where(_is(table, where)).values(new))
        assert done.rowcount == 1

    return corrupt


def _drop(table: Table, where: dict[str, str]) -> Corrupt:
    def corrupt(tx: Transaction) -> None:
        assert tx.connection.execute(delete(table).where(_is(table, where))).rowcount == 1

    return corrupt


def _empty(table: Table) -> Corrupt:
    def corrupt(tx: Transaction) -> None:
        assert tx.connection.execute(delete(table)).rowcount

    return corrupt


def _unchecked(corrupt: Corrupt) -> Corrupt:
    """Do what a constraint forbids, without the constraint."""

    def without(tx: Transaction) -> None:
        if tx.dialect.name == "sqlite":
            tx.connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            sql = "ALTER TABLE order_lines DROP CONSTRAINT ck_order_lines_adds_up"
            tx.connection.execute(text(sql))
        corrupt(tx)

    return without


def _is(table: Table, where: dict[str, str]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in where.items()))


def _more(name: str, units: int = 1) -> Callable[[Any], Any]:
    return lambda columns: columns[name] + units


AT_WH1 = {"sku": "A", "place": "WH1"}
WAITS = {"sku": "A", "destination": "WH1", "shop": "main"}
LINE = {"shop": "main", "order_id": "4", "line_id": "1"}
SHIPPED = {"shop": "main", "order_id": "gone", "line_id": "1"}
UNMANAGED = {"shop": "main", "order_id": "post"}
ALLOCATION = {"shop": "main", "order_id": "2", "line_id": "1"}
COMING = {"replenishment_id": FIRST, "sku": "A"}
ASKED = {"replenishment_id": SECOND, "sku": "A"}
SLOT = {"vendor": "V", "destination": "WH1"}
EARLY = {"order_id": "unknown"}

# What is done to the database, and what the audit has to say: rule and what, all of it.
CORRUPTIONS: dict[str, tuple[Corrupt, set[str]]] = {
    "on_hand": (
        _set(schema.stock, AT_WH1, on_hand=_more("on_hand")),
        {"L2 stock.on_hand"},
    ),
    "allocated": (
        _set(schema.stock, AT_WH1, allocated=_more("allocated", -1)),
        {"L3 stock.allocated"},
    ),
    "no stock row": (_drop(schema.stock, AT_WH1), {"L2 stock.on_hand", "L3 stock.allocated"}),
    "demand": (
        _set(schema.demand, WAITS, shortage=_more("shortage")),
        {"L4 demand.shortage"},
    ),
    "no demand row": (_drop(schema.demand, WAITS), {"L4 demand.shortage"}),
    "allocated of a line": (
        _set(schema.order_lines, LINE, allocated=1, ordered=_more("ordered")),
        {"L3 order_lines.allocated"},
    ),
    "shortage of a line": (
        _set(schema.order_lines, LINE, shortage=_more("shortage"), ordered=_more("ordered")),
        {"L4 demand.shortage", "R2 replenishment_lines.qty of the open one"},
    ),
    "shipped of a line": (
        _set(schema.order_lines, SHIPPED, shipped=_more("shipped"), ordered=_more("ordered")),
        {"S9 order_lines.shipped, at most what left"},
    ),
    "queue place of a line": (
        _set(schema.order_lines, LINE, priority=1),
        {"S4 order_lines: destination, priority, placed_at"},
    ),
    "destination of a line": (
        _set(schema.order_lines, LINE, destination="WH2"),
        {"S4 order_lines: destination, priority, placed_at"},
    ),
    "an allocation": (
        _set(schema.allocations, ALLOCATION, qty=_more("qty")),
        {
            "L3 stock.allocated",
            "L3 order_lines.allocated",
            "S8 stock.allocated, at most on_hand",
        },
    ),
    "an allocation of no line": (
        _drop(schema.order_lines, UNMANAGED),
        {"L3 allocations: the line they are of"},
    ),
    "a line of no order": (
        _drop(schema.orders, UNMANAGED),
        {"L3 order_lines: the order they are of"},
    ),
    "allocation count": (
        _set(schema.orders, {"shop": "main", "order_id": "2"}, allocation_count=0),
        {"C1 orders.allocation_count"},
    ),
    "asked of the vendor": (
        _set(
            schema.replenishment_lines,
            ASKED,
            qty=_more("qty", 5),
            outstanding=_more("outstanding", 5),
        ),
        {"R2 replenishment_lines.qty of the open one", "R3 replenishments.told_total"},
    ),
    "outstanding": (
        _set(schema.replenishment_lines, COMING, outstanding=_more("outstanding", -1)),
        {"R4 replenishment_lines.outstanding"},
    ),
    "nothing received": (
        _set(schema.replenishment_lines, COMING, received=0, outstanding=10),
        {"R4 replenishments.state"},
    ),
    "more received": (
        _set(schema.replenishment_lines, COMING, received=3, outstanding=7),
        {"R2 replenishment_lines.qty of the open one"},
    ),
    "more received than arrived": (
        _set(schema.replenishment_lines, COMING, received=8, outstanding=2),
        {
            "R2 replenishment_lines.qty of the open one",
            "S1 replenishment_lines.received, at most what arrived",
        },
    ),
    "parts": (
        _set(schema.replenishment_lines, COMING, parts=[[9, None]]),
        {"R4 replenishment_lines.qty"},
    ),
    "state": (
        _set(schema.replenishments, {"replenishment_id": FIRST}, state="received"),
        {
            "R4 replenishments.state",
            "R4 replenishment_lines.outstanding",
            "R2 replenishment_lines.qty of the open one",
        },
    ),
    "told total": (
        _set(schema.replenishments, {"replenishment_id": SECOND}, told_total=6),
        {"R3 replenishments.told_total"},
    ),
    "told revision": (
        _set(schema.replenishments, {"replenishment_id": SECOND}, told_revision=0),
        {"R3 replenishments.told_revision"},
    ),
    "an empty slot": (
        _set(schema.replenishment_slots, SLOT, open_id=None),
        {"R1 replenishment_slots.open_id"},
    ),
    "a slot of another": (
        _set(schema.replenishment_slots, SLOT, open_id=FIRST),
        {"R1 replenishment_slots.open_id"},
    ),
    "a slot that is not empty": (
        lambda tx: tx.append(schema.replenishment_slots, [("W", "WH1", FIRST, 0, 0)]),
        {"R1 replenishment_slots.open_id"},
    ),
    "raised": (
        _set(schema.replenishment_slots, SLOT, raised=_more("raised")),
        {"R1 replenishment_slots.raised"},
    ),
    "busy": (_set(schema.items, {"sku": "C"}, busy=True), {"S6 items.busy"}),
    "an event that no longer waits": (
        _set(schema.inbox, {"event_id": "early"}, outcome="applied"),
        {"L5 inbox.outcome of what waits"},
    ),
    "a waiting event that is gone": (
        _drop(schema.waiting, EARLY),
        {"L5 inbox.outcome of what waits"},
    ),
    "history": (
        _empty(schema.emitted),
        {"L5 outbox: kept in what was emitted"},
    ),
    # The last one: SQLite keeps the constraints off for the rest of its connection.
    "sum of a line": (
        _unchecked(_set(schema.order_lines, LINE, ordered=_more("ordered"))),
        {"L3 order_lines.ordered"},
    ),
}
