"""SQL that both engines run: written once, over rows that are handed in all at once.

In the text of a `Query`:

- `{given}` is a table named `given` of the rows handed in, with the columns of `Query.given`;
- `{lock}` locks the rows read from the table named `t`, `{share}` keeps others from changing them,
  `{take}` locks those that nobody else has locked and leaves out the others;
- `{now}` is the time by the clock of the database;
- `:name` is one value.

Joins start at `{given} CROSS JOIN t`: SQLite then takes the given rows first and looks each up.
`store.dialects` turns it into what an engine understands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import BigInteger, Boolean, LargeBinary, Table
from sqlalchemy.types import TypeEngine

from store.columns import Instant

Kind = Literal["text", "bigint", "boolean", "timestamptz", "bytea"]
Value = str | int | bool | bytes | None  # moments and documents are handed in as text
Columns = tuple[tuple[str, Kind], ...]
Row = tuple[Value, ...]
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Query:
    """A statement over given rows; `given` names their columns and says what they hold."""

    sql: str
    given: Columns = ()


@dataclass(frozen=True, slots=True)
class Firsts:
    """The first `:count_max` rows of a table for each given row: one look at an index for each.

    `where` and `order` are SQL over the table named `t` and the given row; `columns`, those of the
    given row first, are what is read. In which order it comes is for each engine to say.
    """

    given: Columns
    table: str
    columns: tuple[str, ...]
    where: str
    order: str


def kind_of(column_type: TypeEngine[object]) -> Kind:
    """Return what a column of a table holds, as PostgreSQL names it."""
    if isinstance(column_type, BigInteger):
        return "bigint"
    if isinstance(column_type, Boolean):
        return "boolean"
    if isinstance(column_type, Instant):
        return "timestamptz"
    return "bytea" if isinstance(column_type, LargeBinary) else "text"


def key_of(table: Table) -> tuple[str, ...]:
    """Return the names of the primary key's columns."""
    return tuple(column.name for column in table.primary_key.columns)


def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of all columns, in the order of the table."""
    return tuple(column.name for column in table.columns)
