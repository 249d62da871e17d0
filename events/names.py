"""Names: every identifier of the contract, checked so that it fits columns, logs and routing keys.

A name has 1 to 200 characters, none of them a control character (Unicode's Cc: it prints, logs and
files on one line). Shops, places and vendors stand in routing keys, which hold 255 bytes: they
have at most 100 there. `id` and `source` of an envelope have at most 200 bytes.
"""

from functools import lru_cache
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

NAME_CHARS_MAX = 200
ROUTED_NAME_BYTES_MAX = 100
IDENTITY_BYTES_MAX = 200
VENDOR_PREFIX = "vendor:"

_NO_CONTROL = r"^[^\u0000-\u001f\u007f-\u009f]*$"

# Short enough not to be measured: an ASCII character takes at most three bytes percent-encoded, any
# character at most four in UTF-8.
_SURELY_ROUTABLE_CHARS = ROUTED_NAME_BYTES_MAX // 3
_SURELY_IDENTITY_CHARS = IDENTITY_BYTES_MAX // 4


@lru_cache(maxsize=4_096)
def percent_encoded(name: str) -> str:
    """Return `name` as it stands in a routing key: RFC 3986 unreserved characters but `.` stay.

    Cached: a hot path asks for the same few shops and places over and over.
    """
    return quote(name, safe="").replace(".", "%2E")


def _routable(name: str) -> str:
    if len(name) > _SURELY_ROUTABLE_CHARS or not name.isascii():
        _check_bytes(len(percent_encoded(name)), ROUTED_NAME_BYTES_MAX, "percent-encoded UTF-8")
    return name


def _shippable_from(name: str) -> str:
    place_or_vendor = name.removeprefix(VENDOR_PREFIX)
    if not place_or_vendor:
        raise PydanticCustomError("no_vendor", "must name the vendor after `vendor:`")
    _routable(place_or_vendor)
    return name


def _identity(text: str) -> str:
    if len(text) > _SURELY_IDENTITY_CHARS:
        _check_bytes(len(text.encode()), IDENTITY_BYTES_MAX, "UTF-8")
    return text


def _check_bytes(length: int, bytes_max: int, form: str) -> None:
    if length > bytes_max:
        raise PydanticCustomError(
            "too_many_bytes",
            "must be at most {bytes_max} bytes in {form}",
            {"bytes_max": bytes_max, "form": form},
        )


Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=NAME_CHARS_MAX,
        pattern=_NO_CONTROL,
        description="name, 1 to 200 characters",
    ),
]
RoutedName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=ROUTED_NAME_BYTES_MAX,
        pattern=_NO_CONTROL,
        description="name, 1 to 100 bytes in percent-encoded UTF-8",
    ),
    AfterValidator(_routable),
]
ShipmentSource = Annotated[
    str,
    Field(
        min_length=1,
        max_length=len(VENDOR_PREFIX) + ROUTED_NAME_BYTES_MAX,
        pattern=_NO_CONTROL,
        description="place, or `vendor:<vendor>` where the vendor shipped (R10)",
    ),
    AfterValidator(_shippable_from),
]
Identity = Annotated[
    str,
    Field(
        min_length=1,
        max_length=IDENTITY_BYTES_MAX,
        pattern=_NO_CONTROL,
        description="text, 1 to 200 bytes in UTF-8, no control character",
    ),
    AfterValidator(_identity),
]
