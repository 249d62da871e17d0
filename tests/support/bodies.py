"""Whole messages to bend: the examples of `events.examples`, with one place changed by its path."""

import json
from typing import Any

from events.examples import example

MISSING: Any = object()


def bent(kind: str, path: str, value: object) -> bytes:
    """Return the example of a type with `value` at a dotted path; MISSING takes the field out."""
    document = example(kind)
    *way, last = path.split(".")
    place: Any = document
    for step in way:
        place = place[_key(place, step)]
    if value is MISSING:
        place.pop(last, None)
    else:
        place[_key(place, last)] = value
    return json.dumps(document).encode()


def raw(kind: str, path: str, text: str) -> bytes:
    """Return the example of a type with `text` itself, JSON or not, at a dotted path."""
    marker = "raw text goes here"
    return bent(kind, path, marker).decode().replace(json.dumps(marker), text).encode()


def _key(place: object, step: str) -> str | int:
    return int(step) if isinstance(place, list) else step
