"""Lines, allocations and orders: what they must say of each other (L3, S4, S9, C1)."""

from store.audit.relation import Relation
from store.statements import Query

_LINE = ("shop", "order_id", "line_id")

RELATIONS = (
    Relation(
        "L3",
        "order_lines.ordered",
        _LINE,
        Query(
            """
            SELECT sku, NULL,
                allocated + shortage + pending + drop_ship + shipped + cancelled + rejected,
                ordered, shop, order_id, line_id
            FROM order_lines
            WHERE ordered <>
                allocated + shortage + pending + drop_ship + shipped + cancelled + rejected
            """
        ),
    ),
    Relation(
        "L3",
        "order_lines.allocated",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, COALESCE(a.qty, 0), l.allocated, l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            LEFT JOIN (
                SELECT shop, order_id, line_id, CAST(SUM(qty) AS bigint) AS qty
                FROM allocations GROUP BY shop, order_id, line_id
            ) AS a ON a.shop = l.shop AND a.order_id = l.order_id AND a.line_id = l.line_id
            WHERE l.allocated <> COALESCE(a.qty, 0)
            """
        ),
    ),
    Relation(
        "L3",
        "allocations: the line they are of",
        _LINE,
        Query(
            """
            SELECT NULL, a.source, 1, 0, a.shop, a.order_id, a.line_id
            FROM allocations AS a
            LEFT JOIN order_lines AS l
                ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
            WHERE l.line_id IS NULL
            """
        ),
    ),
    Relation(
        "L3",
        "order_lines: the order they are of",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, 1, 0, l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            LEFT JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE o.order_id IS NULL
            """
        ),
    ),
    Relation(
        "S4",
        "order_lines: destination, priority, placed_at",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL,
                o.destination || ' ' || CAST(o.priority AS text)
                    || ' ' || CAST(o.placed_at AS text),
                l.destination || ' ' || CAST(l.priority AS text)
                    || ' ' || CAST(l.placed_at AS text),
                l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE l.destination <> o.destination OR l.priority <> o.priority
                OR l.placed_at <> o.placed_at
            """
        ),
    ),
    Relation(
        "C1",
        "orders.allocation_count",
        ("shop", "order_id"),
        Query(
            """
            SELECT NULL, NULL, a.seq, o.allocation_count, o.shop, o.order_id
            FROM orders AS o
            JOIN (
                SELECT shop, order_id, MAX(seq) AS seq FROM allocations GROUP BY shop, order_id
            ) AS a ON a.shop = o.shop AND a.order_id = o.order_id
            WHERE o.allocation_count < a.seq
            """
        ),
    ),
    Relation(
        "S9",
        "order_lines.shipped, at most what left",
        (),
        Query(
            """
            SELECT sku, NULL, CAST(SUM(moved) AS bigint), CAST(SUM(shipped) AS bigint)
            FROM (
                SELECT sku, qty AS moved, 0 AS shipped FROM movements WHERE reason = 'shipped'
                UNION ALL
                SELECT sku, 0, shipped FROM order_lines WHERE managed AND shipped > 0
            ) AS units
            GROUP BY sku
            HAVING SUM(shipped) > SUM(moved)
            """
        ),
    ),
)
