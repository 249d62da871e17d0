"""Messages: inbox, what waits, what is set aside, outbox and history."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant, Json, Key

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables. There is no way back: a newer program's data is not thrown away."""
    op.create_table(
        "inbox",
        sa.Column("source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("data_hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('applied', 'repeated', 'set_aside', 'waiting')",
            name=op.f("ck_inbox_outcome"),
        ),
        sa.PrimaryKeyConstraint("source", "event_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_table(
        "facts",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", Key(), nullable=False),
        sa.Column("data_hash", sa.Text(), nullable=False),
        sa.Column("event_source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_facts"),
    )
    op.create_table(
        "waiting",
        sa.Column("source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("shop", Key(), nullable=True),
        sa.Column("order_id", Key(), nullable=True),
        sa.Column("sku", Key(), nullable=True),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint(
            "(order_id IS NULL) <> (sku IS NULL)", name=op.f("ck_waiting_one_thing")
        ),
        sa.CheckConstraint(
            "(shop IS NULL) = (order_id IS NULL)", name=op.f("ck_waiting_whole_order")
        ),
        sa.ForeignKeyConstraint(
            ["source", "event_id"], ["inbox.source", "inbox.event_id"], name="fk_waiting_inbox"
        ),
        sa.PrimaryKeyConstraint("source", "event_id", name="pk_waiting"),
    )
    op.create_index(
        "ix_waiting_order",
        "waiting",
        ["shop", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
        sqlite_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "ix_waiting_sku",
        "waiting",
        ["sku", "clock", "n"],
        postgresql_where=sa.text("sku IS NOT NULL"),
        sqlite_where=sa.text("sku IS NOT NULL"),
    )
    op.create_table(
        "tasks",
        sa.Column("task_id", Key(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("sku", Key(), nullable=True),
        sa.Column("place", Key(), nullable=True),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=True),
        sa.Column("name", Key(), nullable=True),
        sa.Column("cursor", Key(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.CheckConstraint("kind IN ('fill', 'walk')", name=op.f("ck_tasks_kind")),
        sa.CheckConstraint(
            "scope IN ('vendor', 'place', 'shop', 'all')", name=op.f("ck_tasks_scope")
        ),
        sa.CheckConstraint("arrived >= 0", name=op.f("ck_tasks_arrived")),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_order", "tasks", ["clock", "n"])
    op.create_index(
        "ix_tasks_sku",
        "tasks",
        ["sku", "clock", "n"],
        postgresql_where=sa.text("sku IS NOT NULL"),
        sqlite_where=sa.text("sku IS NOT NULL"),
    )
    op.create_table(
        "set_aside",
        sa.Column("id", Key(), nullable=False),
        sa.Column("source", Key(), nullable=True),
        sa.Column("event_id", Key(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", Instant(), nullable=False),
        sa.Column("last_seen", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("headers", Json(), nullable=False),
        sa.Column("detail", Json(), nullable=True),
        sa.Column("routing_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('set_aside', 'retrying', 'resolved', 'discarded')",
            name=op.f("ck_set_aside_state"),
        ),
        sa.CheckConstraint("attempts >= 1", name=op.f("ck_set_aside_attempts")),
        sa.PrimaryKeyConstraint("id", name="pk_set_aside"),
    )
    op.create_index("ix_set_aside_state", "set_aside", ["state", "first_seen", "id"])
    op.create_table(
        "outbox",
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("id", Key(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("clock", "n", "id", name="pk_outbox"),
        postgresql_with={
            "autovacuum_vacuum_scale_factor": 0.01,
            "autovacuum_vacuum_threshold": 1000,
            "autovacuum_vacuum_cost_delay": 0,
        },
    )
    op.create_table(
        "emitted",
        sa.Column("id", Key(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("event_source", Key(), nullable=False),
        sa.Column("event_id", Key(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_emitted"),
    )
    op.create_index("ix_emitted_order", "emitted", ["clock", "n", "id"])
    op.create_table(
        "exceptions",
        sa.Column("id", Key(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("refs", Json(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("clock", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("n", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("id", name="pk_exceptions"),
    )
    op.create_index("ix_exceptions_order", "exceptions", ["clock", "n", "id"])
    op.create_table(
        "relay_lock",
        sa.Column("id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_relay_lock_one_row")),
        sa.PrimaryKeyConstraint("id", name="pk_relay_lock"),
    )
    op.execute("INSERT INTO relay_lock (id) VALUES (1)")
