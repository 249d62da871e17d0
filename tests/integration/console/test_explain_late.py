"""`explain`: events without an effect, orders nobody knows, names that look alike."""

from typing import Any

from store.transaction import Database
from store.views.story import story
from tests.support.builders import (
    order_cancelled,
    order_changed,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.command import Inside
from tests.support.rules import rule
from tests.support.telling import deliver, tell


def _texts(backship: Inside, name: str) -> list[tuple[str | None, str]]:
    rows: list[dict[str, Any]] = backship.json("explain", name)
    return [(row["rule"], row["text"]) for row in rows]


@rule("C3", "C4")
def test_events_that_wait_or_were_set_aside_are_told_last(
    database: Database, backship: Inside
) -> None:
    shipped = order_shipped("7", "S7", "WH1", [("1", 1)])
    tell(database, shipped, order_placed("1", [("A", 1)]), order_placed("1", [("A", 2)]))
    broken = (
        b'{"specversion": "1.0", "id": "broken", "source": "/shops/main", "type": "OrderPlaced",'
        b' "data": {"shop": "main", "order_id": "8", "placed_at": "2026-11-21T10:00:00Z",'
        b' "lines": []}}'
    )
    deliver(database, broken)
    assert _texts(backship, "main/7") == [("C3", "shipment S7 waits for the order it names")]
    ((number, text),) = _texts(backship, "main/8")
    assert number is None
    assert text.startswith("order 8 had no effect and was set aside (malformed): data.lines")
    *_story, last = _texts(backship, "main/1")
    conflict = "order main/1 was placed with other content"
    assert last == ("C4", f"order 1 had no effect and was set aside (conflict): {conflict}")


@rule("S6")
def test_an_order_that_waits_for_a_busy_sku_is_known(database: Database, backship: Inside) -> None:
    tell(database, stock_received("r1", "WH1", [("A", 1)]))
    with database.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE items SET busy = TRUE WHERE sku = 'A'")
    tell(database, order_placed("1", [("A", 1)]), steps=False)
    assert _texts(backship, "main/1") == [
        ("S6", "order 1 waits: sku A is being served to others first")
    ]


def test_an_order_nobody_knows_is_null_and_ends_with_1(
    database: Database, backship: Inside
) -> None:
    tell(database, order_placed("1", [("A", 1)]))
    assert backship.json("explain", "main/2", status=1) is None
    ended = backship.run("explain", "web/1")
    assert (ended.status, ended.out, ended.err) == (1, "", "Order web/1 is not known.\n")
    assert backship.run("explain", "nothing").status == 2


def test_names_that_look_alike_have_stories_of_their_own(
    database: Database, backship: Inside
) -> None:
    """The subject "eu/main/1" is that of two orders."""
    tell(
        database,
        order_placed("main/1", [("A", 1)], shop="eu"),
        order_placed("1", [("A", 2)], shop="eu/main"),
        order_placed('"7"\\', [("A", 3)]),
    )
    assert "1 unit of A waits" in backship.done("explain", "eu/main/1")
    told = [text for _rule, text in _texts(backship, 'main/"7"\\')]
    assert [text for text in told if text.startswith("the shop")] == [
        "the shop was told that 3 units of A wait, with no date"
    ]


def test_a_story_takes_a_fixed_number_of_statements(database: Database) -> None:
    def statements() -> int:
        with database.read() as tx:
            assert story(tx, "main", "0") is not None
            return tx.statements

    tell(database, order_placed("0", [("A", 1)]), order_shipped("none", "S", "WH1", [("1", 1)]))
    before = statements()
    for n in range(1, 6):
        tell(
            database,
            order_changed("0", [("A", n + 1)], version=n),
            stock_received(f"r{n}", "WH1", [("A", 1)]),
            order_placed(str(n), [("A", 1)]),
            order_cancelled("0", [("1", 1)], event_id=f"c{n}"),
        )
    assert statements() == before < 12
