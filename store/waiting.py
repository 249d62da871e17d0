"""Events that wait in the database: for their order (C3), or for the fill of a sku to end (S6).

They take effect in the order in which they were put here. One that is woken and has to wait again
keeps its place. Which rows a transaction has woken is noted in it, for `settle`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from events.codec import decode
from events.envelope import Event
from handlers.decision import Deferred, Outcome
from handlers.state import OrderKey
from store import schema
from store.columns import instant_text
from store.inbox import EventKey
from store.statements import Query, Row, Value
from store.transaction import Transaction

_FOR_ORDERS = Query(
    """
    SELECT t.source, t.event_id, t.clock, t.n, t.shop, t.order_id, i.body
    FROM {given} CROSS JOIN waiting AS t
    JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.clock, t.n, t.source, t.event_id
    """,
    (("shop", "text"), ("order_id", "text")),
)
_ANY_FOR_ORDERS = Query("SELECT 1 FROM waiting WHERE order_id IS NOT NULL LIMIT 1")
_FOR_SKU = Query(
    """
    SELECT t.source, t.event_id, t.clock, t.n, i.body, i.received_at
    FROM waiting AS t
    JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.sku = :sku
    ORDER BY t.clock, t.n, t.source, t.event_id
    LIMIT :count_max {lock}
    """
)
_COUNT = Query("SELECT COUNT(*) FROM waiting AS t WHERE t.sku = :sku")
# A sku with a task is served by its task first: what waits for it waits for that.
_FIRST_SKU = Query(
    """
    SELECT t.sku FROM waiting AS t
    WHERE t.sku IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.sku = t.sku)
    ORDER BY t.clock, t.n, t.source, t.event_id
    LIMIT 1
    """
)
_OVERDUE = Query(
    """
    SELECT t.source, t.event_id, t.clock, t.n, i.body, i.received_at
    FROM waiting AS t
    JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.order_id IS NOT NULL AND i.received_at <= :received_before
    ORDER BY t.clock, t.n, t.source, t.event_id
    LIMIT :count_max {lock}
    """
)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that waited, and when it came."""

    event: Event
    received_at: datetime


def for_orders(tx: Transaction, orders: Collection[OrderKey]) -> dict[OrderKey, list[Event]]:
    """Return what waits for these orders, in the order it came."""
    found: dict[OrderKey, list[Event]] = {}
    if not (orders and tx.query(_ANY_FOR_ORDERS)):  # as nearly always
        return found
    for source, event_id, clock, n, shop, order_id, body in tx.query(_FOR_ORDERS, sorted(orders)):
        event = decode(body.encode())
        if isinstance(event, Event):
            tx.woken[source, event_id] = (clock, n)
            found.setdefault((shop, order_id), []).append(event)
    return found


def came_for(tx: Transaction, orders: Collection[OrderKey]) -> bool:
    """Has an event come to wait for one of these orders since `for_orders` was asked?"""
    if not tx.query(_ANY_FOR_ORDERS):
        return False
    found = tx.query(_FOR_ORDERS, sorted(orders))
    return any((source, event_id) not in tx.woken for source, event_id, *_rest in found)


def for_sku(tx: Transaction, sku: str, count_max: int) -> list[WaitingEvent]:
    """Return the first events that wait for a sku; they are this transaction's."""
    return _read(tx, _FOR_SKU, sku=sku, count_max=count_max)


def overdue(tx: Transaction, received_before: datetime, count_max: int) -> list[WaitingEvent]:
    """Return events whose order has not come in time; they are this transaction's (C3)."""
    return _read(tx, _OVERDUE, received_before=instant_text(received_before), count_max=count_max)


def first_sku(tx: Transaction) -> str | None:
    """Return the sku of the event that has waited longest and could be served, if any."""
    return next((sku for (sku,) in tx.query(_FIRST_SKU)), None)


def count_for(tx: Transaction, sku: str) -> int:
    """Return how many events wait for a sku; under its lock the answer stays true."""
    ((count,),) = tx.query(_COUNT, sku=sku)
    return int(count)


def settle(
    tx: Transaction,
    outcomes: Mapping[EventKey, Outcome],
    taken: Sequence[EventKey],
    clock: int,
) -> None:
    """Write who waits from now on, and delete who waits no more."""
    rows: list[Row] = []
    for n, (key, outcome) in enumerate(outcomes.items()):
        if isinstance(outcome, Deferred):
            shop, order_id = outcome.order or (None, None)
            place = tx.woken.get(key, (clock, n))
            rows.append((*key, shop, order_id, outcome.sku, *place))
    done = {key for key, outcome in outcomes.items() if not isinstance(outcome, Deferred)}
    tx.delete(schema.waiting, list({*taken, *(key for key in tx.woken if key in done)}))
    tx.upsert(schema.waiting, rows)


def _read(tx: Transaction, query: Query, **values: Value) -> list[WaitingEvent]:
    found = []
    for source, event_id, clock, n, body, received_at in tx.query(query, (), **values):
        event = decode(body.encode())
        at = tx.instant(received_at)
        if isinstance(event, Event) and at is not None:
            tx.woken[source, event_id] = (clock, n)
            found.append(WaitingEvent(event, at))
    return found
