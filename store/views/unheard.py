"""Events of an order that have had no effect: they wait (C3, S6), or were set aside."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from store.statements import Query
from store.transaction import Transaction

_FOR_ORDER = Query(
    """
    SELECT i.source, i.event_id, i.type, i.received_at, i.body, t.sku
    FROM waiting AS t JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.clock, t.n, t.source, t.event_id
    """
)
_FOR_SKUS = Query(
    """
    SELECT i.source, i.event_id, i.type, i.received_at, i.body, t.sku
    FROM waiting AS t JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.sku IS NOT NULL AND (:part = '' OR REPLACE(i.body, :part, '') <> i.body)
    ORDER BY t.clock, t.n, t.source, t.event_id
    """
)
_ASIDE = Query(
    """
    SELECT t.source, t.event_id, t.type, t.last_seen, t.body, t.reason, t.field, t.message,
        t.state, t.id
    FROM set_aside AS t
    WHERE t.state <> 'resolved'
    ORDER BY t.first_seen, t.id
    """
)

_SPELT_ALIKE = re.compile(r"[0-9A-Za-z_.-]+")  # in any JSON text; other names may be escaped there


@dataclass(frozen=True, slots=True)
class Unheard:
    """An event without an effect. `facts`: what it waits for, or what is wrong with it."""

    state: Literal["waits", "set_aside"]
    source: str | None
    event_id: str | None
    type: str | None
    at: datetime
    said: Mapping[str, Any] | None
    reason: str
    facts: Mapping[str, Any]


def of(tx: Transaction, shop: str, order_id: str) -> list[Unheard]:
    """Return the events of an order that wait, then those that were set aside."""
    part = order_id if _SPELT_ALIKE.fullmatch(order_id) else ""
    waiting = [
        *tx.query(_FOR_ORDER, shop=shop, order_id=order_id),
        *tx.query(_FOR_SKUS, part=part),
    ]
    found = []
    for source, event_id, kind, received_at, body, sku in waiting:
        said = _said(body.encode())
        if sku is None or _names(said, shop, order_id):
            name = "order" if sku is None else "sku"
            at = tx.instant(received_at)
            found.append(Unheard("waits", source, event_id, kind, at, said, name, {"sku": sku}))
    return [*found, *_set_aside(tx, shop, order_id, part.encode())]


def _set_aside(tx: Transaction, shop: str, order_id: str, part: bytes) -> Iterator[Unheard]:
    for source, event_id, kind, last_seen, body, reason, *rest in tx.stream(_ASIDE):
        content = bytes(body)
        said = _said(content) if part in content else None
        if _names(said, shop, order_id):
            facts = dict(zip(("field", "message", "state", "id"), rest, strict=True))
            at = tx.instant(last_seen)
            yield Unheard("set_aside", source, event_id, kind, at, said, reason, facts)


def _said(body: bytes) -> Mapping[str, Any] | None:
    """Return the data in a body, which may be anything at all."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) else None


def _names(said: Mapping[str, Any] | None, shop: str, order_id: str) -> bool:
    """Does an event say that it is about an order, or about a line of one?"""
    if said is None:
        return False
    lines = said.get("lines")
    every = [said, *(lines if isinstance(lines, list) else ())]
    return any(
        isinstance(row, dict) and (row.get("shop"), row.get("order_id")) == (shop, order_id)
        for row in every
    )
