"""Events of any type, good or bad, through the real codec: what `builders` stands on.

`told` leaves a field out when it is None, `changed` keeps it: in the messages that change a policy
null clears. Both take envelope attributes and further fields of the message in `rest`.

An event id derives from what the event says: the same call twice is the same event (C4), another
content or another `time` is another one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

import orjson

from events.codec import Malformed, decode, envelope_of
from events.envelope import Event

T0 = datetime(2026, 11, 21, 10, tzinfo=UTC)

Moment = datetime | str
Fields = Mapping[str, object]

_ENVELOPE = ("event_id", "source", "time", "subject", "traceparent")


def event(kind: str, data: Fields, **attributes: object) -> Event:
    """Return an event of any type; what the codec refuses is a mistake of the test."""
    decoded = decode(body_of(kind, data, **attributes))
    if isinstance(decoded, Malformed):
        raise TypeError(f"{kind}: {decoded.message}")
    return decoded


def body_of(kind: str, data: Fields, **attributes: object) -> bytes:
    """Return the bytes of an event of any type, good or bad."""
    time = attributes.get("time", T0)
    content = orjson.dumps([data, time], option=orjson.OPT_SORT_KEYS)
    return envelope_of(
        data,
        id=str(attributes.get("event_id", f"{kind}-{sha256(content).hexdigest()[:12]}")),
        source=str(attributes.get("source", "/tests")),
        type=kind,
        time=_moment(time),
        subject=_text(attributes.get("subject")),
        traceparent=_text(attributes.get("traceparent")),
    )


def told(kind: str, source: str, data: Fields, rest: Fields) -> Event:
    """Return an event; None leaves a field out."""
    present = {name: value for name, value in data.items() if value is not None}
    given = {name: value for name, value in rest.items() if value is not None or name == "time"}
    return changed(kind, source, present, given)


def changed(kind: str, source: str, data: Fields, rest: Fields) -> Event:
    """Return an event; None stands as null."""
    envelope = {name: rest[name] for name in _ENVELOPE if name in rest}
    fields = {name: value for name, value in rest.items() if name not in _ENVELOPE}
    return event(kind, {**data, **fields}, **{"source": source, **envelope})


def _moment(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
