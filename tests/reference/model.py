"""The rule book as one plain program: hear an event, and everything follows at once.

    model = Reference()
    model.hear(event, received_at)     # 'applied' | 'repeated' | 'waiting' | 'set_aside:<reason>'
    model.told                         # every message out, in the order told
    model.kept()                       # the whole state, one short line a row

1. What was heard before is a repeat or a conflict (C4); what names an order or a replenishment
   nobody knows waits for it (C3).
2. The event has its effect on lines and goods, and who waits is served (`effects`).
3. Links, then replenishments become what the present state asks for (R2, R10).
4. What waited for the event takes effect in the same way, with its own cause and time.
5. At the end releases, held lines, replenishments and statuses are told (O8, O11, R3, S13).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from events.envelope import Event, happened_at
from events.inbound import OrderCancelled, OrderChanged, OrderPlaced, OrderShipped
from events.outbound import Outbound
from tests.reference import (
    buying,
    changing,
    dates,
    effects,
    facts,
    keeping,
    releasing,
    selling,
)
from tests.reference.world import World


@dataclass(eq=False)
class Waiting:
    """An event that came before what it is about (C3)."""

    event: Event
    arrived: datetime
    subject: str


class Reference:
    """All rules, one event at a time."""

    def __init__(
        self,
        defaults: Mapping[str, Any] | None = None,
        *,
        auto_replenish_enabled: bool = True,
        keep_partial_allocations: bool = True,
        wait_hours: int = 24,
    ) -> None:
        """Open an empty house under some settings; `defaults` are those of domain.md §3."""
        self.world = World(defaults or {}, auto_replenish_enabled, keep_partial_allocations)
        self.wait = timedelta(hours=wait_hours)
        self.heard: dict[tuple[str, str], tuple[str, str]] = {}
        self.waiting: list[Waiting] = []
        self.set_aside: list[tuple[Event, str]] = []

    @property
    def told(self) -> list[Outbound]:
        """Every message out, in the order told."""
        return self.world.told

    def kept(self) -> list[str]:
        """Describe the whole state, one line a row."""
        waiting = [f"waiting {row.event.id} for {row.subject}" for row in self.waiting]
        return [*keeping.kept(self.world), *waiting]

    def hear(self, event: Event, received_at: datetime) -> str:
        """Let an event have its effect, all of it at once (L5), and say what became of it."""
        key, content = (event.source, event.id), (event.type, event.data_hash)
        if key in self.heard:
            return "repeated" if self.heard[key] == content else "set_aside:conflict"
        self.heard[key] = content
        outcome = self._take(event, received_at)
        if outcome == "applied":
            self._take_what_waited()
            self._finish(event, received_at)
        return outcome

    def time_passes(self, now: datetime) -> list[Event]:
        """Set aside what has waited too long, and return it; cancellations wait for ever (C3)."""
        due = [
            row
            for row in self.waiting
            if not isinstance(row.event.data, OrderCancelled) and now - row.arrived >= self.wait
        ]
        for row in due:
            self.waiting.remove(row)
            self.set_aside.append((row.event, "not_found_in_time"))
            data = row.event.data
            if isinstance(data, OrderShipped):
                self.world.speak_for(row.event, happened_at(row.event, row.arrived))
                self.world.warn(
                    "over_shipment", place=data.source, shop=data.shop, order_id=data.order_id
                )
        return [row.event for row in due]

    def _take(self, event: Event, arrived: datetime) -> str:
        """Let one event have its effect, unless it waits, or is a repeat or a conflict."""
        subject = facts.unknown_subject(self.world, event)
        if subject is not None:
            self.waiting.append(Waiting(event, arrived, subject))
            return "waiting"
        outcome = self._new_or_known(event)
        if outcome == "applied":
            self._apply(event, arrived)
        elif outcome.startswith("set_aside:"):
            self.set_aside.append((event, outcome.removeprefix("set_aside:")))
        return outcome

    def _new_or_known(self, event: Event) -> str:
        """Is it a business fact known already, or another version of one (C2, C4)?"""
        if isinstance(event.data, OrderChanged):
            return self._new_version(event, event.data)
        name = facts.name_of(event)
        if name is None:
            return "applied"
        if name not in self.world.facts:
            self.world.facts[name] = event.data_hash
            return "applied"
        return "repeated" if self.world.facts[name] == event.data_hash else "set_aside:conflict"

    def _new_version(self, event: Event, data: OrderChanged) -> str:
        order = self.world.orders[data.shop, data.order_id]
        if data.version < order.version:
            return "repeated"
        if data.version == order.version:
            same = order.version_content == event.data_hash
            return "repeated" if same else "set_aside:conflict"
        if changing.other_sku(order, data) is not None:
            return "set_aside:conflict"
        order.version_content = event.data_hash
        return "applied"

    def _apply(self, event: Event, arrived: datetime) -> None:
        early: list[tuple[Event, datetime]] = []
        if isinstance(event.data, OrderPlaced):
            subject = f"{event.data.shop}/{event.data.order_id}"
            for row in list(self.waiting):
                if row.subject == subject and isinstance(row.event.data, OrderCancelled):
                    self.waiting.remove(row)
                    early.append((row.event, row.arrived))
        effects.take(self.world, event, arrived, early)

    def _take_what_waited(self) -> None:
        """Let what waited for something known now take effect, in the order it came (C3)."""
        row = self._next_known()
        while row is not None:
            self.waiting.remove(row)
            self._take(row.event, row.arrived)
            row = self._next_known()

    def _next_known(self) -> Waiting | None:
        for row in self.waiting:
            if facts.unknown_subject(self.world, row.event) != row.subject:
                return row
        return None

    def _finish(self, event: Event, received_at: datetime) -> None:
        """Tell what became of it all, once everything has taken effect."""
        world = self.world
        world.speak_for(event, happened_at(event, received_at))
        releasing.tell_taken_back(world)
        releasing.release(world)
        dates.tell_backordered(world, _order_of(event))
        buying.tell(world)
        selling.tell_statuses(world)


def _order_of(event: Event) -> tuple[str, str] | None:
    data = event.data
    if isinstance(data, OrderPlaced | facts.ABOUT_AN_ORDER):
        return (data.shop, data.order_id)
    return None
