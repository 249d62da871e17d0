"""Orders, their lines and allocations, and the reasons of both."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant, Json, Key

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables. There is no way back: a newer program's data is not thrown away."""
    op.create_table(
        "orders",
        sa.Column("shop", Key(), nullable=False),
        sa.Column("order_id", Key(), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("judged_at", Instant(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("destination", Key(), nullable=False),
        sa.Column("data_hash", sa.Text(), nullable=False),
        sa.Column("ship_mode", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("holds", Json(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer", Json(), nullable=True),
        sa.Column("ship_to", Json(), nullable=True),
        sa.Column("allocation_count", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("priority >= 0", name=op.f("ck_orders_priority")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_orders_version")),
        sa.CheckConstraint("allocation_count >= 0", name=op.f("ck_orders_allocation_count")),
        sa.PrimaryKeyConstraint("shop", "order_id", name="pk_orders"),
    )
    op.create_table(
        "order_lines",
        sa.Column("shop", Key(), nullable=False),
        sa.Column("order_id", Key(), nullable=False),
        sa.Column("line_id", Key(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("sku", Key(), nullable=False),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("shortage", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("drop_ship", sa.BigInteger(), nullable=False),
        sa.Column("shipped", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("short", sa.BigInteger(), nullable=False),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("held_since", Instant(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("told_expected_at", Instant(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("unit_price", Json(), nullable=True),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("destination", Key(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.CheckConstraint(
            "ordered = allocated + shortage + pending + drop_ship + shipped + cancelled + rejected",
            name=op.f("ck_order_lines_adds_up"),
        ),
        sa.CheckConstraint("position >= 0", name=op.f("ck_order_lines_position")),
        sa.CheckConstraint("ordered >= 1", name=op.f("ck_order_lines_ordered")),
        sa.CheckConstraint("shortage >= 0", name=op.f("ck_order_lines_shortage")),
        sa.CheckConstraint("pending >= 0", name=op.f("ck_order_lines_pending")),
        sa.CheckConstraint("drop_ship >= 0", name=op.f("ck_order_lines_drop_ship")),
        sa.CheckConstraint("shipped >= 0", name=op.f("ck_order_lines_shipped")),
        sa.CheckConstraint("cancelled >= 0", name=op.f("ck_order_lines_cancelled")),
        sa.CheckConstraint("rejected >= 0", name=op.f("ck_order_lines_rejected")),
        sa.CheckConstraint("short >= 0", name=op.f("ck_order_lines_short")),
        sa.CheckConstraint("allocated >= 0", name=op.f("ck_order_lines_allocated")),
        sa.CheckConstraint("priority >= 0", name=op.f("ck_order_lines_priority")),
        sa.PrimaryKeyConstraint("shop", "order_id", "line_id", name="pk_order_lines"),
    )
    op.create_index(
        "ix_order_lines_queue",
        "order_lines",
        ["sku", "destination", "shop", "priority", "placed_at", "order_id", "position"],
        postgresql_where=sa.text("shortage > 0"),
        sqlite_where=sa.text("shortage > 0"),
    )
    op.create_index(
        "ix_order_lines_rank",
        "order_lines",
        ["sku", "destination", "priority", "placed_at", "shop", "order_id", "position"],
        postgresql_where=sa.text("shortage > 0"),
        sqlite_where=sa.text("shortage > 0"),
    )
    op.create_table(
        "allocations",
        sa.Column("shop", Key(), nullable=False),
        sa.Column("order_id", Key(), nullable=False),
        sa.Column("line_id", Key(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("source", Key(), nullable=True),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("by_fill", sa.Boolean(), nullable=False),
        sa.Column("release_id", Key(), nullable=True),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_allocations_seq")),
        sa.CheckConstraint("qty >= 1", name=op.f("ck_allocations_qty")),
        sa.PrimaryKeyConstraint("shop", "order_id", "line_id", "seq", name="pk_allocations"),
    )
    op.create_table(
        "reasons",
        sa.Column("shop", Key(), nullable=False),
        sa.Column("order_id", Key(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("decided", Json(), nullable=False),
        sa.Column("event_source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shop", "order_id", "clock", "n", name="pk_reasons"),
    )
