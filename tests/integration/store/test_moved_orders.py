"""What of an order stands on each of its lines too, so that a queue is read without the order."""

from handlers.policy import Rules
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database
from tests.support.builders import (
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
)
from tests.support.keeping import rows
from tests.support.rules import rule
from tests.support.telling import tell


@rule("O10", "P4", "S4")
def test_lines_that_left_before_the_payment_came_move_with_their_order(database: Database) -> None:
    tell(
        database,
        place_changed("WH1"),
        place_changed("WH2"),
        order_placed("1", [("A", 2), ("B", 3)], holds=("payment",)),
        order_shipped("1", "s", "WH1", [("1", 2)]),
        shop_changed("main", sources=["WH2"]),
        order_hold_cleared("1", "payment"),
    )
    assert rows(database, schema.orders, "destination") == ["WH2"]
    assert rows(database, schema.order_lines, "line_id", "shipped", "destination") == [
        ("1", 2, "WH2"),
        ("2", 0, "WH2"),
    ]
    with database.read() as tx:
        assert inspect(tx, Rules())["differences"] == []
