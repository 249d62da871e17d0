"""Replenishments, their lines and slots: what they must say of each other (R1, R3, R4, S1)."""

from collections.abc import Iterator

from store.audit.difference import different
from store.audit.relation import Relation
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference

_BOUGHT = ("replenishment_id", "vendor")

RELATIONS = (
    Relation(
        "R1",
        "replenishment_slots.open_id",
        ("vendor",),
        Query(
            """
            SELECT NULL, r.destination, r.replenishment_id, s.open_id, r.vendor
            FROM replenishments AS r
            LEFT JOIN replenishment_slots AS s
                ON s.vendor = r.vendor AND s.destination = r.destination
            WHERE r.state = 'open' AND COALESCE(s.open_id, '') <> r.replenishment_id
            UNION ALL
            SELECT NULL, s.destination, NULL, s.open_id, s.vendor
            FROM replenishment_slots AS s
            WHERE s.open_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM replenishments AS r
                WHERE r.state = 'open' AND r.vendor = s.vendor AND r.destination = s.destination
            )
            """
        ),
    ),
    Relation(
        "R1",
        "replenishment_slots.raised",
        ("vendor",),
        Query(
            """
            SELECT NULL, destination, CAST(SUM(there) AS bigint),
                CAST(SUM(raised) AS bigint), vendor
            FROM (
                SELECT vendor, destination, 1 AS there, 0 AS raised FROM replenishments
                UNION ALL
                SELECT vendor, destination, 0, raised FROM replenishment_slots
            ) AS counted
            GROUP BY vendor, destination
            HAVING SUM(there) <> SUM(raised)
            """
        ),
    ),
    Relation(
        "R3",
        "replenishments.told_total",
        _BOUGHT,
        Query(
            """
            SELECT NULL, r.destination, COALESCE(l.qty, 0), r.told_total,
                r.replenishment_id, r.vendor
            FROM replenishments AS r
            LEFT JOIN (
                SELECT replenishment_id, CAST(SUM(qty) AS bigint) AS qty
                FROM replenishment_lines GROUP BY replenishment_id
            ) AS l ON l.replenishment_id = r.replenishment_id
            WHERE r.state = 'open' AND r.told_total <> COALESCE(l.qty, 0)
            """
        ),
    ),
    Relation(
        "R3",
        "replenishments.told_revision",
        _BOUGHT,
        Query(
            """
            SELECT NULL, destination, revision, told_revision, replenishment_id, vendor
            FROM replenishments WHERE state = 'open' AND told_revision <> revision
            """
        ),
    ),
    Relation(
        "R3",
        "replenishments.state, of an open one that asks for nothing",
        _BOUGHT,
        Query(
            """
            SELECT NULL, r.destination, 'cancelled', r.state, r.replenishment_id, r.vendor
            FROM replenishments AS r
            WHERE r.state = 'open' AND NOT EXISTS (
                SELECT 1 FROM replenishment_lines AS l
                WHERE l.replenishment_id = r.replenishment_id AND l.qty > 0
            )
            """
        ),
    ),
    Relation(
        "R4",
        "replenishments.state",
        _BOUGHT,
        Query(
            """
            SELECT NULL, r.destination,
                CASE WHEN l.missing = 0 THEN 'received' WHEN l.received = 0 THEN 'finalized'
                    ELSE 'partially_received' END,
                r.state, r.replenishment_id, r.vendor
            FROM replenishments AS r
            JOIN (
                SELECT replenishment_id, SUM(received) AS received,
                    SUM(CASE WHEN qty > received THEN qty - received ELSE 0 END) AS missing
                FROM replenishment_lines GROUP BY replenishment_id
            ) AS l ON l.replenishment_id = r.replenishment_id
            WHERE r.state IN ('finalized', 'partially_received', 'received')
                AND r.state <> CASE WHEN l.missing = 0 THEN 'received'
                    WHEN l.received = 0 THEN 'finalized' ELSE 'partially_received' END
            """
        ),
    ),
    Relation(
        "R4",
        "replenishment_lines.outstanding",
        _BOUGHT,
        Query(
            """
            SELECT l.sku, r.destination,
                CASE WHEN l.qty > l.received AND r.destination NOT LIKE 'customer:%%'
                    AND r.state IN ('open', 'finalized', 'partially_received')
                    THEN l.qty - l.received ELSE 0 END,
                l.outstanding, r.replenishment_id, r.vendor
            FROM replenishment_lines AS l
            JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
            WHERE l.outstanding <>
                CASE WHEN l.qty > l.received AND r.destination NOT LIKE 'customer:%%'
                    AND r.state IN ('open', 'finalized', 'partially_received')
                    THEN l.qty - l.received ELSE 0 END
            """
        ),
    ),
    Relation(
        "S1",
        "replenishment_lines.received, at most what arrived",
        (),
        Query(
            """
            SELECT sku, NULL, CAST(SUM(moved) AS bigint), CAST(SUM(received) AS bigint)
            FROM (
                SELECT sku, qty AS moved, 0 AS received FROM movements WHERE reason = 'received'
                UNION ALL
                SELECT l.sku, 0, l.received
                FROM replenishment_lines AS l
                JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
                WHERE l.received > 0 AND r.destination NOT LIKE 'customer:%%'
            ) AS units
            GROUP BY sku
            HAVING SUM(received) > SUM(moved)
            """
        ),
    ),
)

# The parts of a confirmed line stand in one column; only here it is taken apart.
_PARTS = Query(
    """
    SELECT l.sku, r.destination, l.qty, l.parts, r.replenishment_id, r.vendor
    FROM replenishment_lines AS l
    JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
    WHERE l.parts <> '[]'
    """
)


def unconfirmed(tx: Transaction) -> Iterator[Difference]:
    """Yield lines whose quantity is not the sum of the parts the vendor confirmed (R4)."""
    for sku, place, qty, parts, replenishment_id, vendor in tx.stream(_PARTS):
        confirmed = sum(units for units, _expected_at in json_value(parts))
        if confirmed != qty:
            refs = {"replenishment_id": replenishment_id, "vendor": vendor}
            what = "replenishment_lines.qty"
            yield different("R4", what, (sku, place), (confirmed, qty), **refs)
