"""`backship replenishments`: what is bought, what may still arrive, and whom it will serve (R10).

What is bought for single lines serves those. All other coverage is derived, not stored: what
reaches a destination meets the queue there in its order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handlers.policy import Rules
from handlers.rows.orders import CUSTOMER
from handlers.rules.promises import latest, parts_left
from handlers.state import Replenishment, ReplenishmentLine, ReplenishmentState
from store.load_supply import parts_of
from store.statements import Query
from store.transaction import Transaction
from store.views.coverage import Coverage, covered
from store.views.known import Known, known
from store.views.shapes import ReplenishmentLineView, ReplenishmentView

_ROWS = """
    SELECT t.replenishment_id, t.vendor, t.destination, t.state, t.automatic, t.revision,
        t.raised_at, t.finalized_at, l.sku, l.qty, l.received, l.parts,
        CASE WHEN t.state IN ('open', 'finalized', 'partially_received') AND l.qty > l.received
            THEN l.qty - l.received ELSE 0 END
    FROM replenishments AS t
    LEFT JOIN replenishment_lines AS l ON l.replenishment_id = t.replenishment_id
        AND (l.qty > 0 OR l.received > 0 OR t.state <> 'open')
    WHERE {chosen}
    ORDER BY t.raised_at, t.replenishment_id, l.sku
"""
_LINKED = """
    SELECT k.replenishment_id, k.sku, k.shop, k.order_id, k.line_id, k.qty
    FROM replenishments AS t JOIN links AS k ON k.replenishment_id = t.replenishment_id
    WHERE {chosen}
    ORDER BY k.replenishment_id, k.sku, k.priority, k.placed_at, k.shop, k.order_id, k.position,
        k.by_hand
"""
_ONE = "t.replenishment_id = :replenishment_id"
_SOME = "(:state = '' OR t.state = :state) AND (:vendor = '' OR t.vendor = :vendor)"
_ROWS_OF_ONE, _ROWS_OF_SOME = (Query(_ROWS.format(chosen=chosen)) for chosen in (_ONE, _SOME))
_LINKED_TO_ONE, _LINKED_TO_SOME = (Query(_LINKED.format(chosen=chosen)) for chosen in (_ONE, _SOME))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which replenishments; "" is any. One that is named by its id is not filtered further."""

    replenishment_id: str = ""
    state: str = ""
    vendor: str = ""


def replenishments(
    tx: Transaction, rules: Rules, chosen: Chosen, now: datetime
) -> list[ReplenishmentView]:
    """Return replenishments in the order they were raised, as of now."""
    tx.survey()
    name = chosen.replenishment_id
    if name:
        rows = tx.query(_ROWS_OF_ONE, replenishment_id=name)
        linked = tx.query(_LINKED_TO_ONE, replenishment_id=name)
    else:
        rows = tx.query(_ROWS_OF_SOME, state=chosen.state, vendor=chosen.vendor)
        linked = tx.query(_LINKED_TO_SOME, state=chosen.state, vendor=chosen.vendor)
    skus = known(tx, rules, {row[8] for row in rows if row[12]}, now)
    coming = {(row[8], row[2]) for row in rows if row[12] and not row[2].startswith(CUSTOMER)}
    coverage = covered(tx, skus, sorted(coming), linked)
    found: dict[str, ReplenishmentView] = {}
    dates: dict[str, list[datetime | None]] = {}
    for row in rows:
        view = found.get(row[0]) or found.setdefault(row[0], _header(row))
        if row[8] is not None:
            view["lines"].append(_line(row, coverage))
        if row[12]:
            dates.setdefault(row[0], []).append(_expected_at(tx, skus, row))
    for replenishment_id, expected in dates.items():
        found[replenishment_id]["expected_at"] = latest(expected)
    return list(found.values())


def _header(row: Sequence[Any]) -> ReplenishmentView:
    return {
        "replenishment_id": row[0],
        "vendor": row[1],
        "destination": row[2],
        "state": row[3],
        "automatic": bool(row[4]),
        "revision": row[5],
        "expected_at": None,
        "lines": [],
    }


def _line(row: Sequence[Any], coverage: Coverage) -> ReplenishmentLineView:
    return {
        "sku": row[8],
        "qty": row[9],
        "received": row[10],
        "outstanding": row[12],
        "covers": coverage.of(row[0], row[8]),
    }


def _expected_at(tx: Transaction, skus: Known, row: Sequence[Any]) -> datetime | None:
    """Return when the last units of a line come; None: unknown."""
    item = skus.item(row[8])
    lead = None if item is None else item.policy.lead_time_days
    if row[3] == ReplenishmentState.OPEN:
        return None if lead is None else skus.at + timedelta(days=lead)
    sent = Replenishment(row[0], row[1], row[2], tx.instant(row[6]))
    sent.finalized_at = tx.instant(row[7])
    line = ReplenishmentLine(row[8], row[9], received=row[10], parts=parts_of(row[11]))
    return latest(part.expected_at for part in parts_left(sent, line, lead))
