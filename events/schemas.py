"""JSON Schema (draft 2020-12) of every message, envelope and data, from the models themselves.

What a schema can not say, the codec checks all the same: duplicate keys, NUL, depth, `1.0` where a
whole number is asked for, bytes in percent-encoded UTF-8, the same line id twice, days that do not
exist.
"""

from collections.abc import Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from events.codec import CONTENT_TYPE_DATA, SOURCE, schema_urn
from events.examples import example
from events.inbound import INBOUND
from events.instants import Instant
from events.names import Identity
from events.outbound import OUTBOUND
from events.values import Message

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGES: Mapping[str, type[Message]] = {**INBOUND, **OUTBOUND}

Schema = dict[str, Any]


def message_schemas() -> dict[str, Schema]:
    """Return the schema of every message by type, each complete in itself."""
    prefix = "#/$defs/"
    parts = data_schemas(prefix)
    return {
        kind: {
            "$schema": DIALECT,
            "$id": schema_urn(kind),
            **envelope_schema(kind, parts[kind]),
            "$defs": {name: parts[name] for name in _reachable(kind, parts, prefix) - {kind}},
        }
        for kind in MESSAGES
    }


def envelope_schema(kind: str, data: Schema) -> Schema:
    """Return the schema of a whole message of type `kind`; `data` describes its data."""
    attributes = _attributes_out(kind) if kind in OUTBOUND else _attributes_in()
    required = ["specversion", "id", "source", "type", "data"]
    if kind in OUTBOUND:
        required += ["time", "datacontenttype", "dataschema"]
    return {
        "title": kind,
        "description": told(kind)[0],
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": TypeAdapter(Identity).json_schema(),
            "type": {"const": kind},
            **attributes,
            "data": data,
        },
        "required": required,
        "examples": [example(kind)],
    }


def told(kind: str) -> tuple[str, str]:
    """Return what a message says: its first line, and all of it."""
    text = cleandoc(MESSAGES[kind].__doc__ or kind)
    return text.partition("\n")[0], text


def data_schemas(prefix: str) -> dict[str, Schema]:
    """Return the schemas of every message's data and of their parts, by model name.

    `prefix`: where in the document they will stand, for references among them.
    """
    models: list[tuple[type[Message], Literal["validation"]]] = [
        (model, "validation") for model in MESSAGES.values()
    ]
    _, document = models_json_schema(models, ref_template=f"{prefix}{{model}}")
    parts: dict[str, Schema] = document["$defs"]
    read = set[str]().union(*(_reachable(kind, parts, prefix) for kind in INBOUND))
    used = read.union(*(_reachable(kind, parts, prefix) for kind in OUTBOUND))
    return {name: _tidied(parts[name], nullable=name in read) for name in sorted(used)}


def _attributes_in() -> Schema:
    return {
        "source": TypeAdapter(Identity).json_schema(),
        "time": {"anyOf": [TypeAdapter(Instant).json_schema(), {"type": "null"}]},
        "caused_by": {
            "description": "the event that was set aside and that this one is a corrected copy of:"
            " its source, id and type. Anything else is ignored."
        },
    }


def _attributes_out(kind: str) -> Schema:
    return {
        "source": {"const": SOURCE},
        "subject": {"type": "string"},
        "time": TypeAdapter(Instant).json_schema(),
        "datacontenttype": {"const": CONTENT_TYPE_DATA},
        "dataschema": {"const": schema_urn(kind)},
        "traceparent": {"type": "string"},
    }


def _tidied(schema: Schema, *, nullable: bool) -> Schema:
    """Drop what repeats a field's name, and defaults: what absence means is told in words.

    We leave an optional field out rather than write null, so what we send says so (`nullable`).
    """
    fields = schema.get("properties", {})
    for name, field in fields.items():
        field.pop("title", None)
        optional = "default" in field
        field.pop("default", None)
        if optional and not nullable:
            (fields[name],) = (one for one in field["anyOf"] if one != {"type": "null"})
    return schema


def _reachable(name: str, parts: Mapping[str, Schema], prefix: str) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead.extend(reference.removeprefix(prefix) for reference in _references(parts[one]))
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        inner: Iterable[object] = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return
    for one in inner:
        yield from _references(one)
