"""Headers: compressed or not is said by them alone, and whatever is in them can be kept as JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from workers.transports.headers import is_compressed, plain_headers


@pytest.mark.parametrize("encoding", [None, "", "utf-8", "UTF-8", "identity", "binary", "us-ascii"])
def test_a_character_set_is_no_compression(encoding: str | None) -> None:
    assert not is_compressed({"x-origin": "main"}, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x-unheard-of"])
def test_any_other_encoding_would_have_to_be_undone(encoding: str) -> None:
    assert is_compressed({}, encoding)


def test_kombus_header_counts_whatever_it_says() -> None:
    assert is_compressed({"compression": ""}, "utf-8")


def test_everything_amqp_can_carry_becomes_plain() -> None:
    headers = {
        "text": "a",
        "number": 3,
        "none": None,
        "flag": True,
        "instant": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "pikas-instant": datetime(2026, 11, 21, 12),  # noqa: DTZ001 - as pika gives it
        "bytes": b"\xff\x00a",
        "decimal": Decimal("1.50"),
        "list": [b"a", {"inner": Decimal(2)}],
    }
    plain = plain_headers(headers)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["instant"] == plain["pikas-instant"] == "2026-11-21T12:00:00+00:00"
    assert plain["decimal"] == "1.50"
    assert plain["list"] == ["a", {"inner": "2"}]
    assert plain["number"] == 3


def test_no_headers_are_no_headers() -> None:
    assert plain_headers(None) == plain_headers({}) == {}
