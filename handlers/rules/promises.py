"""When a held line may expect its units: supply against the queue of its destination (R10-R12).

Units bought for a line come with its replenishment; all others reach the queue in its order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from events.vocabulary import PlaceKind
from handlers.rules.links import linked
from handlers.rules.queue import behind
from handlers.rules.replenishment import at_destination, at_docks
from handlers.state import (
    Item,
    Line,
    Link,
    Part,
    Replenishment,
    ReplenishmentLine,
    State,
)

_LAST = datetime.max.replace(tzinfo=UTC)  # an unknown date comes after every known one


@dataclass(slots=True)
class Supply:
    """Units that reach a destination at a date; from a replenishment, or lying there."""

    qty: int
    expected_at: datetime | None
    replenishment_id: str | None = None
    days: int | None = None


@dataclass(slots=True)
class Promise:
    """A date (None: unknown). `days`: it was so many days from then, when it was asked (R12).

    `supply` is what keeps it, and `through` the number of the last unit wanted among its units.
    """

    at: datetime | None
    days: int | None = None
    supply: Supply | None = None
    through: int = 0


UNKNOWN = Promise(None)


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
    return _without(parts, line.received)


def _without(parts: Iterable[Part], units: int) -> list[Part]:
    """Take the first units off parts."""
    left = []
    for part in parts:
        taken = min(units, part.qty)
        units -= taken
        if part.qty > taken:
            left.append(Part(part.qty - taken, part.expected_at))
    return left


def supplies(state: State, item: Item, destination: str, at: datetime) -> list[Supply]:
    """Return what reaches the queue of a destination, in the order it serves it (R11).

    What lies at docks and there (now), then incoming by date, then the open replenishment of the
    present vendor and any other, whose lead time counts from `at`. Linked units are left out.
    """
    lead = item.policy.lead_time_days
    found = []
    here = at_docks(state, item, destination) + _usable_there(state, item, destination)
    if here:
        found.append(Supply(here, at, days=0))
    coming = [
        Supply(part.qty, part.expected_at, replenishment.replenishment_id)
        for replenishment, line in state.incoming(item)
        if replenishment.destination == destination
        for part in _without(
            parts_left(replenishment, line, lead), max(0, line.for_lines - line.at_docks)
        )
    ]
    coming.sort(key=lambda row: (row.expected_at or _LAST, row.replenishment_id or ""))
    found += coming
    for replenishment_id in sorted(item.supply):
        row = state.replenishments[replenishment_id]
        if row.is_open and row.destination == destination:
            line = row.lines[item.sku]
            if line.qty > line.for_lines:
                qty = line.qty - line.for_lines
                found.append(Supply(qty, _after(at, lead), replenishment_id, lead))
    return found


def _usable_there(state: State, item: Item, destination: str) -> int:
    place = state.places.get(destination)
    if place is None or not place.picks or place.kind is PlaceKind.DOCK:
        return 0
    return at_destination(state, item, destination)


def reach(supply: Sequence[Supply], through: int) -> Promise:
    """Return the date of the unit number `through` (1 is the first to arrive)."""
    for row in supply:
        if through <= row.qty:
            return Promise(row.expected_at, row.days, row, through)
        through -= row.qty
    return UNKNOWN


def expected(state: State, item: Item, line: Line, at: datetime) -> Promise:
    """Return when the last waiting unit of a held line may be expected (R11)."""
    promises = [of_link(state, item, link, None, at) for link in line.links if link.qty]
    if line.queued:
        destination = line.order.destination
        through = item.queued_at(destination) - behind(state, item, line)
        promises.append(reach(supplies(state, item, destination, at), through))
    if line.unlinked:
        promises.append(UNKNOWN)  # not bought yet: it waits for a buyer
    return later(promises)


def of_link(state: State, item: Item, link: Link, ahead: int | None, at: datetime) -> Promise:
    """Return when the last unit of a link may be expected.

    `ahead`: units of the replenishment linked before it; None: they are looked up.
    """
    replenishment = state.replenishment(link.replenishment_id)
    line = replenishment.lines[item.sku]
    name, lead = replenishment.replenishment_id, item.policy.lead_time_days
    if replenishment.is_open:
        open_one = Supply(line.qty, _after(at, lead), name, lead)
        return Promise(open_one.expected_at, lead, open_one, link.qty)
    coming = [Supply(line.at_docks, at, days=0)] if line.docked else []
    if replenishment.incoming:
        parts = parts_left(replenishment, line, lead)
        coming += [Supply(part.qty, part.expected_at, name) for part in parts]
    return reach(coming, (_ahead_of(item, link) if ahead is None else ahead) + link.qty)


def _ahead_of(item: Item, link: Link) -> int:
    """Return the units linked to the same replenishment before a link, in queue order."""
    rank = link.line.rank
    return sum(row.qty for row in linked(item, link.replenishment_id).links if row.line.rank < rank)


def later(promises: Sequence[Promise]) -> Promise:
    """Return the latest of the promises of one line; unknown where one is, or there is none."""
    if not promises or any(row.at is None for row in promises):
        return UNKNOWN
    return max(promises, key=lambda row: row.at or _LAST)


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
