"""Reading good bodies: what an event holds, and what is let through on purpose."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.codec import BODY_BYTES_MAX, Malformed, decode
from events.envelope import Cause, Event
from events.examples import INBOUND_EXAMPLES, example
from events.inbound import INBOUND, ItemChanged, OrderCancelled, OrderPlaced, StockTransferred
from events.vocabulary import ShipMode
from tests.support.bodies import MISSING, bent, raw


def _read(body: bytes) -> Event:
    event = decode(body)
    assert isinstance(event, Event), event
    return event


@pytest.mark.parametrize("kind", INBOUND)
def test_every_message_of_the_contract_is_read(kind: str) -> None:
    event = _read(json.dumps(example(kind)).encode())
    assert type(event.data) is INBOUND[kind]
    assert event.type == kind
    assert event.unknown_fields == ()
    assert set(event.data.model_dump(exclude_unset=True)) == set(INBOUND_EXAMPLES[kind])


def test_an_event_holds_its_envelope() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    document = example("OrderPlaced") | {"subject": "main/100000123", "traceparent": trace}
    event = _read(json.dumps(document).encode())
    assert event.source == "/shops/main"
    assert event.id == "example-OrderPlaced"
    assert event.time == datetime(2026, 12, 3, 7, tzinfo=UTC)
    assert event.subject == "main/100000123"
    assert event.traceparent == trace
    assert event.cause == Cause("/shops/main", "example-OrderPlaced", "OrderPlaced")


def test_an_order_is_read_as_it_was_sent() -> None:
    data = _read(json.dumps(example("OrderPlaced")).encode()).data
    assert isinstance(data, OrderPlaced)
    assert data.placed_at == datetime(2026, 11, 21, 9, 59, 58, tzinfo=UTC)
    assert [(line.line_id, line.sku, line.qty) for line in data.lines] == [
        ("1", "CANDLE", 3),
        ("2", "LANTERN", 2),
    ]
    assert [line.unit_price for line in data.lines] == ["2.55", 14.95]
    assert data.ship_mode is ShipMode.PARTIAL
    assert data.holds == ("payment",)
    assert data.ship_to == INBOUND_EXAMPLES["OrderPlaced"]["ship_to"]


def test_from_on_the_wire_is_the_place_a_transfer_left() -> None:
    data = _read(json.dumps(example("StockTransferred")).encode()).data
    assert isinstance(data, StockTransferred)
    assert (data.from_place, data.to) == ("DOCK", "WH1")


@pytest.mark.parametrize(
    "field", ["ship_mode", "release", "priority", "holds", "customer", "ship_to"]
)
def test_null_in_an_optional_field_means_absent(field: str) -> None:
    with_null = _read(bent("OrderPlaced", f"data.{field}", None))
    without = _read(bent("OrderPlaced", f"data.{field}", MISSING))
    assert getattr(with_null.data, field) is None
    assert with_null.data_hash == without.data_hash


def test_a_cancellation_with_null_lines_is_of_the_whole_order() -> None:
    data = _read(bent("OrderCancelled", "data.lines", None)).data
    assert isinstance(data, OrderCancelled)
    assert data.lines is None


def test_in_a_change_null_clears_and_an_absent_field_keeps() -> None:
    cleared = _read(bent("ItemChanged", "data.vendor", None))
    kept = _read(bent("ItemChanged", "data.vendor", MISSING))
    assert isinstance(cleared.data, ItemChanged)
    assert isinstance(kept.data, ItemChanged)
    assert cleared.data.told()["vendor"] is None
    assert "vendor" not in kept.data.told()
    assert cleared.data.policy is not None
    assert cleared.data.policy.told() == {
        "backorder_policy": "notify",
        "pack_size": 6,
        "safety_stock": None,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21t10:00:00z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T11:30:00+01:30", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.25Z", datetime(2026, 11, 21, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-11-21T10:00:00.123456789Z", datetime(2026, 11, 21, 10, 0, 0, 123_456, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59Z", datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_are_kept_in_utc(text: str, expected: datetime) -> None:
    data = _read(bent("OrderPlaced", "data.placed_at", text)).data
    assert isinstance(data, OrderPlaced)
    assert data.placed_at == expected
    assert data.placed_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("price", [0, -1, 2.5, 1e-7, 2**80, "", "1,50 €", "NaN"])
def test_a_price_is_any_number_or_text_and_kept(price: float | str) -> None:
    data = _read(bent("OrderPlaced", "data.lines.0.unit_price", price)).data
    assert isinstance(data, OrderPlaced)
    assert data.lines[0].unit_price == price
    assert type(data.lines[0].unit_price) is type(price)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("OrderPlaced", "id", "é" * 100),
        ("OrderPlaced", "source", "x" * 200),
        ("OrderPlaced", "data.order_id", "✓" * 200),
        ("OrderPlaced", "data.order_id", " \N{NO-BREAK SPACE}\N{ZERO WIDTH JOINER}"),
        ("OrderPlaced", "data.shop", "x" * 100),
        ("OrderPlaced", "data.shop", "ü" * 16),
        ("OrderPlaced", "data.lines.0.qty", 10**9),
        ("OrderPlaced", "data.priority", 0),
        ("OrderPlaced", "data.holds", []),
        ("OrderPlaced", "data.ship_to", {"anything": [{"goes": None}, 1.5, 2**70]}),
        ("OrderPlaced", "data.lines.0.name", "two\nlines"),
        ("OrderShipped", "data.source", "vendor:" + "x" * 100),
        ("StockCounted", "data.lines.0.qty", 0),
        ("ReplenishmentRequested", "data.lines.0.qty", -(10**9)),
        ("ReplenishmentClosed", "data.lines.0.parts.0.qty", 0),
        ("ItemChanged", "data.policy.lead_time_days", 3650),
        ("ItemChanged", "data.policy.backorder_limit", 0),
        ("ItemChanged", "data.policy", None),
        ("ItemChanged", "data.alternatives", []),
        ("ShopChanged", "data.sources", []),
        ("OrderPlaced", "time", None),
        ("OrderPlaced", "time", MISSING),
    ],
)
def test_what_stands_at_the_edge_is_inside(kind: str, path: str, value: object) -> None:
    _read(bent(kind, path, value))


def test_five_thousand_lines_are_read() -> None:
    lines = [{"line_id": str(n), "sku": "A", "qty": 1} for n in range(5_000)]
    data = _read(bent("OrderPlaced", "data.lines", lines)).data
    assert isinstance(data, OrderPlaced)
    assert len(data.lines) == 5_000


def test_one_sku_may_stand_on_several_lines() -> None:
    _read(bent("StockReceived", "data.lines", [{"sku": "A", "qty": 1}] * 2))
    _read(bent("OrderPlaced", "data.lines.1.sku", "CANDLE"))


def test_line_ids_repeat_from_order_to_order() -> None:
    line = {"sku": "A", "shop": "main", "line_id": "1"}
    lines = [line | {"order_id": order_id} for order_id in ("1", "2")]
    _read(bent("ReplenishmentRequested", "data.lines", lines))


def test_a_body_of_one_mebibyte_is_read() -> None:
    body = json.dumps(example("OrderPlaced")).encode()
    _read(body + b" " * (BODY_BYTES_MAX - len(body)))


def test_thirty_two_levels_are_read() -> None:
    nested: list[Any] = []
    for _ in range(28):
        nested = [nested]
    _read(bent("OrderPlaced", "data.ship_to", {"deep": nested}))  # envelope, data, ship_to, 29


@pytest.mark.parametrize("attribute", ["subject", "traceparent", "datacontenttype", "comexample"])
def test_other_attributes_are_ignored_whatever_they_hold(attribute: str) -> None:
    event = _read(bent("OrderPlaced", attribute, [1, {"a": None}]))
    assert event.subject is None
    assert event.traceparent is None
    assert event.unknown_fields == ()


def test_a_trace_parent_that_is_none_is_not_passed_on() -> None:
    assert _read(bent("OrderPlaced", "traceparent", "00-nonsense")).traceparent is None


def test_unknown_fields_are_ignored_and_named_once() -> None:
    document = example("OrderPlaced")
    data = document["data"]
    for line in data["lines"]:
        line["colour"] = "red"
    data |= {"weight": 5, "a\nb": 1}
    data["customer"] = {"email": "a@b.c", "vip": True}
    event = _read(json.dumps(document).encode())
    assert event.unknown_fields == (
        "data.a\\nb",
        "data.weight",
        "data.lines.*.colour",
        "data.customer.vip",
    )


def test_unknown_fields_are_found_at_every_level() -> None:
    part = {"qty": 1, "colour": "red"}
    lines = [{"sku": "A", "parts": [part], "weight": 5}, {"sku": "B", "parts": []}]
    closed = _read(bent("ReplenishmentClosed", "data.lines", lines))
    assert closed.unknown_fields == ("data.lines.*.weight", "data.lines.*.parts.*.colour")
    changed = _read(bent("ItemChanged", "data.policy", {"lead_time": 5}))
    assert changed.unknown_fields == ("data.policy.lead_time",)


def test_many_unknown_fields_are_not_all_named() -> None:
    lines = [{"sku": "A", "qty": 1} | {f"unknown{n}": 0 for n in range(100)}]
    assert len(_read(bent("StockReceived", "data.lines", lines)).unknown_fields) == 20


@pytest.mark.parametrize(
    "text",
    [
        '"\\u00fc\\t\\"\\\\"',
        '"\\u0022"',
        '"\\\\u0000"',
        '"\\ud83d\\ude00"',
        '"\\\\ud800"',
        '"{[{["',
    ],
)
def test_escapes_mean_what_json_says(text: str) -> None:
    data = _read(raw("OrderPlaced", "data.lines.0.name", text)).data
    assert isinstance(data, OrderPlaced)
    assert data.lines[0].name == json.loads(text)


def test_an_event_can_not_be_changed() -> None:
    event = _read(json.dumps(example("OrderPlaced")).encode())
    with pytest.raises(AttributeError):
        event.id = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        event.data.shop = "other"  # type: ignore[misc, union-attr]


def test_a_body_that_is_no_event_is_a_value() -> None:
    assert isinstance(decode(b""), Malformed)


CAUSE = {"source": "/shops/main", "id": "E7", "type": "OrderPlaced"}


def test_a_corrected_copy_names_what_it_corrects_and_says_the_same() -> None:
    document = example("OrderPlaced")
    copy = _read(json.dumps({**document, "caused_by": CAUSE}).encode())
    assert copy.caused_by == Cause("/shops/main", "E7", "OrderPlaced")
    plain = _read(json.dumps(document).encode())
    assert (plain.caused_by, plain.data_hash) == (None, copy.data_hash)


@pytest.mark.parametrize(
    "named",
    [
        None,
        "E7",
        7,
        [],
        [CAUSE],
        {},
        {**CAUSE, "id": 7},
        {**CAUSE, "source": ""},
        {**CAUSE, "type": None},
        {**CAUSE, "id": "x" * 201},
        {**CAUSE, "id": "\u0007"},
    ],
)
def test_what_names_no_cause_is_ignored(named: object) -> None:
    document = {**example("OrderPlaced"), "caused_by": named}
    assert _read(json.dumps(document).encode()).caused_by is None
