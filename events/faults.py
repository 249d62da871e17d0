"""Say in one clear sentence what is wrong with a message and where.

The sentences are read by the person who mends the sender, in `backship dead list` and in logs,
and kept in text columns: they hold no character that such a column or a terminal could not take.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

FIELD_CHARS_MAX = 500
PART_CHARS_MAX = 100
FOUND_CHARS_MAX = 60

# What pydantic found, in words a sender knows: it sees JSON, no tuples, models or dictionaries.
_SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length:,} characters long",
    "string_pattern_mismatch": "must not contain a control character",
    "bool_type": "must be true or false",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:,}",
    "less_than_equal": "must be at most {le:,}",
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "must have at most {max_length:,} entries",
    "model_type": "must be an object",
    "dict_type": "must be an object",
}


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Return the dotted path of the first bad field, from the envelope, and the sentence."""
    details = error.errors(include_url=False)[0]
    field = dotted(details["loc"])
    known = _SENTENCES.get(details["type"])
    told = details["msg"] if known is None else known.format_map(details.get("ctx", {}))
    return field, f"{field} {told}{_found(details['input'])}"


def dotted(path: Iterable[str | int]) -> str:
    """Return `data.lines.0.qty` for ("data", "lines", 0, "qty"), fit to be printed and kept."""
    return ".".join(printable(str(part), PART_CHARS_MAX) for part in path)[:FIELD_CHARS_MAX]


def printable(text: str, chars_max: int) -> str:
    """Return `text` with what can not be printed escaped, cut to `chars_max`."""
    if not text.isprintable():
        text = text.encode("unicode_escape").decode()
    return text if len(text) <= chars_max else f"{text[: chars_max - 1]}…"


def _found(value: Any) -> str:  # noqa: ANN401 - whatever stood in the message
    """Return what stood there, if it is short enough to help."""
    if value is None or isinstance(value, dict | list | tuple):
        return ""
    return f"; found {printable(json.dumps(value), FOUND_CHARS_MAX)}"
