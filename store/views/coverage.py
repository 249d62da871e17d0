"""Whom the units of replenishments will serve: lines they were bought for, then the queue (R10).

Of each queue only as much is read as there is supply for: it may be a million lines long.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from store.statements import Query
from store.transaction import Transaction
from store.views.known import Known
from store.views.shapes import CoveredLine

_QUEUE = Query(
    """
    SELECT q.sku, q.destination, q.shop, q.order_id, q.line_id, q.queued
    FROM (
        SELECT t.sku, t.destination, t.shop, t.order_id, t.line_id, t.queued,
            t.priority, t.placed_at, t.position, given.units,
            CAST(SUM(t.queued) OVER (
                PARTITION BY t.sku, t.destination
                ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position
                ROWS UNBOUNDED PRECEDING
            ) AS bigint) AS through
        FROM {given} CROSS JOIN order_lines AS t
        WHERE t.sku = given.sku AND t.destination = given.destination AND t.shortage > 0
    ) AS q
    WHERE q.queued > 0 AND q.through - q.queued < q.units
    ORDER BY q.sku, q.destination, q.priority, q.placed_at, q.shop, q.order_id, q.position
    """,
    (("sku", "text"), ("destination", "text"), ("units", "bigint")),
)

Queued = tuple[str, str]  # sku, destination
_Line = tuple[str, str, str]  # shop, order id, line id


@dataclass(slots=True)
class Coverage:
    """Units by replenishment and sku, and by the line they will serve, in the order they do."""

    _units: dict[tuple[str, str], dict[_Line, int]] = field(default_factory=dict)

    def add(self, replenishment_id: str, sku: str, line: _Line, qty: int) -> None:
        """Let units of a replenishment serve a line."""
        lines = self._units.setdefault((replenishment_id, sku), {})
        lines[line] = lines.get(line, 0) + qty

    def of(self, replenishment_id: str, sku: str) -> list[CoveredLine]:
        """Return whom the units of a sku on a replenishment will serve."""
        return [
            {"shop": shop, "order_id": order_id, "line_id": line_id, "qty": qty}
            for (shop, order_id, line_id), qty in self._units.get(
                (replenishment_id, sku), {}
            ).items()
        ]


def covered(
    tx: Transaction, skus: Known, coming: Sequence[Queued], linked: Iterable[Sequence[Any]]
) -> Coverage:
    """Return whom replenishments serve: the `linked` lines, and at these queues who waits there."""
    coverage = Coverage()
    for replenishment_id, sku, shop, order_id, line_id, qty in linked:
        coverage.add(replenishment_id, sku, (shop, order_id, line_id), qty)
    given = [(*key, sum(supply.qty for supply in skus.supplies(*key))) for key in coming]
    queues: dict[Queued, list[tuple[_Line, int]]] = {}
    for sku, destination, shop, order_id, line_id, queued in tx.query(_QUEUE, given):
        queues.setdefault((sku, destination), []).append(((shop, order_id, line_id), queued))
    for key in coming:
        _serve(coverage, skus, key, iter(queues.get(key, ())))
    return coverage


def _serve(
    coverage: Coverage, skus: Known, key: Queued, queue: Iterator[tuple[_Line, int]]
) -> None:
    """Let what comes meet who waits, each in its order."""
    line, waiting = next(queue, (None, 0))
    for supply in skus.supplies(*key):
        units = supply.qty
        while units and line is not None:
            qty = min(units, waiting)
            if supply.replenishment_id is not None:
                coverage.add(supply.replenishment_id, key[0], line, qty)
            units -= qty
            waiting -= qty
            if waiting == 0:
                line, waiting = next(queue, (None, 0))
