"""The held lines of a sku: joining, leaving, and walking the queue in fair order (S4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush

from handlers.rules.sellable import home_of, sources_of
from handlers.state import Demand, Item, Line, Queue, QueueKey, Rank, State, Unloaded

Counted = tuple[int, int, int]  # shortage, queued, fillable

_Head = tuple[bool, Rank, QueueKey, int]  # where the next line of a queue stands, and which it is
Place = tuple[bool, Rank]  # a place in a source's queue: is it delivered elsewhere, and its rank


def counted(line: Line) -> Counted:
    """Return what of a line its sku's demand counts; taken before it changes, for `recount`."""
    return (line.shortage, line.queued, line.fillable)


def recount(item: Item, line: Line, before: Counted) -> None:
    """Bring the demand of its sku, and the queues loaded, up to a line that has changed (L4)."""
    shortage, queued, fillable = before
    key = (line.order.destination, line.order.shop)
    row = item.demand.get(key)
    if row is None:
        row = item.demand[key] = Demand(item.sku, *key)
    row.shortage += line.shortage - shortage
    if line.queued != queued:
        row.queued += line.queued - queued
        item.moved.append((key[0], line.rank, line.queued - queued))
    if line.fillable != fillable:
        row.fillable += line.fillable - fillable
        if fillable == 0 and item.queues is not None:
            _join(item.queues.setdefault(key, Queue()), line)


def hold(item: Item, line: Line, qty: int, since: datetime) -> None:
    """Let `qty` units of a line wait; a line that waits already keeps its moment."""
    before = counted(line)
    if line.shortage == 0:
        line.held_since = since
        item.joined.append(line)
    line.shortage += qty
    line.short = max(line.short, line.shortage)
    recount(item, line, before)
    if line.unlinked and line not in item.wanting.lines:
        item.wanting.lines.append(line)


def in_order(
    state: State, item: Item, source: str, after: Place | None = None
) -> Iterator[tuple[QueueKey, Place, Line | None]]:
    """Yield the lines that a source may serve, in queue order, each with its place (S4).

    Lines whose order is delivered to that source come first, then by rank. None for a line says
    that the lines loaded of this queue are used up and the database holds more: nobody behind them
    may be served in this transaction. `after`: those up to this place are passed over.
    """
    queues = item.queues or {}
    heads: list[_Head] = []
    last: Place = after or (False, _FIRST)
    for key in sorted(queues):
        if source in sources_of(state, key[1]):
            far = home_of(state, key[0]) != source
            passed = _passed(queues[key], after, far=far)
            if not _push(heads, queues[key], key, passed, far=far):
                yield key, last, None
    heapify(heads)
    while heads:
        far, rank, key, index = heappop(heads)
        last = (far, rank)
        yield key, last, queues[key].lines[index]
        if not _push(heads, queues[key], key, index + 1, far=far):
            yield key, last, None


def _push(heads: list[_Head], queue: Queue, key: QueueKey, index: int, *, far: bool) -> bool:
    """Put the next waiting line of a queue on the heap; False: it can not be known."""
    lines = queue.lines
    while index < len(lines) and lines[index].fillable == 0:
        index += 1
    if index < len(lines):
        heappush(heads, (far, lines[index].rank, key, index))
        return True
    return not queue.more


def _passed(queue: Queue, after: Place | None, *, far: bool) -> int:
    """Return how many lines of a queue stand up to this place."""
    if after is None:
        return 0
    return bisect_right(queue.lines, after, key=lambda line: (far, line.rank))


_FIRST: Rank = (-1, datetime.min.replace(tzinfo=UTC), "", "", -1)


def forget_served(item: Item) -> None:
    """Drop lines that wait no more from the loaded heads, so that walks stay short."""
    for queue in (item.queues or {}).values():
        if any(line.fillable == 0 for line in queue.lines):
            queue.lines = [line for line in queue.lines if line.fillable]


def behind(state: State, item: Item, line: Line) -> int:
    """Return the units queued for the same destination behind a line (R10, R11).

    The database's count at load of other orders, corrected by what this batch changed of them
    since, and the later lines of its own.
    """
    order = line.order
    key = (item.sku, order.shop, order.order_id, order.destination)
    loaded = state.behind.get(key)
    if loaded is None:
        if any(row.was_queued for row in item.demand.values() if row.destination == key[3]):
            raise Unloaded("behind", (*key, order.priority, order.placed_at))
        loaded = 0
    rank = line.rank
    others = sum(
        qty
        for destination, other, qty in item.moved
        if destination == order.destination and other > rank and other[2:4] != order.key
    )
    own = sum(
        row.queued
        for row in order.lines.values()
        if row.sku == item.sku and row.position > line.position
    )
    return loaded + others + own


def _join(queue: Queue, line: Line) -> None:
    # Behind the last line loaded there may be others we do not know: it is found with them later.
    if queue.more and (not queue.lines or line.rank > queue.lines[-1].rank):
        return
    index = bisect_left(queue.lines, line.rank, key=lambda held: held.rank)
    if index == len(queue.lines) or queue.lines[index] is not line:
        queue.lines.insert(index, line)
