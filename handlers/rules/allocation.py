"""Promising units to lines and taking the promise back: placing (O3), freeing, trimming (S8).

Held lines are served in `filling.py`, in the order of `queue.py`; what a warehouse is told of it
all is in `release.py`.
"""

from collections.abc import Iterator

from handlers.rules.links import fit
from handlers.rules.queue import counted, hold, recount
from handlers.rules.release import withdraw
from handlers.rules.sellable import free, sources_of
from handlers.state import Allocation, Item, Line, Order, State, TaskKind, Unloaded
from handlers.turn import Turn


def share(state: State, item: Item, shop: str, asked: int) -> list[tuple[str, int]]:
    """Return where up to `asked` units for a new order come from (O3).

    From the first source that covers what can be had alone, else split in source order.
    """
    wanted = min(asked, free(state, item, shop))
    if wanted <= 0:
        return []
    sources = [
        (source, item.stock[source].available)
        for source in sources_of(state, shop)
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
    """Promise `qty` units at a source to a line (None: unmanaged, no stock)."""
    if source is not None:
        item.at(source).allocated += qty
    order = line.order
    order.allocation_count += 1
    line.allocations.append(Allocation(order.allocation_count, source, qty, by_fill))
    turn.revisit(order)
    turn.touch(item)


def take_back(turn: Turn, item: Item, line: Line, allocation: Allocation, qty: int) -> str | None:
    """Free units of an allocation, withdrawing them from its release; return the source."""
    withdraw(turn, line, allocation, qty)
    allocation.qty -= qty
    if allocation.source is not None:
        item.at(allocation.source).allocated -= qty
        turn.touch(item)
    return allocation.source


def unhold(turn: Turn, item: Item, line: Line, qty: int) -> None:
    """Let `qty` units of a line wait no longer: filled, cancelled or shipped."""
    before = counted(line)
    line.shortage -= qty
    recount(item, line, before)
    fit(turn.state, item, line)
    turn.revisit(line.order)


def hold_again(turn: Turn, item: Item, line: Line, qty: int) -> None:
    """Let units that were promised wait once more, in the line's old place (S8, S10)."""
    hold(item, line, qty, turn.at)
    line.told = False
    turn.touch(item)
    turn.revisit(line.order)
    if line not in turn.held_anew:
        turn.held_anew.append(line)


def trim(turn: Turn, item: Item, source: str, order: Order | None = None) -> None:
    """Give back what is promised at a source beyond what is there (S8).

    Unreleased units of the last in the queue go first, each line's latest allocation before the
    others. What is released stays: it may have left. Too many lines for one transaction: a task.
    `order`: who took what is missing, if one did.
    """
    stock = item.at(source)
    if stock.allocated <= stock.on_hand:
        return
    if item.busy and item.sku not in turn.state.exempt:
        _leave_trim(turn, item, source)
        return
    for line in _reserved(turn.state, item, source):
        if line is None:
            _leave_trim(turn, item, source)
            return
        for allocation in reversed(line.allocations):
            over = stock.allocated - stock.on_hand
            qty = min(over, allocation.qty)
            if qty > 0 and allocation.source == source and allocation.release_id is None:
                take_back(turn, item, line, allocation, qty)
                hold_again(turn, item, line, qty)
                turn.because(line, "S8", source=source, qty=qty, on_hand=stock.on_hand)
        if stock.allocated <= stock.on_hand:
            return
    turn.over_allocated(item, source, order)


def _leave_trim(turn: Turn, item: Item, source: str) -> None:
    """Go on in steps; who waits again is told when all that may serve them has been done (O8)."""
    leave_over(turn, item, TaskKind.TRIM, source)
    if turn.step is None:
        turn.untold[item.sku] = item


def _reserved(state: State, item: Item, source: str) -> Iterator[Line | None]:
    """Yield lines with unreleased units at a source, the last in the queue first (S8).

    None: the next ones were not loaded.
    """
    if item.reserved is None:
        raise Unloaded("reserved", frozenset(state.items))
    some = item.reserved.get(source)
    loaded = [] if some is None else some.lines
    lines = {id(line): line for line in loaded}
    for order in state.orders.values():  # those of this batch are among them
        for line in order.lines.values():
            if line.sku == item.sku and line.unreleased:
                lines[id(line)] = line
    more = some is not None and some.more
    known_to = min((line.rank for line in loaded), default=None) if more else None
    for line in sorted(lines.values(), key=lambda row: row.rank, reverse=True):
        if known_to is not None and line.rank < known_to:
            break
        yield line
    if more:
        yield None


def leave_over(  # noqa: PLR0913 - the facts of a task
    turn: Turn,
    item: Item,
    kind: TaskKind,
    place: str | None = None,
    *,
    arrived: int = 0,
    cursor: str = "",
    name: str | None = None,
) -> None:
    """Leave the rest of a consequence to a task; its sku is busy until then (S6).

    A step that does not come to its end goes on with its own task, before those left after it.
    """
    item.busy = True
    turn.state.exempt -= {item.sku}  # what comes after in this batch waits for it too
    turn.touch(item)
    step = turn.step
    if step is not None and step.done and (step.kind, step.place, step.name) == (kind, place, name):
        step.done = False
        step.arrived, step.cursor = arrived, cursor
        return
    mark = (item.sku, place or "", str(turn.tasks))
    turn.task(kind, *mark, sku=item.sku, place=place, arrived=arrived, cursor=cursor, name=name)
    turn.tasks += 1
