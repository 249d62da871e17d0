"""`audit` finds every stored counter that is not what it should be, and nothing else (§8)."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy import insert

from handlers.policy import Rules
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database, Transaction
from tests.support.corrupting import Corruptions, told
from tests.support.corruptions import OF_GOODS, OF_MESSAGES, OF_SUPPLY
from tests.support.corruptions_of_orders import LAST, OF_LINES
from tests.support.corruptions_of_promises import OF_ALLOCATIONS, OF_LINKS
from tests.support.full_story import full_story
from tests.support.rules import rule
from tests.support.story import FIRST
from tests.support.telling import tell

CORRUPTIONS = {
    "goods": OF_GOODS,
    "supply": OF_SUPPLY,
    "messages": OF_MESSAGES,
    "lines": OF_LINES,
    "allocations": OF_ALLOCATIONS,
    "links": OF_LINKS,
    "sums": LAST,
}


class _RollBackError(Exception):
    """The corruption was seen and is not kept."""


@contextmanager
def _undone(database: Database) -> Iterator[Transaction]:
    """A transaction whose changes are not kept."""
    with suppress(_RollBackError), database.begin() as tx:
        yield tx
        raise _RollBackError


@rule("L4")
def test_a_database_that_adds_up_has_no_differences(database: Database) -> None:
    tell(database, *full_story())
    with database.read() as tx:
        found = inspect(tx, Rules())
    assert found["differences"] == []
    emitted = found["checked"].pop("emitted")
    assert found["checked"].pop("outbox") == emitted > 20
    assert found["checked"] == {
        "items": 15,
        "stock": 12,
        "movements": 14,
        "demand": 8,
        "orders": 17,
        "order_lines": 19,
        "allocations": 7,
        "links": 4,
        "replenishments": 6,
        "replenishment_lines": 8,
        "replenishment_slots": 4,
        "waiting": 2,
        "tasks": 0,
    }


@rule("L4")
@pytest.mark.parametrize("corruptions", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_every_corrupted_counter_is_found_and_nothing_else(
    database: Database, corruptions: Corruptions
) -> None:
    tell(database, *full_story())
    found = {}
    for name, (corrupt, _expected) in corruptions.items():
        with _undone(database) as tx:
            corrupt(tx)
            found[name] = {told(row) for row in inspect(tx, Rules())["differences"]}
    assert found == {name: expected for name, (_corrupt, expected) in corruptions.items()}


def test_a_difference_says_what_where_expected_and_found(database: Database) -> None:
    tell(database, *full_story())
    with _undone(database) as tx:
        for name in ("on_hand", "outstanding", "allocated of a line"):
            {**OF_GOODS, **OF_SUPPLY, **OF_LINES}[name][0](tx)
        line = {"shop": "main", "order_id": "4", "line_id": "1"}
        assert inspect(tx, Rules())["differences"] == [
            {
                "rule": "L2",
                "what": "stock.on_hand",
                "sku": "A",
                "place": "WH1",
                "refs": {},
                "expected": 5,
                "found": 6,
            },
            {
                "rule": "L3",
                "what": "order_lines.allocated",
                "sku": "A",
                "place": None,
                "refs": line,
                "expected": 0,
                "found": 1,
            },
            {
                "rule": "R4",
                "what": "replenishment_lines.outstanding",
                "sku": "A",
                "place": "WH1",
                "refs": {"replenishment_id": FIRST, "vendor": "V"},
                "expected": 9,
                "found": 8,
            },
        ]


def test_a_counter_of_a_sku_nobody_knows_is_found(database: Database) -> None:
    with database.begin() as tx:
        tx.connection.execute(
            insert(schema.stock).values(sku="X", place="WH", on_hand=1, allocated=0, clock=0)
        )
    with database.read() as tx:
        (found,) = inspect(tx, Rules())["differences"]
    assert (found["sku"], found["expected"], found["found"]) == ("X", 0, 1)
