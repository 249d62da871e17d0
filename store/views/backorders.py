"""`backship backorders`: the orders that wait, in queue order (S4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby, islice, repeat, takewhile
from typing import Any

from handlers.policy import Rules
from handlers.rules.promises import latest
from handlers.rules.sellable import sources_of
from handlers.state import State
from store import load_catalogue
from store.columns import instant_text
from store.statements import Columns, Query
from store.transaction import Transaction
from store.views.known import Bought, Known, Waits, known
from store.views.orders import restock_status
from store.views.shapes import BackorderView, RestockStatus

FIRST_ORDERS = 101  # a table shows a hundred, and says where there are more
ORDERS_MAX = 5_000
"""So many orders are read at once then: memory is bounded, few queues are read twice."""

_ORDER: Columns = (("shop", "text"), ("order_id", "text"))
_LINE: Columns = (*_ORDER, ("line_id", "text"))
_QUEUED: Columns = (("sku", "text"), ("destination", "text"), *_LINE)

# Through the few lines that wait, by their index: neither by shop (hence `|| ''`) nor through all
# in the order of their keys (hence `l.sku >= :sku`).
# What waits for goods of a vendor: of a sku it sells, or bought there for this very line (R10).
_FITS = """
    SELECT DISTINCT l.priority, l.placed_at, l.shop, l.order_id
    FROM order_lines AS l LEFT JOIN items AS i ON i.sku = l.sku
    WHERE {which}
        AND (:shop = '' OR l.shop || '' = :shop)
        AND l.sku >= :sku AND (:sku = '' OR l.sku = :sku)
        AND (:vendor = '' OR i.vendor = :vendor OR l.linked > 0 AND EXISTS (
            SELECT 1 FROM links AS k
            JOIN replenishments AS r ON r.replenishment_id = k.replenishment_id
            WHERE k.shop = l.shop AND k.order_id = l.order_id AND k.line_id = l.line_id
                AND r.vendor = :vendor
        ))
    ORDER BY l.priority, l.placed_at, l.shop, l.order_id
"""
_SHORT = Query(_FITS.format(which="l.shortage > 0"))
_READY = Query(
    _FITS.format(
        which="""l.unreleased > 0 AND EXISTS (
            SELECT 1 FROM allocations AS a
            WHERE a.shop = l.shop AND a.order_id = l.order_id AND a.line_id = l.line_id
                AND a.release_id IS NULL AND (:source = '' OR a.source = :source)
        )"""
    )
)
_LINES = Query(
    """
    SELECT l.shop, l.order_id, l.placed_at, l.line_id, l.sku, l.destination, l.shortage,
        l.queued, l.unlinked, l.linked, l.unreleased, l.short
    FROM {given} CROSS JOIN order_lines AS l
    WHERE l.shop = given.shop AND l.order_id = given.order_id
    ORDER BY l.priority, l.placed_at, l.shop, l.order_id, l.position
    """,
    _ORDER,
)
# The number of a line's last queued unit at its destination. The queues are read as far as the
# last of the orders at hand; which lines are theirs is looked up once, at the end: looked up by
# order among all that wait, PostgreSQL takes one queue for one row and goes through it once a line.
_THROUGH = Query(
    """
    SELECT given.shop, given.order_id, given.line_id, q.through
    FROM (
        SELECT t.shop, t.order_id, t.line_id, CAST(SUM(t.queued) OVER (
            PARTITION BY t.sku, t.destination
            ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position
            ROWS UNBOUNDED PRECEDING
        ) AS bigint) AS through
        FROM (SELECT DISTINCT sku, destination FROM {given}) AS w CROSS JOIN order_lines AS t
        WHERE t.sku = w.sku AND t.destination = w.destination AND t.shortage > 0
            AND (t.priority, t.placed_at, t.shop, t.order_id)
                <= (:priority, :placed_at, :shop, :order_id)
    ) AS q
    JOIN {given} ON given.shop = q.shop AND given.order_id = q.order_id
        AND given.line_id = q.line_id
    """,
    _QUEUED,
)
# What is bought for the lines at hand, and what others are linked to before each (R10).
_BOUGHT = Query(
    """
    WITH mine AS MATERIALIZED (
        SELECT k.shop, k.order_id, k.line_id, k.replenishment_id, k.sku
        FROM {given} CROSS JOIN links AS k
        WHERE k.shop = given.shop AND k.order_id = given.order_id AND k.line_id = given.line_id
    )
    SELECT q.shop, q.order_id, q.line_id, q.replenishment_id, q.qty, q.through - q.qty
    FROM (
        SELECT t.shop, t.order_id, t.line_id, t.replenishment_id, t.qty, CAST(SUM(t.qty) OVER (
            PARTITION BY t.replenishment_id, t.sku
            ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position, t.by_hand
            ROWS UNBOUNDED PRECEDING
        ) AS bigint) AS through
        FROM (SELECT DISTINCT replenishment_id, sku FROM mine) AS wanted CROSS JOIN links AS t
        WHERE t.replenishment_id = wanted.replenishment_id AND t.sku = wanted.sku
    ) AS q
    WHERE EXISTS (
        SELECT 1 FROM mine
        WHERE mine.shop = q.shop AND mine.order_id = q.order_id AND mine.line_id = q.line_id
    )
    """,
    _LINE,
)

_Key = tuple[str, str, str]  # shop, order id, line id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders; "" is any. An order is shown whole, whichever of its lines fits.

    `source`: those a fill there may serve (S4). `ready`: instead of what is short, what is
    allocated and waits for a person, a hold or the rest of its order; then `source` is where.
    """

    shop: str = ""
    sku: str = ""
    vendor: str = ""
    source: str = ""
    ready: bool = False


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A line that is shown: it is short, or allocated and not released."""

    shop: str
    order_id: str
    placed_at: datetime
    line_id: str
    sku: str
    destination: str
    shortage: int
    queued: int
    unlinked: int
    linked: int

    @property
    def key(self) -> _Key:
        """What it is known by."""
        return (self.shop, self.order_id, self.line_id)


def backorders(
    tx: Transaction, rules: Rules, wanted: Wanted, now: datetime
) -> Iterator[BackorderView]:
    """Yield the orders that wait, as of now, some read at once."""
    tx.survey()
    state = State(rules)
    load_catalogue.places_and_shops(tx, state)()
    shops = {shop for shop in state.shops if _fits(state, shop, wanted)}
    filters: dict[str, Any] = {"shop": wanted.shop, "sku": wanted.sku, "vendor": wanted.vendor}
    if wanted.ready:
        filters["source"] = wanted.source
    found = tx.stream(_READY if wanted.ready else _SHORT, **filters)
    fitting = (row for row in found if row[2] in shops)
    pages = (list(islice(fitting, n)) for n in chain((FIRST_ORDERS,), repeat(ORDERS_MAX)))
    for orders in takewhile(bool, pages):
        yield from _views(tx, rules, orders, now, ready=wanted.ready)


def _fits(state: State, shop: str, wanted: Wanted) -> bool:
    if wanted.shop not in {"", shop}:
        return False
    return wanted.ready or wanted.source == "" or wanted.source in sources_of(state, shop)


def _views(
    tx: Transaction, rules: Rules, orders: Sequence[Any], now: datetime, *, ready: bool
) -> Iterator[BackorderView]:
    """Yield these orders, which are `priority, placed_at, shop, order_id` each, in queue order."""
    shown: list[_Waiting] = []
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for row in tx.query(_LINES, [order[2:] for order in orders]):
        shop, order_id, placed_at, *line, unreleased, short = row
        waiting = _Waiting(shop, order_id, tx.instant(placed_at), *line)
        before = sums.get((shop, order_id), (0, 0))
        sums[shop, order_id] = (before[0] + short, before[1] + waiting.shortage)
        if waiting.shortage or (ready and unreleased):
            shown.append(waiting)
    held = [line for line in shown if line.shortage]
    priority, placed_at, shop, order_id = orders[-1]
    through: dict[_Key, int] = {
        (row[0], row[1], row[2]): row[3]
        for row in tx.query(
            _THROUGH,
            [(line.sku, line.destination, *line.key) for line in held if line.queued],
            priority=priority,
            placed_at=instant_text(tx.instant(placed_at)),
            shop=shop,
            order_id=order_id,
        )
    }
    bought: dict[_Key, list[Bought]] = {}
    for *key, name, qty, ahead in tx.query(_BOUGHT, [line.key for line in held if line.linked]):
        bought.setdefault((key[0], key[1], key[2]), []).append(Bought(name, qty, ahead))
    skus = known(tx, rules, {line.sku for line in held}, now)
    for key, lines in groupby(shown, key=lambda line: (line.shop, line.order_id)):
        yield _order(list(lines), skus, through, bought, restock_status(*sums[key]))


def _order(
    lines: Sequence[_Waiting],
    skus: Known,
    through: Mapping[_Key, int],
    bought: Mapping[_Key, Sequence[Bought]],
    restocked: RestockStatus | None,
) -> BackorderView:
    dates = [
        skus.expected_at(
            Waits(
                line.sku,
                line.destination,
                line.queued,
                line.unlinked,
                through.get(line.key, 0),
                bought.get(line.key, ()),
            )
        )
        for line in lines
        if line.shortage
    ]
    return {
        "shop": lines[0].shop,
        "order_id": lines[0].order_id,
        "placed_at": lines[0].placed_at,
        "restock_status": restocked,
        "expected_at": latest(dates),
        "lines": [
            {"line_id": line.line_id, "sku": line.sku, "shortage": line.shortage} for line in lines
        ],
    }
