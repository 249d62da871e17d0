"""The held lines of skus: the heads of their queues (S4), and who stands behind whom (R11).

A queue may hold a million lines: only as many as one step may fill are read (S6), and how much
waits behind a rank is summed in the database, on an index that begins at that rank.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from handlers.rules.sellable import destination_of, home_of
from handlers.state import Item, Keys, Queue, QueueKey, Rank, State
from store.columns import instant_text
from store.found import Found, share
from store.statements import Columns, Firsts, Query, Row
from store.transaction import Transaction

_HEADS = Firsts(
    (
        ("sku", "text"),
        ("destination", "text"),
        ("shop", "text"),
        ("after_priority", "bigint"),
        ("after_placed_at", "timestamptz"),
        ("after_order", "text"),
        ("after_position", "bigint"),
    ),
    "order_lines",
    ("sku", "destination", "shop", "order_id", "line_id"),
    """t.sku = given.sku AND t.destination = given.destination AND t.shop = given.shop
        AND t.fillable > 0 AND (t.priority, t.placed_at, t.order_id, t.position)
            > (given.after_priority, given.after_placed_at, given.after_order, given.after_position)
    """,
    "t.priority, t.placed_at, t.order_id, t.position",
)
_RANKS: Columns = (
    ("sku", "text"),
    ("shop", "text"),
    ("order_id", "text"),
    ("destination", "text"),
    ("priority", "bigint"),
    ("placed_at", "timestamptz"),
)
_BEHIND = Query(
    """
    SELECT given.sku, given.shop, given.order_id, given.destination, CAST((
        SELECT COALESCE(SUM(t.queued), 0) FROM order_lines AS t
        WHERE t.sku = given.sku AND t.destination = given.destination AND t.shortage > 0
            AND (t.priority, t.placed_at, t.shop, t.order_id)
                > (given.priority, given.placed_at, given.shop, given.order_id)
    ) AS bigint)
    FROM {given}
    """,
    _RANKS,
)
# The same for many ranks of one queue: once along it from its end, instead of once for each.
_BEHIND_MANY = Query(
    """
    SELECT r.sku, r.shop, r.order_id, r.destination, CAST(r.through - r.own AS bigint)
    FROM (
        SELECT q.sku, q.shop, q.order_id, q.destination, q.asked,
            SUM(q.queued) OVER (
                PARTITION BY q.sku, q.destination
                ORDER BY q.priority DESC, q.placed_at DESC, q.shop DESC, q.order_id DESC
            ) AS through,
            SUM(q.queued) OVER (
                PARTITION BY q.sku, q.destination, q.priority, q.placed_at, q.shop, q.order_id
            ) AS own
        FROM (
            SELECT t.sku, t.shop, t.order_id, t.destination, t.priority, t.placed_at, t.queued,
                0 AS asked
            FROM (SELECT DISTINCT sku, destination FROM {given}) AS d
            CROSS JOIN order_lines AS t
            WHERE t.sku = d.sku AND t.destination = d.destination AND t.shortage > 0
            UNION ALL
            SELECT sku, shop, order_id, destination, priority, placed_at, 0, 1 FROM {given}
        ) AS q
    ) AS r
    WHERE r.asked = 1
    """,
    _RANKS,
)
_RANKS_MANY = 24  # from so many on, one look along the whole queue is less than one for each

Passed = tuple[str, bool, Rank]  # see `Keys.fill_after`
Heads = Found[tuple[str, QueueKey]]

_BEFORE_ALL = (-1, instant_text(datetime.min.replace(tzinfo=UTC)), "", -1)
_NEXT = timedelta(microseconds=1)  # no two moments are told apart by less


def heads(
    tx: Transaction, state: State, usable: Collection[str], passed: Mapping[str, Passed]
) -> Callable[[], Heads]:
    """Ask for the first lines of every queue that this batch may fill, behind those passed over."""
    skus = []
    for item in state.items.values():
        if not any(row.fillable for row in item.demand.values()):
            item.queues = {}
        elif item.sku in usable or _has_units(state, item):
            item.queues = {}
            skus.append(item)
    found = Heads(share(state.rules, len(skus)))
    queues = sorted(
        (item.sku, *key, *after)
        for item in skus
        for key, row in item.demand.items()
        if row.fillable and (after := _after(state, key, passed.get(item.sku))) is not None
    )
    asked = tx.ask_first(_HEADS, queues, found.lines_max + 1)

    def read() -> Heads:
        for sku, destination, shop, order_id, line_id in asked():
            found.add((sku, (destination, shop)), (shop, order_id, line_id))
        return found

    return read


def join(state: State, found: Heads) -> None:
    """Put the lines, whose orders are loaded by now, at the heads of their queues."""
    for sku, key in found.lines:
        queues = state.items[sku].queues
        assert queues is not None
        head = found.some(state, (sku, key))
        queues[key] = Queue(head.lines, head.more)


def behind(tx: Transaction, state: State, keys: Keys) -> Callable[[], None]:
    """Ask for the sums of what waits behind the ranks asked for, at their destination."""
    short = {
        (item.sku, key[0])
        for item in state.items.values()
        for key, row in item.demand.items()
        if row.queued
    }
    shops = {probe[1] for probe in keys.probes} if short else ()
    places = {shop: destination_of(state, shop) for shop in shops}
    ranks = keys.ranks | {
        (sku, shop, order_id, places[shop], priority, placed_at)
        for sku, shop, order_id, priority, placed_at in (keys.probes if short else ())
    }
    given: dict[tuple[str, str], list[Row]] = {}
    for sku, shop, order_id, place, priority, placed_at in sorted(ranks):
        if (sku, place) in short:
            row = (sku, shop, order_id, place, priority, instant_text(placed_at))
            given.setdefault((sku, place), []).append(row)
    few = [row for rows in given.values() if len(rows) < _RANKS_MANY for row in rows]
    many = [row for rows in given.values() if len(rows) >= _RANKS_MANY for row in rows]
    asked = (tx.ask(_BEHIND, few), tx.ask(_BEHIND_MANY, many))

    def read() -> None:
        for answer in asked:
            for sku, shop, order_id, place, queued in answer():
                state.behind[sku, shop, order_id, place] = queued

    return read


def _after(state: State, key: QueueKey, passed: Passed | None) -> Row | None:
    """Return the rank after which a queue is wanted; None: the walk along it is at its end.

    The walk goes along the queues of lines delivered to its source first, then along all others;
    within either it takes the lines of all shops in one order.
    """
    if passed is None:
        return _BEFORE_ALL
    destination, shop = key
    source, far, (priority, placed_at, last_shop, order_id, position) = passed
    if (home_of(state, destination) != source) != far:
        return None if far else _BEFORE_ALL
    if shop == last_shop:
        return (priority, instant_text(placed_at), order_id, position)
    return (priority, instant_text(placed_at + (_NEXT if shop < last_shop else 0 * _NEXT)), "", -1)


def _has_units(state: State, item: Item) -> bool:
    return any(
        row.available > 0 and (place := state.places.get(row.place)) is not None and place.picks
        for row in item.stock.values()
    )
