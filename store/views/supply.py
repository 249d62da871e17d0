"""`backship replenishments`: what is bought, what may still arrive, and whom it will serve (R10).

Coverage is derived, not stored: what reaches a destination meets the queue there in its order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from handlers.policy import Rules
from handlers.rules.promises import latest
from store.statements import Query
from store.transaction import Transaction
from store.views.known import Known, known
from store.views.shapes import CoveredLine, ReplenishmentLineView, ReplenishmentView

_ROWS = Query(
    """
    SELECT t.replenishment_id, t.vendor, t.destination, t.state, t.automatic, t.revision,
        l.sku, l.qty, l.received, l.outstanding
    FROM replenishments AS t
    LEFT JOIN replenishment_lines AS l ON l.replenishment_id = t.replenishment_id
        AND (l.qty > 0 OR l.received > 0 OR t.state <> 'open')
    WHERE (:replenishment_id = '' OR t.replenishment_id = :replenishment_id)
        AND (:state = '' OR t.state = :state) AND (:vendor = '' OR t.vendor = :vendor)
    ORDER BY t.raised_at, t.replenishment_id, l.sku
    """
)
# Of each queue only as much as there is supply for: it may be a million lines long.
_QUEUE = Query(
    """
    SELECT q.sku, q.destination, q.shop, q.order_id, q.line_id, q.shortage
    FROM (
        SELECT t.sku, t.destination, t.shop, t.order_id, t.line_id, t.shortage,
            t.priority, t.placed_at, t.position, given.units,
            CAST(SUM(t.shortage) OVER (
                PARTITION BY t.sku, t.destination
                ORDER BY t.priority, t.placed_at, t.shop, t.order_id, t.position
                ROWS UNBOUNDED PRECEDING
            ) AS bigint) AS through
        FROM {given} CROSS JOIN order_lines AS t
        WHERE t.sku = given.sku AND t.destination = given.destination AND t.shortage > 0
    ) AS q
    WHERE q.through - q.shortage < q.units
    ORDER BY q.sku, q.destination, q.priority, q.placed_at, q.shop, q.order_id, q.position
    """,
    (("sku", "text"), ("destination", "text"), ("units", "bigint")),
)

_Key = tuple[str, str]  # sku, destination


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which replenishments; "" is any."""

    replenishment_id: str = ""
    state: str = ""
    vendor: str = ""


@dataclass(slots=True)
class _Coverage:
    """Whom the units of each replenishment line serve, and when they come."""

    lines: dict[_Key, list[CoveredLine]] = field(default_factory=dict)  # by id and sku
    dates: dict[str, list[datetime | None]] = field(default_factory=dict)  # by id


def replenishments(
    tx: Transaction, rules: Rules, chosen: Chosen, now: datetime
) -> list[ReplenishmentView]:
    """Return replenishments in the order they were raised, as of now."""
    tx.survey()
    rows = tx.query(_ROWS, (), **asdict(chosen))
    coming = sorted({(row[6], row[2]) for row in rows if row[9]})
    skus = known(tx, rules, {sku for sku, _destination in coming}, now)
    coverage = _coverage(tx, skus, coming)
    found: dict[str, ReplenishmentView] = {}
    for row in rows:
        view = found.get(row[0]) or found.setdefault(row[0], _header(row, coverage))
        if row[6] is not None:
            view["lines"].append(_line(row, coverage))
    return list(found.values())


def _header(row: Sequence[Any], coverage: _Coverage) -> ReplenishmentView:
    return {
        "replenishment_id": row[0],
        "vendor": row[1],
        "destination": row[2],
        "state": row[3],
        "automatic": bool(row[4]),
        "revision": row[5],
        "expected_at": latest(coverage.dates.get(row[0], ())),
        "lines": [],
    }


def _line(row: Sequence[Any], coverage: _Coverage) -> ReplenishmentLineView:
    return {
        "sku": row[6],
        "qty": row[7],
        "received": row[8],
        "outstanding": row[9],
        "covers": coverage.lines.get((row[0], row[6]), []),
    }


def _coverage(tx: Transaction, skus: Known, coming: Sequence[_Key]) -> _Coverage:
    coverage = _Coverage()
    given = [(*key, sum(supply.qty for supply in skus.supplies(*key))) for key in coming]
    queues: dict[_Key, list[tuple[CoveredLine, int]]] = {}
    for sku, destination, shop, order_id, line_id, shortage in tx.query(_QUEUE, given):
        line: CoveredLine = {"shop": shop, "order_id": order_id, "line_id": line_id, "qty": 0}
        queues.setdefault((sku, destination), []).append((line, shortage))
    for key in coming:
        _serve(coverage, skus, key, iter(queues.get(key, ())))
    return coverage


def _serve(
    coverage: _Coverage, skus: Known, key: _Key, queue: Iterator[tuple[CoveredLine, int]]
) -> None:
    """Let what comes meet who waits, each in its order."""
    line, waiting = next(queue, (None, 0))
    for supply in skus.supplies(*key):
        if supply.replenishment_id is not None:
            coverage.dates.setdefault(supply.replenishment_id, []).append(supply.expected_at)
        units = supply.qty
        while units and line is not None:
            qty = min(units, waiting)
            if supply.replenishment_id is not None:
                _cover(coverage, (supply.replenishment_id, key[0]), line, qty)
            units -= qty
            waiting -= qty
            if waiting == 0:
                line, waiting = next(queue, (None, 0))


def _cover(coverage: _Coverage, key: _Key, line: CoveredLine, qty: int) -> None:
    """Add units of one part; the parts of one replenishment line show as one."""
    covered = coverage.lines.setdefault(key, [])
    if covered and _same(covered[-1], line):
        covered[-1]["qty"] += qty
    else:
        covered.append({**line, "qty": qty})


def _same(one: CoveredLine, other: CoveredLine) -> bool:
    return {**one, "qty": 0} == {**other, "qty": 0}
