"""What is kept of each line besides its own quantities, derived again (L4, R10).

`allocated` and `unreleased` are sums of its allocations, `linked` is one of its links; `queued`,
`fillable` and `unlinked` follow from these, the shortage and how the line was judged.
"""

from collections.abc import Iterator
from typing import Any

from handlers.state import Sourced
from store.audit.difference import different
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference

_LINES = Query(
    """
    SELECT l.sku, l.shop, l.order_id, l.line_id, l.sourced, l.staff_held, l.shortage, l.drop_ship,
        COALESCE(a.qty, 0), l.allocated, COALESCE(a.unreleased, 0), l.unreleased,
        COALESCE(k.qty, 0), l.linked, l.queued, l.fillable, l.unlinked
    FROM order_lines AS l
    LEFT JOIN (
        SELECT shop, order_id, line_id, CAST(SUM(qty) AS bigint) AS qty,
            CAST(SUM(CASE WHEN release_id IS NULL THEN qty ELSE 0 END) AS bigint) AS unreleased
        FROM allocations GROUP BY shop, order_id, line_id
    ) AS a ON a.shop = l.shop AND a.order_id = l.order_id AND a.line_id = l.line_id
    LEFT JOIN (
        SELECT shop, order_id, line_id, CAST(SUM(qty) AS bigint) AS qty
        FROM links GROUP BY shop, order_id, line_id
    ) AS k ON k.shop = l.shop AND k.order_id = l.order_id AND k.line_id = l.line_id
    WHERE a.qty IS NOT NULL OR k.qty IS NOT NULL OR l.allocated > 0 OR l.unreleased > 0
        OR l.linked > 0 OR l.shortage > 0 OR l.drop_ship > 0 OR l.queued > 0 OR l.fillable > 0
        OR l.unlinked > 0
    """
)


def differences(tx: Transaction) -> Iterator[Difference]:
    """Yield every such counter that is another, and lines more is bought for than they need."""
    for row in tx.stream(_LINES):
        yield from _of_one(*row)


def _of_one(sku: str, shop: str, order_id: str, line_id: str, *row: Any) -> Iterator[Difference]:  # noqa: ANN401 - columns
    sourced, staff_held, shortage, drop_ship, *sums, queued, fillable, unlinked = row
    allocated, kept_allocated, unreleased, kept_unreleased, linked, kept_linked = sums
    single = sourced == Sourced.BUY_TO_ORDER
    by_vendor = sourced == Sourced.DROP_SHIP
    needed = drop_ship if by_vendor else shortage
    where = (sku, None)
    line = {"shop": shop, "order_id": order_id, "line_id": line_id}
    if linked > needed:
        what = "links of a line, at most what it needs"
        yield different("R10", what, where, (needed, linked), **line)
    to_link = needed if single or by_vendor else None
    for rule, name, expected, found in (
        ("L3", "allocated", allocated, kept_allocated),
        ("L4", "unreleased", unreleased, kept_unreleased),
        ("L4", "linked", linked, kept_linked),
        ("L4", "queued", _queued(sourced, shortage, linked), queued),
        ("L4", "fillable", 0 if staff_held or single else shortage, fillable),
        ("L4", "unlinked", 0 if to_link is None else max(0, to_link - linked), unlinked),
    ):
        if expected != found:
            yield different(rule, f"order_lines.{name}", where, (expected, found), **line)


def _queued(sourced: str, shortage: int, linked: int) -> int:
    """Return what waits for what is bought for the whole queue (R2)."""
    match sourced:
        case Sourced.BUY_TO_ORDER:
            return 0
        case Sourced.DROP_SHIP:
            return shortage
        case _:
            return max(0, shortage - linked)
