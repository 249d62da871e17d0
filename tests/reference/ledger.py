"""Goods: where they are, how they move, what was found and what was counted (L1, L2, S7, S8)."""

from datetime import datetime

from tests.reference.rows import Count, Movement, Owed
from tests.reference.world import World

NOT_REAL = {"found", "taken_back", "counted", "offset"}


def on_hand(world: World, sku: str, place: str) -> int:
    """Return the units physically there (L2)."""
    arrived = sum(row.qty for row in world.movements if (row.sku, row.target) == (sku, place))
    left = sum(row.qty for row in world.movements if (row.sku, row.origin) == (sku, place))
    return arrived - left


def allocated(world: World, sku: str, place: str) -> int:
    """Return the units there that are promised to lines (L3)."""
    every = (row for line in world.lines(sku) for row in line.allocations)
    return sum(row.qty for row in every if row.source == place)


def available(world: World, sku: str, place: str) -> int:
    """Return the units there that are not promised; below zero when too many are."""
    return on_hand(world, sku, place) - allocated(world, sku, place)


def unpromised(world: World, sku: str, place: str) -> int:
    """Return the units there that nobody was promised, never less than none."""
    return max(0, available(world, sku, place))


def last_count(world: World, sku: str, place: str) -> datetime | None:
    """Return when a sku was last counted at a place."""
    return max(
        (row.at for row in world.counts if (row.sku, row.place) == (sku, place)), default=None
    )


def move(  # noqa: PLR0913, PLR0917 - a movement has as many sides
    world: World,
    sku: str,
    qty: int,
    origin: str | None,
    target: str | None,
    outside: str | None,
    reason: str,
    missing: tuple[str, dict[str, str]],
) -> int:
    """Book a movement at the time of the event and return how many units arrived, usable.

    `missing`: the exception where more leaves than is known (S7). A side that was counted at or
    after the movement is offset there (S8); what arrives late is taken back first (S7).
    """
    at = world.at
    late_there = origin is not None and _is_counted(world, sku, origin, at)
    if origin is not None and not late_there:
        _find(world, sku, qty, origin, missing)
        world.lowered.append((sku, origin, missing[1]))
    _book(world, sku, qty, origin, target, outside, reason, at)
    if origin is not None and late_there:
        _book(world, sku, qty, None, origin, "adjustment", "offset", at)
    if target is None:
        return 0
    if _is_counted(world, sku, target, at):
        _book(world, sku, qty, target, None, "adjustment", "offset", at)
        return 0
    return qty - _take_back(world, sku, qty, target)


def count(world: World, sku: str, place: str, qty: int) -> int:
    """Book a count as of the event's time and return the difference to what was known (S8)."""
    at = world.at
    last = last_count(world, sku, place)
    if last is not None and last >= at:
        return 0
    after = [
        row
        for row in world.movements
        if row.sku == sku
        and place in {row.origin, row.target}
        and row.at > at
        and row.reason not in NOT_REAL
    ]
    lowest, lowest_at, there = qty, at, qty
    for moment in sorted({row.at for row in after}):
        there += sum(
            row.qty if row.target == place else -row.qty for row in after if row.at == moment
        )
        if there < lowest:
            lowest, lowest_at = there, moment
    found = max(0, -lowest)
    difference = there + found - on_hand(world, sku, place)
    if difference > 0:
        _book(world, sku, difference, None, place, "adjustment", "counted", at)
    if difference < 0:
        _book(world, sku, -difference, place, None, "adjustment", "counted", at)
        world.lowered.append((sku, place, {}))
    world.owed = [row for row in world.owed if (row.sku, row.place) != (sku, place)]
    if found:
        world.owed.append(Owed(sku, place, lowest_at, found))
    world.counts.append(Count(sku, place, at))
    return difference


def _is_counted(world: World, sku: str, place: str, at: datetime) -> bool:
    last = last_count(world, sku, place)
    return last is not None and at <= last


def _find(
    world: World, sku: str, qty: int, place: str, missing: tuple[str, dict[str, str]]
) -> None:
    """Book what leaves and was not known as found, and remember that it is owed (S7)."""
    lacking = qty - on_hand(world, sku, place)
    if lacking <= 0:
        return
    left = (row.at for row in world.movements if (row.sku, row.origin) == (sku, place))
    found_at = max([world.at, *left])
    _book(world, sku, lacking, None, place, "adjustment", "found", found_at)
    world.owed.append(Owed(sku, place, found_at, lacking))
    code, refs = missing
    world.warn(code, **{"sku": sku, "place": place, **refs})


def _take_back(world: World, sku: str, qty: int, place: str) -> int:
    """Take back what was found too early, earliest finding first (S7)."""
    taken = 0
    findings = [row for row in world.owed if (row.sku, row.place) == (sku, place)]
    for row in sorted(findings, key=lambda row: row.at):
        if world.at <= row.at:
            units = min(qty - taken, row.qty)
            row.qty -= units
            taken += units
    if taken:
        _book(world, sku, taken, place, None, "adjustment", "taken_back", world.at)
    world.owed = [row for row in world.owed if row.qty]
    return taken


def _book(  # noqa: PLR0913, PLR0917 - the row as it is
    world: World,
    sku: str,
    qty: int,
    origin: str | None,
    target: str | None,
    outside: str | None,
    reason: str,
    at: datetime,
) -> None:
    world.movements.append(Movement(sku, qty, origin, target, outside, reason, at))
