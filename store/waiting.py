"""Events that wait in the database: for an order or replenishment (C3), or for a busy sku (S6).

They take effect in the order in which they were put here. One that is woken and has to wait again
keeps its place. Which rows a transaction has woken is noted in it, for `settle`; they are locked,
so that one that has waited too long is not set aside while what it waits for comes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.codec import decode
from events.envelope import Event
from events.inbound import OrderCancelled
from handlers.decision import Deferred, Outcome
from handlers.rules.identity import spoken
from handlers.state import Heard, Keys, OrderKey, State
from store import schema
from store.columns import instant_text
from store.inbox import EventKey
from store.statements import Query, Row, Value
from store.transaction import Transaction

_FOR_ORDERS = Query(
    """
    SELECT t.source, t.event_id, t.clock, t.n, i.body, i.received_at, t.shop, t.order_id
    FROM {given} CROSS JOIN waiting AS t
    JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    ORDER BY t.clock, t.n, t.source, t.event_id {lock}
    """,
    (("shop", "text"), ("order_id", "text")),
)
_FOR_SUPPLY = Query(
    """
    SELECT t.source, t.event_id, t.clock, t.n, i.body, i.received_at, t.replenishment_id
    FROM {given} CROSS JOIN waiting AS t
    JOIN inbox AS i ON i.source = t.source AND i.event_id = t.event_id
    WHERE t.replenishment_id = given.replenishment_id
    ORDER BY t.clock, t.n, t.source, t.event_id {lock}
    """,
    (("replenishment_id", "text"),),
)
_ANY = Query(
    """
    SELECT EXISTS (SELECT 1 FROM waiting WHERE order_id IS NOT NULL),
        EXISTS (SELECT 1 FROM waiting WHERE replenishment_id IS NOT NULL)
    """
)
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
    WHERE t.received_at <= :received_before
    ORDER BY t.received_at, t.clock, t.n, t.source, t.event_id
    LIMIT :count_max {lock}
    """
)
_ANY_OVERDUE = Query("SELECT EXISTS (SELECT 1 FROM waiting WHERE received_at <= :received_before)")
# An event whose order or replenishment does not come in time is set aside; a cancellation waits for
# ever, and what waits for a sku will be served. Only the first has a time (C3).
_PUT = Query(
    """
    INSERT INTO waiting
        (source, event_id, shop, order_id, sku, replenishment_id, received_at, clock, n)
    SELECT given.source, given.event_id, given.shop, given.order_id, given.sku,
        given.replenishment_id, CASE WHEN given.patient THEN NULL ELSE i.received_at END,
        given.clock, given.n
    FROM {given} CROSS JOIN inbox AS i
    WHERE i.source = given.source AND i.event_id = given.event_id
    ON CONFLICT (source, event_id) DO UPDATE SET shop = excluded.shop,
        order_id = excluded.order_id, sku = excluded.sku,
        replenishment_id = excluded.replenishment_id, received_at = excluded.received_at,
        clock = excluded.clock, n = excluded.n
    """,
    (
        ("source", "text"),
        ("event_id", "text"),
        ("shop", "text"),
        ("order_id", "text"),
        ("sku", "text"),
        ("replenishment_id", "text"),
        ("patient", "boolean"),
        ("clock", "bigint"),
        ("n", "bigint"),
    ),
)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that waited, and when it came."""

    event: Event
    received_at: datetime


def load(tx: Transaction, state: State, keys: Keys) -> Callable[[], None]:
    """Ask what waits for the orders named, and for the replenishments that may be raised here.

    A slot raises replenishments one after another, each with an id that can be told before.
    """
    if not (keys.orders or keys.raising or state.slots):
        return _nothing
    asked = tx.ask(_ANY)
    return lambda: _join(tx, state, keys, *asked()[0])


def _nothing() -> None:
    pass


def _join(tx: Transaction, state: State, keys: Keys, orders: bool, supply: bool) -> None:  # noqa: FBT001 - two columns
    """Read what waits, if anything does for any; nearly always neither."""
    if orders:
        for *row, shop, order_id in tx.query(_FOR_ORDERS, sorted(keys.orders)):
            state.waiting.setdefault((shop, order_id), []).extend(_heard(tx, row))
    if not supply:
        return
    state.asked_early = keys.raising | {
        spoken("R", slot.vendor, slot.destination, str(slot.raised + 1))
        for slot in state.slots.values()
    }
    for *row, name in tx.query(_FOR_SUPPLY, [(name,) for name in sorted(state.asked_early)]):
        state.early.setdefault(name, []).extend(_heard(tx, row))


def came_for(tx: Transaction, orders: Collection[OrderKey], supply: Collection[str]) -> bool:
    """Has an event come to wait for one of these since `load` was asked?"""
    ((for_orders, for_supply),) = tx.query(_ANY)
    found = list(tx.query(_FOR_ORDERS, sorted(orders))) if for_orders else []
    found += tx.query(_FOR_SUPPLY, [(name,) for name in sorted(supply)]) if for_supply else []
    return any((source, event_id) not in tx.woken for source, event_id, *_rest in found)


def for_sku(tx: Transaction, sku: str, count_max: int) -> list[WaitingEvent]:
    """Return the first events that wait for a sku; they are this transaction's."""
    return _read(tx, _FOR_SKU, sku=sku, count_max=count_max)


def overdue(tx: Transaction, received_before: datetime, count_max: int) -> list[WaitingEvent]:
    """Return events, by arrival, that have waited for an order or replenishment for too long (C3).

    They are this transaction's.
    """
    return _read(tx, _OVERDUE, received_before=instant_text(received_before), count_max=count_max)


def has_overdue(tx: Transaction, received_before: datetime) -> bool:
    """Is there an event that `overdue` would return?"""
    ((found,),) = tx.query(_ANY_OVERDUE, received_before=instant_text(received_before))
    return bool(found)


def first_sku(tx: Transaction) -> str | None:
    """Return the sku of the event that has waited longest and could be served, if any."""
    return next((sku for (sku,) in tx.query(_FIRST_SKU)), None)


def count_for(tx: Transaction, sku: str) -> int:
    """Return how many events wait for a sku; under its lock the answer stays true."""
    ((count,),) = tx.query(_COUNT, sku=sku)
    return int(count)


def settle(
    tx: Transaction,
    outcomes: Sequence[tuple[Event, Outcome]],
    taken: Sequence[EventKey],
    clock: int,
) -> None:
    """Write who waits from now on, and delete who waits no more."""
    rows: list[Row] = []
    done = set()
    last = {(event.source, event.id): (event, outcome) for event, outcome in outcomes}
    for n, (key, (event, outcome)) in enumerate(last.items()):
        if isinstance(outcome, Deferred):
            order = outcome.order or (None, None)
            patient = outcome.sku is not None or isinstance(event.data, OrderCancelled)
            place = tx.woken.get(key, (clock, n))
            rows.append((*key, *order, outcome.sku, outcome.replenishment, patient, *place))
        else:
            done.add(key)
    tx.delete(schema.waiting, list({*taken, *(key for key in tx.woken if key in done)}))
    tx.run(_PUT, sorted(rows))


def _read(tx: Transaction, query: Query, **values: Value) -> list[WaitingEvent]:
    return [
        WaitingEvent(*heard) for row in tx.query(query, (), **values) for heard in _heard(tx, row)
    ]


def _heard(tx: Transaction, row: Sequence[Any]) -> Iterator[Heard]:
    """Note that what waits is in this transaction's hands; yield the event and when it came."""
    source, event_id, clock, n, body, received_at = row
    event = decode(body.encode())
    if isinstance(event, Event):
        tx.woken[source, event_id] = (clock, n)
        yield event, tx.instant(received_at)
