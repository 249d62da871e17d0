"""docs/events.md: every message with its fields, rules and an example, from the models themselves.

1. an introduction and a table of all messages, each by its first sentence;
2. each message: its docstring, its fields as the schema has them, an example with its routing key;
3. the parts that messages share: lines, parts, customer, cause.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from events.codec import Malformed, decode
from events.examples import example
from events.inbound import INBOUND
from events.outbound import OUTBOUND
from events.routing import inbound_key, outbound_key
from events.schemas import MESSAGES, Schema, data_schemas, told

_HEAD = """\
# Events

Written by `events/reference.py` from the models in `events/`; a test compares the two. Rule
numbers (O1, R4, …) are those of the rule book.

Every message is a CloudEvents 1.0 event in structured JSON mode (`application/cloudevents+json`):
`specversion`, `id`, `source`, `type` and `data` are required, (`source`, `id`) is its identity.
`time` is when it happened, absent: when it was received. In `data`, unknown fields are ignored; a
null in an optional field means absent, but in `ItemChanged`, `VendorChanged`, `ShopChanged` and
`PlaceChanged` it clears what was set, while an absent field stays as it is.

A corrected copy of an event that was set aside has another id, and an attribute `caused_by` beside
`data`: `{"source", "id", "type"}` of that event, which is resolved when the copy has its effect.

A message that breaks a rule of its schema, or one a schema can not say (a duplicate key, NUL,
nesting over 32 levels, `1.0` for a whole number, a line id twice, over 1 MiB, a compressed body),
is set aside with the path of the field and the reason; see `backship dead list`.

`backship schema DIR` writes the JSON Schema of every message and the AsyncAPI document.
"""

_PREFIX = "#/$defs/"
_NULL = {"type": "null"}


def markdown() -> str:
    """Return docs/events.md."""
    parts = data_schemas(_PREFIX)
    shared = [name for name, part in parts.items() if name not in MESSAGES and "enum" not in part]
    blocks = [
        _HEAD,
        "## In: exchange `backship.in`\n",
        _overview(INBOUND),
        "## Out: exchange `backship.out`\n",
        _overview(OUTBOUND),
        "## Events in\n",
        *(_message(kind, parts) for kind in INBOUND),
        "## Events out\n",
        *(_message(kind, parts) for kind in OUTBOUND),
        "## Parts\n",
        *(_part(name, parts) for name in shared),
    ]
    return "\n".join(blocks)


def _overview(kinds: Iterable[str]) -> str:
    rows = (f"| [`{kind}`](#{kind.lower()}) | {_cell(told(kind)[0])} |\n" for kind in kinds)
    return "| message | what it says |\n|---|---|\n" + "".join(rows)


def _message(kind: str, parts: Mapping[str, Schema]) -> str:
    whole = example(kind)
    data = orjson.dumps(whole["data"], option=orjson.OPT_INDENT_2).decode()
    return (
        f"### {kind}\n\n{told(kind)[1]}\n\n{_fields(parts[kind], parts)}\n"
        f"Routing key of this example: `{_key(kind, whole)}`\n\n```json\n{data}\n```\n"
    )


def _part(name: str, parts: Mapping[str, Schema]) -> str:
    return f"### {name}\n\n{parts[name]['description']}\n\n{_fields(parts[name], parts)}"


def _key(kind: str, whole: dict[str, Any]) -> str:
    if kind in OUTBOUND:
        return outbound_key(OUTBOUND[kind].model_validate_json(orjson.dumps(whole["data"])))
    event = decode(orjson.dumps(whole))
    assert not isinstance(event, Malformed), event.message
    return inbound_key(event)


def _fields(schema: Schema, parts: Mapping[str, Schema]) -> str:
    required = schema.get("required", ())
    rows = (
        f"| `{name}` | {_cell(_type(field, parts))} | {_presence(field, name in required)} |\n"
        for name, field in schema["properties"].items()
    )
    return "| field | type | |\n|---|---|---|\n" + "".join(rows)


def _presence(field: Schema, required: bool) -> str:  # noqa: FBT001 - one of the two words it says
    if not required:
        return "optional"
    return "required, may be null" if _NULL in field.get("anyOf", ()) else "required"


def _type(field: Schema, parts: Mapping[str, Schema]) -> str:
    """Return a field's type in words: what its schema says, or what it is."""
    match field:
        case {"anyOf": alternatives}:
            return " or ".join(_type(one, parts) for one in alternatives if one != _NULL)
        case {"$ref": reference}:
            return _reference(reference.removeprefix(_PREFIX), parts)
        case {"type": "array", "items": items}:
            return f"list{_length(field)}: {_type(items, parts)}"
        case {"description": told_already}:
            return str(told_already)
        case {"type": "boolean"}:
            return "true or false"
        case {"type": kind}:
            return {"string": "text"}.get(kind, str(kind))
        case _:
            raise ValueError(f"a schema without words: {field}")


def _reference(name: str, parts: Mapping[str, Schema]) -> str:
    values: Iterator[str] = (f"`{value}`" for value in parts[name].get("enum", ()))
    return ", ".join(values) or f"[{name}](#{name.lower()})"


def _length(field: Schema) -> str:
    return f" of {field['minItems']:,} to {field['maxItems']:,}" if "maxItems" in field else ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
