"""The streams of an audit, each in the order of skus, and how they are read side by side."""

from collections.abc import Iterator
from typing import Any

from store.statements import Query

ITEMS = Query(
    """
    SELECT i.sku, i.vendor, i.policy, i.busy, i.base_status, v.policy
    FROM items AS i LEFT JOIN vendors AS v ON v.vendor = i.vendor
    ORDER BY i.sku
    """
)
# By sku and place: on hand by the ledger and as kept, allocated by allocations and as kept, and of
# the allocations those that no warehouse was told of (S8).
PROMISES = Query(
    """
    SELECT sku, place, CAST(SUM(moved) AS bigint), CAST(SUM(on_hand) AS bigint),
        CAST(SUM(promised) AS bigint), CAST(SUM(allocated) AS bigint),
        CAST(SUM(unreleased) AS bigint)
    FROM (
        SELECT sku, target AS place, qty AS moved, 0 AS on_hand, 0 AS promised, 0 AS allocated,
            0 AS unreleased
        FROM movements WHERE target IS NOT NULL
        UNION ALL
        SELECT sku, origin, -qty, 0, 0, 0, 0 FROM movements WHERE origin IS NOT NULL
        UNION ALL
        SELECT sku, place, 0, on_hand, 0, allocated, 0 FROM stock
        UNION ALL
        SELECT l.sku, a.source, 0, 0, a.qty, 0, CASE WHEN a.release_id IS NULL THEN a.qty ELSE 0 END
        FROM allocations AS a
        JOIN order_lines AS l
            ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
        WHERE a.source IS NOT NULL
    ) AS units
    GROUP BY sku, place
    ORDER BY sku, place
    """
)
# By sku, destination and shop, by the lines of orders and as kept: what waits, what of it waits for
# what is bought for the queue, what of it a fill may serve. Then, by the lines alone: what a fill
# may serve in parts (O9), and what is to be bought for single lines and is not (R10).
WAITING = Query(
    """
    SELECT sku, destination, shop,
        CAST(SUM(held) AS bigint), CAST(SUM(kept_held) AS bigint),
        CAST(SUM(queued) AS bigint), CAST(SUM(kept_queued) AS bigint),
        CAST(SUM(fillable) AS bigint), CAST(SUM(kept_fillable) AS bigint),
        CAST(SUM(in_parts) AS bigint), CAST(SUM(unlinked) AS bigint)
    FROM (
        SELECT l.sku, o.destination, l.shop, l.shortage AS held, 0 AS kept_held,
            CASE WHEN l.sourced = 'buy_to_order' THEN 0 ELSE l.shortage END AS queued,
            0 AS kept_queued,
            CASE WHEN l.staff_held OR l.sourced = 'buy_to_order' THEN 0 ELSE l.shortage END
                AS fillable,
            0 AS kept_fillable,
            CASE WHEN l.staff_held OR l.sourced = 'buy_to_order' OR o.ship_mode <> 'partial'
                OR l.group_name IS NOT NULL THEN 0 ELSE l.shortage END AS in_parts,
            CASE l.sourced WHEN 'buy_to_order' THEN l.shortage WHEN 'drop_ship' THEN l.drop_ship
                ELSE 0 END AS unlinked
        FROM order_lines AS l
        JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
        WHERE l.shortage > 0 OR l.drop_ship > 0
        UNION ALL
        SELECT l.sku, o.destination, l.shop, 0, 0,
            CASE WHEN l.sourced IN ('buy_to_order', 'drop_ship') THEN 0 ELSE -k.qty END, 0, 0, 0, 0,
            CASE WHEN l.sourced IN ('buy_to_order', 'drop_ship') THEN -k.qty ELSE 0 END
        FROM links AS k
        JOIN order_lines AS l
            ON l.shop = k.shop AND l.order_id = k.order_id AND l.line_id = k.line_id
        JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
        UNION ALL
        SELECT sku, destination, shop, 0, shortage, 0, queued, 0, fillable, 0, 0 FROM demand
    ) AS units
    GROUP BY sku, destination, shop
    ORDER BY sku, destination, shop
    """
)
# What is open, on its way or lies at docks for single lines; the sums of its links, by automation
# and by hand. Not what vendors ship to customers: of these a sku may have a hundred thousand.
SUPPLY = Query(
    """
    SELECT l.sku, r.replenishment_id, r.vendor, r.destination, r.state, r.raised_at,
        l.qty, l.manual, COALESCE(k.linked, 0), COALESCE(k.picked, 0), l.received, l.docked
    FROM replenishment_lines AS l
    JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
    LEFT JOIN (
        SELECT replenishment_id, sku,
            CAST(SUM(CASE WHEN by_hand THEN 0 ELSE qty END) AS bigint) AS linked,
            CAST(SUM(CASE WHEN by_hand THEN qty ELSE 0 END) AS bigint) AS picked
        FROM links GROUP BY replenishment_id, sku
    ) AS k ON k.replenishment_id = l.replenishment_id AND k.sku = l.sku
    WHERE r.destination NOT LIKE 'customer:%%'
        AND ((l.qty > 0 AND r.state IN ('open', 'finalized', 'partially_received'))
            OR l.docked <> '[]')
    ORDER BY l.sku, r.replenishment_id
    """
)
# By sku and vendor: what automation asks vendors to ship to customers, and may still take back.
SENT = Query(
    """
    SELECT k.sku, r.vendor, CAST(SUM(k.qty) AS bigint)
    FROM links AS k
    JOIN replenishments AS r ON r.replenishment_id = k.replenishment_id
    WHERE r.state = 'open' AND NOT k.by_hand AND r.destination LIKE 'customer:%%'
    GROUP BY k.sku, r.vendor
    ORDER BY k.sku, r.vendor
    """
)
STATUSES = Query("SELECT sku, shop, status FROM item_statuses ORDER BY sku, shop")

ALL = (ITEMS, PROMISES, WAITING, SUPPLY, SENT, STATUSES)


class Stream:
    """Rows in the order of their first column, taken group by group."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    @property
    def sku(self) -> str | None:
        """The sku of the next row; None at the end."""
        return None if self._next is None else self._next[0]

    def take(self, sku: str) -> list[Any]:
        """Return the rows of a sku, which is the next one or is not in this stream."""
        taken = []
        while self._next is not None and self._next[0] == sku:
            taken.append(self._next)
            self._next = next(self._rows, None)
        return taken
