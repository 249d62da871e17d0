"""`backship order SHOP/ID`: one order, line by line."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from handlers.policy import Rules
from handlers.rules.promises import latest
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.known import Bought, Waits, known
from store.views.shapes import AllocatedUnits, OrderLineView, OrderStatus, OrderView, RestockStatus

_ORDER = Query("SELECT holds FROM orders WHERE shop = :shop AND order_id = :order_id")
# The last column: the number of this line's last queued unit at its destination (R11).
_LINES = Query(
    """
    SELECT t.line_id, t.sku, t.destination, t.ordered, t.allocated, t.shortage, t.pending,
        t.drop_ship, t.shipped, t.cancelled, t.rejected, t.short, t.queued, t.unlinked,
        CASE WHEN t.queued > 0 THEN CAST((
            SELECT SUM(q.queued) FROM order_lines AS q
            WHERE q.sku = t.sku AND q.destination = t.destination AND q.shortage > 0
                AND (q.priority, q.placed_at, q.shop, q.order_id, q.position)
                    <= (t.priority, t.placed_at, t.shop, t.order_id, t.position)
        ) AS bigint) ELSE 0 END
    FROM order_lines AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.position
    """
)
# The last column: what others are linked to the same replenishment before this line (R10).
_LINKS = Query(
    """
    SELECT t.line_id, t.replenishment_id, t.qty, CAST((
        SELECT COALESCE(SUM(q.qty), 0) FROM links AS q
        WHERE q.replenishment_id = t.replenishment_id AND q.sku = t.sku
            AND (q.priority, q.placed_at, q.shop, q.order_id, q.position, q.by_hand)
                < (t.priority, t.placed_at, t.shop, t.order_id, t.position, t.by_hand)
    ) AS bigint)
    FROM links AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.line_id, t.replenishment_id, t.by_hand
    """
)
_ALLOCATIONS = Query(
    """
    SELECT t.line_id, t.source, t.qty, t.release_id FROM allocations AS t
    WHERE t.shop = :shop AND t.order_id = :order_id
    ORDER BY t.seq
    """
)


def order(
    tx: Transaction, rules: Rules, shop: str, order_id: str, now: datetime
) -> OrderView | None:
    """Return an order as of now; None where nobody has heard of it."""
    found = tx.query(_ORDER, shop=shop, order_id=order_id)
    if not found:
        return None
    rows = tx.query(_LINES, shop=shop, order_id=order_id)
    lines = {row[0]: _line(row) for row in rows}
    for line_id, source, qty, release_id in tx.query(_ALLOCATIONS, shop=shop, order_id=order_id):
        _allocate(lines[line_id], source, qty, told=release_id is not None)
    held = [row for row in rows if row[5]]
    skus = known(tx, rules, {row[1] for row in held}, now)
    bought: dict[str, list[Bought]] = {}
    for line_id, *link in tx.query(_LINKS, shop=shop, order_id=order_id):
        bought.setdefault(line_id, []).append(Bought(*link))
    for row in held:
        queued, unlinked, through = row[12:]
        waits = Waits(row[1], row[2], queued, unlinked, through, bought.get(row[0], ()))
        lines[row[0]]["expected_at"] = skus.expected_at(waits)
    return {
        "shop": shop,
        "order_id": order_id,
        "status": status(lines.values()),
        "restock_status": restock_status(sum(row[11] for row in rows), sum(r[5] for r in rows)),
        "holds": json_value(found[0][0]),
        "expected_at": latest(lines[row[0]]["expected_at"] for row in held),
        "lines": list(lines.values()),
    }


def _line(row: tuple[Any, ...]) -> OrderLineView:
    return {
        "line_id": row[0],
        "sku": row[1],
        "ordered": row[3],
        "allocated": row[4],
        "released": 0,
        "shortage": row[5],
        "pending": row[6],
        "drop_ship": row[7],
        "shipped": row[8],
        "cancelled": row[9],
        "rejected": row[10],
        "expected_at": None,
        "allocations": [],
    }


def _allocate(line: OrderLineView, source: str | None, qty: int, *, told: bool) -> None:
    """Add an allocation; a line filled in parts from one source shows one sum."""
    if told:
        line["released"] += qty
    for units in line["allocations"]:
        if units["source"] == source:
            units["qty"] += qty
            return
    line["allocations"].append(AllocatedUnits(source=source, qty=qty))


def status(lines: Iterable[OrderLineView]) -> OrderStatus:
    """Return how far an order is, by the first that holds (contract.md §6)."""
    total = {"pending": 0, "shortage": 0, "waits": 0, "open": 0, "shipped": 0, "cancelled": 0}
    for line in lines:
        total["pending"] += line["pending"]
        total["shortage"] += line["shortage"]
        total["waits"] += line["allocated"] - line["released"]
        total["open"] += line["allocated"] + line["drop_ship"]
        total["shipped"] += line["shipped"]
        total["cancelled"] += line["cancelled"]
    if total["pending"]:
        return "pending"
    if total["shortage"]:
        return "held"
    if total["waits"]:
        return "ready"
    if total["open"]:
        return "open"
    if total["shipped"]:
        return "shipped"
    return "cancelled" if total["cancelled"] else "rejected"


def restock_status(short: int, shortage: int) -> RestockStatus | None:
    """Return how much of what was ever short is there by now.

    `short`: units of the order that were ever short and are not cancelled; `shortage`: those of
    them that wait still.
    """
    if short == 0:
        return None
    if shortage == 0:
        return "full"
    return "none" if shortage >= short else "partial"
