"""Everything that is old enough is cleared away, as if a month had gone by."""

from datetime import timedelta

from store import schema
from store.housekeeping import Ages, Removed, clear
from store.transaction import Database
from tests.support.keeping import NOW

LATER = NOW + timedelta(days=400)


def published(database: Database) -> None:
    """Everything emitted has left."""
    with database.begin() as tx:
        tx.connection.execute(schema.outbox.delete())


def cleared(database: Database, ages: Ages | None = None) -> Removed:
    """Clear it away, by default all that may ever go; return what went."""
    removed = Removed()
    for part in clear(database, ages or Ages(LATER, LATER, LATER)):
        removed = removed.plus(part)
    return removed
