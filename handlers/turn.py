"""One event's turn in a batch: who caused what, and the ways to say it.

`Books` are shared by all turns of a batch: the state, the decision, and what is told once at the
end (statuses, replenishments). A `Turn` is one event at its place among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.envelope import Cause, Event, happened_at
from events.outbound import ExceptionRaised, Outbound, Refs
from events.vocabulary import ExceptionCode, PlaceKind
from handlers.decision import Decision, Emission, Movement, Reason
from handlers.rules.identity import derived
from handlers.state import (
    Extent,
    Item,
    Line,
    Order,
    OrderKey,
    Place,
    State,
    Task,
    TaskKind,
    Unloaded,
)

# The other side of a movement that leaves or enters our places, by its reason.
_OUTSIDE = {
    "received": "vendor",
    "returned": "customer",
    "shipped": "customer",
    "found": "adjustment",
    "taken_back": "adjustment",
    "counted": "adjustment",
    "offset": "adjustment",
    "written_off": "adjustment",
}


@dataclass(slots=True)
class Origin:
    """What is to blame for a consequence: the event, when it happened, its trace.

    `part` tells the turns of one cause apart: the steps of its tasks, and those ahead of an event.
    """

    cause: Cause
    at: datetime
    traceparent: str | None = None
    part: str = ""


@dataclass(slots=True)
class Books:
    """What the turns of one batch share. `touched` and `changed` keep the last origin of each.

    `reached`: how many of the policy changes under way have taken effect on a sku, by sku.
    """

    state: State
    now: datetime
    decision: Decision = field(default_factory=Decision)
    touched: dict[str, Origin] = field(default_factory=dict)
    changed: dict[str, Origin] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Turn:
    """One event (or one step of a task) taking effect.

    What is told once, at the end of the turn, is gathered: `orders` it touched, of which something
    may be released now, what was `withdrawn` from releases, lines `judged` and `held_anew` (those
    of `untold` skus by a later step; `waiting_anew` in it), and lines with another date (`redated`:
    what was told before). `placed` and `raised` are what events may have waited for (C3). `step`:
    the task this turn is a step of. `taken`: units of other skus that went to lines which leave
    together, by sku and source (O9). `to_buy`: what is needed of these skus is bought when the turn
    has had all its other effects (R2). `wanted_before`: what was on its way and wanted by nobody,
    of skus that were cancelled, before that (R8). `emptied`: replenishments that may have no line
    left (R3).
    """

    books: Books
    origin: Origin
    orders: dict[OrderKey, Order] = field(default_factory=dict)
    held_anew: list[Line] = field(default_factory=list)
    placed: list[Order] = field(default_factory=list)
    judged: list[Line] = field(default_factory=list)
    redated: dict[OrderKey, list[tuple[Line, datetime | None]]] = field(default_factory=dict)
    withdrawn: dict[tuple[OrderKey, str | None, str], dict[str, int]] = field(default_factory=dict)
    waiting_anew: list[Line] = field(default_factory=list)
    untold: dict[str, Item] = field(default_factory=dict)
    wanted_before: dict[str, tuple[Order, dict[str, int]]] = field(default_factory=dict)
    stirred: set[str] = field(default_factory=set)
    to_buy: dict[str, Item] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    raised: list[str] = field(default_factory=list)
    revised: set[str] = field(default_factory=set)
    step: Task | None = None
    movements: int = 0
    tasks: int = 0
    exceptions: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The working copy."""
        return self.books.state

    @property
    def cause(self) -> Cause:
        """The event behind this turn."""
        return self.origin.cause

    @property
    def at(self) -> datetime:
        """When the event happened."""
        return self.origin.at

    def revisit(self, order: Order) -> None:
        """Note that something of the order may be released now, or was taken back (O9, O11)."""
        if order.extent is Extent.DATED:  # what of it leaves together was not loaded
            raise Unloaded("orders", order.key)
        self.orders[order.key] = order

    @property
    def apart(self) -> tuple[str, ...]:
        """What tells the ids of this turn from those of others of the same cause."""
        return (self.origin.part,) if self.origin.part else ()

    @property
    def keeps_parts(self) -> bool:
        """Do units stay promised to lines that wait for the rest (O9)?"""
        return self.state.rules.keep_partial_allocations

    def stir(self, item: Item) -> None:
        """Note a sku that must be served and bought for at the end of this turn."""
        self.stirred.add(item.sku)

    def touch(self, item: Item) -> None:
        """Note that the sku's status may have changed (S13)."""
        self.books.touched[item.sku] = self.origin

    def emit(self, message: Outbound, subject: str | None, *parts: str) -> None:
        """Emit an event; its id derives from the cause, its type and `parts`."""
        cause = self.cause
        kind = type(message).__name__
        self.books.decision.emissions.append(
            Emission(
                derived(cause.source, cause.id, kind, *parts),
                message,
                subject,
                cause,
                self.at,
                self.origin.traceparent,
            )
        )

    def raise_exception(
        self, code: ExceptionCode, message: str, *, reason: str | None = None, **refs: str | None
    ) -> None:
        """Tell a person (domain.md §1, `exception`); nothing stops for it."""
        known = {name: value for name, value in refs.items() if value is not None}
        parts = [code, reason or "", *(f"{name}={known[name]}" for name in sorted(known))]
        # The same exception twice in one turn (a sku on two lines) keeps two ids.
        count = self.exceptions.get(mark := "\n".join(parts), 0)
        self.exceptions[mark] = count + 1
        self.emit(
            ExceptionRaised(
                code=code,
                reason=reason,
                message=message,
                refs=Refs(**known),
                caused_by=self.cause,
            ),
            None,
            *parts,
            str(count),
        )

    def move(  # noqa: PLR0913 - a movement's own facts
        self,
        item: Item,
        qty: int,
        origin: str | None,
        target: str | None,
        reason: str,
        *,
        at: datetime | None = None,
    ) -> None:
        """Book a movement (L1) and bring `on_hand` up to it (L2).

        `origin` and `target` are places; None is outside, and the reason says where (`_OUTSIDE`).
        `at`: when it happened, if not with the event.
        """
        outside = _OUTSIDE[reason] if origin is None or target is None else None
        self.books.decision.movements.append(
            Movement(
                self.cause,
                self.movements,
                item.sku,
                qty,
                origin,
                target,
                outside,
                at or self.at,
                reason,
            )
        )
        self.movements += 1
        if origin is not None:
            item.at(origin).on_hand -= qty
        if target is not None:
            item.at(target).on_hand += qty
        self.touch(item)

    def over_allocated(self, item: Item, place: str, order: Order | None) -> None:
        """Name units that are released at a place and not there (S8); `order`: who took them."""
        stock = item.at(place)
        self.raise_exception(
            ExceptionCode.OVER_ALLOCATED,
            f"{stock.allocated} of {item.sku} are released at {place}, where {stock.on_hand} are",
            sku=item.sku,
            place=place,
            shop=None if order is None else order.shop,
            order_id=None if order is None else order.order_id,
        )

    def because(self, line: Line, rule: str, **numbers: object) -> None:
        """Keep the rule and the numbers a line was decided on, for `explain`."""
        order = line.order
        self.books.decision.reasons.append(
            Reason(order.shop, order.order_id, line.line_id, self.cause, self.at, rule, numbers)
        )

    def seen(self, name: str) -> Place:
        """Return a place; one never seen becomes a source with priority 100 (P2)."""
        state = self.state
        place = state.places.get(name)
        if place is None:
            self.catalogue(name)
            place = state.places[name] = Place(name)
            state.sources.clear()
            self.feed(place)
        return place

    def feed(self, source: Place) -> None:
        """Let docks that were seen before any source feed this one (P4)."""
        for dock in self.state.places.values():
            if dock.kind is PlaceKind.DOCK and dock.feeds is None:
                dock.feeds = source.place  # nobody waits yet: who does has a source to wait for

    def catalogue(self, name: str) -> None:
        """Make sure that places, shops and vendors may be changed here."""
        if not self.state.catalogue_locked:
            raise Unloaded("catalogue", name)

    def task(self, kind: TaskKind, *parts: str, **fields: Any) -> Task:  # noqa: ANN401 - a task's own fields
        """Leave a consequence to later steps (S6)."""
        cause = self.cause
        task_id = derived(cause.source, cause.id, kind, self.origin.part, *parts)
        trace = self.origin.traceparent
        task = Task(task_id, kind, cause, self.at, traceparent=trace, **fields)
        self.books.decision.tasks.append(task)
        return task


def turn_of(books: Books, event: Event, received_at: datetime) -> Turn:
    """Return the turn of an event heard at `received_at`."""
    origin = Origin(event.cause, happened_at(event, received_at), event.traceparent)
    return Turn(books, origin)
