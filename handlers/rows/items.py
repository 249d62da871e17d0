"""A sku: its stock by place, its demand by destination and shop, its queues (L2-L4, S4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from handlers.policy import Policy
from handlers.rows.orders import Line, Link, Rank

QueueKey = tuple[str, str]  # destination, shop


@dataclass(slots=True, eq=False)
class Stock:
    """One sku at one place: units physically there, and of them promised to lines (L2, L3).

    `counted_at`: when it was last counted (S8). `owed`: units booked as found and not yet taken
    back, with the moment of each finding, earliest first (S7).
    """

    sku: str
    place: str
    on_hand: int = 0
    allocated: int = 0
    counted_at: datetime | None = None
    owed: tuple[tuple[datetime, int], ...] = ()
    loaded: tuple[Any, ...] | None = None

    @property
    def available(self) -> int:
        """Units not promised; below zero after more left than was free (S8)."""
        return self.on_hand - self.allocated

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (
            self.sku,
            self.place,
            self.on_hand,
            self.allocated,
            self.counted_at,
            self.owed,
        )


@dataclass(slots=True, eq=False)
class Demand:
    """Shortage of a sku by destination and shop: a cache of held lines (L4).

    Of it `queued` waits for what is bought for the whole queue (R2), `fillable` may be served from
    the queue (S4): see `Line`.
    """

    sku: str
    destination: str
    shop: str
    shortage: int = 0
    queued: int = 0
    fillable: int = 0
    loaded: tuple[Any, ...] | None = None

    @property
    def was_queued(self) -> bool:
        """Was anything queued when it was loaded?"""
        return self.loaded is not None and self.loaded[4] > 0

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (
            self.sku,
            self.destination,
            self.shop,
            self.shortage,
            self.queued,
            self.fillable,
        )


@dataclass(slots=True, eq=False)
class Queue:
    """The head of the fillable lines of one sku, destination and shop, in rank order (S4).

    `more`: the database holds further lines behind the last one here.
    """

    lines: list[Line] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True, eq=False)
class Linked:
    """The links of a sku on one replenishment, in the rank order of their lines (R10).

    `gap`: links that were not loaded stand before this index; None: all are here.
    """

    links: list[Link] = field(default_factory=list)
    gap: int | None = None


@dataclass(slots=True, eq=False)
class Some:
    """Some lines of a sku in a known order; `more`: the database holds further ones behind."""

    lines: list[Line] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True, eq=False)
class Item:
    """A sku with everything about it that a decision needs, under its lock (L6).

    `busy`: a fill of it is unfinished (S6); other events on it wait. `base_status` is what every
    shop was told that has no entry in `statuses` (S13); None: the sku has not been seen yet.

    What is None was not loaded: `queues` (what a fill may serve), `links` (by replenishment),
    `reserved` (by source, lines with unreleased units there, the last in rank first, S8), `held`
    (every line with shortage, by destination and rank, R12). `wanting`: lines that may have to be
    linked (R10): those loaded because automation may order now, and those of this batch. `joined`:
    lines that began to wait in this batch.
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
    queues: dict[QueueKey, Queue] | None = None
    links: dict[str, Linked] | None = None
    reserved: dict[str, Some] | None = None
    held: Some | None = None
    wanting: Some = field(default_factory=Some)
    joined: list[Line] = field(default_factory=list)
    moved: list[tuple[str, Rank, int]] = field(default_factory=list)  # destination, rank, ±queued

    @property
    def shortage(self) -> int:
        """Units of all lines that wait."""
        return sum([row.shortage for row in self.demand.values()])

    def queued_at(self, destination: str) -> int:
        """Units that wait, in queue order, for a delivery to this destination (R2)."""
        return sum([row.queued for key, row in self.demand.items() if key[0] == destination])

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
