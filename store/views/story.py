"""`backship explain`: everything that became of an order, in the order in which it was decided.

Decisions are kept by order. What was told has no index of its own: it was written in the same
transactions, under the same logical clocks (docs/decisions/0003), and is found by these. The words
are the console's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

from events.vocabulary import ReleaseMode
from store.columns import json_value
from store.statements import Query, Row
from store.transaction import Transaction
from store.views import unheard
from store.views.shapes import EventView

_ORDER = Query(
    """
    SELECT t.clock, t.holds, t.release FROM orders AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    """
)
_LINES = Query(
    """
    SELECT t.line_id, t.sku, t.unreleased FROM order_lines AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.position
    """
)
_REASONS = Query(
    """
    SELECT t.clock, t.at, t.decided, t.event_source, t.event_id, t.event_type
    FROM reasons AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.clock, t.n
    """
)
_TOLD = Query(
    """
    SELECT t.clock, t.n, t.time, t.type, t.body, t.event_source, t.event_id
    FROM {given} CROSS JOIN emitted AS t
    WHERE t.clock = given.clock AND t.type <> 'ExceptionRaised'
        AND REPLACE(t.body, :subject, '') <> t.body
    ORDER BY t.clock, t.n, t.id
    """,
    (("clock", "bigint"),),
)
_RAISED = Query(
    """
    SELECT t.clock, t.n, t.at, t.code, t.reason, t.message, t.refs, e.event_source, e.event_id
    FROM exceptions AS t LEFT JOIN emitted AS e ON e.id = t.id
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.clock, t.n, t.id
    """
)
_HEARD = Query(
    """
    SELECT i.source, i.event_id, i.type, i.body
    FROM {given} CROSS JOIN inbox AS i
    WHERE i.source = given.source AND i.event_id = given.event_id
    """,
    (("source", "text"), ("event_id", "text")),
)

Kind = Literal["decided", "told", "raised", "waits", "set_aside"]
_Cause = tuple[str | None, str | None]  # source and id of an event


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that became of an order, because of an event.

    `said`: the event's own data, None where its body is not kept any more. `rule` and `facts`: of a
    decision its rule and numbers; of what was told its type, in `name`, and data; of the others,
    what is known of them.
    """

    kind: Kind
    at: datetime
    event: EventView
    said: Mapping[str, Any] | None
    name: str
    facts: Mapping[str, Any]
    line_id: str | None = None
    sku: str | None = None


@dataclass(slots=True)
class Story:
    """An order, its lines by id with their skus, and what became of it.

    `kept`: units promised to it now that no warehouse was told of. They wait for its `holds` to be
    lifted, for a person (`manual`), else for the rest of it.
    """

    skus: Mapping[str, str]
    happenings: list[Happening]
    kept: int = 0
    holds: Sequence[str] = ()
    manual: bool = False


@dataclass(slots=True)
class _Found:
    """A happening before its event is looked up; `place` orders it among all others."""

    place: tuple[int, int, int]  # clock, the event's turn in it, decided before told
    kind: Kind
    at: datetime
    cause: _Cause
    type: str | None
    name: str
    facts: Mapping[str, Any]
    line_id: str | None = None


@dataclass(slots=True)
class _Turns:
    """The turns of events under one clock, as the decisions of this order show them."""

    of: dict[tuple[int, _Cause], int] = field(default_factory=dict)

    def note(self, clock: int, cause: _Cause) -> int:
        """Return a number that orders what is decided now behind all before."""
        number = self.of[clock, cause] = len(self.of)
        return number

    def last(self, clock: int, cause: _Cause) -> int:
        """Return where what an event told stands: behind the last it decided."""
        return self.of.get((clock, cause), _AFTER_ALL)


_AFTER_ALL = 1 << 62


def story(tx: Transaction, shop: str, order_id: str) -> Story | None:
    """Return the story of an order; None where nobody has heard of it."""
    order = {"shop": shop, "order_id": order_id}
    orders = tx.query(_ORDER, (), **order)
    lines = tx.query(_LINES, (), **order)
    skus = {line_id: str(sku) for line_id, sku, _unreleased in lines}
    reasons = tx.query(_REASONS, (), **order)
    turns = _Turns()
    found = list(_decided(tx, reasons, turns))
    given: list[Row] = [(clock,) for clock in sorted({row[0] for row in (*orders, *reasons)})]
    found += _told(tx, given, turns, shop, order_id)
    found += _raised(tx, turns, shop, order_id)
    found.sort(key=lambda row: row.place)
    late = unheard.of(tx, shop, order_id)
    if not (orders or late):
        return None
    heard = _heard(tx, found)
    happenings = [_happening(row, heard, skus) for row in found]
    for event in late:
        name = EventView(source=event.source, id=event.event_id, type=event.type)
        happenings.append(
            Happening(event.state, event.at, name, event.said, event.reason, event.facts)
        )
    found_story = Story(skus, happenings, sum(row[2] for row in lines))
    for _clock, holds, release in orders:
        found_story.holds = json_value(holds)
        found_story.manual = release == ReleaseMode.MANUAL
    return found_story


def _decided(tx: Transaction, reasons: Iterable[Sequence[Any]], turns: _Turns) -> Iterable[_Found]:
    for clock, at, decided, source, event_id, kind in reasons:
        turn = turns.note(clock, (source, event_id))
        lifted = set()
        for line_id, rule, numbers in json_value(decided):
            about: str | None = line_id
            if "cleared" in numbers:  # a hold is the order's: it is lifted once, not line by line
                if numbers["cleared"] in lifted:
                    continue
                lifted.add(numbers["cleared"])
                about = None
            place = (clock, turn, 0)
            cause = (source, event_id)
            yield _Found(
                place, "decided", tx.instant(at), cause, kind, rule, numbers, line_id=about
            )


def _told(
    tx: Transaction, clocks: Sequence[Row], turns: _Turns, shop: str, order_id: str
) -> Iterable[_Found]:
    subject = f'"subject":{orjson.dumps(f"{shop}/{order_id}").decode()}'
    for clock, _n, at, kind, body, source, event_id in tx.query(_TOLD, clocks, subject=subject):
        data = orjson.loads(body)["data"]
        if (data.get("shop"), data.get("order_id")) == (shop, order_id):
            cause = (source, event_id)
            place = (clock, turns.last(clock, cause), 1)
            yield _Found(place, "told", tx.instant(at), cause, None, kind, data)


def _raised(tx: Transaction, turns: _Turns, shop: str, order_id: str) -> Iterable[_Found]:
    for clock, _n, at, code, reason, message, refs, source, event_id in tx.query(
        _RAISED, shop=shop, order_id=order_id
    ):
        cause = (source, event_id)
        place = (clock, turns.last(clock, cause), 1)
        facts = {"reason": reason, "message": message}
        line_id = json_value(refs).get("line_id")
        yield _Found(place, "raised", tx.instant(at), cause, None, code, facts, line_id)


def _heard(tx: Transaction, found: Iterable[_Found]) -> dict[_Cause, tuple[str, dict[str, Any]]]:
    causes: set[Row] = {row.cause for row in found if row.cause[0] is not None}
    return {
        (source, event_id): (kind, orjson.loads(body)["data"])
        for source, event_id, kind, body in tx.query(_HEARD, sorted(causes))
    }


def _happening(
    row: _Found, heard: Mapping[_Cause, tuple[str, dict[str, Any]]], skus: Mapping[str, str]
) -> Happening:
    source, event_id = row.cause
    kind, said = heard.get(row.cause, (row.type, None))
    event = EventView(source=source, id=event_id, type=kind)
    sku = skus.get(row.line_id or "")
    return Happening(row.kind, row.at, event, said, row.name, row.facts, row.line_id, sku)
