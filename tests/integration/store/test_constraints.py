"""The last line of defence: what no code should ever write is refused by the tables themselves."""

from typing import Any

import pytest
from sqlalchemy import Table

from store import schema
from store.errors import Collision, DataRefused
from store.transaction import Database
from tests.support.good_rows import (
    ALLOCATION,
    DEMAND,
    EMITTED,
    FACT,
    INBOX,
    LINE,
    LINK,
    MOVEMENT,
    PLACE,
    REPLENISHMENT,
    REPLENISHMENT_LINE,
    STOCK,
    TASK,
    WAITING,
)
from tests.support.rules import rule


def put(database: Database, table: Table, *values: dict[str, Any]) -> None:
    with database.begin() as tx:
        for row in values:
            tx.connection.execute(table.insert().values(row))


def case(table: Table, good: dict[str, Any], name: str, **bad: object) -> Any:  # noqa: ANN401
    told = f"{table.name}-{name}-{'-'.join(bad)}"
    return pytest.param(table, good, bad, f"ck_{table.name}_{name}", id=told)


BROKEN = [
    case(schema.stock, STOCK, "on_hand", on_hand=-1),
    case(schema.stock, STOCK, "allocated", allocated=-1),
    case(schema.demand, DEMAND, "shortage", shortage=-1),
    case(schema.order_lines, LINE, "adds_up", shipped=6),
    case(schema.order_lines, LINE, "shortage", shortage=-1, ordered=18),
    case(schema.order_lines, LINE, "pending", pending=-1, ordered=17),
    case(schema.order_lines, LINE, "drop_ship", drop_ship=-1, ordered=16),
    case(schema.order_lines, LINE, "shipped", shipped=-1, ordered=15),
    case(schema.order_lines, LINE, "cancelled", cancelled=-1, ordered=19),
    case(schema.order_lines, LINE, "rejected", rejected=-1, ordered=20),
    case(schema.order_lines, LINE, "allocated", allocated=-1, ordered=14),
    case(schema.allocations, ALLOCATION, "qty", qty=0),
    case(schema.movements, MOVEMENT, "qty", qty=0),
    case(schema.movements, MOVEMENT, "moves", origin="P", outside=None),
    case(schema.movements, MOVEMENT, "ours", target=None),
    case(schema.movements, MOVEMENT, "one_outside", outside=None),
    case(schema.movements, MOVEMENT, "one_outside", origin="Q"),
    case(schema.movements, MOVEMENT, "outside", outside="the moon"),
    case(schema.replenishments, REPLENISHMENT, "state", state="half open"),
    case(schema.replenishment_lines, REPLENISHMENT_LINE, "qty", qty=-1),
    case(schema.replenishment_lines, REPLENISHMENT_LINE, "received", received=-1),
    case(schema.places, PLACE, "kind", kind="shelf"),
    case(schema.inbox, INBOX, "outcome", outcome="lost"),
    case(schema.waiting, WAITING, "one_thing", sku="A"),
    case(schema.waiting, WAITING, "one_thing", replenishment_id="R"),
    case(schema.waiting, WAITING, "one_thing", shop=None, order_id=None),
    case(schema.order_lines, LINE, "bought", linked=7),
    case(schema.order_lines, LINE, "sourced", sourced="found"),
    case(schema.order_lines, LINE, "told_days", told_days=-1),
    case(schema.order_lines, LINE, "unreleased", unreleased=-1),
    case(schema.links, LINK, "qty", qty=0),
    case(schema.demand, DEMAND, "queued", queued=-1),
    case(schema.replenishment_lines, REPLENISHMENT_LINE, "picked", picked=-1),
    case(schema.tasks, TASK, "kind", kind="nap"),
    case(schema.waiting, WAITING, "whole_order", shop=None),
]


@rule("L1", "L2", "L3")
def test_the_rows_the_cases_below_break_are_good_ones(database: Database) -> None:
    put(database, schema.replenishments, REPLENISHMENT)
    put(database, schema.inbox, INBOX)
    for table, row in (
        (schema.stock, STOCK),
        (schema.demand, DEMAND),
        (schema.order_lines, LINE),
        (schema.allocations, ALLOCATION),
        (schema.links, LINK),
        (schema.tasks, TASK),
        (schema.movements, MOVEMENT),
        (schema.replenishment_lines, REPLENISHMENT_LINE),
        (schema.waiting, WAITING),
        (schema.places, PLACE),
    ):
        put(database, table, row)


@pytest.mark.parametrize(("table", "good", "bad", "name"), BROKEN)
def test_a_row_that_can_not_be_true_is_refused_by_name(
    database: Database, table: Table, good: dict[str, Any], bad: dict[str, Any], name: str
) -> None:
    put(database, schema.replenishments, REPLENISHMENT | {"replenishment_id": "R-0"})
    with pytest.raises(DataRefused, match=name):
        put(database, table, {**good, **bad})


@rule("R1")
def test_there_is_never_a_second_open_replenishment_of_one_slot(database: Database) -> None:
    put(database, schema.replenishments, REPLENISHMENT)
    closed = REPLENISHMENT | {"replenishment_id": "R-2", "state": "finalized"}
    elsewhere = REPLENISHMENT | {"replenishment_id": "R-3", "destination": "Q"}
    put(database, schema.replenishments, closed, elsewhere)
    with pytest.raises((DataRefused, Collision)):
        put(database, schema.replenishments, REPLENISHMENT | {"replenishment_id": "R-4"})


@rule("C4")
@pytest.mark.parametrize(
    ("table", "row"),
    [
        pytest.param(schema.facts, FACT, id="facts"),
        pytest.param(schema.inbox, INBOX, id="inbox"),
        pytest.param(schema.emitted, EMITTED, id="emitted"),
        pytest.param(schema.movements, MOVEMENT, id="movements"),
    ],
)
def test_what_happens_once_is_there_once(
    database: Database, table: Table, row: dict[str, Any]
) -> None:
    put(database, table, row)
    with pytest.raises((DataRefused, Collision)):
        put(database, table, row)


def test_a_line_of_no_replenishment_is_refused(database: Database) -> None:
    with pytest.raises(DataRefused):
        put(database, schema.replenishment_lines, REPLENISHMENT_LINE)


@pytest.mark.parametrize("table", [schema.catalogue, schema.relay_lock], ids=lambda t: t.name)
def test_a_table_of_one_row_has_that_row_and_takes_no_other(
    database: Database, table: Table
) -> None:
    row = {"id": 2} | ({"version": 0} if table is schema.catalogue else {})
    with pytest.raises(DataRefused, match="one_row"):
        put(database, table, row)


def test_a_good_neighbour_of_a_refused_row_is_not_kept_either(database: Database) -> None:
    with pytest.raises(DataRefused):
        put(database, schema.stock, STOCK, STOCK | {"place": "Q", "on_hand": -1})
    with database.read() as tx:
        assert tx.connection.execute(schema.stock.select()).all() == []


def test_a_number_no_column_can_hold_is_refused_as_data(database: Database) -> None:
    with pytest.raises(DataRefused), database.begin() as tx:
        tx.append(schema.stock, [("A", "P", 2**63, 0, None, None, 1)])
    with pytest.raises(DataRefused), database.begin() as tx:
        tx.update(schema.stock, [("A", "P", 2**63, 0, None, None, 1)])


def test_text_no_column_can_hold_is_refused_as_data(postgres: Database) -> None:
    for bad in ("a\x00b", "\ud800"):
        with pytest.raises(DataRefused), postgres.begin() as tx:
            tx.append(schema.stock, [(bad, "P", 1, 0, None, None, 1)])
        with pytest.raises(DataRefused), postgres.begin() as tx:
            tx.upsert(schema.stock, [(bad, "P", 1, 0, None, None, 1)])
