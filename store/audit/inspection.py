"""One audit, within one transaction that sees one state of everything.

1. Sku by sku: stock, demand, and the rules that relate them (`by_sku`).
2. Relation by relation: lines, allocations, replenishments, messages (`of_…`).
"""

from collections.abc import Callable

from handlers.policy import Rules
from store import rule_settings
from store.audit import (
    by_sku,
    of_counts,
    of_lines,
    of_links,
    of_messages,
    of_orders,
    of_releases,
    of_supply,
    of_told,
)
from store.audit.relation import broken
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import AuditView, Difference

_TABLES = (
    "items",
    "stock",
    "movements",
    "demand",
    "orders",
    "order_lines",
    "allocations",
    "links",
    "replenishments",
    "replenishment_lines",
    "replenishment_slots",
    "emitted",
    "outbox",
    "waiting",
    "tasks",
)
_COUNTS = Query("SELECT " + ", ".join(f"(SELECT COUNT(*) FROM {name})" for name in _TABLES))  # noqa: S608 - our own names

_RELATIONS = (
    *of_orders.RELATIONS,
    *of_releases.RELATIONS,
    *of_links.RELATIONS,
    *of_supply.RELATIONS,
    *of_messages.RELATIONS,
)
_LOOKS = (
    of_lines.differences,
    of_links.differences,
    of_supply.unconfirmed,
    of_counts.differences,
    of_told.differences,
)

Tell = Callable[[int, int], None]


def inspect(tx: Transaction, rules: Rules, tell: Tell | None = None) -> AuditView:
    """Return what was looked at, in rows, and every difference.

    `tell` is called with the skus done and the skus there are, now and then.
    """
    tx.survey()
    (counts,) = tx.query(_COUNTS)
    checked = dict(zip(_TABLES, counts, strict=True))
    # What waits may still follow the settings of the last `backship init`: either is right.
    kept = rule_settings.in_force(tx, rules)
    judged_by = [rules] if kept is None or kept == rules else [rules, kept]
    found: list[Difference] = []
    for done, differences in enumerate(by_sku.differences(tx, judged_by), 1):
        found += differences
        if tell is not None:
            tell(done, checked["items"])
    over = [row for row in found if row["what"] == by_sku.OVER_ALLOCATED]
    if over:
        told = by_sku.explained(tx, over)
        found = [row for row in found if row not in over or (row["sku"], row["place"]) not in told]
    for relation in _RELATIONS:
        found += broken(tx, relation)
    for look in _LOOKS:
        found += look(tx)
    return {"checked": checked, "differences": sorted(found, key=_in_order)}


def _in_order(row: Difference) -> tuple[str, ...]:
    about = (f"{name}={value}" for name, value in row["refs"].items())
    return (row["rule"], row["what"], row["sku"] or "", row["place"] or "", *about)
