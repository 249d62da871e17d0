"""How often a message was tried without coming to an end: what kills its worker leaves this behind.

`begin` counts a try and is committed before the try begins; `forget` belongs to the transaction
that settles the message. What `begin` still finds was tried by workers that ended over it. The
broker's own count will not do: a message that is merely in hand when a worker ends is counted there
as well.
"""

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from store import schema
from store.columns import instant_text
from store.statements import Query
from store.transaction import Transaction

_BEGIN = Query(
    """
    INSERT INTO suspects (body_hash, tries, seen_at)
    SELECT body_hash, 1, seen_at FROM {given} WHERE true
    ON CONFLICT (body_hash) DO UPDATE
        SET tries = suspects.tries + 1, seen_at = excluded.seen_at
    RETURNING body_hash, tries
    """,
    (("body_hash", "text"), ("seen_at", "timestamptz")),
)
_TRIES = Query(
    """
    SELECT t.body_hash, t.tries
    FROM {given} CROSS JOIN suspects AS t WHERE t.body_hash = given.body_hash
    """,
    (("body_hash", "text"),),
)


def hash_of(body: bytes) -> str:
    """Return what a message is known by before anybody has read it: its SHA-256, in hex."""
    return sha256(body).hexdigest()


def begin(tx: Transaction, hashes: Collection[str], now: datetime) -> dict[str, int]:
    """Count a try of each message; return the number of this try, 1 for the first."""
    at = instant_text(now)
    return dict(tx.query(_BEGIN, [(key, at) for key in sorted(set(hashes))]))


def tries(tx: Transaction, hashes: Collection[str]) -> dict[str, int]:
    """Return how often each was tried without an end; one that never was is left out."""
    return dict(tx.query(_TRIES, [(key,) for key in sorted(set(hashes))]))


def forget(tx: Transaction, hashes: Collection[str]) -> None:
    """Forget the tries of messages that are settled in this transaction."""
    tx.delete(schema.suspects, [(key,) for key in set(hashes)])
