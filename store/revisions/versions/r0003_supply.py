"""Replenishments, their lines and their slots."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant, Json, Key

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables. There is no way back: a newer program's data is not thrown away."""
    op.create_table(
        "replenishments",
        sa.Column("replenishment_id", Key(), nullable=False),
        sa.Column("vendor", Key(), nullable=False),
        sa.Column("destination", Key(), nullable=False),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("told_revision", sa.BigInteger(), nullable=False),
        sa.Column("told_total", sa.BigInteger(), nullable=False),
        sa.Column("finalized_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint(
            "state IN ('open', 'finalized', 'partially_received', 'received', 'closed',"
            " 'cancelled')",
            name=op.f("ck_replenishments_state"),
        ),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_replenishments_revision")),
        sa.CheckConstraint("told_revision >= 0", name=op.f("ck_replenishments_told_revision")),
        sa.CheckConstraint("told_total >= 0", name=op.f("ck_replenishments_told_total")),
        sa.PrimaryKeyConstraint("replenishment_id", name="pk_replenishments"),
    )
    op.create_index(
        "ix_replenishments_raised_at", "replenishments", ["raised_at", "replenishment_id"]
    )
    op.create_index(
        "uq_replenishments_open",
        "replenishments",
        ["vendor", "destination"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "replenishment_lines",
        sa.Column("replenishment_id", Key(), nullable=False),
        sa.Column("sku", Key(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("manual", sa.BigInteger(), nullable=False),
        sa.Column("linked", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("parts", Json(), nullable=False),
        sa.Column("outstanding", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("qty >= 0", name=op.f("ck_replenishment_lines_qty")),
        sa.CheckConstraint("manual >= 0", name=op.f("ck_replenishment_lines_manual")),
        sa.CheckConstraint("linked >= 0", name=op.f("ck_replenishment_lines_linked")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_replenishment_lines_received")),
        sa.CheckConstraint("outstanding >= 0", name=op.f("ck_replenishment_lines_outstanding")),
        sa.ForeignKeyConstraint(
            ["replenishment_id"],
            ["replenishments.replenishment_id"],
            name="fk_replenishment_lines_replenishments",
        ),
        sa.PrimaryKeyConstraint("replenishment_id", "sku", name="pk_replenishment_lines"),
    )
    op.create_index(
        "ix_replenishment_lines_outstanding",
        "replenishment_lines",
        ["sku", "replenishment_id"],
        postgresql_where=sa.text("outstanding > 0"),
        sqlite_where=sa.text("outstanding > 0"),
    )
    op.create_table(
        "replenishment_slots",
        sa.Column("vendor", Key(), nullable=False),
        sa.Column("destination", Key(), nullable=False),
        sa.Column("open_id", Key(), nullable=True),
        sa.Column("raised", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("raised >= 0", name=op.f("ck_replenishment_slots_raised")),
        sa.PrimaryKeyConstraint("vendor", "destination", name="pk_replenishment_slots"),
    )
