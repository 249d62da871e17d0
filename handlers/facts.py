"""The same business fact under another event id has one effect (C4)."""

from events.envelope import Event
from handlers.decision import Repeated, SetAside
from handlers.refusals import conflict
from handlers.rules.identity import joined
from handlers.state import FactKey
from handlers.turn import Turn


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
