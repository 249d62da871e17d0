"""Growth: what is open is found among ten times as much that is history."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add what a grown store is asked by. There is no way back, as before."""
    op.create_index(
        "ix_replenishments_state", "replenishments", ["state", "raised_at", "replenishment_id"]
    )
