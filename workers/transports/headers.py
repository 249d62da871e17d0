"""What the headers of a message say: in values any JSON can hold, and whether it is compressed.

AMQP brings instants, bytes and decimals in headers (`x-death` has an instant). What is set aside is
kept with its headers, so they are made plain once, here.

Compression is said by the properties and never found out by looking inside. kombu inflates such
bodies before anybody can look at them (194 KB became 200 MB when measured), so every transport asks
here first and hands the body on as it came.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

COMPRESSION = "compression"
"""kombu's own header."""

PLAIN_ENCODINGS = frozenset({"", "identity", "utf-8", "utf8", "us-ascii", "ascii", "binary"})
"""Content encodings that change nothing; kombu writes character sets here."""


def is_compressed(headers: Mapping[str, object], content_encoding: str | None) -> bool:
    """Tell whether the body would have to be inflated to be read."""
    return COMPRESSION in headers or (content_encoding or "").lower() not in PLAIN_ENCODINGS


def plain_headers(headers: Mapping[str, object] | None) -> dict[str, object]:
    """Give the headers in text, numbers, lists and dictionaries."""
    return {str(name): _plain(value) for name, value in headers.items()} if headers else {}


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        # pika gives instants without a zone; AMQP's are in UTC.
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode(errors="replace")
    if isinstance(value, Mapping):
        return plain_headers(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)
