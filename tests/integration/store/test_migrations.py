"""The tables a database gets by migrations are the tables the program has written down."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from store import migrations, schema
from store.columns import Key
from store.errors import Refused, SchemaMissing, SchemaOutdated, Unavailable
from store.transaction import Database


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """A database nobody has been at."""
    opened = Database(database_url)
    yield opened
    opened.close()


def written_down(database: Database) -> dict[str, object]:
    """Everything the engine says of the tables, down to the text of each constraint."""
    look = inspect(database.engine)
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in look.get_columns(name)
            ],
            "key": look.get_pk_constraint(name),
            "checks": sorted(
                (str(check["name"]), check["sqltext"]) for check in look.get_check_constraints(name)
            ),
            "foreign": [
                (key["name"], key["constrained_columns"], key["referred_table"])
                for key in look.get_foreign_keys(name)
            ],
            "indexes": sorted(
                (
                    str(index["name"]),
                    str(index["column_names"]),
                    bool(index["unique"]),
                    str(
                        sorted(
                            (option, str(told)) for option, told in index["dialect_options"].items()
                        )
                    ),
                )
                for index in look.get_indexes(name)
            ),
        }
        for name in sorted(set(look.get_table_names()) - {"alembic_version"})
    }


def test_migrated_tables_are_those_of_the_schema(empty: Database, tmp_path: Path) -> None:
    migrations.upgrade(empty)
    assert migrations.difference(empty) == []
    migrated = written_down(empty)
    if empty.dialect.name == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'made.db'}")
    else:
        with empty.begin() as tx:
            for name in (*migrated, "alembic_version"):
                tx.connection.exec_driver_sql(f"DROP TABLE {name} CASCADE")
        made = empty
    schema.metadata.create_all(made.engine)
    assert migrated == written_down(made)
    assert set(migrated) == set(schema.metadata.tables)
    made.close()


def test_every_constraint_of_every_table_has_a_name(database: Database) -> None:
    look = inspect(database.engine)
    for name in schema.metadata.tables:
        assert look.get_pk_constraint(name)["name"] == f"pk_{name}"
        for check in look.get_check_constraints(name):
            assert str(check["name"]).startswith(f"ck_{name}_")


def test_every_name_is_ordered_by_code_point_whatever_the_server_was_set_up_with(
    postgres: Database,
) -> None:
    names = {
        (table.name, column.name)
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Key)
    }
    with postgres.read() as tx:
        found = tx.connection.exec_driver_sql(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE collation_name = 'C'"
        )
        assert names <= {(table, column) for table, column in found}


def test_the_version_the_program_asks_for_is_the_newest_migration(empty: Database) -> None:
    assert migrations.state(empty) == migrations.SchemaState(None, schema.REVISION)


def test_upgrading_twice_changes_nothing(empty: Database) -> None:
    assert migrations.upgrade(empty).current is None
    again = migrations.upgrade(empty)
    assert again.is_current
    empty.check_schema()


UPGRADE = (
    "import sys; from store import migrations; from store.transaction import Database;"
    " migrations.upgrade(Database(sys.argv[1]))"
)


@pytest.mark.slow
def test_upgrades_at_once_end_as_one_did(empty: Database, database_url: str) -> None:
    running = [subprocess.Popen([sys.executable, "-c", UPGRADE, database_url]) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    empty.check_schema()
    assert migrations.difference(empty) == []


def test_a_database_without_tables_is_told_from_one_with_old_ones(empty: Database) -> None:
    with pytest.raises(SchemaMissing, match="backship init"):
        empty.check_schema()
    migrations.upgrade(empty)
    with empty.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(SchemaOutdated, match=r"0001.*backship init"):
        empty.check_schema()


def test_tables_of_a_newer_program_are_left_alone(empty: Database) -> None:
    migrations.upgrade(empty)
    with empty.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaOutdated, match="9999"):
        empty.check_schema()
    with pytest.raises(SchemaOutdated, match="9999"):
        migrations.upgrade(empty)


def test_looking_for_tables_makes_no_file(sqlite_database_url: str) -> None:
    database = Database(sqlite_database_url)
    with pytest.raises(SchemaMissing, match="does not exist"):
        database.check_schema()
    assert database.file is not None
    assert not database.file.exists()


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is a letter to my aunt, and not a short one" * 100)
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(Refused, match="not a database") as refusal:
        database.check_schema()
    assert "\n" not in str(refusal.value)


def test_a_folder_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'x.db'}")
    with pytest.raises(Unavailable, match="unable to open"):
        migrations.upgrade(database)


def test_the_pages_of_a_file_survive_a_loss_of_power(sqlite: Database) -> None:
    assert sqlite.file is not None
    with sqlite.begin() as tx:
        found = [
            tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 30_000]
    raw = sqlite3.connect(sqlite.file)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()
