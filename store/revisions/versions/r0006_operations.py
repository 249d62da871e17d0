"""Operations: suspects, what is held back, operators' deeds, workers, housekeeping."""

import sqlalchemy as sa
from alembic import op

from store.columns import Instant
from store.tables.base import clock, instant, key, number, one_of, units, words

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables. There is no way back: a newer program's data is not thrown away."""
    op.create_table(
        "suspects",
        key("body_hash"),
        units("tries", least=1),
        instant("seen_at"),
        sa.PrimaryKeyConstraint("body_hash"),
        sa.Index("ix_suspects_seen_at", "seen_at"),
    )
    op.create_table(
        "held_back",
        clock(),
        number("n"),
        key("id"),
        words("subject", null=True),
        words("reason"),
        units("failures"),
        instant("retry_at"),
        sa.PrimaryKeyConstraint("clock", "n", "id"),
        sa.Index("ix_held_back_retry_at", "retry_at", "clock", "n", "id"),
        sa.Index("ix_held_back_subject", "subject", "clock", "n", "id"),
    )
    op.create_table(
        "operations",
        key("operation_id"),
        instant("at"),
        words("operator"),
        words("action"),
        key("set_aside_id"),
        words("why", null=True),
        one_of("action", "retry", "discard", "correct"),
        sa.PrimaryKeyConstraint("operation_id"),
        sa.Index("ix_operations_set_aside", "set_aside_id", "at"),
    )
    op.create_table(
        "workers",
        key("worker_id"),
        words("host"),
        number("pid"),
        words("version"),
        words("state"),
        instant("started_at"),
        instant("seen_at"),
        units("settled"),
        units("message_age_ms", null=True),
        one_of("state", "working", "waiting", "stopping"),
        sa.PrimaryKeyConstraint("worker_id"),
        sa.Index("ix_workers_seen_at", "seen_at"),
    )
    op.create_table(
        "housekeeping",
        number("id"),
        instant("due_at", null=True),
        sa.CheckConstraint("id = 1", name="one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO housekeeping (id) VALUES (1)")
    op.create_table(
        "told_before",
        words("type"),
        key("owner"),
        key("order_id"),
        key("name"),
        units("qty"),
        sa.PrimaryKeyConstraint("type", "owner", "order_id", "name"),
    )
    # When it was resolved or discarded: from then on its time to be kept runs.
    op.add_column("set_aside", sa.Column("closed_at", Instant(), nullable=True))
    op.create_index("ix_set_aside_event", "set_aside", ["source", "event_id"])
    op.create_index(
        "ix_set_aside_closed_at",
        "set_aside",
        ["closed_at"],
        postgresql_where=sa.text("closed_at IS NOT NULL"),
        sqlite_where=sa.text("closed_at IS NOT NULL"),
    )
    # What the steps of a task emit carries the trace of the event it belongs to.
    op.add_column("tasks", sa.Column("traceparent", sa.Text(), nullable=True))
