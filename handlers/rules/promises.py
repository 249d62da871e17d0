"""When a held line may expect its units: supply against the queue of its destination (R10, R11)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from handlers.rules.queue import behind
from handlers.rules.replenishment import at_docks
from handlers.state import Item, Line, Part, Replenishment, ReplenishmentLine, State

_LAST = datetime.max.replace(tzinfo=UTC)  # an unknown date comes after every known one


@dataclass(frozen=True, slots=True)
class Supply:
    """Units that reach a destination at a date (None: unknown); from a replenishment or a dock."""

    qty: int
    expected_at: datetime | None
    replenishment_id: str | None = None


def parts_left(
    replenishment: Replenishment, line: ReplenishmentLine, lead_time_days: int | None
) -> list[Part]:
    """Return what is still to come of a line, by date: the earliest parts arrived first (R4).

    A date the vendor has not confirmed is the finalizing time + lead time (R11).
    """
    unconfirmed = _after(replenishment.finalized_at, lead_time_days)
    parts = [
        Part(part.qty, part.expected_at if part.expected_at is not None else unconfirmed)
        for part in line.parts or (Part(line.qty, None),)
    ]
    parts.sort(key=lambda part: part.expected_at or _LAST)
    arrived = line.received
    left = []
    for part in parts:
        taken = min(arrived, part.qty)
        arrived -= taken
        if part.qty > taken:
            left.append(Part(part.qty - taken, part.expected_at))
    return left


def supplies(state: State, item: Item, destination: str, at: datetime) -> list[Supply]:
    """Return what reaches a destination, in the order it serves the queue there (R11).

    Dock stock (now), then incoming by date, then the open replenishment of the present vendor and
    any other, whose lead time counts from `at`.
    """
    lead = item.policy.lead_time_days
    found = []
    docks = at_docks(state, item, destination)
    if docks:
        found.append(Supply(docks, at))
    coming = [
        Supply(part.qty, part.expected_at, replenishment.replenishment_id)
        for replenishment, line in state.incoming(item)
        if replenishment.destination == destination
        for part in parts_left(replenishment, line, lead)
    ]
    coming.sort(key=lambda row: (row.expected_at or _LAST, row.replenishment_id or ""))
    found += coming
    found += [
        Supply(row.lines[item.sku].qty, _after(at, lead), replenishment_id)
        for replenishment_id in sorted(item.supply)
        if (row := state.replenishments[replenishment_id]).is_open
        and row.destination == destination
        and row.lines[item.sku].qty
    ]
    return found


def reach(supply: Sequence[Supply], through: int) -> datetime | None:
    """Return the date of the unit number `through` (1 is the first to arrive); None: unknown."""
    for row in supply:
        through -= row.qty
        if through <= 0:
            return row.expected_at
    return None


def expected_at(state: State, item: Item, line: Line, at: datetime) -> datetime | None:
    """Return when the last waiting unit of a held line may be expected (R11)."""
    destination = line.order.destination
    through = item.shortage_at(destination) - behind(state, item, line)
    return reach(supplies(state, item, destination, at), through)


def latest(dates: Iterable[datetime | None]) -> datetime | None:
    """Return the date of a whole order: the latest, None when one is unknown or there is none."""
    known: list[datetime] = []
    for date in dates:
        if date is None:
            return None
        known.append(date)
    return max(known, default=None)


def _after(start: datetime | None, days: int | None) -> datetime | None:
    return start + timedelta(days=days) if start is not None and days is not None else None
