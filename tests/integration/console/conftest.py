"""A database with its tables, of each kind in turn, and the command beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store import migrations
from store.transaction import Database
from tests.support.command import Inside


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Nothing is in it yet."""
    made = Database(database_url)
    migrations.upgrade(made)
    yield made
    made.close()


@pytest.fixture
def backship(database: Database, database_url: str, tmp_path: Path) -> Inside:
    """The command, run in a folder of its own."""
    del database  # made before the command looks at it
    return Inside(tmp_path, {"database_url": database_url})
