"""A database with its tables and nothing in them, of each kind in turn.

Making one takes longer than most of these tests: PostgreSQL's is made once and emptied for each
test, SQLite's is a copy of one file.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import migrations
from store.transaction import Database
from tests.support.keeping import emptied
from tests.support.services import limits, own_database, postgres_url


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"postgres", "postgres_tables"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("postgres")


@pytest.fixture(scope="session")
def postgres_tables() -> Iterator[Database]:
    """A PostgreSQL database of this process's own, removed at the end."""
    with own_database(postgres_url()) as url:
        opened = Database(url, limits())
        migrations.upgrade(opened)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables, to be copied."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    made = Database(f"sqlite:///{file}")
    migrations.upgrade(made)
    made.close()
    return file


@pytest.fixture
def postgres(postgres_tables: Database) -> Database:
    """For what only an engine with several writers at once has to show."""
    return emptied(postgres_tables)


@pytest.fixture
def sqlite(sqlite_tables: Path, tmp_path: Path) -> Iterator[Database]:
    """For what only the engine with one writer at a time has to show."""
    opened = Database(f"sqlite:///{shutil.copy(sqlite_tables, tmp_path / 'backship.db')}")
    yield opened
    opened.close()


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def database(request: pytest.FixtureRequest) -> Database:
    """One suite, both engines."""
    opened: Database = request.getfixturevalue(request.param)
    return opened


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ],
)
def kept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for many random examples: each begins by emptying it."""
    if request.param == "postgres":
        yield request.getfixturevalue("postgres_tables")
        return
    tables = request.getfixturevalue("sqlite_tables")
    opened = Database(f"sqlite:///{shutil.copy(tables, tmp_path_factory.mktemp('kept') / 'x.db')}")
    yield opened
    opened.close()
