"""The hash that tells a repeat from a conflict (C4, F17, F18)."""

import json
from hashlib import sha256
from typing import Any

import pytest

from events.codec import decode
from events.envelope import Event
from events.examples import example
from events.inbound import INBOUND
from tests.support.bodies import MISSING, bent, raw
from tests.support.wire import event

# What is hashed, to the byte. Stored hashes are compared with those of later versions of the
# program, so these texts may never change: a field that comes later stands in them only when sent.
_CANONICAL: dict[str, tuple[dict[str, object], str]] = {
    "OrderPlaced": (
        {
            "shop": "main",
            "order_id": "1",
            "placed_at": "2026-11-21T11:00:00.5+01:00",
            "lines": [{"line_id": "1", "sku": "KÖR", "qty": 2, "unit_price": 5.0, "name": None}],
            "ship_mode": "line",
            "ship_to": {"b": None, "a": [1.5]},
            "unheard_of": 1,
        },
        (
            '{"lines":[{"line_id":"1","qty":2,"sku":"KÖR","unit_price":5}],"order_id":"1",'
            '"placed_at":"2026-11-21T10:00:00.500000Z","ship_mode":"line",'
            '"ship_to":{"a":[1.5],"b":null},"shop":"main"}'
        ),
    ),
    "StockTransferred": (
        {
            "transfer_id": "T",
            "to": "WH1",
            "from": "DOCK",
            "transferred_at": None,
            "lines": [{"sku": "A", "qty": 1}],
        },
        '{"from":"DOCK","lines":[{"qty":1,"sku":"A"}],"to":"WH1","transfer_id":"T"}',
    ),
    "ItemChanged": (
        {"sku": "A", "vendor": None, "policy": {"sourcing": "drop_ship", "pack_size": None}},
        '{"policy":{"pack_size":null,"sourcing":"drop_ship"},"sku":"A","vendor":null}',
    ),
}


def _hash(body: bytes) -> str:
    decoded = decode(body)
    assert isinstance(decoded, Event), decoded
    return decoded.data_hash


def _turned(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the same JSON with every object's keys in the opposite order."""
    if isinstance(value, dict):
        return {key: _turned(value[key]) for key in reversed(list(value))}
    return [_turned(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", INBOUND)
def test_f18_the_order_of_keys_and_spaces_do_not_matter(kind: str) -> None:
    one = json.dumps(example(kind), separators=(",", ":")).encode()
    other = json.dumps(_turned(example(kind)), indent=4).encode()
    assert _hash(one) == _hash(other)


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("data.placed_at", '"2026-11-21T10:00:00Z"', '"2026-11-21T11:00:00.000+01:00"'),
        ("data.lines.0.sku", '"KÖR"', '"K\\u00d6R"'),
        ("data.lines.0.unit_price", "5", "5.0"),
        ("data.lines.0.unit_price", "2.50", "25e-1"),
        ("data.ship_to", '{"lat": 52, "at": [1]}', '{"at": [1.0], "lat": 52.0}'),
        ("data.ship_to", f'{{"n": {2**70}, "a": 1}}', f'{{"a": 1, "n": {2**70}}}'),
    ],
)
def test_f18_one_content_written_in_two_ways_is_one(path: str, one: str, other: str) -> None:
    assert _hash(raw("OrderPlaced", path, one)) == _hash(raw("OrderPlaced", path, other))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.order_id", "100000124"),
        ("data.placed_at", "2026-11-21T09:59:59Z"),
        ("data.lines.1.qty", 3),
        ("data.lines.0.unit_price", "2.550"),
        ("data.lines.0.unit_price", 2.55),
        ("data.lines.1.group", MISSING),
        ("data.ship_mode", "line"),
        ("data.ship_to.city", None),
        ("data.ship_to.city", MISSING),
        ("data.customer.locale", MISSING),
        ("data.holds", []),
    ],
)
def test_f17_other_content_is_another(path: str, value: object) -> None:
    hashes = {
        _hash(bent("OrderPlaced", path, value)),
        _hash(json.dumps(example("OrderPlaced")).encode()),
    }
    assert len(hashes) == 2


def test_the_order_of_lines_is_content() -> None:
    lines = example("OrderPlaced")["data"]["lines"]
    turned = _hash(bent("OrderPlaced", "data.lines", lines[::-1]))
    assert turned != _hash(bent("OrderPlaced", "data.lines", lines))


def test_unknown_fields_and_the_envelope_are_no_content() -> None:
    plain = _hash(json.dumps(example("OrderPlaced")).encode())
    for path in (
        "data.weight",
        "data.lines.0.colour",
        "data.customer.vip",
        "subject",
        "comexample",
    ):
        assert _hash(bent("OrderPlaced", path, "x")) == plain
    assert _hash(bent("OrderPlaced", "time", MISSING)) == plain
    assert _hash(bent("OrderPlaced", "id", "other")) == plain


def test_the_type_is_content() -> None:
    changed = example("OrderChanged")
    placed = changed | {"type": "OrderPlaced"}
    assert _hash(json.dumps(changed).encode()) != _hash(json.dumps(placed).encode())


@pytest.mark.parametrize("path", ["data.reason", "data.lines.0.sku", "data.lines"])
def test_null_is_absence_where_it_means_so(path: str) -> None:
    null, absent = bent("OrderCancelled", path, None), bent("OrderCancelled", path, MISSING)
    assert _hash(null) == _hash(absent)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ItemChanged", "data.vendor"),
        ("ItemChanged", "data.policy"),
        ("ItemChanged", "data.policy.pack_size"),
        ("VendorChanged", "data.policy.lead_time_days"),
        ("ShopChanged", "data.sources"),
        ("PlaceChanged", "data.feeds"),
    ],
)
def test_null_is_content_where_it_clears(kind: str, path: str) -> None:
    bodies = [json.dumps(example(kind)).encode(), bent(kind, path, None), bent(kind, path, MISSING)]
    assert len({_hash(body) for body in bodies}) == 3


@pytest.mark.parametrize("kind", _CANONICAL)
def test_what_is_hashed_is_the_same_in_every_version_of_the_program(kind: str) -> None:
    data, canonical = _CANONICAL[kind]
    expected = sha256(f"{kind}\n{canonical}".encode()).hexdigest()
    assert event(kind, data).data_hash == expected
