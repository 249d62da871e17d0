"""Messages drawn at random, from their own schemas: whatever one accepts, the codec must accept.

What a schema can not say is kept to by hand: short names (they fit routing keys in any spelling),
days that exist, line ids that differ, one way of naming a line.
"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from events.inbound import INBOUND
from events.schemas import data_schemas

_PREFIX = "#/$defs/"
_EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
_SCHEMAS = data_schemas(_PREFIX)

names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
_STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
free_texts = st.text(_STORABLE, max_size=8)
_zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_seconds = st.integers(0, 230 * 365 * 24 * 3600) | st.floats(0, 7e9)
instants = st.builds(
    lambda seconds, zone: (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).isoformat(),
    _seconds,
    st.just(UTC) | _zones,
)
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(-1e300, 1e300), free_texts),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(free_texts, inner, max_size=3),
    max_leaves=6,
)
json_objects = st.dictionaries(free_texts, _values, max_size=4)


def data_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the data of an event in."""
    return _model(kind).map(_lines_apart)


events_in = st.sampled_from(sorted(INBOUND)).flatmap(
    lambda kind: st.tuples(st.just(kind), data_of(kind))
)


def _model(name: str) -> st.SearchStrategy[dict[str, Any]]:
    schema = _SCHEMAS[name]
    fields = {field: _field(told) for field, told in schema["properties"].items()}
    required = {field: fields.pop(field) for field in schema.get("required", [])}
    drawn = st.fixed_dictionaries(required, optional=fields)
    return drawn.map(_NAMED_ONE_WAY[name]) if name in _NAMED_ONE_WAY else drawn


def _field(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema:
        case {"anyOf": alternatives}:
            return st.one_of(*map(_field, alternatives))
        case {"$ref": reference}:
            return _reference(reference.removeprefix(_PREFIX))
        case {"type": "array", "items": items}:
            return st.lists(_field(items), min_size=schema.get("minItems", 0), max_size=4)
        case {"minimum": least, "maximum": most}:
            return st.integers(least, most).filter(lambda n: n != 0 or "not" not in schema)
        case {"format": spelling}:
            return _PLAIN[spelling]
        case _:
            return names if "pattern" in schema else _PLAIN[str(schema["type"])]


_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "date-time": instants,
    "string": free_texts,
    "boolean": st.booleans(),
    "null": st.none(),
    "object": json_objects,
    "['number', 'string']": st.one_of(st.integers(), st.floats(-1e300, 1e300), free_texts),
}


def _reference(name: str) -> st.SearchStrategy[Any]:
    schema = _SCHEMAS[name]
    return st.sampled_from(schema["enum"]) if "enum" in schema else _model(name)


def _cancelled(line: dict[str, Any]) -> dict[str, Any]:
    if line.get("line_id") is not None:
        return line | {"sku": None}
    return {"sku": line.get("sku") or "A", "qty": line.get("qty") or 1}


def _requested(line: dict[str, Any]) -> dict[str, Any]:
    named = {field: line.get(field) for field in ("shop", "order_id", "line_id")}
    qty = line.get("qty")
    if all(named.values()):
        return line | {"qty": None if qty is None else abs(qty)}
    return {"sku": line["sku"], "qty": qty or 1}


_NAMED_ONE_WAY = {"CancelledLine": _cancelled, "RequestedLine": _requested}


def _lines_apart(data: dict[str, Any]) -> dict[str, Any]:
    seen: set[str | None] = set()
    for n, line in enumerate(data.get("lines") or []):
        line_id = line.get("line_id")
        if line_id is not None and line_id in seen:
            line["line_id"] = line_id = f"{n} {line_id}"
        seen.add(line_id)
    return data
