"""Units of a line promised, taken out of a release, held (L3, O11)."""

from collections.abc import Callable
from datetime import datetime

from tests.reference.rows import Allocation, Line
from tests.reference.world import World

Freed = list[tuple[str, str, int]]  # sku, source, units


def allocate(line: Line, source: str | None, qty: int, *, by_fill: bool) -> None:
    """Promise units of a source to a line; the caller takes them from what it was short of."""
    if qty:
        line.allocations.append(Allocation(source, qty, by_fill))


def give(line: Line, source: str, qty: int) -> None:
    """Promise units to a line that waits (S4)."""
    line.shortage -= qty
    allocate(line, source, qty, by_fill=True)


def hold_anew(world: World, line: Line, qty: int) -> None:
    """Let units of a line wait again since now, and tell of it at the end (S8, S10, O8)."""
    world.held_again.append(line)
    hold(line, qty, world.at)
    world.held_anew.append((line, world.at))


def hold(line: Line, qty: int, since: datetime) -> None:
    """Let units of a line wait; it waits since then if it did not wait before."""
    if qty and not line.shortage:
        line.held_since = since
    line.shortage += qty


def take_out(world: World, line: Line, row: Allocation, qty: int) -> Freed:
    """Take units out of a promise, tell it if they were released, and return what is freed."""
    if row.release is not None:
        world.taken_back.append((line, row.source, row.release, qty, world.cause))
    row.qty -= qty
    line.allocations = [left for left in line.allocations if left.qty]
    return [] if row.source is None else [(line.sku, row.source, qty)]


def take_out_of(
    world: World, line: Line, qty: int, rows: Callable[[Line], list[Allocation]]
) -> tuple[int, Freed]:
    """Take up to `qty` units out of some promises, in their order; return how many, and where."""
    taken, freed = 0, Freed()
    for row in rows(line):
        units = min(qty - taken, row.qty)
        if units:
            freed += take_out(world, line, row, units)
            taken += units
    return taken, freed


def unreleased_first(line: Line) -> list[Allocation]:
    """Return promises as they are cancelled: not yet told ones first, the latest first (C1)."""
    latest = list(reversed(line.allocations))
    return [row for row in latest if row.release is None] + [
        row for row in latest if row.release is not None
    ]


def released_first(line: Line) -> list[Allocation]:
    """Return promises as they are picked: told ones first, the latest first (S10)."""
    latest = list(reversed(line.allocations))
    return [row for row in latest if row.release is not None] + [
        row for row in latest if row.release is None
    ]
