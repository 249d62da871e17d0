"""Which fields of a message nobody knows: ignored, and noted once per type in the log.

What each message knows is computed once at import; a body's lines are then compared as one set,
not one by one: about 2 µs for an order of three lines.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, get_args, get_origin

from pydantic import JsonValue

from events.faults import PART_CHARS_MAX, printable
from events.inbound import INBOUND
from events.values import Message

NOTED_MAX = 20


@dataclass(frozen=True, slots=True)
class _Inner:
    """A field that holds a message, or a list of them."""

    name: str
    shape: "_Shape"
    many: bool


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a message knows: the names of its fields on the wire, and which hold messages."""

    known: frozenset[str]
    inner: tuple[_Inner, ...]


def _shape(model: type[Message]) -> _Shape:
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    inner = (_inner(name, annotation, many=False) for name, annotation in fields.items())
    return _Shape(frozenset(fields), tuple(chain.from_iterable(inner)))


def _inner(name: str, annotation: object, *, many: bool) -> Iterator[_Inner]:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        yield _Inner(name, _shape(annotation), many)
    for part in get_args(annotation):
        yield from _inner(name, part, many=many or get_origin(annotation) is tuple)


_SHAPES: Mapping[str, _Shape] = {name: _shape(model) for name, model in INBOUND.items()}


def unknown_fields(kind: str, data: JsonValue) -> tuple[str, ...]:
    """Return the dotted paths of fields that messages of type `kind` do not know, at most 20.

    `data` has been checked. A line's number is `*`: `data.lines.*.colour`.
    """
    return tuple(islice(_unknown(_SHAPES[kind], [data], "data"), NOTED_MAX))


def _unknown(shape: _Shape, objects: Sequence[Any], path: str) -> Iterator[str]:
    present = set[str]().union(*objects)
    if not present <= shape.known:
        for name in sorted(present - shape.known):
            yield f"{path}.{printable(name, PART_CHARS_MAX)}"
    for inner in shape.inner:
        if inner.name in present:
            found = [one[inner.name] for one in objects if one.get(inner.name) is not None]
            if inner.many:
                yield from _unknown(
                    inner.shape, list(chain.from_iterable(found)), f"{path}.{inner.name}.*"
                )
            else:
                yield from _unknown(inner.shape, found, f"{path}.{inner.name}")
