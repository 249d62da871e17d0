"""What an older program has written is there after an upgrade, and means the same."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from handlers.state import Keys, Sourced
from store import migrations, schema, waiting
from store.columns import instant_text
from store.transaction import Database
from tests.support.keeping import rows, stored

AT = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
NOON = f"'{instant_text(AT)}'"
ROWS_OF_0004 = [
    "INSERT INTO items VALUES ('A', NULL, NULL, '[]', '{}', FALSE, 'backorder', 1)",
    "INSERT INTO stock VALUES ('A', 'WH1', 9, 5, 1)",
    "INSERT INTO demand VALUES ('A', 'WH1', 'main', 7, 1)",
    f"""INSERT INTO orders VALUES ('main', '1', {NOON}, {NOON}, 100, 'WH1', 'h', 'partial', 'auto',
        '[]', 2, '{{}}', NULL, 3, 1)""",
    f"""INSERT INTO order_lines VALUES ('main', '1', 'a', 0, 'A', 12, 7, 0, 0, 0, 0, 0, 7, TRUE,
        {NOON}, TRUE, NULL, 'n', '5', 5, 'WH1', 100, {NOON})""",
    f"""INSERT INTO order_lines VALUES ('main', '1', 'b', 1, 'B', 2, 0, 0, 0, 0, 0, 0, 0, FALSE,
        NULL, FALSE, NULL, NULL, NULL, 2, 'WH1', 100, {NOON})""",
    "INSERT INTO allocations VALUES ('main', '1', 'a', 1, 'WH1', 2, FALSE, 'r')",
    "INSERT INTO allocations VALUES ('main', '1', 'a', 2, 'WH1', 3, TRUE, NULL)",
    "INSERT INTO allocations VALUES ('main', '1', 'b', 3, NULL, 2, FALSE, 'r')",
    f"""INSERT INTO replenishments VALUES ('R', 'acme', 'WH1', {NOON}, 'finalized', TRUE, 2, 2, 7,
        {NOON}, NULL, 1)""",
    "INSERT INTO replenishment_lines VALUES ('R', 'A', 7, 1, 0, 2, '[]', 5)",
    *(
        f"INSERT INTO inbox VALUES ('/x', '{n}', '{kind}', 'h', '{'{}'}', {NOON}, 'waiting', NULL)"
        for n, kind in enumerate(("OrderCancelled", "OrderShipped", "OrderPlaced"))
    ),
    "INSERT INTO waiting VALUES ('/x', '0', 'main', '9', NULL, 1, 0)",
    "INSERT INTO waiting VALUES ('/x', '1', 'main', '9', NULL, 1, 1)",
    "INSERT INTO waiting VALUES ('/x', '2', NULL, NULL, 'A', 1, 2)",
    f"""INSERT INTO tasks VALUES ('t', 'fill', '/x', '2', 'StockReceived', {NOON}, 'A', 'WH1', 4,
        NULL, NULL, '', 1, 0)""",
    f"""INSERT INTO movements VALUES ('/x', '2', 0, 'StockReceived', 'A', 9, NULL, 'WH1', 'vendor',
        {NOON}, 'received', 1)""",
    f"""INSERT INTO exceptions VALUES ('e', 'over_shipment', NULL, 'm',
        '{{"shop":"main","order_id":"1","line_id":"a"}}', {NOON}, 1, 0)""",
    f"""INSERT INTO exceptions VALUES ('f', 'stock_missing', NULL, 'm',
        '{{"sku":"A","place":"WH1"}}', {NOON}, 1, 1)""",
]


@pytest.fixture
def upgraded(database_url: str) -> Iterator[Database]:
    """A database of version 0004 with rows in it, brought up to the newest."""
    database = Database(database_url)
    migrations.upgrade(database, "0004")
    with database.begin() as tx:
        for statement in ROWS_OF_0004:
            tx.connection.exec_driver_sql(statement)
    assert migrations.upgrade(database).current == "0004"
    yield database
    database.close()


def test_an_upgrade_with_rows_ends_with_the_same_tables_as_one_without(upgraded: Database) -> None:
    upgraded.check_schema()
    assert migrations.difference(upgraded) == []


def test_orders_of_an_older_program_are_loaded_as_they_were(upgraded: Database) -> None:
    order = stored(upgraded, Keys(orders={("main", "1")})).orders["main", "1"]
    assert (order.version, order.version_hash, order.customer) == (2, "", {})
    assert [line.sourced for line in order.lines.values()] == [Sourced.STOCK, Sourced.UNMANAGED]
    held = order.lines["a"]
    assert (held.shortage, held.group, held.staff_held, held.told_days) == (7, None, False, None)
    assert (held.held_since, held.told, held.unit_price) == (AT, True, 5)
    assert [row.values() for row in held.allocations] == [
        (1, "WH1", 2, False, "r"),
        (2, "WH1", 3, True, None),
    ]
    assert held.links == []


def test_what_is_kept_beside_a_line_is_what_is_derived_from_it(upgraded: Database) -> None:
    order = stored(upgraded, Keys(orders={("main", "1")})).orders["main", "1"]
    names = ("allocated", "queued", "fillable", "linked", "unlinked", "unreleased")
    assert rows(upgraded, schema.order_lines, *names) == [
        tuple(getattr(line, name) for name in names) for line in order.lines.values()
    ]


def test_goods_and_supply_of_an_older_program_are_loaded_as_they_were(upgraded: Database) -> None:
    state = stored(upgraded, Keys(skus={"A"}, usable={"A"}))
    item = state.items["A"]
    assert item.stock["WH1"].values() == ("A", "WH1", 9, 5, None, ())
    assert item.demand["WH1", "main"].values() == ("A", "WH1", "main", 7, 7, 7)
    assert item.queues is not None
    assert [line.line_id for line in item.queues["WH1", "main"].lines] == ["a"]
    assert item.links == {}
    line = state.replenishments["R"].lines["A"]
    assert line.values() == ("A", 7, 1, 0, 0, 2, (), ())
    assert rows(upgraded, schema.replenishment_lines, "outstanding") == [5]
    assert rows(upgraded, schema.movements, "qty") == [9]
    assert rows(upgraded, schema.tasks, "kind", "sku", "arrived") == [("fill", "A", 4)]


def test_what_waited_waits_and_only_what_may_come_too_late_has_a_time(upgraded: Database) -> None:
    names = ("event_id", "shop", "order_id", "sku", "replenishment_id", "received_at")
    assert rows(upgraded, schema.waiting, *names) == [
        ("0", "main", "9", None, None, None),
        ("1", "main", "9", None, None, AT),
        ("2", None, None, "A", None, None),
    ]
    with upgraded.read() as tx:
        assert waiting.has_overdue(tx, AT)


def test_an_exception_is_found_by_the_order_it_is_about(upgraded: Database) -> None:
    names = ("id", "shop", "order_id")
    assert rows(upgraded, schema.exceptions, *names) == [("e", "main", "1"), ("f", None, None)]
