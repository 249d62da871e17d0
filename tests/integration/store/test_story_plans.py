"""`explain` among many exceptions of others: those of the order are looked up, not looked for."""

import pytest

from store import schema
from store.columns import instant_text
from store.statements import Row
from store.transaction import Database
from store.views.story import story
from tests.support.builders import order_placed
from tests.support.telling import tell
from tests.support.wire import T0

MANY = 20_000


@pytest.mark.slow
def test_exceptions_of_other_orders_are_not_read(database: Database) -> None:
    tell(database, order_placed("1", [("A", 1)]))
    told = ("over_shipment", None, "more was shipped", "{}", instant_text(T0))
    others: list[Row] = [(f"e{n}", *told, 1, n, "main", f"other {n}") for n in range(MANY)]
    with database.begin() as tx:
        tx.append(schema.exceptions, others)
    on_postgres = database.dialect.name == "postgresql"
    if on_postgres:
        connected = database.engine.connect()
        with connected.execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE exceptions")
    with database.read() as tx:
        assert story(tx, "main", "1") is not None
        (asked,) = [sql for sql in tx.trail if "FROM exceptions" in sql]
        word = "EXPLAIN " if on_postgres else "EXPLAIN QUERY PLAN "
        sql = asked.replace(":shop", "'main'").replace(":order_id", "'1'")
        plan = "\n".join(str(row[-1]) for row in tx.connection.exec_driver_sql(word + sql))
    assert "ix_exceptions_of_order" in plan
