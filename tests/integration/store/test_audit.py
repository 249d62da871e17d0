"""`audit` finds every stored counter that is not what it should be, and nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, insert, text, update

from handlers.policy import Rules
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database, Transaction
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.story import FIRST, SECOND, story
from tests.support.telling import tell

Corrupt = Callable[[Transaction], None]


class _RollBackError(Exception):
    """The corruption was seen and is not kept."""


@contextmanager
def _undone(database: Database) -> Iterator[Transaction]:
    """A transaction whose changes are not kept."""
    with suppress(_RollBackError), database.begin() as tx:
        yield tx
        raise _RollBackError


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


def _tell_everything(database: Database) -> None:
    tell(
        database,
        *story(),
        item_changed("POST", policy={"manage_stock": False}),
        order_placed("post", [("POST", 1)]),
        stock_received("r7", "WH1", [("D", 3)]),
        order_placed("gone", [("D", 2)]),
        order_shipped("gone", "s1", "WH1", [("1", 2)]),
        order_cancelled("unknown", event_id="early"),
    )


def test_a_database_that_adds_up_has_no_differences(database: Database) -> None:
    _tell_everything(database)
    with database.read() as tx:
        found = inspect(tx, Rules())
    assert found["differences"] == []
    emitted = found["checked"].pop("emitted")
    assert found["checked"].pop("outbox") == emitted > 20
    assert found["checked"] == {
        "items": 5,
        "stock": 4,
        "movements": 5,
        "demand": 3,
        "orders": 7,
        "order_lines": 8,
        "allocations": 4,
        "replenishments": 2,
        "replenishment_lines": 3,
        "replenishment_slots": 1,
        "waiting": 1,
        "tasks": 0,
    }


def test_every_corrupted_counter_is_found_and_nothing_else(database: Database) -> None:
    _tell_everything(database)
    found = {}
    for name, (corrupt, _expected) in CORRUPTIONS.items():
        with _undone(database) as tx:
            corrupt(tx)
            differences = inspect(tx, Rules())["differences"]
            found[name] = {f"{row['rule']} {row['what']}" for row in differences}
    assert found == {name: expected for name, (_corrupt, expected) in CORRUPTIONS.items()}


def test_a_difference_says_what_where_expected_and_found(database: Database) -> None:
    _tell_everything(database)
    with _undone(database) as tx:
        for name in ("on_hand", "outstanding", "allocated of a line"):
            CORRUPTIONS[name][0](tx)
        line = {"shop": "main", "order_id": "4", "line_id": "1"}
        assert inspect(tx, Rules())["differences"] == [
            {
                "rule": "L2",
                "what": "stock.on_hand",
                "sku": "A",
                "place": "WH1",
                "refs": {},
                "expected": 5,
                "found": 6,
            },
            {
                "rule": "L3",
                "what": "order_lines.allocated",
                "sku": "A",
                "place": None,
                "refs": line,
                "expected": 0,
                "found": 1,
            },
            {
                "rule": "R4",
                "what": "replenishment_lines.outstanding",
                "sku": "A",
                "place": "WH1",
                "refs": {"replenishment_id": FIRST, "vendor": "V"},
                "expected": 9,
                "found": 8,
            },
        ]


def test_a_counter_of_a_sku_nobody_knows_is_found(database: Database) -> None:
    with database.begin() as tx:
        tx.connection.execute(
            insert(schema.stock).values(sku="X", place="WH", on_hand=1, allocated=0, clock=0)
        )
    with database.read() as tx:
        (found,) = inspect(tx, Rules())["differences"]
    assert (found["sku"], found["expected"], found["found"]) == ("X", 0, 1)
