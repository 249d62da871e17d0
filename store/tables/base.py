"""What tables are built from: names for every constraint, and columns that check themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

from store.columns import Instant, Json, Key, Units

Option = Any  # one of SQLAlchemy's own, by its name

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def table(name: str, primary_key: str, *parts: SchemaItem, **options: Option) -> Table:
    """Return a table; `primary_key` names its columns, separated by spaces."""
    return Table(name, metadata, *parts, PrimaryKeyConstraint(*primary_key.split()), **options)


def key(name: str, *, null: bool = False) -> Column[str]:
    """Return a column for a name from outside, or an id of ours."""
    return Column(name, Key, nullable=null)


def words(name: str, *, null: bool = False) -> Column[str]:
    """Return a column of text nothing is ordered by."""
    return Column(name, Text, nullable=null)


def units(name: str, least: int = 0, *, null: bool = False) -> Column[int]:
    """Return a column of whole units, never fewer than `least`."""
    return Column(name, Units, CheckConstraint(f"{name} >= {least}", name=name), nullable=null)


def flag(name: str) -> Column[bool]:
    """Return a column that is true or false."""
    return Column(name, Boolean, nullable=False)


def instant(name: str, *, null: bool = False) -> Column[datetime]:
    """Return a column of moments."""
    return Column(name, Instant, nullable=null)


def json(name: str, *, null: bool = False) -> Column[Any]:
    """Return a column of JSON documents."""
    return Column(name, Json, nullable=null)


def number(name: str) -> Column[int]:
    """Return a column of whole numbers."""
    return Column(name, BigInteger, nullable=False, autoincrement=False)


def clock() -> Column[int]:
    """Return the logical clock of a row (see store.schema), in µs."""
    return number("clock")


def one_of(name: str, *choices: str) -> CheckConstraint:
    """Return the constraint that a column holds one of these words."""
    listed = ", ".join(f"'{choice}'" for choice in choices)
    return CheckConstraint(f"{name} IN ({listed})", name=name)


def partial_index(name: str, columns: str, where: str, *, unique: bool = False) -> Index:
    """Return an index of only those rows that `where` holds for."""
    condition = text(where)
    return Index(
        name,
        *columns.split(),
        unique=unique,
        postgresql_where=condition,
        sqlite_where=condition,
    )
