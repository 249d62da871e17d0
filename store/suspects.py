"""Messages that may have ended their worker: how often each was tried, by the SHA-256 of its body.

A try is counted in a transaction of its own before it begins; the transaction that settles the
message forgets it. What is left counts workers that ended over it.
"""

from collections.abc import Collection
from datetime import datetime

from store import schema
from store.columns import instant_text
from store.statements import Query
from store.transaction import Transaction

_BEGIN = Query(
    """
    INSERT INTO suspects (body_hash, tries, seen_at)
    SELECT given.body_hash, 1, given.seen_at FROM {given} WHERE true
    ON CONFLICT (body_hash) DO UPDATE SET tries = suspects.tries + 1, seen_at = excluded.seen_at
    RETURNING body_hash, tries
    """,
    (("body_hash", "text"), ("seen_at", "timestamptz")),
)


def begin(tx: Transaction, hashes: Collection[str], now: datetime) -> dict[str, int]:
    """Count one more try of each; return how many each has had, this one included."""
    at = instant_text(now)
    return dict(tx.query(_BEGIN, [(body_hash, at) for body_hash in sorted(set(hashes))]))


def forget(tx: Transaction, hashes: Collection[str]) -> None:
    """They were settled, so they end no worker."""
    tx.delete(schema.suspects, [(body_hash,) for body_hash in set(hashes)])
