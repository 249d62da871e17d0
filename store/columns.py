"""The kinds of columns the tables are made of; each says how it is kept by either engine.

- `Key`: a name from outside. Orders by Unicode code point everywhere (domain.md §1): PostgreSQL
  is told to (`COLLATE "C"`), SQLite's own order of UTF-8 bytes is that order.
- `Instant`: UTC. `timestamptz` on PostgreSQL; SQLite has no such type and keeps text of one fixed
  width, so that its order is the order of time.
- `Json`: kept as text and read by us only, so that both engines give back what was written.
- `Units`: whole units, as large as sums over the years may grow.
"""

import json
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import TEXT, TIMESTAMP, BigInteger, DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

Units = BigInteger

Document = Any  # a JSON document, or the part of one
Stored = Any  # what a driver gives for a column


class Key(TypeDecorator[str]):
    """A name, ordered by code point."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Ask PostgreSQL for the order SQLite has anyway."""
        return TEXT(collation="C") if dialect.name == "postgresql" else TEXT()


class Instant(TypeDecorator[datetime]):
    """A moment in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep text where the engine knows no moments."""
        return TEXT() if dialect.name == "sqlite" else TIMESTAMP(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Stored:
        """Write UTC; a moment without a zone is a bug and raises."""
        if value is None:
            return None
        moment = in_utc(value)
        return instant_text(moment) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Stored, dialect: Dialect) -> datetime | None:
        """Read UTC."""
        moment: datetime | None = value
        if value is None or dialect.name != "sqlite":
            return moment
        return datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A JSON document as text; None is no document."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Document, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write text."""
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Document:  # noqa: ARG002
        """Read the document."""
        return None if value is None else json_value(value)


def in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; ValueError where it names no zone."""
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no time zone")
    return moment.astimezone(UTC)


def instant_text(moment: datetime) -> str:
    """Return text of fixed width that orders as time does, and that PostgreSQL reads as well."""
    return in_utc(moment).isoformat(timespec="microseconds")


class InstantTexts:
    """Text of the moments of one batch: an event writes the same one up to ten times."""

    def __init__(self) -> None:
        self._texts: dict[int, tuple[datetime, str]] = {}

    def of(self, moment: datetime) -> str:
        """Return `instant_text`, made once for each object; to compare moments takes as long."""
        known = self._texts.get(id(moment))
        if known is None:
            known = self._texts[id(moment)] = (moment, instant_text(moment))
        return known[1]


def json_text(value: Document) -> str:
    """Return a document as text; whole numbers beyond 64 bits are kept to the last digit."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_value(text: str) -> Document:
    """Return the document in a text; not orjson, which reads numbers beyond 64 bits as floats."""
    return json.loads(text)
