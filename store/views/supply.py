"""`backship replenishments`: what is bought, what may still arrive, and whom it will serve (R10).

What is bought for single lines serves those. All other coverage is derived, not stored: what
reaches a destination meets the queue there in its order.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from handlers.policy import Rules
from handlers.rows.orders import CUSTOMER
from handlers.rules.promises import latest, parts_left
from handlers.state import Replenishment, ReplenishmentLine, ReplenishmentState
from store.load_supply import parts_of
from store.statements import Columns, Query
from store.transaction import Transaction
from store.views.coverage import Coverage, covered
from store.views.known import Known, known
from store.views.shapes import ReplenishmentLineView, ReplenishmentView

REPLENISHMENTS_MAX = 101
"""So many are read at once: a table shows a hundred, and says where there are more."""

_ID: Columns = (("replenishment_id", "text"),)

# In the order of an index, which for those in one state is one of its own.
_ANY = Query(
    """
    SELECT t.replenishment_id FROM replenishments AS t
    WHERE (:vendor = '' OR t.vendor = :vendor)
    ORDER BY t.raised_at, t.replenishment_id
    """
)
_IN_STATE = Query(
    """
    SELECT t.replenishment_id FROM replenishments AS t
    WHERE t.state = :state AND (:vendor = '' OR t.vendor = :vendor)
    ORDER BY t.raised_at, t.replenishment_id
    """
)
_ROWS = Query(
    """
    SELECT t.replenishment_id, t.vendor, t.destination, t.state, t.automatic, t.revision,
        t.raised_at, t.finalized_at, l.sku, l.qty, l.received, l.parts,
        CASE WHEN t.state IN ('open', 'finalized', 'partially_received') AND l.qty > l.received
            THEN l.qty - l.received ELSE 0 END
    FROM {given} CROSS JOIN replenishments AS t
    LEFT JOIN replenishment_lines AS l ON l.replenishment_id = t.replenishment_id
        AND (l.qty > 0 OR l.received > 0 OR t.state <> 'open')
    WHERE t.replenishment_id = given.replenishment_id
    ORDER BY t.raised_at, t.replenishment_id, l.sku
    """,
    _ID,
)
_LINKED = Query(
    """
    SELECT k.replenishment_id, k.sku, k.shop, k.order_id, k.line_id, k.qty
    FROM {given} CROSS JOIN links AS k
    WHERE k.replenishment_id = given.replenishment_id
    ORDER BY k.replenishment_id, k.sku, k.priority, k.placed_at, k.shop, k.order_id, k.position,
        k.by_hand
    """,
    _ID,
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which replenishments; "" is any. One that is named by its id is not filtered further."""

    replenishment_id: str = ""
    state: str = ""
    vendor: str = ""


def replenishments(
    tx: Transaction, rules: Rules, chosen: Chosen, now: datetime, *, covers: bool = True
) -> Iterator[ReplenishmentView]:
    """Yield replenishments in the order they were raised, as of now; some are read at once.

    `covers`: whom they will serve is looked up as well, which is most of the work.
    """
    tx.survey()
    names = iter((chosen.replenishment_id,)) if chosen.replenishment_id else _names(tx, chosen)
    while some := list(islice(names, REPLENISHMENTS_MAX)):
        yield from _views(tx, rules, some, now, covers=covers)


def _names(tx: Transaction, chosen: Chosen) -> Iterator[str]:
    if chosen.state:
        found = tx.stream(_IN_STATE, state=chosen.state, vendor=chosen.vendor)
    else:
        found = tx.stream(_ANY, vendor=chosen.vendor)
    return (name for (name,) in found)


def _views(
    tx: Transaction, rules: Rules, names: Sequence[str], now: datetime, *, covers: bool
) -> Iterable[ReplenishmentView]:
    given = [(name,) for name in names]
    rows = tx.query(_ROWS, given)
    skus = known(tx, rules, {row[8] for row in rows if row[12]}, now)
    coverage = Coverage()
    if covers:
        coming = {(row[8], row[2]) for row in rows if row[12] and not row[2].startswith(CUSTOMER)}
        coverage = covered(tx, skus, sorted(coming), tx.query(_LINKED, given))
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
    return found.values()


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
