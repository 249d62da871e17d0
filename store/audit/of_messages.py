"""What waits, is unfinished or goes out: what each must say of the other (S6, L5, C3)."""

from store.audit.relation import Relation
from store.statements import Query

RELATIONS = (
    Relation(
        "S6",
        "items.busy",
        (),
        Query(
            """
            SELECT i.sku, NULL, 1 - i.busy, i.busy
            FROM (
                SELECT sku, CASE WHEN busy THEN 1 ELSE 0 END AS busy,
                    CASE WHEN EXISTS (SELECT 1 FROM tasks WHERE tasks.sku = items.sku)
                        OR EXISTS (SELECT 1 FROM waiting WHERE waiting.sku = items.sku)
                        THEN 1 ELSE 0 END AS unfinished
                FROM items
            ) AS i
            WHERE i.busy <> i.unfinished
            """
        ),
    ),
    Relation(
        "L5",
        "inbox.outcome of what waits",
        ("source", "event_id"),
        Query(
            """
            SELECT NULL, NULL, 'waiting', i.outcome, w.source, w.event_id
            FROM waiting AS w
            LEFT JOIN inbox AS i ON i.source = w.source AND i.event_id = w.event_id
            WHERE COALESCE(i.outcome, '') <> 'waiting'
            UNION ALL
            SELECT NULL, NULL, 'applied', i.outcome, i.source, i.event_id
            FROM inbox AS i
            WHERE i.outcome = 'waiting' AND NOT EXISTS (
                SELECT 1 FROM waiting AS w
                WHERE w.source = i.source AND w.event_id = i.event_id
            )
            """
        ),
    ),
    Relation(
        "C3",
        "waiting: for what nobody knows",
        ("source", "event_id"),
        Query(
            """
            SELECT NULL, NULL, 'unknown', 'known', w.source, w.event_id
            FROM waiting AS w
            JOIN orders AS o ON o.shop = w.shop AND o.order_id = w.order_id
            UNION ALL
            SELECT NULL, NULL, 'unknown', 'known', w.source, w.event_id
            FROM waiting AS w
            JOIN replenishments AS r ON r.replenishment_id = w.replenishment_id
            """
        ),
    ),
    Relation(
        "L5",
        "outbox: kept in what was emitted",
        ("id",),
        Query(
            """
            SELECT NULL, NULL, 1, 0, o.id
            FROM outbox AS o LEFT JOIN emitted AS e ON e.id = o.id
            WHERE e.id IS NULL
            """
        ),
    ),
)
