"""bytes ↔ event. A bad body is a value with field and reason, never an exception.

Reading a body, about 25 µs for an order of three lines:

1. refuse what must not even be looked at: over 1 MiB, or compressed;
2. read it as strict JSON (`strict_json`), which finds what parsers let through;
3. choose the envelope by its `type` and check everything in one pass of pydantic;
4. hash the content, note the unknown fields.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Literal, cast

import orjson
from pydantic import JsonValue, ValidationError

from events import strict_json
from events.envelope import Envelope, Event, content_hash
from events.faults import dotted, first_fault, printable
from events.inbound import INBOUND, Inbound
from events.instants import instant_text
from events.names import IDENTITY_BYTES_MAX, NAME_CHARS_MAX
from events.outbound import Outbound
from events.unknown_fields import unknown_fields
from events.values import Cause, Message

BODY_BYTES_MAX = 1_048_576
CONTENT_TYPE = "application/cloudevents+json"
CONTENT_TYPE_DATA = "application/json"
SOURCE = "/backship"

_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A body that can not be used: why, where, and as much of who sent it as could be read.

    `field`: dotted path from the envelope; None when it is the body as a whole.
    `key`: what a repeat is known by: source and id if both were readable, else the body's SHA-256.
    """

    reason: Literal["malformed", "too_large", "unknown_type"]
    field: str | None
    message: str
    source: str | None
    event_id: str | None
    type: str | None
    key: str


def decode(body: bytes, *, compressed: bool = False) -> Event | Malformed:
    """Return the event in a body, or what is wrong with it. Never raises.

    `compressed`: the transport says so (AMQP `content_encoding`, kombu's `compression` header);
    the body is refused as it is, since inflating 200 KB may give 200 MB.
    """
    if len(body) > BODY_BYTES_MAX:
        return too_large(len(body), sha256(body).hexdigest())
    if compressed:
        return _malformed("malformed", None, "the body is compressed", body, None)
    document, fault = strict_json.read(body)
    if document is None or fault is not None:
        assert fault is not None
        field = dotted(fault.path)
        return _malformed("malformed", field, f"{field} {fault.message}".strip(), body, document)
    return _checked(body, document)


def too_large(byte_count: int, body_sha256: str) -> Malformed:
    """Return what is wrong with a body that is too large to be looked at, or even to be kept."""
    told = f"the body has {byte_count:,} bytes, more than {BODY_BYTES_MAX:,}"
    return Malformed("too_large", None, told, None, None, None, body_sha256)


def _checked(body: bytes, document: strict_json.Object) -> Event | Malformed:
    kind = document.get("type")
    model = INBOUND.get(kind) if isinstance(kind, str) else None
    try:
        envelope = _reader(model).model_validate_json(body)
    except ValidationError as error:
        return _malformed("malformed", *first_fault(error), body, document)
    if model is None:
        told = f"type must be that of an event in; found {printable(envelope.type, 60)}"
        return _malformed("unknown_type", "type", told, body, document)
    return Event(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        time=envelope.time,
        data=envelope.data,
        subject=_text(document, "subject"),
        traceparent=_trace(document),
        data_hash=content_hash(envelope.data),
        unknown_fields=unknown_fields(envelope.type, document["data"]),
        caused_by=_cause(document),
    )


@cache
def _reader(model: type[Inbound] | None) -> type[Envelope[Inbound]]:
    """Return the envelope around one message; around anything where the type is unknown.

    Made when first needed: all of them at import would cost every command its start.
    """
    if model is None:
        return cast("type[Envelope[Inbound]]", Envelope[dict[str, JsonValue]])
    return cast("type[Envelope[Inbound]]", Envelope.__class_getitem__(model))


def _text(document: strict_json.Object, attribute: str) -> str | None:
    """Return an optional attribute; one of another type is ignored, as unknown ones are."""
    value = document.get(attribute)
    return value if isinstance(value, str) else None


def _trace(document: strict_json.Object) -> str | None:
    """Return the W3C trace parent, if it is one: it is passed on in what we emit."""
    text = _text(document, "traceparent")
    return text if text is not None and _TRACEPARENT.fullmatch(text) else None


def _cause(document: strict_json.Object) -> Cause | None:
    """Return which event this is a corrected copy of; what names none is ignored."""
    named = document.get("caused_by")
    if not isinstance(named, dict):
        return None
    source = _readable(named, "source", IDENTITY_BYTES_MAX)
    event_id = _readable(named, "id", IDENTITY_BYTES_MAX)
    kind = _readable(named, "type", NAME_CHARS_MAX)
    if source is None or event_id is None or kind is None:
        return None
    return Cause(source, event_id, kind)


def _malformed(
    reason: Literal["malformed", "too_large", "unknown_type"],
    field: str | None,
    message: str,
    body: bytes,
    document: strict_json.Object | None,
) -> Malformed:
    document = document or {}
    source = _readable(document, "source", IDENTITY_BYTES_MAX)
    event_id = _readable(document, "id", IDENTITY_BYTES_MAX)
    kind = _readable(document, "type", NAME_CHARS_MAX)
    known = source is not None and event_id is not None
    key = f"{source}\n{event_id}" if known else sha256(body).hexdigest()
    return Malformed(reason, field or None, message, source, event_id, kind, key)


def _readable(document: strict_json.Object, attribute: str, bytes_max: int) -> str | None:
    text = _text(document, attribute)
    if not text or _UNREADABLE.search(text) is not None or len(text.encode()) > bytes_max:
        return None
    return text


def schema_urn(kind: str) -> str:
    """Return the name of the schema of messages of type `kind`, in the first version of all."""
    return f"urn:backship:{kind}:1"


def encode(
    message: Outbound,
    *,
    id: str,  # noqa: A002 - the attribute's name in CloudEvents
    cause_time: datetime,
    subject: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """Return the body of an event out. `cause_time`: when its cause happened."""
    kind = type(message).__name__
    attributes = {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "time": instant_text(cause_time),
        "datacontenttype": CONTENT_TYPE_DATA,
        "dataschema": schema_urn(kind),
        "traceparent": traceparent,
        # Without its defaults: what may be left out is, what must stand as null stands.
        "data": orjson.Fragment(message.model_dump_json(exclude_defaults=True)),
    }
    return orjson.dumps({name: value for name, value in attributes.items() if value is not None})


def envelope_of(  # noqa: PLR0913 - the attributes of an envelope
    data: Inbound | Mapping[str, object],
    *,
    id: str,  # noqa: A002 - the attribute's name in CloudEvents
    source: str,
    type: str,  # noqa: A002 - as `id`
    time: datetime | None = None,
    subject: str | None = None,
    traceparent: str | None = None,
) -> bytes:
    """Return the body of an event in, for publishing from Python. `decode` is what judges it."""
    content = data.model_dump(exclude_unset=True) if isinstance(data, Message) else data
    attributes = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "subject": subject,
        "time": None if time is None else instant_text(time),
        "datacontenttype": CONTENT_TYPE_DATA,
        "dataschema": schema_urn(type),
        "traceparent": traceparent,
        "data": content,
    }
    present = {name: value for name, value in attributes.items() if value is not None}
    return strict_json.write(present)
