"""Units bought for one order line: linking, cutting, and giving them when they come (R10).

A link names a line, a replenishment and a quantity. `ReplenishmentLine.linked` and `.picked` are
the sums of its links, by automation and by hand; `docked` says how many of these units have arrived
at which place without filling their line yet.
"""

from collections.abc import Iterable, Iterator

from handlers.rules.queue import counted, recount
from handlers.rules.sellable import sources_of
from handlers.state import (
    Item,
    Line,
    Link,
    Linked,
    Replenishment,
    ReplenishmentLine,
    Sourced,
    State,
    Unloaded,
)


def add(item: Item, line: Line, replenishment: Replenishment, qty: int, *, by_hand: bool) -> None:
    """Link `qty` units of a replenishment to a line."""
    before = counted(line)
    link = next((row for row in line.links if _is(row, replenishment, by_hand=by_hand)), None)
    if link is None:
        link = Link(line, replenishment.replenishment_id, by_hand)
        line.links.append(link)
    link.qty += qty
    row = replenishment.lines.setdefault(item.sku, ReplenishmentLine(item.sku))
    _sum(row, link, qty)
    if replenishment.replenishment_id not in item.supply:
        item.supply.append(replenishment.replenishment_id)
    if item.links is not None:
        _join(item.links.setdefault(replenishment.replenishment_id, Linked()), link)
    recount(item, line, before)


def cut(state: State, item: Item, link: Link, qty: int) -> None:
    """Take `qty` units out of a link: the line does not need them, or they will not come."""
    before = counted(link.line)
    link.qty -= qty
    _sum(state.replenishment(link.replenishment_id).lines[item.sku], link, -qty)
    recount(item, link.line, before)
    if link.line.unlinked > 0 and link.line not in item.wanting.lines:
        item.wanting.lines.append(link.line)


def fit(state: State, item: Item, line: Line) -> None:
    """Cut what a line does not need any more: from open replenishments first, then the latest."""
    if not line.links:
        return
    needed = line.drop_ship if line.sourced is Sourced.DROP_SHIP else line.shortage
    surplus = line.linked - needed
    if surplus <= 0:
        return
    for link in sorted(line.links, key=lambda row: _last_wanted(state, row)):
        qty = min(surplus, link.qty)
        if qty:
            cut(state, item, link, qty)
            surplus -= qty


def _last_wanted(state: State, link: Link) -> tuple[bool, bool, float, str]:
    row = state.replenishment(link.replenishment_id)
    return (not row.is_open, link.by_hand, -row.raised_at.timestamp(), row.replenishment_id)


def capacity(replenishment: Replenishment, line: ReplenishmentLine) -> int:
    """Return how many units of a replenishment may be linked: what comes or lies at docks."""
    if replenishment.is_open:
        return max(line.qty, line.for_lines)
    return (line.short_of if replenishment.incoming else 0) + line.at_docks


def bought(state: State, item: Item) -> Iterator[tuple[Replenishment, ReplenishmentLine]]:
    """Yield the replenishments of a sku in hand, the first raised first."""
    rows = (state.replenishments[name] for name in item.supply)
    for row in sorted(rows, key=lambda row: (row.raised_at, row.replenishment_id)):
        line = row.lines.get(item.sku)
        if line is not None:
            yield row, line


def has_some(state: State, item: Item) -> bool:
    """Is anything of a sku bought for single order lines?"""
    for name in item.supply:
        line = state.replenishments[name].lines.get(item.sku)
        if line is not None and (line.linked or line.picked or line.docked):
            return True
    return False


def linked(item: Item, replenishment_id: str) -> Linked:
    """Return the links of a sku on a replenishment; ask for them where they were not loaded."""
    if item.links is None:
        raise Unloaded("heads", item.sku)
    return item.links.get(replenishment_id) or Linked()


def servable(state: State, item: Item, replenishment_id: str, source: str) -> Iterable[Link | None]:
    """Yield the links whose lines may be served from a source, in queue order (S4, K4).

    None: the next ones were not loaded.
    """
    found = linked(item, replenishment_id)
    for index, link in enumerate(list(found.links)):
        if index == found.gap:
            yield None
            return
        line = link.line
        if link.qty and not line.staff_held and source in sources_of(state, line.order.shop):
            yield link
    if found.gap is not None and found.gap >= len(found.links):
        yield None


def cut_last(state: State, item: Item, replenishment_id: str, qty: int, *, automatic: bool) -> int:
    """Cut links of the last lines in queue order; return what is left to be cut elsewhere.

    `automatic`: only those that no buyer has picked.
    """
    if qty <= 0:
        return 0
    found = linked(item, replenishment_id)
    for index in range(len(found.links) - 1, -1, -1):
        if qty <= 0 or (found.gap is not None and index < found.gap):
            break
        link = found.links[index]
        units = min(qty, link.qty)
        if units and not (automatic and link.by_hand):
            cut(state, item, link, units)
            qty -= units
    return qty


def dock(line: ReplenishmentLine, place: str, qty: int) -> None:
    """Note linked units that have arrived at a place."""
    if qty > 0:
        line.docked[place] = line.docked.get(place, 0) + qty


def undock(line: ReplenishmentLine, place: str, qty: int) -> None:
    """Note linked units that have left a place, filled their line or are linked no more."""
    left = line.docked.get(place, 0) - qty
    if left > 0:
        line.docked[place] = left
    else:
        line.docked.pop(place, None)


def fit_docks(state: State, item: Item) -> None:
    """Let linked units at a place be no more than lie there, nor than are linked (K4)."""
    rows = [(row, line) for row, line in bought(state, item) if line.docked]
    for _row, line in rows:
        for place in sorted(line.docked, reverse=True):
            surplus = line.at_docks - line.for_lines
            if surplus > 0:
                undock(line, place, min(surplus, line.docked[place]))
    for place in sorted({place for _row, line in rows for place in line.docked}):
        surplus = sum(line.docked.get(place, 0) for _row, line in rows) - item.at(place).on_hand
        for _row, line in reversed(rows):
            if surplus > 0 and place in line.docked:
                qty = min(surplus, line.docked[place])
                undock(line, place, qty)
                surplus -= qty


def docked_at(state: State, item: Item, places: Iterable[str]) -> int:
    """Return the linked units that lie at places."""
    names = set(places)
    return sum(
        qty
        for _row, line in bought(state, item)
        for place, qty in line.docked.items()
        if place in names
    )


def _is(link: Link, replenishment: Replenishment, *, by_hand: bool) -> bool:
    return link.replenishment_id == replenishment.replenishment_id and link.by_hand == by_hand


def _sum(row: ReplenishmentLine, link: Link, qty: int) -> None:
    if link.by_hand:
        row.picked += qty
    else:
        row.linked += qty


def _join(found: Linked, link: Link) -> None:
    """Put a new link among those loaded; where some were left out it is found with them later."""
    if link in found.links:
        return
    rank = link.line.rank
    index = sum(row.line.rank <= rank for row in found.links)
    if found.gap is not None and index == found.gap:
        return
    found.links.insert(index, link)
    if found.gap is not None and index < found.gap:
        found.gap += 1
