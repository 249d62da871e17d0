"""Counts and findings: checkpoints of the ledger, and units it owes to what came before (S7, S8).

Where nothing was ever counted, what is owed is what was found less what was taken back. A count
forgets what is owed before it; what it may itself owe is at most what it left there.
"""

from collections.abc import Iterator

from store.audit.difference import different
from store.columns import instant_text, json_value
from store.statements import Query
from store.transaction import Moment, Transaction
from store.views.shapes import Difference

_FOUND = Query(
    """
    SELECT s.sku, s.place, s.counted_at, s.owed,
        COALESCE(CAST(SUM(m.found) AS bigint), 0), COALESCE(CAST(SUM(m.back) AS bigint), 0),
        COALESCE(CAST(SUM(m.before) AS bigint), 0), MAX(m.checked_at)
    FROM stock AS s
    LEFT JOIN (
        SELECT m.sku, t.place,
            CASE WHEN m.reason = 'found' AND m.target = t.place
                AND (t.counted_at IS NULL OR m.happened_at > t.counted_at)
                THEN m.qty ELSE 0 END AS found,
            CASE WHEN m.reason = 'taken_back' AND m.origin = t.place
                THEN m.qty ELSE 0 END AS back,
            CASE WHEN m.happened_at > t.counted_at OR t.counted_at IS NULL THEN 0
                WHEN m.target = t.place THEN m.qty ELSE -m.qty END AS before,
            CASE WHEN m.reason IN ('counted', 'offset') THEN m.happened_at END AS checked_at
        FROM stock AS t
        JOIN movements AS m ON m.sku = t.sku AND (m.target = t.place OR m.origin = t.place)
        WHERE t.counted_at IS NOT NULL OR t.owed IS NOT NULL
            OR m.reason IN ('found', 'taken_back', 'counted', 'offset')
    ) AS m ON m.sku = s.sku AND m.place = s.place
    GROUP BY s.sku, s.place, s.counted_at, s.owed
    HAVING s.counted_at IS NOT NULL OR s.owed IS NOT NULL OR COUNT(m.sku) > 0
    """
)


def differences(tx: Transaction) -> Iterator[Difference]:
    """Yield places whose last count or whose owed units the ledger contradicts."""
    for sku, place, counted_at, owed, found, back, before, checked_at in tx.stream(_FOUND):
        where = (sku, place)
        counted, checked = tx.instant(counted_at), tx.instant(checked_at)
        if checked is not None and (counted is None or counted < checked):
            times = (_told(checked), _told(counted))
            yield different("S8", "stock.counted_at, not before what it checked", where, times)
        findings = [] if owed is None else json_value(owed)
        units = sum(qty for _at, qty in findings)
        if counted is None:
            if units != found - back:
                yield different("S7", "stock.owed", where, (found - back, units))
        elif units > found + before:
            what = "stock.owed, at most what was found"
            yield different("S7", what, where, (found + before, units))
        moments = [at for at, _qty in findings]
        if counted is not None and any(at <= instant_text(counted) for at in moments):
            what = "stock.owed, after the last count"
            yield different("S8", what, where, (_told(counted), min(moments)))
        if moments != sorted(moments) or any(qty <= 0 for _at, qty in findings):
            yield different("S7", "stock.owed, the earliest first", where, (1, 0))


def _told(moment: Moment) -> str | None:
    return None if moment is None else instant_text(moment)
