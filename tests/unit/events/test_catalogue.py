"""The documents: JSON Schemas, AsyncAPI, docs/events.md say what the codec does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from events.catalogue import asyncapi, documents, markdown, message_schemas, write
from events.codec import Malformed, decode
from events.examples import example
from events.inbound import INBOUND
from events.outbound import OUTBOUND
from scripts.write_docs import EVENTS_PAGE
from tests.support.bodies import MISSING, bent

SCHEMAS = message_schemas()
DOCUMENT = asyncapi()
KINDS = [*INBOUND, *OUTBOUND]


def _accepts(kind: str, document: object) -> bool:
    return Draft202012Validator(SCHEMAS[kind]).is_valid(document)


# ---------------------------------------------------------------- JSON Schema


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_has_a_valid_schema_of_its_own_name(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$id"] == f"urn:backship:{kind}:1"
    assert SCHEMAS[kind]["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_accepts_its_example_and_no_other_message(kind: str) -> None:
    assert _accepts(kind, example(kind))
    assert not any(_accepts(kind, example(other)) for other in KINDS if other != kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_refuses_a_message_without_a_required_field(kind: str) -> None:
    required = [*SCHEMAS[kind]["required"]]
    required += [f"data.{name}" for name in SCHEMAS[kind]["properties"]["data"]["required"]]
    assert {"specversion", "id", "source", "type", "data"} <= set(required)
    for field in required:
        document = json.loads(bent(kind, field, MISSING))
        assert not _accepts(kind, document), field
        if kind in INBOUND:
            assert isinstance(decode(json.dumps(document).encode()), Malformed), field


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("OrderPlaced", "specversion", "0.3"),
        ("OrderPlaced", "id", "x" * 201),
        ("OrderPlaced", "time", "2026-11-21T10:00:00"),
        ("OrderPlaced", "time", "1969-12-31T23:59:59Z"),
        ("OrderPlaced", "data.shop", "x" * 101),
        ("OrderPlaced", "data.order_id", "a\tb"),
        ("OrderPlaced", "data.order_id", ""),
        ("OrderPlaced", "data.lines", []),
        ("OrderPlaced", "data.lines", [{"line_id": "1", "sku": "A", "qty": 1}] * 5_001),
        ("OrderPlaced", "data.lines.0.qty", 0),
        ("OrderPlaced", "data.lines.0.qty", "1"),
        ("OrderPlaced", "data.lines.0.qty", True),
        ("OrderPlaced", "data.lines.0.qty", 10**9 + 1),
        ("OrderPlaced", "data.lines.0.unit_price", True),
        ("OrderPlaced", "data.ship_mode", "all"),
        ("OrderPlaced", "data.ship_to", []),
        ("OrderCancelled", "data.lines.0", {"line_id": "1", "sku": "A", "qty": 1}),
        ("OrderCancelled", "data.lines.0", {"sku": "A"}),
        ("OrderCancelled", "data.lines.0", {}),
        ("ReplenishmentRequested", "data.lines.0.qty", 0),
        ("ReplenishmentRequested", "data.lines.0.qty", None),
        ("ReplenishmentRequested", "data.lines.1.qty", -1),
        ("ReplenishmentRequested", "data.lines.1.shop", None),
        ("StockCounted", "data.lines.0.qty", -1),
        ("ItemChanged", "data.policy.lead_time_days", 3_651),
        ("PlaceChanged", "data.enabled", "yes"),
    ],
)
def test_a_schema_refuses_what_the_codec_refuses(kind: str, path: str, value: object) -> None:
    body = bent(kind, path, value)
    assert isinstance(decode(body), Malformed)
    assert not _accepts(kind, json.loads(body))


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("OrderPlaced", "time", None),
        ("OrderPlaced", "subject", 5),
        ("OrderPlaced", "data.ship_mode", None),
        ("OrderPlaced", "data.unheard_of", 1),
        ("OrderPlaced", "data.lines.0.unit_price", "1,50"),
        ("OrderCancelled", "data.lines.0", {"line_id": "1", "sku": None, "qty": None}),
        ("OrderCancelled", "data.lines", None),
        ("ReplenishmentRequested", "data.lines.1.qty", None),
        ("ReplenishmentRequested", "data.lines.0.qty", -5),
        ("ItemChanged", "data.policy", None),
        ("ShopChanged", "data.sources", []),
    ],
)
def test_a_schema_accepts_what_the_codec_accepts(kind: str, path: str, value: object) -> None:
    body = bent(kind, path, value)
    assert not isinstance(decode(body), Malformed)
    assert _accepts(kind, json.loads(body))


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ReadyToShip", "source", "/elsewhere"),
        ("ReadyToShip", "data.ship_to", None),
        ("OrderBackordered", "data.customer", None),
        ("OrderBackordered", "data.lines.0.qty", 0),
        ("ExceptionRaised", "data.refs.sku", None),
        ("ExceptionRaised", "data.code", "odd"),
    ],
)
def test_a_schema_promises_what_we_never_send(kind: str, path: str, value: object) -> None:
    assert not _accepts(kind, json.loads(bent(kind, path, value)))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ReadyToShip", "data.source"),
        ("OrderBackordered", "data.expected_at"),
        ("OrderRejected", "data.lines.0.sellable"),
        ("ExpectedDateChanged", "data.lines.0.was"),
    ],
)
def test_what_may_be_null_out_is_null_and_never_absent(kind: str, path: str) -> None:
    assert _accepts(kind, json.loads(bent(kind, path, None)))
    assert not _accepts(kind, json.loads(bent(kind, path, MISSING)))


# ---------------------------------------------------------------- AsyncAPI


def _references(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _at(pointer: str) -> Any:  # noqa: ANN401 - any JSON
    place: Any = DOCUMENT
    for step in pointer.removeprefix("#/").split("/"):
        place = place[step]
    return place


def test_the_asyncapi_document_has_what_version_3_requires() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for channel in DOCUMENT["channels"].values():
        assert channel["bindings"]["amqp"]["is"] == "routingKey"
        assert channel["bindings"]["amqp"]["exchange"]["type"] == "topic"
        for parameter in channel["parameters"]:
            assert f"{{{parameter}}}" in channel["address"]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = set(_references(DOCUMENT))
    assert len(references) > len(KINDS)
    for reference in references:
        assert isinstance(_at(reference), dict), reference


def test_each_message_goes_through_its_own_exchange() -> None:
    for exchange, kinds, action in (
        ("backship.in", INBOUND, "receive"),
        ("backship.out", OUTBOUND, "send"),
    ):
        channel = DOCUMENT["channels"][exchange]
        assert channel["bindings"]["amqp"]["exchange"]["name"] == exchange
        assert list(channel["messages"]) == list(kinds)
        (operation,) = (
            one
            for one in DOCUMENT["operations"].values()
            if one["channel"]["$ref"] == f"#/channels/{exchange}"
        )
        assert operation["action"] == action
        assert [_at(one["$ref"]) for one in operation["messages"]] == list(
            channel["messages"].values()
        )


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_of_the_asyncapi_document_accepts_what_its_schema_accepts(kind: str) -> None:
    message = DOCUMENT["components"]["messages"][kind]
    assert message["name"] == kind
    assert message["contentType"] == "application/cloudevents+json"
    schema = message["payload"] | {"components": DOCUMENT["components"]}
    (shown,) = message["examples"]
    Draft202012Validator(schema).validate(shown["payload"])
    assert not Draft202012Validator(schema).is_valid(shown["payload"] | {"data": {}})


# ---------------------------------------------------------------- files


def test_every_document_is_written(tmp_path: Path) -> None:
    written = write(tmp_path / "new" / "folder")
    assert {path.name for path in written} == {f"{kind}.schema.json" for kind in KINDS} | {
        "asyncapi.json"
    }
    assert {path.name: path.read_bytes() for path in written} == dict(documents())
    (api,) = (path for path in written if path.name == "asyncapi.json")
    assert json.loads(api.read_bytes()) == DOCUMENT


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    first = {path: path.read_bytes() for path in write(tmp_path)}
    assert {path: path.read_bytes() for path in write(tmp_path)} == first


def test_the_events_page_is_up_to_date() -> None:
    hint = "messages have changed: run `python -m scripts.write_docs`"
    assert EVENTS_PAGE.read_text(encoding="utf-8") == markdown(), hint


@pytest.mark.parametrize("kind", KINDS)
def test_the_events_page_shows_every_message_with_its_fields(kind: str) -> None:
    _, _, rest = markdown().partition(f"\n### {kind}\n")
    section, _, _ = rest.partition("\n### ")
    for field in SCHEMAS[kind]["properties"]["data"]["properties"]:
        assert f"| `{field}` |" in section
    assert json.dumps(example(kind)["data"], indent=2, ensure_ascii=False) in section
