"""The ledger looked back into: what moved since a count (S8), and when units last left (S7)."""

# ruff: noqa: S608 - what is put into SQL are words of our own

from datetime import datetime

from handlers.rules.stocks import BOOKED
from handlers.state import Keys, State, StockKey
from store.columns import instant_text
from store.statements import Columns, Query
from store.transaction import Transaction

# What corrects the books is no movement of goods.
_REAL = f"t.reason NOT IN ({', '.join(repr(reason) for reason in sorted(BOOKED))})"

_STOCK: Columns = (("sku", "text"), ("place", "text"))

_SINCE = Query(
    f"""
    SELECT given.sku, given.place, t.happened_at,
        CAST(SUM(CASE WHEN t.target = given.place THEN t.qty ELSE -t.qty END) AS bigint)
    FROM {{given}} CROSS JOIN movements AS t
    WHERE t.sku = given.sku AND t.happened_at > given.counted_at AND {_REAL}
        AND (t.target = given.place OR t.origin = given.place)
    GROUP BY given.sku, given.place, t.happened_at
    ORDER BY given.sku, given.place, t.happened_at
    """,
    (*_STOCK, ("counted_at", "timestamptz")),
)
_LEFT = Query(
    f"""
    SELECT given.sku, given.place, (
        SELECT t.happened_at FROM movements AS t
        WHERE t.sku = given.sku AND t.origin = given.place AND {_REAL}
        ORDER BY t.happened_at DESC LIMIT 1
    )
    FROM {{given}}
    """,
    _STOCK,
)


def load(tx: Transaction, state: State, keys: Keys) -> None:
    """Read, under the locks of the skus, what the batch asks of the ledger."""
    _since(tx, state, keys)
    if keys.left:
        stock = sorted((sku, place) for sku, item in state.items.items() for place in item.stock)
        state.left = {
            (sku, place): tx.instant(at) for sku, place, at in tx.query(_LEFT, stock) if at
        }


def _since(tx: Transaction, state: State, keys: Keys) -> None:
    counted: dict[StockKey, datetime] = {}
    for sku, place, at in keys.counts:
        counted[sku, place] = min(at, counted.get((sku, place), at))
    state.since = {key: [] for key in counted}
    given = sorted((sku, place, instant_text(at)) for (sku, place), at in counted.items())
    for sku, place, at, units in tx.query(_SINCE, given):
        state.since[sku, place].append((tx.instant(at), units))
