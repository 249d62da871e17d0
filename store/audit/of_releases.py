"""What warehouses were told to ship: all that may go, and nothing that may not (O9, O10)."""

from store.audit.relation import Relation
from store.statements import Query

_LINE = ("shop", "order_id", "line_id")

RELATIONS = (
    Relation(
        "O9",
        "allocations that may go, not released",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, 0, a.qty, l.shop, l.order_id, l.line_id
            FROM (
                SELECT shop, order_id, line_id, CAST(SUM(qty) AS bigint) AS qty
                FROM allocations WHERE release_id IS NULL GROUP BY shop, order_id, line_id
            ) AS a
            JOIN order_lines AS l
                ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
            JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE o.holds = '[]' AND o.release <> 'manual' AND NOT EXISTS (
                SELECT 1 FROM order_lines AS p
                WHERE p.shop = l.shop AND p.order_id = l.order_id
                    AND (p.shortage > 0 OR p.pending > 0)
                    AND (o.ship_mode = 'complete' OR p.group_name = l.group_name
                        OR (o.ship_mode = 'line' AND p.line_id = l.line_id
                            AND l.group_name IS NULL))
            )
            """
        ),
    ),
    Relation(
        "O10",
        "allocations released while the order is on hold",
        _LINE,
        Query(
            """
            SELECT l.sku, a.source, 0, a.qty, l.shop, l.order_id, l.line_id
            FROM allocations AS a
            JOIN order_lines AS l
                ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
            JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE a.release_id IS NOT NULL AND o.holds <> '[]'
            """
        ),
    ),
)
