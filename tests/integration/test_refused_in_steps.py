"""An event that waited for a busy sku and that the database then refuses: it alone is set aside."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from handlers.policy import Rules
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.desk import finish, hear, open_desk
from tests.support.keeping import rows
from tests.support.rules import rule
from workers.process import Desk

SMALL_STEPS = Rules(fill_step_lines_max=1)
HELD = 40  # lines: more than one step fills


@contextmanager
def refusing(database: Database, order_id: str) -> Iterator[None]:
    """Let the database take no order of this name."""
    if database.dialect.name == "sqlite":
        made = (
            "CREATE TRIGGER refusing BEFORE INSERT ON orders "
            f"WHEN NEW.order_id = '{order_id}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    else:
        made = f"ALTER TABLE orders ADD CONSTRAINT refusing CHECK (order_id <> '{order_id}')"
    with database.begin() as tx:
        tx.connection.execute(text(made))
    yield


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url, SMALL_STEPS) as opened:
        yield opened


@rule("S6", "S13", "L5")
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["good", "refused", "also good"], id="F23-among-others"),
        pytest.param(["refused"], id="F23-alone"),
    ],
)
def test_a_step_goes_on_without_the_event_the_database_refuses(
    desk: Desk, names: list[str]
) -> None:
    database = desk.database
    hear(desk, place_changed("WH1"), item_changed("A", policy={"backorder_limit": 2 * HELD}))
    hear(desk, *(order_placed(f"held {n}", [("A", 1)]) for n in range(HELD)))
    hear(desk, stock_received("r", "WH1", [("A", HELD)]))
    assert rows(database, schema.items, "busy") == [True]
    hear(desk, *(order_placed(name, [("A", 1)]) for name in names))
    assert len(rows(database, schema.waiting)) == len(names)
    with refusing(database, "refused"):
        finish(desk)
    assert rows(database, schema.waiting) == []
    assert rows(database, schema.items, "busy") == [False]
    assert rows(database, schema.set_aside, "reason") == ["gave_up"]
    kept = set(rows(database, schema.orders, "order_id"))
    assert kept == {f"held {n}" for n in range(HELD)} | set(names) - {"refused"}
    with database.read() as tx:
        assert inspect(tx, SMALL_STEPS)["differences"] == []
