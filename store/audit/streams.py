"""The four streams of an audit, each in the order of skus, and how they are read side by side."""

from collections.abc import Iterator
from typing import Any

from store.statements import Query

ITEMS = Query(
    """
    SELECT i.sku, i.vendor, i.policy, i.busy, v.policy
    FROM items AS i LEFT JOIN vendors AS v ON v.vendor = i.vendor
    ORDER BY i.sku
    """
)
# By sku and place: on hand by the ledger and as kept, allocated by allocations and as kept.
PROMISES = Query(
    """
    SELECT sku, place, CAST(SUM(moved) AS bigint), CAST(SUM(on_hand) AS bigint),
        CAST(SUM(promised) AS bigint), CAST(SUM(allocated) AS bigint)
    FROM (
        SELECT sku, target AS place, qty AS moved, 0 AS on_hand, 0 AS promised, 0 AS allocated
        FROM movements WHERE target IS NOT NULL
        UNION ALL
        SELECT sku, origin, -qty, 0, 0, 0 FROM movements WHERE origin IS NOT NULL
        UNION ALL
        SELECT sku, place, 0, on_hand, 0, allocated FROM stock
        UNION ALL
        SELECT l.sku, a.source, 0, 0, a.qty, 0
        FROM allocations AS a
        JOIN order_lines AS l
            ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
        WHERE a.source IS NOT NULL
    ) AS units
    GROUP BY sku, place
    ORDER BY sku, place
    """
)
# By sku, destination and shop: shortage by the lines of orders, and as kept.
WAITING = Query(
    """
    SELECT sku, destination, shop, CAST(SUM(held) AS bigint), CAST(SUM(kept) AS bigint)
    FROM (
        SELECT l.sku, o.destination, l.shop, l.shortage AS held, 0 AS kept
        FROM order_lines AS l
        JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
        WHERE l.shortage > 0
        UNION ALL
        SELECT sku, destination, shop, 0, shortage FROM demand
    ) AS units
    GROUP BY sku, destination, shop
    ORDER BY sku, destination, shop
    """
)
SUPPLY = Query(
    """
    SELECT l.sku, r.replenishment_id, r.vendor, r.destination, r.state, r.raised_at,
        l.qty, l.manual, l.linked, l.received
    FROM replenishment_lines AS l
    JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
    WHERE l.qty > 0 AND r.state IN ('open', 'finalized', 'partially_received')
    ORDER BY l.sku, r.replenishment_id
    """
)


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
