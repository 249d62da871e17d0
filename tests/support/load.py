"""Orders, receipts and transfers whose sums are known in whatever order they come.

1. `before` is told first and has had its effect: places, items, and at the dock all that will be
   transferred.
2. `during` is told under load: orders, goods received at the warehouse, goods carried there from
   the dock, and one body nobody can read.
3. `check` asks the database in SQL whether all of it had its effect, once.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    stock_received,
    stock_transferred,
)
from tests.support.stack import Stack, outgoing
from tests.support.total_queue import known_by_bytes
from workers.transports.base import OutgoingMessage

SKUS = 40
SEED = 20_261_122
UNREADABLE = b'{"specversion": "1.0"'


@dataclass(frozen=True)
class Load:
    """So many orders of two lines; for ten of them a receipt, for twenty a transfer."""

    orders: int

    @cached_property
    def before(self) -> list[OutgoingMessage]:
        """What is told first."""
        told = [
            place_changed("WH1"),
            place_changed("DOCK", kind="dock", feeds="WH1"),
            *(item_changed(sku, vendor=f"V{n % 4}") for n, sku in enumerate(_skus())),
            stock_received("at the dock", "DOCK", sorted(self._carried.items())),
        ]
        return [outgoing(event) for event in told]

    @cached_property
    def during(self) -> list[OutgoingMessage]:
        """What is told under load, shuffled."""
        told = [outgoing(event) for event in self._told()]
        told.append(
            OutgoingMessage(
                known_by_bytes(UNREADABLE), "OrderPlaced", "OrderPlaced.main", UNREADABLE, None
            )
        )
        random.Random(SEED).shuffle(told)
        return told

    def check(self, stack: Stack) -> None:
        """Compare the sums of everything with what was told."""
        assert stack.rows("SELECT reason FROM set_aside") == [("malformed",)]
        at_warehouse = self._received + self._carried
        ordered = self._ordered
        filled = {sku: min(ordered[sku], at_warehouse[sku]) for sku in _skus()}
        filled_in_all = sum(filled.values())
        assert stack.value("SELECT COUNT(*) FROM orders") == self.orders
        assert stack.rows("SELECT reason, SUM(qty) FROM movements GROUP BY 1 ORDER BY 1") == [
            ("received", self._received.total() + self._carried.total()),
            ("transferred", self._carried.total()),
        ]
        assert stack.rows("SELECT sku, on_hand, allocated FROM stock WHERE place = 'WH1'"
                          " AND on_hand + allocated > 0 ORDER BY sku") == [
            (sku, at_warehouse[sku], filled[sku]) for sku in _skus()
        ]  # fmt: skip
        assert stack.value("SELECT SUM(on_hand) FROM stock WHERE place = 'DOCK'") == 0
        assert stack.rows(
            "SELECT sku, SUM(ordered), SUM(allocated), SUM(shortage) FROM order_lines "
            "GROUP BY sku ORDER BY sku"
        ) == [(sku, ordered[sku], filled[sku], ordered[sku] - filled[sku]) for sku in _skus()]
        assert stack.value("SELECT SUM(qty) FROM allocations") == filled_in_all
        assert stack.rows("SELECT sku, SUM(shortage) FROM demand GROUP BY sku ORDER BY sku") == [
            (sku, ordered[sku] - filled[sku]) for sku in _skus()
        ]
        assert stack.differences() == []

    @cached_property
    def _goods(self) -> list[tuple[str, list[tuple[str, int]]]]:
        """Orders ("o"), receipts ("r") and transfers ("t"): kind and lines of each."""
        draw = random.Random(SEED)
        kinds = ["o"] * self.orders + ["r"] * (self.orders // 10) + ["t"] * (self.orders // 20)
        return [
            (kind, [(sku, draw.randint(1, 3) * (1 if kind == "o" else 4))
                    for sku in draw.sample(_skus(), 2)])
            for kind in kinds
        ]  # fmt: skip

    def _told(self) -> Iterator[Event]:
        for n, (kind, lines) in enumerate(self._goods):
            if kind == "o":
                at = f"2026-11-20T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z"
                yield order_placed(f"{n}", lines, placed_at=at)
            elif kind == "r":
                yield stock_received(f"{n}", "WH1", lines)
            else:
                yield stock_transferred(f"{n}", "DOCK", "WH1", lines)

    def _sum(self, wanted: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for kind, lines in self._goods:
            if kind == wanted:
                for sku, qty in lines:
                    total[sku] += qty
        return total

    @cached_property
    def _ordered(self) -> Counter[str]:
        return self._sum("o")

    @cached_property
    def _received(self) -> Counter[str]:
        return self._sum("r")

    @cached_property
    def _carried(self) -> Counter[str]:
        return self._sum("t")


def _skus() -> list[str]:
    return [f"SKU-{n:02}" for n in range(SKUS)]
