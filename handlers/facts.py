"""The same business fact under another event id has one effect, and so has the same event (C4).

The inbox keeps an event for a time; what it did is kept for ever. Come again years later, an event
with a business name of its own meets that name: `fact`, or the order with its version. Of the
others a fact of the kind `event` is left where their inbox row was: `heard_before`.
"""

from events.envelope import Event
from events.inbound import (
    OrderChanged,
    OrderPlaced,
    OrderShipped,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
)
from handlers.decision import Repeated, SetAside
from handlers.refusals import conflict
from handlers.rules.identity import joined
from handlers.state import FactKey, State
from handlers.turn import Turn

_NAMED = frozenset(
    data.__name__
    for data in (
        OrderPlaced,
        OrderChanged,
        OrderShipped,
        StockReceived,
        StockTransferred,
        StockReturned,
        StockCounted,
    )
)


def names_its_fact(event_type: str) -> bool:
    """Is what such an event did known by a business name, for ever?"""
    return event_type in _NAMED


def fact_key(kind: str, *names: str) -> FactKey:
    """Return the key under which a fact is kept for ever: its kind and its business names."""
    return (kind, joined(*names))


def fact(turn: Turn, event: Event, kind: str, *names: str) -> Repeated | SetAside | None:
    """Keep a fact, or return why it has no effect: known already, or known otherwise."""
    key = fact_key(kind, *names)
    known = turn.state.facts.get(key)
    if known is None:
        turn.state.facts[key] = event.data_hash
        turn.books.decision.facts[key] = (event.data_hash, event.cause)
        return None
    if known == event.data_hash:
        return Repeated()
    return conflict(f"{kind} {'/'.join(names)} was told before with other content")


def event_key(source: str, event_id: str) -> FactKey:
    """Return the key under which an event is known whose inbox row is gone."""
    return fact_key("event", source, event_id)


def heard_before(state: State, event: Event) -> Repeated | SetAside | None:
    """Return why an event has no effect that came once and is no longer in the inbox; else None."""
    known = state.facts.get(event_key(event.source, event.id))
    if known is None:
        return None
    if known == event.data_hash:
        return Repeated()
    return conflict(f"event {event.id} of {event.source} came before with other content")
