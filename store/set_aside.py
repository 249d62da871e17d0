"""What no worker could use: kept with its bytes, the reason and where it came from, for a person.

A row is known by the event's source, id and content; by the content alone where the other two can
not be read. The same again raises `attempts` and adds no row (contract.md §1). One that a person
has discarded stays discarded, and one that is to be tried again stays so.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from events.codec import Malformed
from events.envelope import Event
from store import schema
from store.columns import instant_text
from store.statements import Row
from store.transaction import Transaction

_ID_CHARS = 16

_AGAIN = """
    attempts = set_aside.attempts + excluded.attempts,
    last_seen = excluded.last_seen,
    reason = excluded.reason,
    field = excluded.field,
    message = excluded.message,
    detail = excluded.detail,
    state = CASE WHEN set_aside.state IN ('discarded', 'retrying') THEN set_aside.state
        ELSE 'set_aside' END,
    closed_at = CASE set_aside.state WHEN 'discarded' THEN set_aside.closed_at END
"""


@dataclasses.dataclass(frozen=True, slots=True)
class SetAsideRow:
    """One message and why it was set aside. `field`: dotted path from the envelope.

    `body_sha256`: of the whole body, where `body` is only its head (`too_large`).
    """

    source: str | None
    event_id: str | None
    type: str | None
    reason: str
    field: str | None
    message: str
    body: bytes
    routing_key: str | None = None
    headers: Mapping[str, object] = dataclasses.field(default_factory=dict)
    detail: Mapping[str, object] | None = None
    body_sha256: str | None = None

    @classmethod
    def malformed(
        cls, fault: Malformed, body: bytes, routing_key: str, headers: Mapping[str, object]
    ) -> Self:
        """Return the row of a body that is no event of ours."""
        return cls(
            fault.source,
            fault.event_id,
            fault.type,
            fault.reason,
            fault.field,
            fault.message,
            body,
            routing_key,
            headers,
        )

    @classmethod
    def too_large(
        cls,
        fault: Malformed,
        head: bytes,
        byte_count: int,
        routing_key: str,
        headers: Mapping[str, object],
    ) -> Self:
        """Return the row of a body of which only the head is kept; `fault.key` is its SHA-256."""
        row = cls.malformed(fault, head, routing_key, headers)
        detail = {"bytes": byte_count, "sha256": fault.key}
        return dataclasses.replace(row, detail=detail, body_sha256=fault.key)

    @classmethod
    def of_event(  # noqa: PLR0913 - one for each column
        cls,
        event: Event,
        body: bytes,
        routing_key: str | None = None,
        headers: Mapping[str, object] | None = None,
        *,
        reason: str,
        field: str | None,
        message: str,
        detail: str | None = None,
    ) -> Self:
        """Return the row of a readable event that can not have its effect."""
        return cls(
            event.source,
            event.id,
            event.type,
            reason,
            field,
            message,
            body,
            routing_key,
            headers or {},
            None if detail is None else {"stack": detail},
        )

    @property
    def id(self) -> str:
        """What a repeat is known by: 16 hexadecimal digits."""
        content = self.body_sha256 or sha256(self.body).hexdigest()
        known = [content] if not (self.source and self.event_id) else []
        names = known or [self.source or "", self.event_id or "", content]
        return sha256("\x1f".join(names).encode("utf-8", "replace")).hexdigest()[:_ID_CHARS]


def record(tx: Transaction, rows: Iterable[SetAsideRow], now: datetime) -> None:
    """Keep messages that were set aside now, or count them once more."""
    attempts: dict[str, int] = {}
    latest: dict[str, SetAsideRow] = {}
    for row in rows:
        attempts[row.id] = attempts.get(row.id, 0) + 1
        latest[row.id] = row
    at = instant_text(now)
    kept = [_row(key, row, attempts[key], at) for key, row in latest.items()]
    tx.upsert(schema.set_aside, kept, _AGAIN)


def _row(key: str, row: SetAsideRow, attempts: int, at: str) -> Row:
    return (
        key,
        plain(row.source),
        plain(row.event_id),
        plain(row.type),
        row.reason,
        plain(row.field),
        plain(row.message),
        attempts,
        at,
        at,
        "set_aside",
        row.body,
        json.dumps(dict(row.headers), default=_shown),
        document(row.detail),
        plain(row.routing_key),
        None,
    )


def document(detail: Mapping[str, object] | None) -> str | None:
    """Return what more is known of one as JSON text, whatever it holds."""
    return None if detail is None else json.dumps(dict(detail), default=_shown)


def plain(text: str | None) -> str | None:
    """Return text any database takes: what was read of a bad body may hold anything."""
    if text is None:
        return None
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _shown(value: Any) -> object:  # noqa: ANN401 - whatever a broker's header holds
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return dict(value) if isinstance(value, Mapping) else str(value)
