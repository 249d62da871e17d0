"""Promising units to lines and taking the promise back: placing (O3), filling (S2-S5), freeing.

The queue itself is in `queue.py`; what a warehouse is told of it in `release.py`.
"""

from collections.abc import Mapping

from handlers.rules.queue import forget_served, in_order, unhold
from handlers.rules.release import release, withdraw
from handlers.rules.sellable import available, free, sources_of
from handlers.state import Allocation, Item, Line, TaskKind, Unloaded
from handlers.turn import Turn


def share(turn: Turn, item: Item, shop: str, asked: int) -> list[tuple[str, int]]:
    """Return where up to `asked` units for a new order come from (O3).

    From the first source that covers what can be had alone, else split in source order.
    """
    wanted = min(asked, free(turn.state, item, shop))
    if wanted <= 0:
        return []
    sources = [
        (source, item.stock[source].available)
        for source in sources_of(turn.state, shop)
        if source in item.stock
    ]
    for source, units in sources:
        if units >= wanted:
            return [(source, wanted)]
    shares: list[tuple[str, int]] = []
    for source, units in sources:
        qty = min(wanted, units)
        if qty > 0:
            shares.append((source, qty))
            wanted -= qty
    return shares


def allocate(  # noqa: PLR0913 - the six facts of an allocation
    turn: Turn, item: Item, line: Line, source: str | None, qty: int, *, by_fill: bool
) -> None:
    """Promise `qty` units at a source to a line (None: unmanaged, no stock) and release them."""
    if source is not None:
        item.at(source).allocated += qty
    order = line.order
    order.allocation_count += 1
    allocation = Allocation(order.allocation_count, source, qty, by_fill)
    line.allocations.append(allocation)
    release(turn, line, allocation)
    turn.touch(item)


def take_back(turn: Turn, item: Item, line: Line, allocation: Allocation, qty: int) -> str | None:
    """Free units of an allocation, withdrawing them from its release; return the source."""
    withdraw(turn, line, allocation, qty)
    allocation.qty -= qty
    if allocation.source is not None:
        item.at(allocation.source).allocated -= qty
        turn.touch(item)
    return allocation.source


def fill(  # noqa: C901 - the one walk along the queue, in one place
    turn: Turn, item: Item, source: str, arrived: int
) -> int | None:
    """Serve held lines from a source in queue order (S2-S5).

    `arrived` units have just become usable there: they may be given out whatever the safety stock;
    beyond them only what is above it (S4). Returns None when done, else the units of `arrived` that
    the lines not loaded still have a claim to: a step of a task goes on with them (S6).
    """
    state = turn.state
    place = state.places.get(source)
    if place is None or not place.picks:
        return None
    stock = item.at(source)
    if stock.available <= 0 or item.shortage == 0 or not (arrived or _is_wanted(turn, item)):
        return None
    if item.busy and item.sku not in state.exempt:
        _leave(turn, item, source, arrived)
        return None
    if item.queues is None:
        raise Unloaded("heads", item.sku)
    left = arrived
    before = 0
    unfinished = False
    for (_destination, shop), line in in_order(state, item, source):
        usable = available(item, sources_of(state, shop)) - item.policy.safety_stock
        quota = min(stock.available, max(left, usable))
        if quota <= 0:
            if stock.available <= 0:
                break
            continue  # this shop may take no more; another with other sources may
        if line is None:
            unfinished = True
            break
        qty = min(line.shortage, quota)
        unhold(item, line, qty)
        allocate(turn, item, line, source, qty, by_fill=True)
        turn.because(line, "S4", source=source, qty=qty, arrived=arrived, before=before)
        left = max(0, left - qty)
        before += 1
    forget_served(item)
    return left if unfinished else None


def _is_wanted(turn: Turn, item: Item) -> bool:
    """Does a shop that waits for the sku have units above the safety stock?"""
    return any(
        row.shortage and free(turn.state, item, shop) > 0
        for (_destination, shop), row in item.demand.items()
    )


def serve(turn: Turn, item: Item, arrived: Mapping[str, int]) -> None:
    """Fill from where units have just become usable, then from wherever else there are some (S3).

    Elsewhere: a source that had promised more than it had kept its shops from what others have;
    units that cover that make the others' usable. What is too much for one transaction is left to
    a task, and the sku is busy (S6).
    """
    others = sorted(item.stock.keys() - arrived.keys())
    for source, qty in (*arrived.items(), *((other, 0) for other in others)):
        left = fill(turn, item, source, qty)
        if left is not None:
            _leave(turn, item, source, left)


def _leave(turn: Turn, item: Item, source: str, arrived: int) -> None:
    item.busy = True
    turn.state.exempt -= {item.sku}  # what comes after in this batch waits for it too
    turn.touch(item)
    mark = (item.sku, source, str(turn.tasks))
    turn.task(TaskKind.FILL, *mark, sku=item.sku, place=source, arrived=arrived)
    turn.tasks += 1
