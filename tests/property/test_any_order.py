"""Histories in any order: the same facts leave the same stock, whenever each is told (S7, S8, C3).

A history is what happened, in the order it happened, each fact with its own time; nothing ever
left a place that was not there. Told in any order, all of it leaves at every place what is there:
what left before its arrival was told is found and given back (S7), a count is a checkpoint (S8),
and what names an order nobody knows yet waits for it (C3). Of every order as much is shipped and
cancelled (S9, C1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Event
from tests.support import invariants
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.house import House
from tests.support.rules import rule
from tests.support.wire import T0

PLACES = ("DOCK", "FAR", "WH")
ORDERED = 9  # of A, by each order
WORLD = (
    place_changed("WH"),
    place_changed("FAR"),
    place_changed("DOCK", kind="dock", feeds="WH"),
    item_changed("A", vendor="V"),
)


@dataclass
class World:
    """What happens to A, and what is there."""

    there: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    orders: dict[str, tuple[int, bool]] = field(default_factory=dict)
    facts: list[Event] = field(default_factory=list)
    hour: int = 0

    @property
    def name(self) -> str:
        """The business name of the next fact."""
        return f"n{len(self.facts)}"

    @property
    def now(self) -> datetime:
        """The hour it is."""
        return T0 + timedelta(hours=self.hour)

    def receive(self, place: str, qty: int) -> None:
        """Units come from the vendor."""
        self.there[place] += qty
        self.facts.append(stock_received(self.name, place, [("A", qty)], received_at=self.now))

    def bring(self, dock: str, to: str, qty: int) -> None:
        """Units come from the vendor and go on at once."""
        self.there[to] += qty
        lines = [("A", qty)]
        self.facts.append(
            stock_received(self.name, dock, lines, received_at=self.now, transfer_to=to)
        )

    def send_back(self, place: str, qty: int) -> None:
        """Units come from a customer."""
        self.there[place] += qty
        self.facts.append(stock_returned(self.name, place, [("A", qty)], returned_at=self.now))

    def move(self, origin: str, to: str, qty: int) -> None:
        """Units that are there go elsewhere."""
        self.there[origin] -= qty
        self.there[to] += qty
        lines = [("A", qty)]
        self.facts.append(stock_transferred(self.name, origin, to, lines, transferred_at=self.now))

    def order(self, order_id: str) -> None:
        """A customer orders."""
        self.orders[order_id] = (0, False)
        self.facts.append(order_placed(order_id, [("A", ORDERED)], placed_at=self.now))

    def ship(self, order_id: str, place: str, qty: int) -> None:
        """Units that are there go to a customer."""
        self.there[place] -= qty
        shipped, cancelled = self.orders[order_id]
        self.orders[order_id] = (shipped + qty, cancelled)
        lines = [("1", qty)]
        self.facts.append(order_shipped(order_id, self.name, place, lines, shipped_at=self.now))

    def cancel(self, order_id: str) -> None:
        """A customer does not want the rest."""
        self.orders[order_id] = (self.orders[order_id][0], True)
        self.facts.append(order_cancelled(order_id, event_id=self.name))

    def count(self, place: str) -> None:
        """Somebody counts what is there."""
        lines = [("A", self.there[place])]
        self.facts.append(stock_counted(self.name, place, lines, counted_at=self.now))

    def left(self) -> dict[str, int]:
        """What there is by now: units at places, and shipped and cancelled ones of orders."""
        found = dict(self.there)
        for order_id, (qty, cancelled) in self.orders.items():
            shipped = min(qty, ORDERED)  # what is more is told and belongs to no order
            found[f"{order_id} shipped"] = shipped
            found[f"{order_id} cancelled"] = ORDERED - shipped if cancelled else 0
        return found


def _left(facts: Sequence[Event]) -> dict[str, int]:
    """Tell the facts in this order; what must hold holds after each. What is there then?"""
    house = House()
    house.hear_each(*WORLD)
    for fact in facts:
        house.hear(fact)
        invariants.check(house)
    stock = house.state.items["A"].stock
    found = {place: stock[place].on_hand if place in stock else 0 for place in PLACES}
    for order in house.state.orders.values():
        line = order.lines["1"]
        found[f"{order.order_id} shipped"] = line.shipped
        found[f"{order.order_id} cancelled"] = line.cancelled
    return found


def _world(script: str) -> World:
    """What `receive WH 3; wait; move WH FAR 2` makes of an empty world; facts are an hour apart."""
    world = World()
    for step in script.split("; "):
        act, *names = step.split()
        world.hour += 1
        getattr(world, act)(*(int(name) if name.isdigit() else name for name in names))
    return world


SCRIPTS = {
    "a-chain-of-transfers": "receive DOCK 5; move DOCK WH 4; move WH FAR 3; move FAR WH 2",
    "there-and-back": "receive WH 3; move WH FAR 3; move FAR WH 3; move WH FAR 3; receive WH 1",
    "two-deliveries": "receive WH 3; move WH FAR 3; receive WH 3; move WH DOCK 3",
    "a-count-in-between": "receive WH 5; move WH FAR 2; count WH; move WH FAR 2; receive WH 1",
    "two-counts": "receive WH 4; count WH; move WH FAR 3; count WH; receive WH 2",
    "counted-on-both-sides": "receive DOCK 4; move DOCK WH 3; count DOCK; count WH; move WH DOCK 1",
    "counted-empty": "receive WH 2; move WH FAR 2; count WH; receive WH 3; move WH FAR 1",
    "ordered-and-shipped": "receive WH 4; order one; ship one WH 3; count WH; send_back WH 1",
    "shipped-and-cancelled": "receive WH 4; order one; ship one WH 1; cancel one; receive WH 1",
    "shipped-from-elsewhere": "order one; receive WH 4; move WH FAR 2; ship one FAR 2; count FAR",
    "brought-and-counted": "bring DOCK WH 4; count DOCK; move WH FAR 2; bring FAR DOCK 1; count WH",
    "two-who-wait": "order one; receive WH 5; order two; ship one WH 3; ship two WH 2",
}


@rule("S7", "S8", "S9", "C1", "C3", "L2")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_told_in_any_order_what_is_there_is_there(script: str) -> None:
    world = _world(script)
    for told in permutations(world.facts):
        assert _left(told) == world.left(), [fact.id for fact in told]


@st.composite
def _worlds(draw: st.DrawFn) -> World:
    """Up to eight facts; some happen within one hour, and a count ends its hour."""
    world = World(hour=1)
    ordered: list[str] = []
    for _ in range(draw(st.integers(2, 8))):
        world.hour += draw(st.integers(0, 1))
        full = [place for place in PLACES if world.there[place]]
        acts = ["receive", "bring", "send_back", "order", "count"]
        acts += (["move"] if full else []) + (["cancel"] if ordered else [])
        acts += ["ship"] if full and ordered else []
        act = draw(st.sampled_from(acts))
        place = draw(st.sampled_from(full if act in {"move", "ship"} else PLACES))
        qty = draw(st.integers(1, min(3, world.there[place] or 3)))
        match act:
            case "receive" | "send_back":
                getattr(world, act)(place, qty)
            case "bring" | "move":
                to = draw(st.sampled_from([name for name in PLACES if name != place]))
                getattr(world, act)(place, to, qty)
            case "order":
                ordered.append(world.name)
                world.order(world.name)
            case "ship":
                world.ship(draw(st.sampled_from(ordered)), place, qty)
            case "cancel":
                world.cancel(draw(st.sampled_from(ordered)))
            case _:
                world.count(place)
                world.hour += 1
    return world


@rule("S7", "S8", "S9", "C1", "C3", "L2")
@given(st.data())
def test_any_history_told_in_any_order_leaves_what_is_there(data: st.DataObject) -> None:
    world = data.draw(_worlds())
    assert _left(data.draw(st.permutations(world.facts))) == world.left()
