"""A whole house in memory: the pure core run event by event, with nothing around it.

Everything is always loaded, so that a rule is proved without a database; the store's own suite
proves that loading and saving change nothing. `House.hear` returns what the batch emitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from events.envelope import Event
from events.outbound import Outbound
from handlers import steps
from handlers.batch import concerns, decide
from handlers.decision import Applied, Decision, Deferred, Movement, Outcome
from handlers.policy import Policy, Rules
from handlers.rules.queue import hold
from handlers.rules.stocks import BOOKED
from handlers.state import (
    Item,
    Line,
    Order,
    OrderKey,
    Replenishment,
    Slot,
    Some,
    State,
    Task,
    TaskKind,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class OpenState(State):
    """A state in which everything there is, is loaded, and what is not is made."""

    __slots__ = ()

    def item(self, sku: str) -> Item:
        """Return a sku, made when first named."""
        if sku not in self.items:
            item = self.items[sku] = Item(sku, queues={}, links={}, reserved={}, held=Some())
            self.refresh(item)
            item.base_status = None
        return self.items[sku]

    def order(self, key: OrderKey) -> Order | None:
        """Return an order; None where there is none."""
        return self.orders.get(key)

    order_in_part = order

    def replenishment(self, replenishment_id: str) -> Replenishment:
        """Return a replenishment; all of them are here."""
        return self.replenishments[replenishment_id]

    def slot(self, vendor: str, destination: str) -> Slot:
        """Return the slot of a vendor and destination, made when first named."""
        return self.slots.setdefault((vendor, destination), Slot(vendor, destination))


@dataclass
class House:
    """The core with all its rows, and everything that has come out of it."""

    rules: Rules = field(default_factory=Rules)
    now: datetime = NOW
    state: OpenState = field(init=False)
    emitted: list[Outbound] = field(default_factory=list)
    emitted_ids: list[str] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    outcomes: list[tuple[Event, Outcome]] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open an empty house."""
        self.state = OpenState(self.rules, catalogue_locked=True, left={})

    @classmethod
    def with_defaults(cls, **settings: Any) -> "House":  # noqa: ANN401 - any setting of a Policy
        """Open a house whose global defaults differ."""
        return cls(Rules(defaults=replace(Policy(), **settings)))

    def hear(self, *events: Event) -> list[Outbound]:
        """Decide the events as one batch and return what it emitted, in order."""
        for event in events:
            for sku in _skus(event):
                self._see(sku)
        self.look()
        decision = decide(self.state, [(event, self.now) for event in events], self.now)
        self.outcomes += decision.outcomes
        out = self._keep(decision)
        return out + self.work()

    def hear_each(self, *events: Event) -> list[Outbound]:
        """Decide each event as a batch of its own."""
        return [message for event in events for message in self.hear(event)]

    def outcome(self, event: Event) -> Outcome:
        """Return the last outcome of an event."""
        return [outcome for heard, outcome in self.outcomes if heard.id == event.id][-1]

    def work(self) -> list[Outbound]:
        """Do what policy changes left to steps, as the worker would between batches."""
        out: list[Outbound] = []
        while self.tasks:
            task = self.tasks.pop(0)
            if task.kind is TaskKind.WALK:
                self.state.walks = [walk for walk in self.state.walks if walk is not task]
                items = self.state.items
                skus = [sku for sku in sorted(items) if concerns(task, items[sku])]
                self.look()
                out += self._keep(steps.step_walk(self.state, task, skus, self.now))
                self.tasks = [left for left in self.tasks if left is not task]
        return out

    def look(self) -> None:
        """Look up what the store would load: past movements, and lines that are not linked."""
        state = self.state
        state.since, state.left = {}, {}
        for row in self.movements:
            if row.reason in BOOKED:
                continue
            for place, qty in ((row.origin, -row.qty), (row.target, row.qty)):
                if place is not None:
                    key = (row.sku, place)
                    state.since.setdefault(key, []).append((row.happened_at, qty))
                    if qty < 0:
                        state.left[key] = max(row.happened_at, state.left.get(key, row.happened_at))
        for item in state.items.values():
            item.wanting = Some([line for line in self.lines_of(item.sku) if line.unlinked])

    def lines_of(self, sku: str) -> list[Line]:
        """Return all order lines of a sku, in queue order."""
        every = (line for order in self.state.orders.values() for line in order.lines.values())
        return sorted((line for line in every if line.sku == sku), key=lambda line: line.rank)

    def _see(self, sku: str) -> None:
        self.state.item(sku)

    def _keep(self, decision: Decision) -> list[Outbound]:
        self.movements += decision.movements
        self.tasks += [task for task in decision.tasks if not task.done]
        self.emitted_ids += [emission.id for emission in decision.emissions]
        messages = [emission.message for emission in decision.emissions]
        self.emitted += messages
        return messages

    # What a test looks at.

    def line(self, order_id: str, line_id: str = "1", shop: str = "main") -> Line:
        """Return an order line."""
        return self.state.orders[shop, order_id].lines[line_id]

    def replenishment(self, vendor: str, destination: str) -> Replenishment:
        """Return the open replenishment of a vendor and destination."""
        slot = self.state.slots[vendor, destination]
        assert slot.open_id is not None
        return self.state.replenishments[slot.open_id]


def _skus(event: Event) -> Sequence[str]:
    lines: Any = getattr(event.data, "lines", None) or ()
    skus = [line.sku for line in lines if getattr(line, "sku", None)]
    sku = getattr(event.data, "sku", None)
    return [*skus, sku] if sku else skus


def balanced(line: Line) -> bool:
    """Do the quantities of a line add up (L3)?"""
    return line.ordered == (
        line.allocated
        + line.shortage
        + line.pending
        + line.drop_ship
        + line.shipped
        + line.cancelled
        + line.rejected
    )


__all__ = ["NOW", "Applied", "Deferred", "House", "balanced", "hold"]
