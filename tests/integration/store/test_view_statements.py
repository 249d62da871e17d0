"""Every view takes a fixed number of statements, however much there is to show."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from handlers.policy import Rules
from store.audit.inspection import inspect
from store.transaction import Database, Transaction
from store.views.backorders import Wanted, backorders
from store.views.dead import dead_groups, dead_list
from store.views.history import emitted, exceptions
from store.views.orders import order
from store.views.stock import stock
from store.views.supply import Chosen, replenishments
from tests.support.builders import item_changed, order_placed, stock_counted, stock_received
from tests.support.story import NOW
from tests.support.telling import tell
from tests.support.wire import T0

VIEWS: dict[str, Callable[[Transaction], object]] = {
    "order": lambda tx: order(tx, Rules(), "main", "0", NOW),
    "stock": lambda tx: stock(tx, Rules(), "S0", NOW),
    "backorders": lambda tx: list(backorders(tx, Rules(), Wanted(), NOW)),
    "ready": lambda tx: list(backorders(tx, Rules(), Wanted(ready=True), NOW)),
    "replenishments": lambda tx: list(replenishments(tx, Rules(), Chosen(), NOW)),
    "emitted": lambda tx: list(emitted(tx)),
    "exceptions": lambda tx: list(exceptions(tx)),
    "dead": lambda tx: [dead_groups(tx), list(dead_list(tx))],
    "audit": lambda tx: inspect(tx, Rules()),
}


def _counts(database: Database) -> dict[str, int]:
    counts = {}
    for name, view in VIEWS.items():
        with database.read() as tx:
            assert view(tx) is not None
            counts[name] = tx.statements
    return counts


@pytest.mark.slow
def test_the_number_of_statements_does_not_grow_with_what_is_there(database: Database) -> None:
    def add(count: int, first: int) -> None:
        for n in range(first, first + count):
            lines = [(f"S{n}", 2), (f"T{n}", 2)]
            tell(
                database,
                item_changed(f"S{n}", vendor=f"V{n}"),
                stock_received(f"r{n}", "main", [(f"S{n}", 1)]),
                order_placed(str(n), lines, placed_at=T0 + timedelta(seconds=n)),
                stock_counted(f"c{n}", "main", [(f"S{n}", 1)]),
            )

    add(1, first=0)
    before = _counts(database)
    add(7, first=1)
    assert _counts(database) == before
    assert max(before.values()) < 100
