"""Whatever is saved is loaded again as it was: orders with their lines, on both engines."""

from datetime import UTC, datetime, timedelta

from handlers.policy import Rules
from handlers.state import (
    Allocation,
    Item,
    Keys,
    Line,
    Link,
    Order,
    Sourced,
    State,
)
from store import schema
from store.transaction import Database
from tests.support.keeping import rows, save_state, stored
from tests.support.rules import rule

AT = datetime(2026, 3, 1, 7, 30, 0, 123456, tzinfo=UTC)
LATER = AT + timedelta(days=9)
HUGE = 123456789012345678901234567890
ODD = 'O\'Hara "the\\ 2nd"\n\tÅ 名前 🎁 {x} %s :y NULL'


def _state() -> State:
    return State(Rules(), catalogue_locked=True)


def _order() -> Order:
    order = Order(
        shop="main",
        order_id=ODD.replace("\n", "").replace("\t", ""),
        placed_at=AT,
        judged_at=LATER,
        priority=3,
        destination="WH1",
        data_hash="h",
        ship_mode="complete",
        release="manual",
        holds=("fraud", "payment"),
        version=2,
        version_hash="v",
        customer={"email": "a@b.example", "ids": [HUGE, 1.5, None, True]},
        ship_to={"street": ODD},
        allocation_count=3,
    )
    held = Line(order, "b", 1, "A", 9, shortage=2, shipped=1, cancelled=1, short=2)
    held.held_since, held.told, held.told_expected_at, held.told_days = AT, True, LATER, 0
    held.name, held.unit_price = ODD, HUGE
    held.sourced, held.group, held.staff_held = Sourced.STOCK, ODD, True
    held.links = [Link(held, "R-1", by_hand=True, qty=1)]
    held.allocations = [
        Allocation(1, "WH1", 3, release_id="r1"),
        Allocation(2, "WH1", 2, by_fill=True),
    ]
    free = Line(order, "a", 0, "B", 1, sourced=Sourced.UNMANAGED, unit_price="12.50")
    free.allocations = [Allocation(3, None, 1)]
    other = Line(order, "c", 2, "A", 6, pending=1, drop_ship=2, rejected=3, unit_price=0)
    other.sourced = Sourced.DROP_SHIP
    bought = Line(order, "d", 3, "A", 5, shortage=5, sourced=Sourced.BUY_TO_ORDER)
    bought.links = [
        Link(bought, "R-1", by_hand=False, qty=1),
        Link(bought, "R-1", by_hand=True, qty=2),
        Link(bought, "R-2", by_hand=False, qty=1),
    ]
    order.lines = {"a": free, "b": held, "c": other, "d": bought}
    return order


def test_an_order_comes_back_whole_with_its_lines_in_order(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    again = stored(database, Keys(orders={order.key, ("main", "nobody")}))
    found = again.orders[order.key]
    assert found.values() == found.loaded == order.values()
    assert list(found.lines) == ["a", "b", "c", "d"]
    for line_id, line in order.lines.items():
        same = found.lines[line_id]
        assert same.order is found
        assert same.values() == same.loaded == line.values()
        assert [row.values() for row in same.allocations] == [
            row.values() for row in line.allocations
        ]
        assert all(row.loaded == row.values() for row in same.allocations)
        assert [(row.line, *row.values()) for row in same.links] == [
            (same, *row.values()) for row in line.links
        ]
        assert all(row.loaded == row.values() for row in same.links)
    assert again.unknown_orders == {("main", "nobody")}


def test_the_skus_of_a_named_order_are_locked_with_it(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    assert set(stored(database, Keys(orders={order.key})).items) == {"A", "B"}


def test_what_changed_of_an_order_is_written_and_nothing_else(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    again = stored(database, Keys(orders={order.key}))
    line = again.orders[order.key].lines["b"]
    line.allocations[0].qty = 0  # gone
    line.allocations[1].qty = 4
    line.allocations[1].release_id = "r2"
    line.allocations.append(Allocation(4, "WH2", 1))
    again.orders[order.key].allocation_count = 4
    save_state(database, again)
    last = stored(database, Keys(orders={order.key})).orders[order.key]
    assert [row.values() for row in last.lines["b"].allocations] == [
        (2, "WH1", 4, True, "r2"),
        (4, "WH2", 1, False, None),
    ]
    assert last.allocation_count == 4
    assert rows(database, schema.order_lines, "line_id", "allocated") == [
        ("a", 1),
        ("b", 5),
        ("c", 0),
        ("d", 0),
    ]


def test_what_is_derived_of_a_line_is_kept_beside_it(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    names = ("queued", "fillable", "linked", "unlinked", "unreleased")
    assert rows(database, schema.order_lines, "line_id", "sourced", *names) == [
        ("a", "unmanaged", 0, 0, 0, 0, 1),
        ("b", "stock", 1, 0, 1, 0, 2),
        ("c", "drop_ship", 0, 0, 0, 2, 0),
        ("d", "buy_to_order", 0, 0, 4, 1, 0),
    ]


def test_what_changed_of_the_links_of_a_line_is_written_with_it(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    save_state(database, state)
    again = stored(database, Keys(orders={order.key}))
    line = again.orders[order.key].lines["d"]
    line.links[0].qty = 0  # gone
    line.links[1].qty = 1
    line.links.append(Link(line, "R-3", by_hand=False, qty=3))
    line.links.append(Link(line, "R-4", by_hand=False, qty=0))  # never there
    save_state(database, again)
    last = stored(database, Keys(orders={order.key})).orders[order.key]
    assert [row.values() for row in last.lines["d"].links] == [
        ("R-1", True, 1),
        ("R-2", False, 1),
        ("R-3", False, 3),
    ]
    assert rows(database, schema.order_lines, "linked", "unlinked")[3] == (5, 0)
    assert rows(database, schema.links, "line_id", "replenishment_id", "qty", "sku", "position")[
        -1
    ] == ("d", "R-3", 3, "A", 3)
    assert rows(database, schema.links, "priority", "placed_at") == [(3, AT)] * 4


@rule("O9")
def test_a_line_of_a_sku_that_is_not_locked_may_be_released(database: Database) -> None:
    order = _order()
    state = _state()
    state.orders = {order.key: order}
    state.items = {"B": Item("B", base_status="backorder")}
    save_state(database, state)
    again = stored(database, Keys(skus={"B"}, usable_orders={order.key}))
    assert set(again.items) == {"B"}
    line = again.orders[order.key].lines["b"]
    line.allocations[1].release_id = "r2"
    save_state(database, again)
    assert rows(database, schema.order_lines, "unreleased") == [1, 0, 0, 0]
    last = stored(database, Keys(orders={order.key})).orders[order.key]
    assert [row.release_id for row in last.lines["b"].allocations] == ["r1", "r2"]
