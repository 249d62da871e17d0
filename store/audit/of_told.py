"""What was received and shipped, by the events that told it (S1, S9).

Their bodies are kept as they came; of those that are kept no longer, their sums are. A line may
have taken less than it was told of: the rest was more than it wanted, and an exception has said so.
"""

from collections.abc import Iterator

from store.audit.relation import Relation, broken
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference

# How each engine reads the lines of a body: shop or replenishment, order, line or sku, and units.
_LINES = {
    "sqlite": """
        SELECT json_extract(i.body, '$.data.{owner}') AS owner,
            json_extract(i.body, '$.data.order_id') AS order_id,
            json_extract(t.value, '$.{name}') AS name, json_extract(t.value, '$.qty') AS qty
        FROM inbox AS i, json_each(i.body, '$.data.lines') AS t
        WHERE i.type = '{type}' AND i.outcome = 'applied'
    """,
    "postgresql": """
        SELECT (CAST(i.body AS json) #>> '{{{{data,{owner}}}}}') COLLATE "C" AS owner,
            (CAST(i.body AS json) #>> '{{{{data,order_id}}}}') COLLATE "C" AS order_id,
            (t.value ->> '{name}') COLLATE "C" AS name, CAST(t.value ->> 'qty' AS bigint) AS qty
        FROM inbox AS i, json_array_elements(CAST(i.body AS json) #> '{{{{data,lines}}}}') AS t
        WHERE i.type = '{type}' AND i.outcome = 'applied'
    """,
}

_BEFORE = "SELECT owner, order_id, name, qty FROM told_before WHERE type = '{type}'"


def differences(tx: Transaction) -> Iterator[Difference]:
    """Yield lines that have received or shipped more than anybody told."""
    for relation in _relations(tx.dialect.name):
        yield from broken(tx, relation)


def _relations(engine: str) -> tuple[Relation, Relation]:
    received = _LINES[engine].format(owner="replenishment_id", name="sku", type="StockReceived")
    shipped = _LINES[engine].format(owner="shop", name="line_id", type="OrderShipped")
    return (
        Relation(
            "S1",
            "replenishment_lines.received, at most what was told",
            ("replenishment_id", "vendor"),
            Query(
                f"""
                SELECT l.sku, r.destination, COALESCE(told.qty, 0), l.received,
                    r.replenishment_id, r.vendor
                FROM replenishment_lines AS l
                JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
                LEFT JOIN (
                    SELECT owner, name, CAST(SUM(qty) AS bigint) AS qty
                    FROM ({received} UNION ALL {_BEFORE.format(type="StockReceived")}) AS lines
                    GROUP BY owner, name
                ) AS told ON told.owner = l.replenishment_id AND told.name = l.sku
                WHERE l.received > COALESCE(told.qty, 0)
                    AND r.destination NOT LIKE 'customer:%%'
                """  # noqa: S608 - our own SQL
            ),
        ),
        Relation(
            "S9",
            "order_lines.shipped, at most what was told",
            ("shop", "order_id", "line_id"),
            Query(
                f"""
                SELECT l.sku, NULL, COALESCE(told.qty, 0), l.shipped, l.shop, l.order_id, l.line_id
                FROM order_lines AS l
                LEFT JOIN (
                    SELECT owner, order_id, name, CAST(SUM(qty) AS bigint) AS qty
                    FROM ({shipped} UNION ALL {_BEFORE.format(type="OrderShipped")}) AS lines
                    GROUP BY owner, order_id, name
                ) AS told ON told.owner = l.shop AND told.order_id = l.order_id
                    AND told.name = l.line_id
                WHERE l.shipped > COALESCE(told.qty, 0)
                """  # noqa: S608 - our own SQL
            ),
        ),
    )
