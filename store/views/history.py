"""`backship emitted` and `backship exceptions`: what was told, in the order it was decided.

Both may be long: they are yielded as they come from the database.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from store.columns import instant_text, json_value
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import ExceptionView

_EMITTED = Query(
    """
    SELECT t.body FROM emitted AS t
    WHERE (:type = '' OR t.type = :type) AND t.time >= :since
    ORDER BY t.clock, t.n, t.id
    """
)
_EXCEPTIONS = Query(
    """
    SELECT t.code, t.reason, t.message, t.refs, t.at FROM exceptions AS t
    ORDER BY t.clock, t.n, t.id
    """
)

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def emitted(tx: Transaction, *, kind: str = "", since: datetime = EVER) -> Iterator[str]:
    """Yield the envelopes that were emitted, as they went out; "" is any type."""
    for (body,) in tx.stream(_EMITTED, type=kind, since=instant_text(since)):
        yield body


def exceptions(tx: Transaction) -> Iterator[ExceptionView]:
    """Yield what a person must look at."""
    for code, reason, message, refs, at in tx.stream(_EXCEPTIONS):
        yield {
            "code": code,
            "reason": reason,
            "message": message,
            "refs": json_value(refs),
            "at": tx.instant(at),
        }
