"""Columns of values as PostgreSQL takes them, built here.

psycopg's own dumping of lists takes a third of a batch's whole time in the client; joining texts
takes a twentieth of that. Joined by a control character they need no quoting either, and the
server splits them in half the time it takes to read a literal: 1.4 ms for the bodies of a batch.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from store.statements import Kind

BETWEEN = "\x1e"  # between two texts, and for one that is not there: JSON and names hold neither
ABSENT = "\x1f"


def joined(values: Sequence[str | None]) -> str | None:
    """Return texts in one, to be split by the server; None where one of them is in the way."""
    absent = 0
    try:
        text = BETWEEN.join(values)  # type: ignore[arg-type]  # a None in it is found by the join
    except TypeError:
        absent = values.count(None)
        text = BETWEEN.join([ABSENT if value is None else value for value in values])
    whole = text.count(BETWEEN) == len(values) - 1 and text.count(ABSENT) == absent
    return text if whole and text else None


def literal(kind: Kind, values: Sequence[Any]) -> str:
    """Return `{…}` for the values of one column; None becomes NULL."""
    return _WRITERS[kind](values)


def _texts(values: Sequence[str | None]) -> str:
    try:
        joined = '","'.join(values)  # type: ignore[arg-type]  # a None in it is found by the join
    except TypeError:
        return _escaped(values)
    if "\\" in joined or joined.count('"') != 2 * max(0, len(values) - 1):
        return _escaped(values)
    return f'{{"{joined}"}}' if values else "{}"


def _escaped(values: Iterable[str | None]) -> str:
    return "{" + ",".join("NULL" if value is None else _quoted(value) for value in values) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _numbers(values: Iterable[int | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _flags(values: Iterable[bool | None]) -> str:
    return "{" + ",".join(["NULL" if value is None else "ft"[value] for value in values]) + "}"


def _bytes(values: Iterable[bytes | None]) -> str:
    return _escaped(None if value is None else "\\x" + value.hex() for value in values)


_WRITERS: dict[Kind, Callable[[Sequence[Any]], str]] = {
    "text": _texts,
    "timestamptz": _texts,
    "bigint": _numbers,
    "boolean": _flags,
    "bytea": _bytes,
}
