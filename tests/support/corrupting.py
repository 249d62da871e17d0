"""Ways to make what is stored go wrong, and the rows it is done to (`tests.support.full_story`)."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, text, update

from store.transaction import Transaction
from store.views.shapes import Difference
from tests.support.full_story import NEXT, SENT, SHIPPED_BY_W, TO_CUSTOMER
from tests.support.story import FIRST, SECOND

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ](\d\d:\d\d)\S*")

Where = dict[str, Any]
Corrupt = Callable[[Transaction], None]
# What is done to the database, and what the audit has to say, all of it: the rule, what, what it
# should be and what was found.
Corruptions = dict[str, tuple[Corrupt, set[str]]]


def put(table: Table, where: Where, **values: Any) -> Corrupt:  # noqa: ANN401 - columns
    """Overwrite columns of one row; a callable is given the columns."""

    def corrupt(tx: Transaction) -> None:
        new = {name: value(table.c) if callable(value) else value for name, value in values.items()}
        done = tx.connection.execute(update(table).where(_is(table, where)).values(new))
        assert done.rowcount == 1

    return corrupt


def more(table: Table, where: Where, *names: str, units: int = 1) -> Corrupt:
    """Add units to columns of one row."""
    return put(table, where, **{name: _plus(name, units) for name in names})


def drop(table: Table, where: Where) -> Corrupt:
    """Delete one row."""

    def corrupt(tx: Transaction) -> None:
        assert tx.connection.execute(delete(table).where(_is(table, where))).rowcount == 1

    return corrupt


def empty(table: Table) -> Corrupt:
    """Delete every row."""

    def corrupt(tx: Transaction) -> None:
        assert tx.connection.execute(delete(table)).rowcount

    return corrupt


def both(*corrupts: Corrupt) -> Corrupt:
    """Do several things."""

    def corrupt(tx: Transaction) -> None:
        for one in corrupts:
            one(tx)

    return corrupt


def unchecked(name: str, corrupt: Corrupt) -> Corrupt:
    """Do what a constraint of order lines forbids, without the constraint."""

    def without(tx: Transaction) -> None:
        if tx.dialect.name == "sqlite":
            tx.connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        else:
            tx.connection.execute(text(f"ALTER TABLE order_lines DROP CONSTRAINT {name}"))
        corrupt(tx)

    return without


def told(row: Difference) -> str:
    """Return what a difference says, without where; of a moment the hour, as engines differ."""
    said = f"{row['rule']} {row['what']}: {row['expected']} {row['found']}"
    return _MOMENT.sub(r"\1", said)


def _is(table: Table, where: Where) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in where.items()))


def _plus(name: str, units: int) -> Callable[[Any], Any]:
    return lambda columns: columns[name] + units


def line(order_id: str, line_id: str = "1", shop: str = "main") -> Where:
    """Return the key of an order line, of its one allocation, or of its one link."""
    return {"shop": shop, "order_id": order_id, "line_id": line_id}


AT_WH1 = {"sku": "A", "place": "WH1"}
LOST_AT_WH2 = {"sku": "LOST", "place": "WH2"}
COUNTED_AT_WH2 = {"sku": "COUNT", "place": "WH2"}
WAITS = {"sku": "A", "destination": "WH1", "shop": "main"}
COMING = {"replenishment_id": FIRST, "sku": "A"}
ASKED = {"replenishment_id": SECOND, "sku": "A"}
BOUGHT = {"replenishment_id": SENT, "sku": "BUY"}
PICKED = {"replenishment_id": SENT, "sku": "PICK"}
TO_BUY = {"replenishment_id": NEXT, "sku": "BUY"}
TO_DROP = {"replenishment_id": TO_CUSTOMER, "sku": "DROP"}
DROPPED = {"replenishment_id": SHIPPED_BY_W, "sku": "DROP"}
SLOT = {"vendor": "V", "destination": "WH1"}
