"""Replenishments, their lines, and the slot each open one fills (R1-R5)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from handlers.rows.orders import CUSTOMER

SlotKey = tuple[str, str]  # vendor, destination


class ReplenishmentState(StrEnum):
    """The states of contract.md §6; `closed` means short-closed."""

    OPEN = "open"
    FINALIZED = "finalized"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


INCOMING = (ReplenishmentState.FINALIZED, ReplenishmentState.PARTIALLY_RECEIVED)


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a replenishment line confirmed for one date (None: not confirmed) (R4)."""

    qty: int
    expected_at: datetime | None


@dataclass(slots=True, eq=False)
class ReplenishmentLine:
    """What one replenishment brings of one sku.

    `qty`: asked while it is open, confirmed after. `manual`: added by hand (R9). `linked` and
    `picked`: bought for single order lines, by automation and by hand (R10); of these `docked` have
    arrived, by the place they lie at. `parts` are empty until it is finalized.
    """

    sku: str
    qty: int = 0
    manual: int = 0
    linked: int = 0
    picked: int = 0
    received: int = 0
    parts: tuple[Part, ...] = ()
    docked: dict[str, int] = field(default_factory=dict)
    loaded: tuple[Any, ...] | None = None

    @property
    def for_lines(self) -> int:
        """Units bought for single order lines (R10)."""
        return self.linked + self.picked

    @property
    def at_docks(self) -> int:
        """Units for single order lines that have arrived and can not be picked yet."""
        return sum(self.docked.values())

    @property
    def short_of(self) -> int:
        """Units not received of what was asked or confirmed."""
        return max(0, self.qty - self.received)

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (
            self.sku,
            self.qty,
            self.manual,
            self.linked,
            self.picked,
            self.received,
            self.parts,
            tuple(sorted(self.docked.items())),
        )


@dataclass(slots=True, eq=False)
class Replenishment:
    """One buying document for one vendor and one destination (R1).

    `complete`: all its lines are loaded; else only those of skus in this batch. `told_revision`
    and `told_total` are the state last emitted (R3); revision 0 was never told.
    """

    replenishment_id: str
    vendor: str
    destination: str
    raised_at: datetime
    state: ReplenishmentState = ReplenishmentState.OPEN
    automatic: bool = True
    revision: int = 0
    told_revision: int = 0
    told_total: int = 0
    finalized_at: datetime | None = None
    closed_at: datetime | None = None
    lines: dict[str, ReplenishmentLine] = field(default_factory=dict)
    complete: bool = False
    loaded: tuple[Any, ...] | None = None

    @property
    def is_open(self) -> bool:
        """May automation still change it?"""
        return self.state is ReplenishmentState.OPEN

    @property
    def drop_ship(self) -> bool:
        """Does the vendor ship it to a customer (R10)? Nothing of it reaches a place of ours."""
        return self.destination.startswith(CUSTOMER)

    @property
    def incoming(self) -> bool:
        """Are its units on their way?"""
        return self.state in INCOMING

    def outstanding(self, sku: str) -> int:
        """Units of a sku that may still arrive and are on their way (`incoming`)."""
        line = self.lines.get(sku)
        return line.short_of if line is not None and self.incoming else 0

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps of the replenishment's own row."""
        return (
            self.replenishment_id,
            self.vendor,
            self.destination,
            self.raised_at,
            self.state,
            self.automatic,
            self.revision,
            self.told_revision,
            self.told_total,
            self.finalized_at,
            self.closed_at,
        )


@dataclass(slots=True, eq=False)
class Slot:
    """The one place for an open replenishment of a vendor and destination (R1), under its lock.

    `raised` counts the replenishments ever raised here; the next id derives from it.
    """

    vendor: str
    destination: str
    open_id: str | None = None
    raised: int = 0
    loaded: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Return what the store keeps."""
        return (self.vendor, self.destination, self.open_id, self.raised)
