"""The documents of contract.md §6, field by field. Moments are in UTC, quantities whole units."""

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

OrderStatus = Literal["pending", "held", "ready", "open", "shipped", "rejected", "cancelled"]
RestockStatus = Literal["none", "partial", "full"]
SetAsideState = Literal["set_aside", "retrying", "resolved", "discarded"]


class AllocatedUnits(TypedDict):
    """Units of a line promised at one source; null: unmanaged, the picker chooses."""

    source: str | None
    qty: int


class OrderLineView(TypedDict):
    """A line of an order. `released`: those allocated that the warehouse was told of."""

    line_id: str
    sku: str
    ordered: int
    allocated: int
    released: int
    shortage: int
    pending: int
    drop_ship: int
    shipped: int
    cancelled: int
    rejected: int
    expected_at: datetime | None
    allocations: list[AllocatedUnits]


class OrderView(TypedDict):
    """An order. `restock_status` null: nothing of it was ever short."""

    shop: str
    order_id: str
    status: OrderStatus
    restock_status: RestockStatus | None
    holds: list[str]
    expected_at: datetime | None
    lines: list[OrderLineView]


class WaitingLine(TypedDict):
    """A line that waits, and for how much."""

    line_id: str
    sku: str
    shortage: int


class BackorderView(TypedDict):
    """An order that waits."""

    shop: str
    order_id: str
    placed_at: datetime
    restock_status: RestockStatus | None
    expected_at: datetime | None
    lines: list[WaitingLine]


class PlaceStock(TypedDict):
    """A sku at one place."""

    place: str
    kind: Literal["source", "dock"]
    on_hand: int
    allocated: int
    available: int


class StockView(TypedDict):
    """A sku. `on_hand` counts docks, `available` does not; `sellable` null: unlimited."""

    sku: str
    on_hand: int
    allocated: int
    available: int
    shortage: int
    incoming: int
    net_position: int
    sellable: dict[str, int | None]
    places: list[PlaceStock]


class CoveredLine(TypedDict):
    """Units of a replenishment that will serve a held line, in queue order (R10)."""

    shop: str
    order_id: str
    line_id: str
    qty: int


class ReplenishmentLineView(TypedDict):
    """A sku on a replenishment. `qty`: asked while it is open, confirmed after."""

    sku: str
    qty: int
    received: int
    outstanding: int
    covers: list[CoveredLine]


class ReplenishmentView(TypedDict):
    """A replenishment. `expected_at`: when the last of what may still arrive does."""

    replenishment_id: str
    vendor: str
    destination: str
    state: str
    automatic: bool
    revision: int
    expected_at: datetime | None
    lines: list[ReplenishmentLineView]


class ExceptionView(TypedDict):
    """Something a person must look at."""

    code: str
    reason: str | None
    message: str
    refs: dict[str, str]
    at: datetime


class OperationView(TypedDict):
    """What was done with an event that was set aside: by whom, when and why."""

    at: datetime
    operator: str
    action: Literal["retry", "discard", "correct"]
    why: str | None


class SetAsideView(TypedDict):
    """An event that had no effect. The last four only where one is shown."""

    id: str
    source: str | None
    event_id: str | None
    type: str | None
    reason: str
    field: str | None
    message: str
    attempts: int
    first_seen: datetime
    last_seen: datetime
    state: SetAsideState
    body: NotRequired[str]
    headers: NotRequired[dict[str, Any]]
    detail: NotRequired[Any]
    operations: NotRequired[list[OperationView]]


class Difference(TypedDict):
    """Something stored that is not what it should be. `what` says which column or relation."""

    rule: str
    what: str
    sku: str | None
    place: str | None
    refs: dict[str, str]
    expected: int | str | None
    found: int | str | None


class AuditView(TypedDict):
    """What an audit looked at, in rows, and what it found."""

    checked: dict[str, int]
    differences: list[Difference]


class EventView(TypedDict):
    """An event by its names; null where what came could not be read."""

    source: str | None
    id: str | None
    type: str | None


class StoryEntry(TypedDict):
    """What was decided, told or kept of an order. `line_id` null: it is about the whole order.

    `rule` null: it was set aside before any rule of the rule book was asked.
    """

    at: datetime
    event: EventView
    rule: str | None
    text: str
    line_id: str | None


class QueueFigures(TypedDict):
    """The inbox. `outstanding` counts what is delivered or due later as well."""

    ready: int
    outstanding: int | None
    oldest_age_seconds: float | None


class OutboxFigures(TypedDict):
    """What is decided and not yet published; `held_back`: what the broker would not take.

    The age is of the first that is not held back.
    """

    count: int
    oldest_age_seconds: float | None
    held_back: int


class WaitingFigures(TypedDict):
    """Events that wait in the database, by what for; the age of what may not wait for ever."""

    orders: int
    replenishments: int
    skus: int
    oldest_age_seconds: float | None


class SetAsideFigures(TypedDict):
    """Events set aside that nobody has dealt with."""

    total: int
    by_reason: dict[str, int]


class ExceptionFigures(TypedDict):
    """Exceptions raised."""

    total: int
    last_24h: int


class WorkerView(TypedDict):
    """A worker, by its last heartbeat. `alive`: that was a moment ago."""

    worker_id: str
    host: str
    pid: int
    version: str
    state: Literal["working", "waiting", "stopping"]
    started_at: datetime
    seen_at: datetime
    settled: int
    alive: bool


class StatusReason(TypedDict):
    """Why all is not well, in one sentence with what to do next."""

    verdict: Literal["attention", "trouble"]
    text: str


class StatusView(TypedDict):
    """How it is. Null: not known; `unknown` says why. `at_least`: counted no further."""

    at: datetime
    verdict: Literal["ok", "attention", "trouble"]
    reasons: list[StatusReason]
    queue: QueueFigures | None
    dead_queue: int | None
    unrouted: int | None
    held_orders: int | None
    open_replenishments: int | None
    outbox: OutboxFigures | None
    waiting: WaitingFigures | None
    tasks: int | None
    set_aside: SetAsideFigures | None
    retrying: int | None
    exceptions: ExceptionFigures | None
    workers: list[WorkerView] | None
    workers_alive: int | None
    unknown: dict[str, str]
    at_least: list[str]
