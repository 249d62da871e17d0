"""Orders that wait: for their payment, a hold, a person, the rest of the order, or goods."""

from datetime import timedelta
from typing import Any

from events.envelope import Event
from handlers.policy import Rules
from store.transaction import Database
from store.views.backorders import Wanted, backorders
from store.views.orders import order
from store.views.shapes import OrderView
from store.views.stock import stock
from store.views.supply import Chosen, replenishments
from tests.support.builders import item_changed, order_placed, shop_changed, stock_received
from tests.support.rules import rule
from tests.support.story import FIRST, NOW
from tests.support.telling import tell
from tests.support.wire import T0


def _placed(order_id: str, *lines: tuple[str, int], minute: int = 0, **rest: Any) -> Event:  # noqa: ANN401 - any field of it
    return order_placed(order_id, lines, placed_at=T0 + timedelta(minutes=minute), **rest)


def _order(database: Database, order_id: str) -> OrderView:
    with database.read() as tx:
        found = order(tx, Rules(), "main", order_id, NOW)
    assert found is not None
    return found


READY: dict[str, tuple[dict[str, Any], bool]] = {
    "a person": ({"release": "manual"}, True),
    "a hold": ({"holds": ["fraud"]}, True),
    "the rest": ({"ship_mode": "complete"}, True),
    "the payment": ({"holds": ["payment"]}, False),
    "nothing": ({}, False),
}


@rule("O9", "O10")
def test_ready_orders_wait_for_a_person_a_hold_or_the_rest(database: Database) -> None:
    placed = [
        _placed(name, ("A", 1), ("Z", 1), minute=minute, **fields)
        for minute, (name, (fields, _ready)) in enumerate(READY.items())
    ]
    tell(database, shop_changed(), stock_received("r1", "WH1", [("A", 9)]), *placed)
    with database.read() as tx:
        found = list(backorders(tx, Rules(), Wanted(ready=True), NOW))
        here = list(backorders(tx, Rules(), Wanted(ready=True, source="WH1", sku="A"), NOW))
        elsewhere = list(backorders(tx, Rules(), Wanted(ready=True, source="WH2"), NOW))
    assert [row["order_id"] for row in found] == [
        name for name, (_fields, ready) in READY.items() if ready
    ]
    assert (here, elsewhere) == (found, [])
    assert [line["shortage"] for line in found[0]["lines"]] == [0, 1]


@rule("O10")
def test_an_order_is_pending_until_it_is_paid_and_ready_until_it_may_go(database: Database) -> None:
    tell(
        database,
        stock_received("r1", "WH1", [("A", 9)]),
        _placed("1", ("A", 1), holds=["payment"]),
        _placed("2", ("A", 1), holds=["fraud"]),
        _placed("3", ("A", 1), release="manual"),
    )
    found = [_order(database, name) for name in ("1", "2", "3")]
    assert [row["status"] for row in found] == ["pending", "ready", "ready"]
    units = [(row["lines"][0]["allocated"], row["lines"][0]["released"]) for row in found]
    assert units == [(0, 0), (1, 0), (1, 0)]


def test_a_longer_queue_takes_no_more_statements(database: Database) -> None:
    def statements() -> list[int]:
        counts = []
        with database.read() as tx:
            for view in (
                lambda: order(tx, Rules(), "main", "0", NOW),
                lambda: stock(tx, Rules(), "A", NOW),
                lambda: list(backorders(tx, Rules(), Wanted(), NOW)),
                lambda: list(backorders(tx, Rules(), Wanted(ready=True), NOW)),
                lambda: list(replenishments(tx, Rules(), Chosen(), NOW)),
                lambda: list(replenishments(tx, Rules(), Chosen(FIRST), NOW)),
            ):
                before = tx.statements
                assert view() is not None
                counts.append(tx.statements - before)
        return counts

    def more(first: int, last: int) -> list[Event]:
        lines = [("A", 2), ("B", 2), ("D", 1), ("S", 1)]
        return [_placed(str(n), *lines, minute=n, ship_mode="complete") for n in range(first, last)]

    tell(
        database,
        item_changed("A", vendor="V"),
        item_changed("B", vendor="V", policy={"sourcing": "buy_to_order"}),
        item_changed("D", vendor="W", policy={"sourcing": "drop_ship"}),
        stock_received("r1", "WH1", [("S", 50)]),
        *more(0, 2),
    )
    before = statements()
    tell(database, *more(2, 20))
    assert statements() == before
    assert max(before) < 16
