"""`backship backorders`: the orders that wait, in queue order (S4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from handlers.policy import Rules
from handlers.rules.promises import latest
from handlers.rules.sellable import sources_of
from handlers.state import State
from store import load_catalogue
from store.statements import Columns, Query
from store.transaction import Transaction
from store.views.known import Bought, Known, Waits, known
from store.views.orders import restock_status
from store.views.shapes import BackorderView, RestockStatus

_SHOP: Columns = (("shop", "text"),)
_ORDER: Columns = (("shop", "text"), ("order_id", "text"))

# Through the few lines that wait, by their index: neither by shop (hence `|| ''`) nor through all
# in the order of their keys (hence `l.sku >= :sku`, and no DISTINCT before they are found).
# What waits for goods of a vendor: of a sku it sells, or bought there for this very line (R10).
_FITS = """
    SELECT l.shop, l.order_id
    FROM order_lines AS l LEFT JOIN items AS i ON i.sku = l.sku
    WHERE {which}
        AND l.shop || '' IN (SELECT given.shop FROM {{given}})
        AND l.sku >= :sku AND (:sku = '' OR l.sku = :sku)
        AND (:vendor = '' OR i.vendor = :vendor OR l.linked > 0 AND EXISTS (
            SELECT 1 FROM links AS k
            JOIN replenishments AS r ON r.replenishment_id = k.replenishment_id
            WHERE k.shop = l.shop AND k.order_id = l.order_id AND k.line_id = l.line_id
                AND r.vendor = :vendor
        ))
"""
_SHORT = _FITS.format(which="l.shortage > 0")
_READY = _FITS.format(
    which="""l.unreleased > 0 AND EXISTS (
            SELECT 1 FROM allocations AS a
            WHERE a.shop = l.shop AND a.order_id = l.order_id AND a.line_id = l.line_id
                AND a.release_id IS NULL AND (:source = '' OR a.source = :source)
        )"""
)
# `through`: the number of a line's last queued unit at its destination.
_WAITING = """
    WITH fits AS MATERIALIZED ({fits}),
    chosen AS (SELECT DISTINCT shop, order_id FROM fits),
    queue AS (
        SELECT t.shop, t.order_id, t.line_id, CAST(SUM(t.queued) OVER (
            PARTITION BY t.sku, t.destination
            ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position
            ROWS UNBOUNDED PRECEDING
        ) AS bigint) AS through
        FROM order_lines AS t
        WHERE t.shortage > 0 AND t.sku IN (
            SELECT l.sku FROM chosen
            JOIN order_lines AS l ON l.shop = chosen.shop AND l.order_id = chosen.order_id
            WHERE l.shortage > 0
        )
    )
    SELECT l.shop, l.order_id, l.placed_at, l.line_id, l.sku, l.destination, l.shortage,
        l.queued, l.unlinked, COALESCE(queue.through, 0)
    FROM chosen
    JOIN order_lines AS l ON l.shop = chosen.shop AND l.order_id = chosen.order_id
    LEFT JOIN queue ON queue.shop = l.shop AND queue.order_id = l.order_id
        AND queue.line_id = l.line_id
    WHERE l.shortage > 0 {besides}
    ORDER BY l.priority, l.placed_at, l.shop, l.order_id, l.position
"""
# What is bought for the held lines among them, and what others are linked to before each (R10).
_BOUGHT = """
    WITH fits AS MATERIALIZED ({fits}),
    chosen AS (SELECT DISTINCT shop, order_id FROM fits),
    mine AS (
        SELECT k.shop, k.order_id, k.line_id, k.replenishment_id, k.sku
        FROM chosen
        JOIN order_lines AS l ON l.shop = chosen.shop AND l.order_id = chosen.order_id
        JOIN links AS k ON k.shop = l.shop AND k.order_id = l.order_id AND k.line_id = l.line_id
        WHERE l.shortage > 0 AND l.linked > 0
    )
    SELECT q.shop, q.order_id, q.line_id, q.replenishment_id, q.qty, q.through - q.qty
    FROM (
        SELECT t.shop, t.order_id, t.line_id, t.replenishment_id, t.qty, CAST(SUM(t.qty) OVER (
            PARTITION BY t.replenishment_id, t.sku
            ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position, t.by_hand
            ROWS UNBOUNDED PRECEDING
        ) AS bigint) AS through
        FROM links AS t
        JOIN (SELECT DISTINCT replenishment_id, sku FROM mine) AS wanted
            ON wanted.replenishment_id = t.replenishment_id AND wanted.sku = t.sku
    ) AS q
    WHERE EXISTS (
        SELECT 1 FROM mine
        WHERE mine.shop = q.shop AND mine.order_id = q.order_id AND mine.line_id = q.line_id
    )
"""
_OF_SHORT = Query(_WAITING.format(fits=_SHORT, besides=""), _SHOP)
_OF_READY = Query(_WAITING.format(fits=_READY, besides="OR l.unreleased > 0"), _SHOP)
_FOR_SHORT = Query(_BOUGHT.format(fits=_SHORT), _SHOP)
_FOR_READY = Query(_BOUGHT.format(fits=_READY), _SHOP)
_EVER_SHORT = Query(
    """
    SELECT t.shop, t.order_id, CAST(SUM(t.short) AS bigint), CAST(SUM(t.shortage) AS bigint)
    FROM {given} CROSS JOIN order_lines AS t
    WHERE t.shop = given.shop AND t.order_id = given.order_id
    GROUP BY t.shop, t.order_id
    """,
    _ORDER,
)


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


def backorders(tx: Transaction, rules: Rules, wanted: Wanted, now: datetime) -> list[BackorderView]:
    """Return the orders that wait, as of now."""
    tx.survey()
    state = State(rules)
    load_catalogue.places_and_shops(tx, state)
    shops = [(shop,) for shop in sorted(state.shops) if _fits(state, shop, wanted)]
    waiting, linked = (_OF_READY, _FOR_READY) if wanted.ready else (_OF_SHORT, _FOR_SHORT)
    filters: dict[str, Any] = {"sku": wanted.sku, "vendor": wanted.vendor}
    if wanted.ready:
        filters["source"] = wanted.source
    rows = tx.query(waiting, shops, **filters)
    bought: dict[tuple[str, str, str], list[Bought]] = {}
    for shop, order_id, line_id, *link in tx.query(linked, shops, **filters):
        bought.setdefault((shop, order_id, line_id), []).append(Bought(*link))
    skus = known(tx, rules, {row[4] for row in rows if row[6]}, now)
    sums = {
        (shop, order_id): restock_status(short, shortage)
        for shop, order_id, short, shortage in tx.query(
            _EVER_SHORT, sorted({(row[0], row[1]) for row in rows})
        )
    }
    return [
        _order(tx, skus, bought, sums, list(lines))
        for _key, lines in groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def _fits(state: State, shop: str, wanted: Wanted) -> bool:
    if wanted.shop not in {"", shop}:
        return False
    return wanted.ready or wanted.source == "" or wanted.source in sources_of(state, shop)


def _order(
    tx: Transaction,
    skus: Known,
    bought: Mapping[tuple[str, str, str], Sequence[Bought]],
    sums: Mapping[tuple[str, str], RestockStatus | None],
    rows: Sequence[Any],
) -> BackorderView:
    shop, order_id, placed_at, *_line = rows[0]
    dates = []
    for row in rows:
        if row[6]:
            queued, unlinked, through = row[7:]
            mine = bought.get((shop, order_id, row[3]), ())
            waits = Waits(row[4], row[5], queued, unlinked, through, mine)
            dates.append(skus.expected_at(waits))
    return {
        "shop": shop,
        "order_id": order_id,
        "placed_at": tx.instant(placed_at),
        "restock_status": sums[shop, order_id],
        "expected_at": latest(dates),
        "lines": [{"line_id": row[3], "sku": row[4], "shortage": row[6]} for row in rows],
    }
