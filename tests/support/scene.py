"""A scenario: what was given, what happened, and everything that came of it.

    scene = Scene(item_changed("A", vendor="V"))            # given
    scene.when(order_placed("1", [("A", 3)]))               # one batch
    scene.told("OrderBackordered main/1 …", …)              # all of it, in any order
    scene.kept("main/1 [1] 3 A: 3 held", …)                 # all there is
    scene.booked("3 A WH>customer shipped")                 # every movement of the batch

What must hold after any history is asked after every batch (`invariants`), and that a warehouse is
only told to keep what it was told to ship. The short lines are those of `retelling`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from events.envelope import Event
from events.outbound import BackToShip, Outbound, ReadyToShip, ReleaseCancelled
from handlers.decision import Applied, Deferred, Outcome, Repeated, SetAside
from handlers.policy import Rules
from tests.support import invariants, retelling
from tests.support.house import House


@dataclass
class Warehouses:
    """What every warehouse was told to ship and not told to keep again, by release and line."""

    to_ship: dict[tuple[str, str], int] = field(default_factory=dict)

    def hear(self, message: Outbound) -> None:
        """Follow one message; a release may be told once, and taken back only in part."""
        if isinstance(message, ReadyToShip | BackToShip):
            for row in message.lines:
                key = (message.release_id, row.line_id)
                assert key not in self.to_ship
                self.to_ship[key] = row.qty
        elif isinstance(message, ReleaseCancelled):
            for row in message.lines:
                self.to_ship[message.release_id, row.line_id] -= row.qty
                assert self.to_ship[message.release_id, row.line_id] >= 0


class Scene:
    """One house, and the last batch it heard."""

    def __init__(self, *given: Event, house: House | None = None) -> None:
        self.house = house or House()
        self.warehouses = Warehouses()
        self.out: list[Outbound] = []
        self.movements_before = 0
        self.given(*given)

    @classmethod
    def with_rules(cls, rules: Rules, *given: Event) -> "Scene":
        """Return a scene under other global defaults or switches."""
        return cls(*given, house=House(rules))

    def given(self, *events: Event) -> "Scene":
        """Let each event happen in a batch of its own, all of them with their effect."""
        for event in events:
            self.when(event)
            assert isinstance(self.house.outcome(event), Applied), self.outcome(event)
        return self

    def when(self, *events: Event) -> "Scene":
        """Let the events happen in one batch."""
        self.movements_before = len(self.house.movements)
        self.follow(self.house.hear(*events))
        return self

    def follow(self, out: list[Outbound] | None) -> list[Outbound] | None:
        """Take what a batch or a step told, and ask what must hold; None: there was none."""
        self.out = out or []
        for message in self.out:
            self.warehouses.hear(message)
        invariants.check(self.house)
        return out

    def told(self, *messages: str) -> "Scene":
        """Expect these messages of the last batch and no other, in any order."""
        _compare(self.lines(), messages)
        return self

    def lines(self) -> list[str]:
        """Return what the last batch told."""
        names = retelling.names_of(self.house.state)
        return [retelling.message(row, names) for row in self.out]

    def all_lines(self) -> list[str]:
        """Return what was told ever."""
        names = retelling.names_of(self.house.state)
        return [retelling.message(row, names) for row in self.house.emitted]

    def rows(self) -> list[str]:
        """Return all order lines, stock and replenishments there are."""
        return retelling.kept(self.house.state)

    def kept(self, *rows: str) -> "Scene":
        """Expect these order lines, stock and replenishments and no other, in any order."""
        _compare(self.rows(), rows)
        return self

    def booked(self, *movements: str) -> "Scene":
        """Expect these movements of the last batch and no other, in this order."""
        rows = self.house.movements[self.movements_before :]
        assert [retelling.movement(row) for row in rows] == list(movements)
        return self

    def outcome(self, event: Event) -> str:
        """`applied`, `repeated`, `waits for main/1`, `conflict at data`."""
        outcome: Outcome = self.house.outcome(event)
        match outcome:
            case Applied():
                return "applied"
            case Repeated():
                return "repeated"
            case SetAside(reason=reason, field=where):
                return f"{reason} at {where}"
            case Deferred(order=order, sku=sku):
                return f"waits for {sku if order is None else '/'.join(order)}"

    def replenishment_id(self, name: str) -> str:
        """Return the id of a replenishment by its readable name, `V>WH#1`."""
        ids = {told: row_id for row_id, told in retelling.names_of(self.house.state).items()}
        return ids[name]


def _compare(found: Sequence[str], expected: Sequence[str]) -> None:
    missing = Counter(expected) - Counter(found)
    unexpected = Counter(found) - Counter(expected)
    if missing or unexpected:
        lines = [f"missing:    {row}" for row in missing.elements()]
        lines += [f"unexpected: {row}" for row in unexpected.elements()]
        raise AssertionError("\n".join(["", *lines]))
