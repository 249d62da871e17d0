"""The tables of a database, brought up to those of this program.

Alembic does the work, without a file of settings. It is imported when it is needed: half of the
commands never do. All steps run in one transaction; two upgrades at once end as one did.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from store.errors import SchemaOutdated, StoreError
from store.transaction import Database

if TYPE_CHECKING:
    from alembic.config import Config

_REVISIONS = Path(__file__).with_name("revisions")


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The version a database is at (None: it has no tables of ours), and the newest there is."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        """Is there nothing to do?"""
        return self.current == self.head


def upgrade(database: Database, target: str = "head") -> SchemaState:
    """Bring the tables to the newest version; return what they were at before.

    `target`: an older version, for tests of the steps after it.
    Raises SchemaOutdated where a newer program has been here: its data is not ours to judge.
    """
    before = state(database)
    if before.is_current:
        return before
    if before.current is not None and before.current not in _known():
        raise SchemaOutdated(
            f"The tables of {database.address} are of version {before.current}, which this program "
            f"does not know; it needs {before.head}."
        )
    try:
        _run(database, target)
    except StoreError:
        # Another `backship init` may have been faster; whatever it was, only the result counts.
        if not state(database).is_current:
            raise
    return before


def state(database: Database) -> SchemaState:
    """Return the version of the tables and the newest."""
    from alembic.migration import MigrationContext  # noqa: PLC0415 - 0.2 s that others are spared

    with database.begin() as tx:
        current = MigrationContext.configure(tx.connection).get_current_revision()
    return SchemaState(current, _known()[0])


def difference(database: Database) -> list[Any]:
    """Return how the tables differ from store.schema, as alembic tells it; for tests."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 - as above
    from alembic.migration import MigrationContext  # noqa: PLC0415 - as above

    from store import schema  # noqa: PLC0415 - as above

    with database.begin() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        return list(compare_metadata(context, schema.metadata))


def _known() -> list[str]:
    """Return every version there is, the newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    scripts = ScriptDirectory.from_config(_config(None))
    return [script.revision for script in scripts.walk_revisions()]


def _run(database: Database, target: str) -> None:
    from alembic import command  # noqa: PLC0415 - as above

    with database.begin() as tx:
        command.upgrade(_config(tx.connection), target)


def _config(connection: Connection | None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    return config
