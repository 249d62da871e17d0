"""A sku: its stock by place, its demand by destination and shop, its queues (L2-L4, S4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from handlers.policy import Policy
from handlers.rows.orders import Line, Rank

QueueKey = tuple[str, str]  # destination, shop


@dataclass(slots=True, eq=False)
class Stock:
    """One sku at one place: units physically there, and of them promised to lines (L2, L3)."""

    sku: str
    place: str
    on_hand: int = 0
    allocated: int = 0
    loaded: tuple[Any, ...] | None = None

    @property
    def available(self) -> int:
        """Units not promised; below zero after more left than was free (S8)."""
        return self.on_hand - self.allocated

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.sku, self.place, self.on_hand, self.allocated)


@dataclass(slots=True, eq=False)
class Demand:
    """Shortage of a sku by destination and shop: a cache of held lines (L4)."""

    sku: str
    destination: str
    shop: str
    shortage: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.sku, self.destination, self.shop, self.shortage)


@dataclass(slots=True, eq=False)
class Queue:
    """The head of the held lines of one sku, destination and shop, in rank order (S4).

    `more`: the database holds further lines behind the last one here.
    """

    lines: list[Line] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True, eq=False)
class Item:
    """A sku with everything about it that a decision needs, under its lock (L6).

    `busy`: a fill of it is unfinished (S6); other events on it wait. `base_status` is what every
    shop was told that has no entry in `statuses` (S13); None: the sku has not been seen yet.
    """

    sku: str
    vendor: str | None = None
    name: str | None = None
    alternatives: tuple[str, ...] = ()
    overrides: dict[str, Any] = field(default_factory=dict)
    busy: bool = False
    base_status: str | None = None
    loaded: tuple[Any, ...] | None = None
    policy: Policy = field(default_factory=Policy)
    stock: dict[str, Stock] = field(default_factory=dict)
    demand: dict[QueueKey, Demand] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    statuses_loaded: dict[str, str] = field(default_factory=dict)
    supply: list[str] = field(default_factory=list)  # replenishments with it, open or incoming
    queues: dict[QueueKey, Queue] | None = None  # None: the heads were not loaded
    moved: list[tuple[str, Rank, int]] = field(default_factory=list)  # destination, rank, ±shortage

    @property
    def shortage(self) -> int:
        """Units of all lines that wait."""
        return sum(row.shortage for row in self.demand.values())

    def shortage_at(self, destination: str) -> int:
        """Units that wait for a delivery to this destination."""
        return sum(row.shortage for key, row in self.demand.items() if key[0] == destination)

    def at(self, place: str) -> Stock:
        """Return the stock row of a place, a new empty one where there is none."""
        row = self.stock.get(place)
        if row is None:
            row = self.stock[place] = Stock(self.sku, place)
        return row

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps of the sku's own row."""
        return (
            self.sku,
            self.vendor,
            self.name,
            self.alternatives,
            dict(self.overrides),
            self.busy,
            self.base_status,
        )
