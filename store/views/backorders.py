"""`backship backorders`: the orders that wait, in queue order (S4)."""

from collections.abc import Sequence
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
from store.views.known import Known, known
from store.views.orders import restock_status
from store.views.shapes import BackorderView, RestockStatus

_SHOP: Columns = (("shop", "text"),)
_ORDER: Columns = (("shop", "text"), ("order_id", "text"))

_SHORT = """
    SELECT DISTINCT l.shop, l.order_id
    FROM order_lines AS l LEFT JOIN items AS i ON i.sku = l.sku
    WHERE l.shortage > 0
"""
_READY = """
    SELECT DISTINCT l.shop, l.order_id
    FROM allocations AS a
    JOIN order_lines AS l
        ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
    LEFT JOIN items AS i ON i.sku = l.sku
    WHERE a.release_id IS NULL AND (:source = '' OR a.source = :source)
"""
# `through`: the number of a line's last waiting unit in the queue of its destination.
_WAITING = """
    WITH chosen AS ({chosen}
        AND l.shop IN (SELECT given.shop FROM {{given}})
        AND (:sku = '' OR l.sku = :sku) AND (:vendor = '' OR i.vendor = :vendor)
    ), queue AS (
        SELECT t.shop, t.order_id, t.line_id, CAST(SUM(t.shortage) OVER (
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
        COALESCE(queue.through, 0)
    FROM chosen
    JOIN order_lines AS l ON l.shop = chosen.shop AND l.order_id = chosen.order_id
    LEFT JOIN queue ON queue.shop = l.shop AND queue.order_id = l.order_id
        AND queue.line_id = l.line_id
    WHERE l.shortage > 0 {besides}
    ORDER BY l.priority, l.placed_at, l.shop, l.order_id, l.position
"""
_UNRELEASED = """OR EXISTS (
        SELECT 1 FROM allocations AS a
        WHERE a.shop = l.shop AND a.order_id = l.order_id AND a.line_id = l.line_id
            AND a.release_id IS NULL
    )"""
_OF_SHORT = Query(_WAITING.format(chosen=_SHORT, besides=""), _SHOP)
_OF_READY = Query(_WAITING.format(chosen=_READY, besides=_UNRELEASED), _SHOP)
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
    filters = {"sku": wanted.sku, "vendor": wanted.vendor}
    if wanted.ready:
        rows = tx.query(_OF_READY, shops, source=wanted.source, **filters)
    else:
        rows = tx.query(_OF_SHORT, shops, **filters)
    skus = known(tx, rules, {row[4] for row in rows if row[6]}, now)
    sums = {
        (shop, order_id): restock_status(short, shortage)
        for shop, order_id, short, shortage in tx.query(
            _EVER_SHORT, sorted({(row[0], row[1]) for row in rows})
        )
    }
    return [
        _order(tx, skus, sums, list(lines))
        for _key, lines in groupby(rows, key=lambda row: (row[0], row[1]))
    ]


def _fits(state: State, shop: str, wanted: Wanted) -> bool:
    if wanted.shop not in {"", shop}:
        return False
    return wanted.ready or wanted.source == "" or wanted.source in sources_of(state, shop)


def _order(
    tx: Transaction,
    skus: Known,
    sums: dict[tuple[str, str], RestockStatus | None],
    rows: Sequence[Any],
) -> BackorderView:
    shop, order_id, placed_at, *_line = rows[0]
    held = [row for row in rows if row[6]]
    return {
        "shop": shop,
        "order_id": order_id,
        "placed_at": tx.instant(placed_at),
        "restock_status": sums[shop, order_id],
        "expected_at": latest(skus.expected_at(row[4], row[5], row[7]) for row in held),
        "lines": [{"line_id": row[3], "sku": row[4], "shortage": row[6]} for row in rows],
    }
