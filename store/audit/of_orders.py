"""Lines, allocations and orders: what they must say of each other (L3, O2, O8, O10, S4, C1)."""

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
        "L3",
        "allocations.source: one, unless nobody manages the stock",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL,
                CASE WHEN l.sourced = 'unmanaged' THEN 'none' ELSE 'one' END,
                COALESCE(a.source, 'none'), l.shop, l.order_id, l.line_id
            FROM allocations AS a
            JOIN order_lines AS l
                ON l.shop = a.shop AND l.order_id = a.order_id AND l.line_id = a.line_id
            WHERE (a.source IS NULL) <> (l.sourced = 'unmanaged')
            """
        ),
    ),
    Relation(
        "O2",
        "order_lines.drop_ship, of lines that vendors ship",
        _LINE,
        Query(
            """
            SELECT sku, NULL, 0, drop_ship, shop, order_id, line_id
            FROM order_lines WHERE drop_ship > 0 AND sourced <> 'drop_ship'
            """
        ),
    ),
    Relation(
        "O8",
        "order_lines.told, of lines that wait",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, 1, 0, l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            JOIN items AS i ON i.sku = l.sku
            WHERE l.shortage > 0 AND NOT l.told AND NOT i.busy
            """
        ),
    ),
    Relation(
        "O8",
        "order_lines.held_since, of lines that wait",
        _LINE,
        Query(
            """
            SELECT sku, NULL, 1, 0, shop, order_id, line_id
            FROM order_lines WHERE shortage > 0 AND held_since IS NULL
            """
        ),
    ),
    Relation(
        "L4",
        "order_lines.short, at least what is short now",
        _LINE,
        Query(
            """
            SELECT sku, NULL, shortage, short, shop, order_id, line_id
            FROM order_lines WHERE short < shortage
            """
        ),
    ),
    Relation(
        "O10",
        "order_lines.pending, while a payment is waited for",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, 0, l.pending, l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE l.pending > 0 AND o.holds NOT LIKE '%%"payment"%%'
            """
        ),
    ),
    Relation(
        "O10",
        "order_lines: what waits or is promised before its payment",
        _LINE,
        Query(
            """
            SELECT l.sku, NULL, 0, l.shortage + l.drop_ship + l.allocated,
                l.shop, l.order_id, l.line_id
            FROM order_lines AS l
            JOIN orders AS o ON o.shop = l.shop AND o.order_id = l.order_id
            WHERE o.holds LIKE '%%"payment"%%' AND l.shortage + l.drop_ship + l.allocated > 0
            """
        ),
    ),
)
