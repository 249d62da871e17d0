"""A story of many orders for the fault tests, and what must hold of it whatever went wrong.

Half of the orders get a unit, half wait for one: in the end every counter is known beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from events.envelope import Event
from tests.support.builders import order_placed, place_changed, stock_received
from tests.support.stack import Stack, outgoing
from workers.transports.base import OutgoingMessage


@dataclass(frozen=True)
class Ordering:
    """So many orders of one unit of one sku, and stock for half of them."""

    orders: int

    def events(self) -> list[Event]:
        """The whole story."""
        return [
            place_changed("WH1"),
            stock_received("R1", "WH1", [("A", self.orders // 2)]),
            *(order_placed(f"{number}", [("A", 1)]) for number in range(self.orders)),
        ]

    def messages(self) -> list[OutgoingMessage]:
        """The same as its senders publish it."""
        return [outgoing(event) for event in self.events()]

    def parts(self, count: int) -> list[Sequence[OutgoingMessage]]:
        """The messages in so many pieces, one after the other."""
        messages = self.messages()
        size = -(-len(messages) // count)
        return [messages[start : start + size] for start in range(0, len(messages), size)]

    def settled(self, stack: Stack) -> bool:
        """Has everything been heard, and everything that came of it published?"""
        heard = stack.value("SELECT COUNT(*) FROM inbox")
        return heard == self.orders + 2 and stack.value("SELECT COUNT(*) FROM outbox") == 0

    def check_once(self, stack: Stack) -> None:
        """Ask the database and the broker: nothing lost, nothing doubled, every sum right."""
        assert stack.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
            ("applied", self.orders + 2)
        ]
        assert stack.rows("SELECT COUNT(*), SUM(qty) FROM movements") == [(1, self.orders // 2)]
        assert stack.rows("SELECT SUM(allocated), SUM(shortage) FROM order_lines") == [
            (self.orders // 2, self.orders - self.orders // 2)
        ]
        assert stack.rows("SELECT on_hand, allocated FROM stock") == [
            (self.orders // 2, self.orders // 2)
        ]
        for empty in ("outbox", "held_back", "tasks", "waiting", "set_aside"):
            assert stack.value(f"SELECT COUNT(*) FROM {empty}") == 0, empty
        assert stack.differences() == []
        emitted = [str(key) for (key,) in stack.rows("SELECT id FROM emitted")]
        assert len(set(emitted)) == len(emitted) > self.orders // 2
        assert stack.published().keys() == set(emitted)
