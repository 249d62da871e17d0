"""Bad bodies (contract.md §1): each is set aside with the field, the reason and a sentence."""

import json
import tracemalloc
import zlib
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import pytest

from events.codec import BODY_BYTES_MAX, Malformed, decode
from events.examples import example
from tests.support.bodies import bent, raw
from tests.support.malformed import BODIES, ENVELOPE, LINE, ORDER, OTHERS, TEXTS


def _refused(body: bytes, *, compressed: bool = False) -> Malformed:
    malformed = decode(body, compressed=compressed)
    assert isinstance(malformed, Malformed), malformed
    return malformed


def _cases(rows: Sequence[tuple[object, ...]]) -> list[Any]:
    """Name each row by its number and what is not a value: a path, a type, the words."""
    return [
        pytest.param(*row, id=f"{n}-{row[0]}-{row[-1]}".replace("\\", "/"))
        for n, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("field", "value", "words"), _cases(ENVELOPE + ORDER))
def test_a_bad_field_of_an_order_is_named(field: str, value: object, words: str) -> None:
    malformed = _refused(bent("OrderPlaced", field, value))
    assert (malformed.reason, malformed.field) == ("malformed", field)
    assert malformed.message.startswith(f"{field} {words}")


@pytest.mark.parametrize(("kind", "field", "value", "words"), _cases(OTHERS))
def test_a_bad_field_of_any_message_is_named(
    kind: str, field: str, value: object, words: str
) -> None:
    malformed = _refused(bent(kind, field, value))
    assert (malformed.reason, malformed.field) == ("malformed", field)
    assert malformed.message.startswith(f"{field} {words}")
    assert malformed.type == kind


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("OrderPlaced", [LINE, LINE | {"line_id": "2"}, LINE]),
        ("OrderChanged", [LINE, LINE | {"line_id": "2"}, LINE]),
        ("OrderShipped", [{"line_id": one, "qty": 1} for one in "121"]),
        ("OrderCancelled", [{"line_id": "1"}, {"sku": "1", "qty": 1}, {"line_id": "1", "qty": 1}]),
        (
            "ReplenishmentRequested",
            [
                {"sku": "A", "shop": "main", "order_id": "1", "line_id": one, "qty": 1}
                for one in "121"
            ],
        ),
    ],
)
def test_the_same_line_id_twice_is_named_by_the_second(kind: str, lines: list[Any]) -> None:
    malformed = _refused(bent(kind, "data.lines", lines))
    assert (malformed.reason, malformed.field) == ("malformed", "data.lines.2.line_id")
    assert malformed.message.startswith("data.lines.2.line_id must not stand twice")


@pytest.mark.parametrize(("path", "text", "field", "words"), _cases(TEXTS))
def test_what_no_parser_agrees_on_is_named(path: str, text: str, field: str, words: str) -> None:
    malformed = _refused(raw("OrderPlaced", path, text))
    assert (malformed.reason, malformed.field) == ("malformed", field)
    assert words in malformed.message
    assert malformed.event_id == "example-OrderPlaced"


@pytest.mark.parametrize(
    ("body", "words"),
    [pytest.param(*row, id=f"{n}-{row[1]}") for n, row in enumerate(BODIES)],
)
def test_a_body_that_is_not_one_json_object_has_no_field(body: bytes, words: str) -> None:
    malformed = _refused(body)
    assert (malformed.reason, malformed.field) == ("malformed", None)
    assert malformed.message.startswith(words)
    assert (malformed.source, malformed.event_id, malformed.type) == (None, None, None)
    assert malformed.key == sha256(body).hexdigest()


@pytest.mark.parametrize("inner", ["[", '{"a":'])
def test_the_thirty_third_level_is_named(inner: str) -> None:
    closing = "]" if inner == "[" else "}"
    levels = 30  # envelope, data and ship_to are three
    text = '{"b":' + inner * levels + "1" + closing * levels + "}"
    malformed = _refused(raw("OrderPlaced", "data.ship_to", text))
    step = ".0" if inner == "[" else ".a"
    assert malformed.field == "data.ship_to.b" + step * 29
    assert malformed.message.endswith("is nested over 32 levels deep")
    assert malformed.event_id == "example-OrderPlaced"


def test_a_body_over_one_mebibyte_is_too_large_and_not_read() -> None:
    body = json.dumps(example("OrderPlaced")).encode()
    malformed = _refused(body + b" " * (BODY_BYTES_MAX + 1 - len(body)))
    assert (malformed.reason, malformed.field) == ("too_large", None)
    assert malformed.message == "the body has 1,048,577 bytes, more than 1,048,576"
    assert malformed.source is None


def test_a_compressed_body_is_refused_without_inflating_it() -> None:
    body = zlib.compress(b"[" + b" " * 100_000_000 + b"]")
    tracemalloc.start()
    try:
        malformed = _refused(body, compressed=True)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (malformed.reason, malformed.field) == ("malformed", None)
    assert malformed.message == "the body is compressed"
    assert malformed.key == sha256(body).hexdigest()
    assert peak_bytes < 1_000_000


@pytest.mark.parametrize("kind", ["OrderPlacedd", "orderplaced", "BackToShip", "x" * 200])
def test_a_type_that_is_no_event_in_is_unknown(kind: str) -> None:
    malformed = _refused(bent("OrderPlaced", "type", kind))
    assert (malformed.reason, malformed.field) == ("unknown_type", "type")
    assert malformed.type == kind
    assert malformed.message.startswith("type must be that of an event in; found ")


def test_of_an_unknown_type_the_envelope_is_checked_all_the_same() -> None:
    document = example("OrderPlaced") | {"type": "Unheard", "id": ""}
    malformed = _refused(json.dumps(document).encode())
    assert (malformed.reason, malformed.field) == ("malformed", "id")


def test_a_body_is_known_by_its_source_and_id_where_they_can_be_read() -> None:
    first = _refused(bent("OrderPlaced", "data.lines.0.qty", 0))
    again = _refused(bent("OrderPlaced", "data.lines.0.qty", -5))
    assert first.key == again.key == "/shops/main\nexample-OrderPlaced"
    assert (first.source, first.event_id) == ("/shops/main", "example-OrderPlaced")
    assert first.type == "OrderPlaced"


@pytest.mark.parametrize("attribute", ["source", "id"])
@pytest.mark.parametrize(
    "text", ['""', "5", "null", '"a\\u0000b"', '"\\ud800"', '"a\\nb"', f'"{"x" * 201}"']
)
def test_a_source_or_id_that_could_not_be_kept_is_not_read(attribute: str, text: str) -> None:
    body = raw("OrderPlaced", attribute, text)
    malformed = _refused(body)
    assert malformed.key == sha256(body).hexdigest()
    assert {"source": malformed.source, "id": malformed.event_id}[attribute] is None


def test_an_id_that_stands_twice_is_no_identity() -> None:
    body = raw("OrderPlaced", "id", '"1", "id": "2"')
    malformed = _refused(body)
    assert (malformed.field, malformed.event_id) == ("id", None)
    assert malformed.key == sha256(body).hexdigest()


def test_a_long_path_and_a_long_value_are_cut() -> None:
    malformed = _refused(raw("OrderPlaced", "data.ship_to", f'{{"{"k" * 100_000}": NaN}}'))
    assert malformed.field is not None
    assert len(malformed.field) < 200
    malformed = _refused(bent("OrderPlaced", "data.lines.0.qty", "1" * 100_000))
    assert len(malformed.message) < 200


def test_sixty_thousand_keys_take_no_longer_than_reading_them() -> None:
    """A quadratic search would take minutes; the time limit of a test would end it."""
    keys = ", ".join(f'"{n}": 0' for n in range(60_000))
    malformed = _refused(raw("OrderPlaced", "data.ship_to", f'{{{keys}, "59999": 0}}'))
    assert malformed.field == "data.ship_to.59999"
