"""The rules of `lines`: never empty, at most 5,000, no line id twice, one way of naming a line.

Pydantic names the field that broke a rule; what pydantic does not know is raised with the path of
the culprit by `broken`, so that a sender reads `data.lines.3.line_id` and not only `data.lines`.
"""

from collections.abc import Hashable, Iterable
from typing import Protocol, TypeVar

from pydantic import ConfigDict, Field, ValidationError
from pydantic.config import JsonDict, JsonValue
from pydantic_core import InitErrorDetails, PydanticCustomError

from events.values import LINES_MAX

# Stops at the first bad line: what a broken sender gets back must not be larger than what it sent.
Lines = Field(min_length=1, max_length=LINES_MAX, fail_fast=True)


class Identified(Protocol):
    """A line that may carry the shop's line id."""

    @property
    def line_id(self) -> str | None:
        """The shop's name of the line within its order."""


IdentifiedLine = TypeVar("IdentifiedLine", bound=Identified)


def broken(path: tuple[str | int, ...], message: str, found: object) -> ValidationError:
    """Return the error that says: at `path`, below the value being checked, `message`."""
    details = InitErrorDetails(
        type=PydanticCustomError("contract", "{message}", {"message": message}),
        loc=path,
        input=found,
    )
    return ValidationError.from_exception_data("contract", [details])


def way(*, present: tuple[str, ...], absent: tuple[str, ...], **more: JsonDict) -> JsonDict:
    """Return the schema of one way to name a line; `more` narrows further fields."""
    fields: JsonDict = {name: {"not": {"type": "null"}} for name in present}
    fields |= {name: {"type": "null"} for name in absent}
    return {"required": list(present), "properties": {**fields, **more}}


def either(*ways: JsonValue) -> ConfigDict:
    """Return what a line's schema has besides its fields: exactly one of these ways to name it."""
    return ConfigDict(json_schema_extra={"oneOf": list(ways)})


def each_line_once(lines: tuple[IdentifiedLine, ...]) -> tuple[IdentifiedLine, ...]:
    """Refuse the same line id twice; lines without one may repeat."""
    first_repeat(line.line_id for line in lines)
    return lines


def first_repeat(keys: Iterable[Hashable | None]) -> None:
    """Refuse the same key twice, by the path of the second; None stands for no key."""
    seen: set[Hashable] = set()
    for position, key in enumerate(keys):
        if key is None:
            continue
        if key in seen:
            raise broken((position, "line_id"), "must not stand twice", key)
        seen.add(key)
