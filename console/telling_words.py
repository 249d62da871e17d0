"""Quantities, dates and lists as a person says them."""

from collections.abc import Iterable
from datetime import UTC, datetime


def units(count: int) -> str:
    """Return `1 unit`, `2,000 units`."""
    return f"{count:,} unit" if count == 1 else f"{count:,} units"


def units_of(count: int, sku: str | None) -> str:
    """Return `2 units of A`."""
    return units(count) if sku is None else f"{units(count)} of {sku}"


def wait(count: int) -> str:
    """Return the verb that goes with so many."""
    return "waits" if count == 1 else "wait"


def be(count: int) -> str:
    """Return the verb that goes with so many."""
    return "is" if count == 1 else "are"


def was(count: int) -> str:
    """Return the verb that goes with so many."""
    return "was" if count == 1 else "were"


def instant(value: object) -> datetime | None:
    """Return the moment in a document; None where there is none."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def day(moment: datetime) -> str:
    """Return `1 March 2027`, in UTC."""
    found = moment.astimezone(UTC)
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def minute(moment: datetime) -> str:
    """Return `1 March 2027, 10:00`, in UTC."""
    return f"{day(moment)}, {moment.astimezone(UTC):%H:%M}"


def apart(new: datetime, old: datetime) -> tuple[str, str]:
    """Return two different dates so that they look different."""
    say = minute if day(new) == day(old) else day
    return say(new), say(old)


def listed(parts: Iterable[str]) -> str:
    """Return `a, b and c`."""
    *before, last = list(parts) or [""]
    return f"{', '.join(before)} and {last}" if before else last


# Not strftime, which speaks the language of the machine.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
