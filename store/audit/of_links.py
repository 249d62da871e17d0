"""Links: what lines, replenishments and docks must say of what is bought for single lines (R10)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from handlers.rows.orders import CUSTOMER
from handlers.state import INCOMING, ReplenishmentState
from store.audit.difference import different
from store.audit.relation import Relation
from store.columns import json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference

_LINE = ("shop", "order_id", "line_id")

RELATIONS = (
    Relation(
        "R10",
        "links: the line they are of",
        (*_LINE, "replenishment_id"),
        Query(
            """
            SELECT k.sku, NULL, 1, 0, k.shop, k.order_id, k.line_id, k.replenishment_id
            FROM links AS k
            LEFT JOIN order_lines AS l
                ON l.shop = k.shop AND l.order_id = k.order_id AND l.line_id = k.line_id
            WHERE l.line_id IS NULL
            """
        ),
    ),
    Relation(
        "R10",
        "links: sku, priority, placed_at, position",
        (*_LINE, "replenishment_id"),
        Query(
            """
            SELECT l.sku, NULL,
                l.sku || ' ' || CAST(l.priority AS text) || ' ' || CAST(l.placed_at AS text)
                    || ' ' || CAST(l.position AS text),
                k.sku || ' ' || CAST(k.priority AS text) || ' ' || CAST(k.placed_at AS text)
                    || ' ' || CAST(k.position AS text),
                k.shop, k.order_id, k.line_id, k.replenishment_id
            FROM links AS k
            JOIN order_lines AS l
                ON l.shop = k.shop AND l.order_id = k.order_id AND l.line_id = k.line_id
            WHERE k.sku <> l.sku OR k.priority <> l.priority OR k.placed_at <> l.placed_at
                OR k.position <> l.position
            """
        ),
    ),
    Relation(
        "R10",
        "links by automation, of lines it buys for",
        (*_LINE, "replenishment_id"),
        Query(
            """
            SELECT l.sku, NULL, 0, k.qty, k.shop, k.order_id, k.line_id, k.replenishment_id
            FROM links AS k
            JOIN order_lines AS l
                ON l.shop = k.shop AND l.order_id = k.order_id AND l.line_id = k.line_id
            WHERE NOT k.by_hand AND l.sourced NOT IN ('buy_to_order', 'drop_ship')
            """
        ),
    ),
    Relation(
        "R10",
        "links: where they are delivered",
        (*_LINE, "replenishment_id"),
        Query(
            """
            SELECT l.sku, r.destination,
                CASE WHEN l.sourced = 'drop_ship' THEN 'customer' ELSE o.destination END,
                r.destination, k.shop, k.order_id, k.line_id, k.replenishment_id
            FROM links AS k
            JOIN order_lines AS l
                ON l.shop = k.shop AND l.order_id = k.order_id AND l.line_id = k.line_id
            JOIN orders AS o ON o.shop = k.shop AND o.order_id = k.order_id
            JOIN replenishments AS r ON r.replenishment_id = k.replenishment_id
            WHERE (l.sourced = 'drop_ship') <> (r.destination LIKE 'customer:%%')
                OR (l.sourced <> 'drop_ship' AND NOT k.by_hand AND r.destination <> o.destination)
            """
        ),
    ),
    Relation(
        "R10",
        "links: the line of the replenishment they are to",
        ("replenishment_id",),
        Query(
            """
            SELECT k.sku, NULL, 0, CAST(SUM(k.qty) AS bigint), k.replenishment_id
            FROM links AS k
            LEFT JOIN replenishment_lines AS l
                ON l.replenishment_id = k.replenishment_id AND l.sku = k.sku
            WHERE l.sku IS NULL
            GROUP BY k.sku, k.replenishment_id
            """
        ),
    ),
)

_BOUGHT = Query(
    """
    SELECT l.sku, r.destination, r.replenishment_id, r.vendor, r.state,
        COALESCE(i.busy, FALSE), l.qty, l.manual, l.received, l.linked, l.picked, l.docked,
        COALESCE(k.linked, 0), COALESCE(k.picked, 0)
    FROM replenishment_lines AS l
    JOIN replenishments AS r ON r.replenishment_id = l.replenishment_id
    LEFT JOIN items AS i ON i.sku = l.sku
    LEFT JOIN (
        SELECT replenishment_id, sku,
            CAST(SUM(CASE WHEN by_hand THEN 0 ELSE qty END) AS bigint) AS linked,
            CAST(SUM(CASE WHEN by_hand THEN qty ELSE 0 END) AS bigint) AS picked
        FROM links GROUP BY replenishment_id, sku
    ) AS k ON k.replenishment_id = l.replenishment_id AND k.sku = l.sku
    WHERE l.linked > 0 OR l.picked > 0 OR l.docked <> '[]' OR k.sku IS NOT NULL
        OR (r.state = 'open' AND r.destination LIKE 'customer:%%')
    """
)
_PICKS = Query("SELECT place FROM places WHERE kind = 'source' AND enabled")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a replenishment; `linked` and `picked` are sums of links, `kept_…` its counters."""

    sku: str
    destination: str
    replenishment_id: str
    vendor: str
    state: str
    busy: bool
    qty: int
    manual: int
    received: int
    kept_linked: int
    kept_picked: int
    docked: str
    linked: int
    picked: int

    @property
    def for_lines(self) -> int:
        """Units bought for single lines."""
        return self.linked + self.picked

    def different(
        self, what: str, numbers: tuple[int, int], place: str | None = None
    ) -> Difference:
        """Return a difference in it."""
        refs = {"replenishment_id": self.replenishment_id, "vendor": self.vendor}
        return different("R10", what, (self.sku, place or self.destination), numbers, **refs)


def differences(tx: Transaction) -> Iterator[Difference]:
    """Yield lines of replenishments whose counters or capacity their links contradict."""
    picks = {place for (place,) in tx.query(_PICKS)}
    for row in tx.stream(_BOUGHT):
        line = _Line(*row)
        if line.linked != line.kept_linked:
            numbers = (line.linked, line.kept_linked)
            yield line.different("replenishment_lines.linked", numbers)
        if line.picked != line.kept_picked:
            numbers = (line.picked, line.kept_picked)
            yield line.different("replenishment_lines.picked", numbers)
        if not line.busy:  # else the last step of its task brings links to what comes (S6)
            yield from _too_many(line, picks)


def _too_many(line: _Line, picks: Collection[str]) -> Iterator[Difference]:
    """Yield links beyond what comes, and units at docks beyond the links."""
    docked: dict[str, int] = dict(json_value(line.docked))
    for place in sorted(docked.keys() & picks):
        what = "replenishment_lines.docked, where orders are served from"
        yield line.different(what, (0, docked[place]), place)
    lies = sum(docked.values())
    if lies > line.for_lines:
        what = "replenishment_lines.docked, at most its links"
        yield line.different(what, (line.for_lines, lies))
    is_open = line.state == ReplenishmentState.OPEN
    comes = max(0, line.qty - line.received) if line.state in INCOMING else 0
    most = line.qty if is_open else comes + lies
    if line.for_lines > most:
        yield line.different("links to a replenishment, at most what comes", (most, line.for_lines))
    elif is_open and line.destination.startswith(CUSTOMER):
        asked = line.for_lines + line.manual  # nothing is rounded that goes to a customer
        if asked != line.qty:
            yield line.different("replenishment_lines.qty, to a customer", (asked, line.qty))
