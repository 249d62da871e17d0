"""What one table must say of another, as one statement that returns what differs.

The columns of every statement: sku, place, expected, found, then those named in `Relation.refs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from store.audit.difference import different
from store.statements import Query
from store.transaction import Transaction
from store.views.shapes import Difference


@dataclass(frozen=True, slots=True)
class Relation:
    """`what` must be as the rule says."""

    rule: str
    what: str
    refs: tuple[str, ...]
    query: Query


def broken(tx: Transaction, relation: Relation) -> Iterator[Difference]:
    """Yield where it does not hold."""
    for sku, place, expected, found, *refs in tx.stream(relation.query):
        told = dict(zip(relation.refs, refs, strict=True))
        yield different(relation.rule, relation.what, (sku, place), (expected, found), **told)
