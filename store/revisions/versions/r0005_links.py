"""Links, drop-ship, staff holds, counts and groups: seven tables anew, and the table of links.

A column in the middle of a table, or another check, is a new table on SQLite. PostgreSQL is given
one as well: its columns then stand in the order in which rows are written.
"""

# ruff: noqa: S608 - what is put into SQL are names of our own tables

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from store.tables.base import (
    clock,
    flag,
    instant,
    json,
    key,
    number,
    one_of,
    partial_index,
    units,
    words,
)

revision = "0005"
down_revision = "0004"

_ROOM = {"postgresql_with": {"fillfactor": 50}}
_RANK = "priority placed_at shop order_id position"

_UNRELEASED = """(
    SELECT COALESCE(SUM(a.qty), 0) FROM allocations AS a
    WHERE a.shop = t.shop AND a.order_id = t.order_id AND a.line_id = t.line_id
        AND a.release_id IS NULL
)"""
# Cancellations wait for ever, what waits for a sku is not overdue.
_RECEIVED_AT = """(
    SELECT i.received_at FROM inbox AS i
    WHERE i.source = t.source AND i.event_id = t.event_id
        AND t.order_id IS NOT NULL AND i.type <> 'OrderCancelled'
)"""


def upgrade() -> None:
    """Change the tables. There is no way back: a newer program's data is not thrown away."""
    _goods()
    _orders()
    _supply()
    _messages()


def _goods() -> None:
    _anew(
        "stock",
        "sku place",
        *map(key, ("sku", "place")),
        *map(units, ("on_hand", "allocated")),
        instant("counted_at", null=True),
        json("owed", null=True),
        clock(),
        values={"counted_at": "NULL", "owed": "NULL"},
        **_ROOM,
    )
    _anew(
        "demand",
        "sku destination shop",
        *map(key, ("sku", "destination", "shop")),
        *map(units, ("shortage", "queued", "fillable")),
        clock(),
        values={"queued": "t.shortage", "fillable": "t.shortage"},
        **_ROOM,
    )
    op.drop_index("ix_movements_sku", "movements")
    op.create_index("ix_movements_sku", "movements", ["sku", "happened_at", "origin"])


def _orders() -> None:
    _anew(
        "orders",
        "shop order_id",
        *map(key, ("shop", "order_id")),
        *map(instant, ("placed_at", "judged_at")),
        units("priority"),
        key("destination"),
        *map(words, ("data_hash", "ship_mode", "release")),
        json("holds"),
        units("version"),
        words("version_hash"),
        json("customer", null=True),
        json("ship_to", null=True),
        units("allocation_count"),
        clock(),
        values={"version_hash": "''"},
    )
    _anew(
        "order_lines",
        "shop order_id line_id",
        *map(key, ("shop", "order_id", "line_id")),
        units("position"),
        key("sku"),
        units("ordered", least=1),
        *map(units, ("shortage", "pending", "drop_ship", "shipped")),
        *map(units, ("cancelled", "rejected", "short")),
        words("sourced"),
        words("group_name", null=True),
        flag("staff_held"),
        instant("held_since", null=True),
        flag("told"),
        instant("told_expected_at", null=True),
        units("told_days", null=True),
        words("name", null=True),
        json("unit_price", null=True),
        units("allocated"),
        *map(units, ("queued", "fillable", "linked", "unlinked", "unreleased")),
        key("destination"),
        units("priority"),
        instant("placed_at"),
        sa.CheckConstraint(
            "ordered = allocated + shortage + pending + drop_ship + shipped + cancelled + rejected",
            name="adds_up",
        ),
        sa.CheckConstraint("linked <= shortage + drop_ship", name="bought"),
        one_of("sourced", "unjudged", "unmanaged", "stock", "buy_to_order", "drop_ship"),
        partial_index(
            "ix_order_lines_queue",
            "sku destination shop priority placed_at order_id position",
            "fillable > 0",
        ),
        partial_index("ix_order_lines_rank", f"sku destination {_RANK}", "shortage > 0"),
        partial_index("ix_order_lines_unlinked", f"sku {_RANK}", "unlinked > 0"),
        partial_index("ix_order_lines_unreleased", f"sku {_RANK}", "unreleased > 0"),
        values={
            "sourced": "CASE WHEN t.managed THEN 'stock' ELSE 'unmanaged' END",
            "group_name": "NULL",
            "staff_held": "FALSE",
            "told_days": "NULL",
            "queued": "t.shortage",
            "fillable": "t.shortage",
            "linked": "0",
            "unlinked": "0",
            "unreleased": _UNRELEASED,
        },
    )
    op.create_table(
        "links",
        *map(key, ("shop", "order_id", "line_id", "replenishment_id")),
        flag("by_hand"),
        units("qty", least=1),
        key("sku"),
        units("priority"),
        instant("placed_at"),
        units("position"),
        sa.PrimaryKeyConstraint("shop", "order_id", "line_id", "replenishment_id", "by_hand"),
        sa.Index("ix_links_replenishment", "replenishment_id", "sku", *_RANK.split(), "by_hand"),
        sa.Index("ix_links_sku", "sku", *_RANK.split()),
    )


def _supply() -> None:
    _anew(
        "replenishment_lines",
        "replenishment_id sku",
        key("replenishment_id"),
        key("sku"),
        *map(units, ("qty", "manual", "linked", "picked", "received")),
        json("parts"),
        json("docked"),
        units("outstanding"),
        sa.ForeignKeyConstraint(["replenishment_id"], ["replenishments.replenishment_id"]),
        partial_index(
            "ix_replenishment_lines_outstanding",
            "sku replenishment_id",
            "outstanding > 0 OR docked <> '[]'",
        ),
        values={"picked": "0", "docked": "'[]'"},
    )


def _messages() -> None:
    _anew(
        "waiting",
        "source event_id",
        *map(key, ("source", "event_id")),
        *(key(name, null=True) for name in ("shop", "order_id", "sku", "replenishment_id")),
        instant("received_at", null=True),
        clock(),
        number("n"),
        sa.ForeignKeyConstraint(["source", "event_id"], ["inbox.source", "inbox.event_id"]),
        sa.CheckConstraint("(shop IS NULL) = (order_id IS NULL)", name="whole_order"),
        sa.CheckConstraint(
            "(CASE WHEN order_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN sku IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN replenishment_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_thing",
        ),
        partial_index("ix_waiting_order", "shop order_id", "order_id IS NOT NULL"),
        partial_index("ix_waiting_sku", "sku clock n", "sku IS NOT NULL"),
        partial_index(
            "ix_waiting_replenishment", "replenishment_id", "replenishment_id IS NOT NULL"
        ),
        partial_index("ix_waiting_received_at", "received_at", "received_at IS NOT NULL"),
        values={"replenishment_id": "NULL", "received_at": _RECEIVED_AT},
    )
    _anew(
        "tasks",
        "task_id",
        key("task_id"),
        words("kind"),
        *map(key, ("event_source", "event_id")),
        words("event_type"),
        instant("at"),
        key("sku", null=True),
        key("place", null=True),
        units("arrived"),
        words("scope", null=True),
        key("name", null=True),
        key("cursor"),
        clock(),
        number("n"),
        one_of("kind", "fill", "trim", "link", "date", "walk"),
        one_of("scope", "vendor", "place", "shop", "all"),
        sa.Index("ix_tasks_order", "clock", "n"),
        partial_index("ix_tasks_sku", "sku clock n", "sku IS NOT NULL"),
        values={},
    )


def _anew(
    name: str,
    primary_key: str,
    *parts: sa.schema.SchemaItem,
    values: Mapping[str, str],
    **options: Any,  # noqa: ANN401 - one of SQLAlchemy's own, by its name
) -> None:
    """Make a table anew with the rows it had; `values` says what its new columns hold."""
    before = f"{name}_0004"
    for index in sa.inspect(op.get_bind()).get_indexes(name):
        op.drop_index(str(index["name"]), name)
    op.rename_table(name, before)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX pk_{name} RENAME TO pk_{before}")
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*primary_key.split()), **options)
    columns = [part.name for part in parts if isinstance(part, sa.Column)]
    taken = ", ".join(values.get(column, f"t.{column}") for column in columns)
    op.execute(f"INSERT INTO {name} ({', '.join(columns)}) SELECT {taken} FROM {before} AS t")
    op.drop_table(before)
