"""Goods: places, shops, vendors, items, stock, demand and the ledger."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant, Json, Key

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables. There is no way back: a newer program's data is not thrown away."""
    op.create_table(
        "catalogue",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("rules", sa.Text(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_catalogue_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue"),
    )
    op.create_table(
        "places",
        sa.Column("place", Key(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("feeds", Key(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('source', 'dock')", name=op.f("ck_places_kind")),
        sa.CheckConstraint("priority >= 0", name=op.f("ck_places_priority")),
        sa.PrimaryKeyConstraint("place", name="pk_places"),
    )
    op.create_table(
        "shops",
        sa.Column("shop", Key(), nullable=False),
        sa.Column("sources", Json(), nullable=True),
        sa.Column("destination", Key(), nullable=True),
        sa.PrimaryKeyConstraint("shop", name="pk_shops"),
    )
    op.create_table(
        "vendors",
        sa.Column("vendor", Key(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("policy", Json(), nullable=False),
        sa.PrimaryKeyConstraint("vendor", name="pk_vendors"),
    )
    op.create_table(
        "items",
        sa.Column("sku", Key(), nullable=False),
        sa.Column("vendor", Key(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("alternatives", Json(), nullable=False),
        sa.Column("policy", Json(), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.Column("base_status", sa.Text(), nullable=True),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint(
            "base_status IN ('in_stock', 'backorder', 'out_of_stock')",
            name=op.f("ck_items_base_status"),
        ),
        sa.PrimaryKeyConstraint("sku", name="pk_items"),
    )
    op.create_index("ix_items_vendor", "items", ["vendor", "sku"])
    op.create_table(
        "item_statuses",
        sa.Column("sku", Key(), nullable=False),
        sa.Column("shop", Key(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_stock', 'backorder', 'out_of_stock')",
            name=op.f("ck_item_statuses_status"),
        ),
        sa.PrimaryKeyConstraint("sku", "shop", name="pk_item_statuses"),
    )
    op.create_table(
        "stock",
        sa.Column("sku", Key(), nullable=False),
        sa.Column("place", Key(), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_on_hand")),
        sa.CheckConstraint("allocated >= 0", name=op.f("ck_stock_allocated")),
        sa.PrimaryKeyConstraint("sku", "place", name="pk_stock"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "demand",
        sa.Column("sku", Key(), nullable=False),
        sa.Column("destination", Key(), nullable=False),
        sa.Column("shop", Key(), nullable=False),
        sa.Column("shortage", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("shortage >= 0", name=op.f("ck_demand_shortage")),
        sa.PrimaryKeyConstraint("sku", "destination", "shop", name="pk_demand"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "movements",
        sa.Column("event_source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("sku", Key(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("origin", Key(), nullable=True),
        sa.Column("target", Key(), nullable=True),
        sa.Column("outside", sa.Text(), nullable=True),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("origin <> target", name=op.f("ck_movements_moves")),
        sa.CheckConstraint(
            "outside IN ('vendor', 'customer', 'adjustment')", name=op.f("ck_movements_outside")
        ),
        sa.CheckConstraint(
            "(outside IS NULL) = (origin IS NOT NULL AND target IS NOT NULL)",
            name=op.f("ck_movements_one_outside"),
        ),
        sa.CheckConstraint(
            "origin IS NOT NULL OR target IS NOT NULL", name=op.f("ck_movements_ours")
        ),
        sa.CheckConstraint("qty >= 1", name=op.f("ck_movements_qty")),
        sa.PrimaryKeyConstraint("event_source", "event_id", "n", name="pk_movements"),
    )
    op.create_index("ix_movements_sku", "movements", ["sku", "clock"])
    op.execute("INSERT INTO catalogue (id, version) VALUES (1, 0)")
