"""An event on a sku that a walk has not reached yet: the walk's change first, then its own (S6)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from handlers.policy import Rules
from handlers.state import Keys
from store import schema
from store.audit.inspection import inspect
from store.statements import Query
from store.transaction import Database
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.desk import NOW, finish
from tests.support.keeping import after_waiting, rows, still_waits, stored
from tests.support.rules import rule
from tests.support.telling import tell
from workers.clock import SettableClock
from workers.process import Desk


@rule("R10", "S6", "P3")
def test_a_vendor_set_ahead_of_a_walk_is_asked_for_what_lines_want(database: Database) -> None:
    tell(
        database,
        place_changed("WH1"),
        item_changed("A", policy={"sourcing": "buy_to_order"}),
        order_placed("1", [("A", 3)]),
        stock_received("r", "WH2", [("A", 1)]),
    )
    tell(database, place_changed("WH2"), item_changed("A", vendor="V"), steps=False)
    assert rows(database, schema.links, "order_id", "qty") == [("1", 3)]
    finish(Desk(database, Rules(), SettableClock(NOW)))
    assert rows(database, schema.replenishment_lines, "qty", "linked") == [(3, 3)]
    with database.read() as tx:
        assert inspect(tx, Rules())["differences"] == []


@rule("S6", "S13", "L6")
def test_how_far_a_walk_has_come_is_read_under_the_locks_of_the_skus(postgres: Database) -> None:
    """Read before, a sku it passes meanwhile would be left to it: nobody would tell its status."""
    tell(postgres, place_changed("WH1"), item_changed("A"), item_changed("B"))
    tell(postgres, place_changed("WH1", enabled=False), steps=False)
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            tx.query(Query("SELECT t.sku FROM items AS t WHERE t.sku = 'A' {lock}"))
            waits = pool.submit(stored, postgres, Keys(skus={"A"}))
            assert still_waits(waits)
            tx.run(Query("UPDATE tasks SET cursor = 'A' WHERE kind = 'walk'"))
        again = partial(stored, postgres, Keys(skus={"A"}))
        walks = after_waiting(waits, again).walks
    assert {walk.cursor for walk in walks} == {"A"}
