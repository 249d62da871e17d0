"""Instants: RFC 3339 text with a time zone on the wire, aware datetimes in UTC inside."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

YEAR_MIN, YEAR_MAX = 1970, 2200

# Pydantic reads more than the contract means: bare numbers as seconds, days without a time.
_DATE_TIME = r"[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
_ZONE = r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
_TEXT = re.compile(f"[0-9]{{4}}-{_DATE_TIME}{_ZONE}?")
_YEARS = r"(19[7-9][0-9]|2[01][0-9]{2}|2200)"


def instant_text(moment: datetime) -> str:
    """Return `2026-11-21T10:00:00Z`: UTC, with fractions (six digits) only when they are not 0."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _instant(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else _parsed(value)
    if moment.tzinfo is None:
        raise PydanticCustomError("naive_time", "must have a time zone, `Z` or `+hh:mm`")
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise _out_of_range()
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
        if not YEAR_MIN <= moment.year <= YEAR_MAX:  # the zone carried it over New Year
            raise _out_of_range()
    return moment


def _parsed(value: object) -> datetime:
    if not isinstance(value, str) or _TEXT.fullmatch(value) is None:
        raise PydanticCustomError(
            "not_an_instant", "must be an instant like 2026-11-21T10:00:00Z (RFC 3339)"
        )
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise PydanticCustomError("no_such_instant", "must be a day and time that exist") from error


def _out_of_range() -> PydanticCustomError:
    return PydanticCustomError(
        "year_range", "must lie in the years {min} to {max}", {"min": YEAR_MIN, "max": YEAR_MAX}
    )


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": f"^{_YEARS}-{_DATE_TIME}{_ZONE}$",
            "description": "instant, RFC 3339 with a time zone, years 1970 to 2200",
        }
    ),
]
