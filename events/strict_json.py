"""JSON that means one thing to everybody: bytes → one object, or the first fault with its path.

No parser at hand refuses all that the contract calls malformed (duplicate keys, NUL, depth), so:

1. `_trusted` proves a body clean by a few searches at C speed, about 4 µs for an order of three
   lines. What it can not prove is not yet bad.
2. `_examined` reads such a body with hooks and walks it, about 25 µs, and names what it finds.

`write` is the way back: compact, instants in UTC, whole numbers of any size.
"""

import json
import math
import re
from collections import Counter
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from events.instants import instant_text

DEPTH_MAX = 32
NUMBER_CHARS_MAX = 4_000  # below 4,300, where Python itself refuses to read a whole number

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

Object = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: `path` from the envelope, empty for the body as a whole."""

    path: tuple[str | int, ...]
    message: str


class _Repeating(dict[str, JsonValue]):
    """An object in which a key stood twice; it keeps none of the values of that key."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class _NoNumber:
    """A number that JSON does not know, or that no number type holds."""

    text: str


def read(body: bytes) -> tuple[Object | None, Fault | None]:
    """Return the body's object and its first fault; both, where a faulty body can be read."""
    document = _trusted(body)
    return _examined(body) if document is None else (document, None)


def write(value: object, *, sort_keys: bool = False) -> bytes:
    """Return the JSON of a value; `sort_keys` by code point, for one text of one content."""
    sorting = orjson.OPT_SORT_KEYS if sort_keys else 0
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | sorting)
    except TypeError:  # a price or an address holds a whole number beyond 64 bits
        return json.dumps(
            value,
            sort_keys=sort_keys,
            default=instant_text,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()


def _trusted(body: bytes) -> Object | None:
    r"""Return the object if it is surely clean.

    orjson refuses what is not UTF-8, a byte order mark, NaN and lone surrogates; NUL needs the
    escape `\u0000`. With `\u0022` out of the way every quote in the body is either one of the two
    around a text or written `\"`, as in the body written anew: a dropped duplicate key shows as
    missing quotes.
    """
    if b"\\u0000" in body or b"\\u0022" in body:
        return None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX and _too_deep(document):
        return None
    return document if orjson.dumps(document).count(b'"') == body.count(b'"') else None


def _too_deep(document: JsonValue) -> bool:
    level: list[JsonValue] = [document]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)  # type: ignore[union-attr]
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _examined(body: bytes) -> tuple[Object | None, Fault | None]:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return None, Fault((), f"the body is not UTF-8: byte {error.start} does not fit")
    if text.startswith("\ufeff"):
        return None, Fault((), "the body begins with a byte order mark")
    try:
        document = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_NoNumber,
        )
    except RecursionError:
        return None, Fault((), f"the body is nested over {DEPTH_MAX} levels deep")
    except json.JSONDecodeError as error:
        return None, Fault((), f"the body is not JSON: {error.msg} at character {error.pos}")
    if not isinstance(document, dict):
        return None, Fault((), "the body is not one JSON object")
    return document, _first_fault(document, (), 1)


def _object(pairs: list[tuple[str, JsonValue]]) -> Object:
    whole = dict(pairs)
    if len(whole) == len(pairs):
        return whole
    times = Counter(key for key, _ in pairs)
    repeating = _Repeating((key, value) for key, value in pairs if times[key] == 1)
    repeating.key = next(key for key, n in times.items() if n > 1)
    return repeating


def _whole_number(text: str) -> int | _NoNumber:
    return int(text) if len(text) <= NUMBER_CHARS_MAX else _NoNumber(text)


def _number(text: str) -> float | _NoNumber:
    number = float(text)
    return number if math.isfinite(number) else _NoNumber(text)


def _first_fault(value: object, path: tuple[str | int, ...], depth: int) -> Fault | None:
    if isinstance(value, dict | list):
        return _inner_fault(value, path, depth)
    if isinstance(value, str):
        return _text_fault(value, path)
    if isinstance(value, _NoNumber):
        return Fault(path, f"is a number that can not be kept: {value.text[:20]}")
    return None


def _inner_fault(
    value: Object | list[JsonValue], path: tuple[str | int, ...], depth: int
) -> Fault | None:
    if depth > DEPTH_MAX:
        return Fault(path, f"is nested over {DEPTH_MAX} levels deep")
    if isinstance(value, _Repeating):
        return Fault((*path, value.key), "stands twice in one object")
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        here = (*path, key)
        fault = _text_fault(str(key), here) or _first_fault(inner, here, depth + 1)
        if fault is not None:
            return fault
    return None


def _text_fault(text: str, path: tuple[str | int, ...]) -> Fault | None:
    found = _UNSTORABLE.search(text)
    if found is None:
        return None
    if found[0] == "\x00":
        return Fault(path, "must not contain NUL")
    return Fault(path, f"is not Unicode text: it holds the lone surrogate U+{ord(found[0]):04X}")
