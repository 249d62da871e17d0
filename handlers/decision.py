"""The outcome of a batch as values: what the store writes besides the changed rows of the state.

Of what a batch makes thousands, nothing is frozen: each would take three times as long to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.envelope import Cause, Event
from events.outbound import Outbound
from handlers.state import FactKey, OrderKey, Task


@dataclass(slots=True)
class Movement:
    """One row of the ledger (L1): `qty` units of a sku from a place to a place.

    A side that is None is outside: `outside` says whether it is the `vendor`, the `customer` or an
    `adjustment`. (`cause`, `n`) names it for ever: `n` counts the movements of its event.
    """

    cause: Cause
    n: int
    sku: str
    qty: int
    origin: str | None
    target: str | None
    outside: str | None
    happened_at: datetime
    reason: str


@dataclass(slots=True)
class Emission:
    """One event out. `id` derives from the cause; `at` is when the cause happened."""

    id: str
    message: Outbound
    subject: str | None
    cause: Cause
    at: datetime
    traceparent: str | None = None


@dataclass(slots=True)
class Reason:
    """Why a line became what it is: the rule and the numbers it was decided on (`explain`)."""

    shop: str
    order_id: str
    line_id: str
    cause: Cause
    at: datetime
    rule: str
    numbers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """The event had its effect."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The business fact was known already under another event id: no effect (C4)."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """The event had no effect and a person must look (contract.md §6, `dead list`).

    `detail`: the stack of a bug, for whoever mends it.
    """

    reason: str
    field: str | None
    message: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """The event waits in the database: for an order or a replenishment (C3), or for a sku (S6)."""

    order: OrderKey | None = None
    replenishment: str | None = None
    sku: str | None = None


Outcome = Applied | Repeated | SetAside | Deferred


@dataclass(slots=True)
class Decision:
    """Everything a batch decided, in the order it was decided.

    `taken`: events that waited for an order of this batch and took effect with it (C3).
    `tasks`: new, changed (`cursor`, `arrived`) and finished (`done`) tasks.
    """

    movements: list[Movement] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    outcomes: list[tuple[Event, Outcome]] = field(default_factory=list)
    taken: list[Event] = field(default_factory=list)
    facts: dict[FactKey, tuple[str, Cause]] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
