"""`audit` finds every stored counter that is not what it should be, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import insert

from handlers.policy import Rules
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database, Transaction
from tests.support.corruptions import CORRUPTIONS, everything
from tests.support.story import FIRST
from tests.support.telling import tell


class _RollBackError(Exception):
    """The corruption was seen and is not kept."""


@contextmanager
def _undone(database: Database) -> Iterator[Transaction]:
    """A transaction whose changes are not kept."""
    with suppress(_RollBackError), database.begin() as tx:
        yield tx
        raise _RollBackError


def test_a_database_that_adds_up_has_no_differences(database: Database) -> None:
    tell(database, *everything())
    with database.read() as tx:
        found = inspect(tx, Rules())
    assert found["differences"] == []
    emitted = found["checked"].pop("emitted")
    assert found["checked"].pop("outbox") == emitted > 20
    assert found["checked"] == {
        "items": 5,
        "stock": 4,
        "movements": 5,
        "demand": 3,
        "orders": 7,
        "order_lines": 8,
        "allocations": 4,
        "replenishments": 2,
        "replenishment_lines": 3,
        "replenishment_slots": 1,
        "waiting": 1,
        "tasks": 0,
    }


def test_every_corrupted_counter_is_found_and_nothing_else(database: Database) -> None:
    tell(database, *everything())
    found = {}
    for name, (corrupt, _expected) in CORRUPTIONS.items():
        with _undone(database) as tx:
            corrupt(tx)
            differences = inspect(tx, Rules())["differences"]
            found[name] = {f"{row['rule']} {row['what']}" for row in differences}
    assert found == {name: expected for name, (_corrupt, expected) in CORRUPTIONS.items()}


def test_a_difference_says_what_where_expected_and_found(database: Database) -> None:
    tell(database, *everything())
    with _undone(database) as tx:
        for name in ("on_hand", "outstanding", "allocated of a line"):
            CORRUPTIONS[name][0](tx)
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
