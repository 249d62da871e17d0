"""The held lines of skus: the heads of their queues (S4), and who stands behind whom (R10, R11).

A queue may hold a million lines: only as many as one step may fill are read (S6), and how much
waits behind a rank is summed in the database, on an index that begins at that rank.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from handlers.rules.sellable import destination_of
from handlers.state import Item, OrderKey, Queue, QueueKey, State
from store.columns import instant_text
from store.statements import Query
from store.transaction import Transaction

_HEAD_LINES_MIN = 16

_BEHIND = Query(
    """
    SELECT given.sku, given.shop, given.order_id, CAST((
        SELECT COALESCE(SUM(t.shortage), 0) FROM order_lines AS t
        WHERE t.sku = given.sku AND t.destination = given.destination AND t.shortage > 0
            AND (t.priority, t.placed_at, t.shop, t.order_id)
                > (given.priority, given.placed_at, given.shop, given.order_id)
    ) AS bigint)
    FROM {given}
    """,
    (
        ("sku", "text"),
        ("shop", "text"),
        ("order_id", "text"),
        ("destination", "text"),
        ("priority", "bigint"),
        ("placed_at", "timestamptz"),
    ),
)

Probe = tuple[str, str, str, int, datetime]  # sku, shop, order id, priority, placed at


@dataclass(slots=True)
class Heads:
    """Which lines head which queues: by sku and queue, the orders and lines, in rank order."""

    lines_max: int = 0
    lines: dict[tuple[str, QueueKey], list[tuple[OrderKey, str]]] = field(default_factory=dict)
    orders: set[OrderKey] = field(default_factory=set)


def heads(tx: Transaction, state: State, usable: Collection[str]) -> Heads:
    """Find the first held lines of every queue that this batch may fill."""
    found = Heads()
    skus = []
    for item in state.items.values():
        if not any(row.shortage for row in item.demand.values()):
            item.queues = {}
        elif item.sku in usable or _has_units(state, item):
            item.queues = {}
            skus.append(item)
    found.lines_max = max(_HEAD_LINES_MIN, state.rules.fill_step_lines_max // max(1, len(skus)))
    queues = sorted(
        (item.sku, *key) for item in skus for key, row in item.demand.items() if row.shortage
    )
    # One more than is served shows whether there are more.
    for sku, destination, shop, order_id, line_id in tx.query(
        tx.dialect.heads, queues, lines_max=found.lines_max + 1
    ):
        key = (shop, order_id)
        found.lines.setdefault((sku, (destination, shop)), []).append((key, line_id))
        found.orders.add(key)
    return found


def join(state: State, found: Heads) -> None:
    """Put the lines, whose orders are loaded by now, at the heads of their queues."""
    for (sku, key), lines in found.lines.items():
        queue = Queue([state.orders[order].lines[line_id] for order, line_id in lines])
        queue.lines.sort(key=lambda line: line.rank)
        queue.more = len(queue.lines) > found.lines_max
        del queue.lines[found.lines_max :]
        queues = state.items[sku].queues
        assert queues is not None
        queues[key] = queue


def behind(tx: Transaction, state: State, probes: Collection[Probe]) -> None:
    """Sum what waits behind the ranks that will be asked for, at the order's destination."""
    short = {
        (item.sku, key[0])
        for item in state.items.values()
        for key, row in item.demand.items()
        if row.shortage
    }
    if not short:
        return
    given = []
    for sku, shop, order_id, priority, placed_at in probes:
        place = destination_of(state, shop)
        if (sku, place) in short:
            given.append((sku, shop, order_id, place, priority, instant_text(placed_at)))
    for sku, shop, order_id, shortage in tx.query(_BEHIND, sorted(given)):
        state.behind[sku, shop, order_id] = shortage


def _has_units(state: State, item: Item) -> bool:
    return any(
        row.available > 0 and (place := state.places.get(row.place)) is not None and place.picks
        for row in item.stock.values()
    )
