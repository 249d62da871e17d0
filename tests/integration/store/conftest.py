"""A database with its tables, of each kind in turn."""

from collections.abc import Iterator

import pytest

from store import migrations
from store.transaction import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """One suite, both engines."""
    opened = Database(database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def postgres(postgres_database_url: str) -> Iterator[Database]:
    """For what only an engine with several writers at once has to show."""
    opened = Database(postgres_database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(sqlite_database_url: str) -> Iterator[Database]:
    """For what only the engine with one writer at a time has to show."""
    opened = Database(sqlite_database_url)
    migrations.upgrade(opened)
    yield opened
    opened.close()
