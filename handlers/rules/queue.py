"""The held lines of a sku: joining, leaving, and walking the queue in fair order (S4)."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush

from handlers.rules.sellable import home_of, sources_of
from handlers.state import Demand, Item, Line, Queue, QueueKey, Rank, State


def hold(item: Item, line: Line, qty: int, since: datetime) -> None:
    """Let `qty` units of a line wait; a line that waits already keeps its moment."""
    if line.shortage == 0:
        line.held_since = since
    line.shortage += qty
    line.short = max(line.short, line.shortage)
    _count(item, line, qty)
    if item.queues is not None and line.shortage == qty:
        _join(item.queues.setdefault(_key(line), Queue()), line)


def unhold(item: Item, line: Line, qty: int) -> None:
    """Let `qty` units of a line wait no longer: filled, cancelled or shipped."""
    line.shortage -= qty
    _count(item, line, -qty)


def in_order(state: State, item: Item, source: str) -> Iterator[tuple[QueueKey, Line | None]]:
    """Yield the held lines that a source may serve, in queue order (S4).

    Lines whose order is delivered to that source come first, then by rank. A key with None says
    that the lines loaded of this queue are used up and the database holds more: nobody behind them
    may be served in this transaction.
    """
    queues = item.queues or {}
    heads: list[tuple[bool, Rank, QueueKey, int]] = []

    def push(key: QueueKey, index: int) -> bool:
        """Put the next waiting line of a queue on the heap; False: it can not be known."""
        queue = queues[key]
        lines = queue.lines
        while index < len(lines) and lines[index].shortage == 0:
            index += 1
        if index < len(lines):
            far = home_of(state, key[0]) != source
            heappush(heads, (far, lines[index].rank, key, index))
            return True
        return not queue.more

    for key in sorted(queues):
        if source in sources_of(state, key[1]) and not push(key, 0):
            yield key, None
    heapify(heads)
    while heads:
        _far, _rank, key, index = heappop(heads)
        yield key, queues[key].lines[index]
        if not push(key, index + 1):
            yield key, None


def forget_served(item: Item) -> None:
    """Drop lines that wait no more from the loaded heads, so that walks stay short."""
    for queue in (item.queues or {}).values():
        if any(line.shortage == 0 for line in queue.lines):
            queue.lines = [line for line in queue.lines if line.shortage]


def behind(state: State, item: Item, line: Line) -> int:
    """Return the units waiting for the same destination behind a line (R10, R11).

    The database's count at load, corrected by what this batch changed since.
    """
    order = line.order
    loaded = state.behind.get((item.sku, order.shop, order.order_id), 0)
    rank = line.rank
    return loaded + sum(
        qty
        for destination, other, qty in item.moved
        if destination == order.destination and other > rank
    )


def _key(line: Line) -> QueueKey:
    return (line.order.destination, line.order.shop)


def _count(item: Item, line: Line, qty: int) -> None:
    key = _key(line)
    row = item.demand.get(key)
    if row is None:
        row = item.demand[key] = Demand(item.sku, *key)
    row.shortage += qty
    item.moved.append((key[0], line.rank, qty))


def _join(queue: Queue, line: Line) -> None:
    # Behind the last line loaded there may be others we do not know: it is found with them later.
    if queue.more and (not queue.lines or line.rank > queue.lines[-1].rank):
        return
    index = bisect_left(queue.lines, line.rank, key=lambda held: held.rank)
    if index == len(queue.lines) or queue.lines[index] is not line:
        queue.lines.insert(index, line)
