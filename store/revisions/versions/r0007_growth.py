"""Growth: what is open, and what an exception is about, is found among all that is history."""

import sqlalchemy as sa
from alembic import op

from store.columns import Key

revision = "0007"
down_revision = "0006"

# What each engine takes out of a JSON text.
_PART = {
    "postgresql": "CAST(refs AS json) ->> '{name}'",
    "sqlite": "json_extract(refs, '$.{name}')",
}


def upgrade() -> None:
    """Add what a grown store is asked by. There is no way back, as before."""
    op.create_index(
        "ix_replenishments_state", "replenishments", ["state", "raised_at", "replenishment_id"]
    )
    for name in ("shop", "order_id"):
        op.add_column("exceptions", sa.Column(name, Key(), nullable=True))
        part = _PART[op.get_bind().dialect.name].format(name=name)
        op.execute(f"UPDATE exceptions SET {name} = {part}")  # noqa: S608 - our own names
    op.create_index(
        "ix_exceptions_of_order",
        "exceptions",
        ["shop", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
        sqlite_where=sa.text("order_id IS NOT NULL"),
    )
