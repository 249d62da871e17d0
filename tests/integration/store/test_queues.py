"""Held lines: the heads of their queues in order (S4), bounded (S6); who stands behind (R10)."""

import random
from datetime import timedelta

import pytest

from events.outbound import BackToShip
from handlers.keys import keys_of
from handlers.policy import Policy, Rules
from handlers.rows.items import Queue
from handlers.state import Keys, Unloaded
from store.transaction import Database
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.keeping import keep, stored
from tests.support.rules import rule
from tests.support.wire import T0


def ranks(queue: Queue) -> list[tuple[str, str]]:
    return [(line.order.order_id, line.line_id) for line in queue.lines]


def hold(database: Database, *orders: tuple[str, str, int, int]) -> None:
    """Orders that wait for sku A: (shop, order id, priority, minutes after T0)."""
    keep(
        database,
        *(
            order_placed(
                order_id,
                [("A", 1), ("A", 2)],
                shop=shop,
                priority=priority,
                placed_at=T0 + timedelta(minutes=minutes),
            )
            for shop, order_id, priority, minutes in orders
        ),
    )


@rule("S4")
def test_heads_come_in_rank_order_shop_by_shop(database: Database) -> None:
    hold(
        database,
        ("main", "b", 100, 5),
        ("main", "a", 100, 5),
        ("main", "late", 100, 9),
        ("main", "first", 1, 99),
        ("Main", "other shop", 100, 0),
    )
    item = stored(database, Keys(skus={"A"}, usable={"A"})).items["A"]
    assert item.queues is not None
    assert set(item.queues) == {("main", "main"), ("main", "Main")}
    assert ranks(item.queues["main", "main"]) == [
        (order_id, line_id) for order_id in ("first", "a", "b", "late") for line_id in ("1", "2")
    ]
    assert not item.queues["main", "main"].more


def test_heads_are_not_read_where_nothing_can_be_filled(database: Database) -> None:
    hold(database, ("main", "a", 100, 0))
    keep(database, stock_received("R1", "main", [("B", 5)]))
    state = stored(database, Keys(skus={"A", "B"}))
    assert state.items["A"].queues is None  # somebody waits, nothing is there
    assert state.items["B"].queues == {}  # nobody waits
    assert state.orders == {}


def test_heads_are_read_where_units_lie_free(database: Database) -> None:
    keep(
        database,
        item_changed("A", policy={"safety_stock": 5}),
        stock_received("R", "main", [("A", 5)]),
    )
    hold(database, ("main", "a", 100, 0))
    item = stored(database, Keys(skus={"A"})).items["A"]
    assert item.queues is not None
    assert ranks(item.queues["main", "main"]) == [("a", "1"), ("a", "2")]
    keep(database, place_changed("main", enabled=False))
    assert stored(database, Keys(skus={"A"})).items["A"].queues is None


def test_heads_are_read_of_the_skus_of_an_order_that_frees_units(database: Database) -> None:
    hold(database, ("main", "a", 100, 0), ("main", "b", 100, 1))
    keys = Keys(orders={("main", "b")}, usable_orders={("main", "b")})
    item = stored(database, keys).items["A"]
    assert item.queues is not None
    assert len(item.queues["main", "main"].lines) == 4


@rule("S9")
@pytest.mark.parametrize(
    ("qty", "source", "frees"), [(2, "WH1", False), (3, "WH1", True), (1, "WH2", True)]
)
def test_heads_are_read_of_what_left_where_it_was_not_to_leave(
    database: Database, qty: int, source: str, *, frees: bool
) -> None:
    keep(database, place_changed("WH1"), stock_received("r1", "WH1", [("A", 2)]))
    keep(database, order_placed("1", [("A", 2), ("B", 1)]), order_placed("2", [("A", 1)]))
    shipped = order_shipped("1", "s", source, [("1", qty)])
    state = stored(database, keys_of([shipped]))
    assert set(state.items) == {"A"}  # of the order's other lines nothing changes
    assert (state.items["A"].queues is not None) is frees
    assert [line.sku for line in state.orders["main", "1"].lines.values()] == ["A", "B"]


@rule("S9", "S6")
def test_of_an_order_that_leaves_the_lines_that_left_and_those_that_wait_are_read(
    database: Database,
) -> None:
    keep(
        database,
        place_changed("WH1"),
        stock_received("r1", "WH1", [("A", 1), ("C", 1), ("D", 1)]),
        order_placed("1", [("A", 1), ("B", 2), ("C", 1), ("D", 1)]),
    )
    shipped = order_shipped("1", "s", "WH1", [("3", 1)])
    order = stored(database, keys_of([shipped])).order_in_part(("main", "1"))
    assert order is not None
    assert [line.sku for line in order.lines.values()] == ["B", "C"]
    cancelled = order_cancelled("1")
    assert len(stored(database, keys_of([shipped, cancelled])).orders["main", "1"].lines) == 4


@rule("S1", "S2")
def test_heads_are_read_of_what_comes_to_a_source_and_not_of_what_comes_to_a_dock(
    database: Database,
) -> None:
    keep(database, place_changed("WH1"), place_changed("D1", kind="dock", feeds="WH1"))
    hold(database, ("main", "a", 100, 0))
    received = stock_received("r1", "D1", [("A", 1)])
    moved = stock_transferred("t1", "D1", "WH1", [("A", 1)])
    somewhere = stock_received("r2", "new", [("A", 1)])
    turned = place_changed("D1", kind="source")
    for events, read in (
        ([received], False),
        ([moved], True),
        ([somewhere], True),
        ([turned, received], True),
    ):
        assert (stored(database, keys_of(events)).items["A"].queues is not None) is read


@rule("R12")
def test_of_an_order_that_may_get_another_date_the_lines_of_that_sku_are_read(
    database: Database,
) -> None:
    keep(database, order_placed("1", [("A", 1), ("B", 2), ("A", 3)]))
    state = stored(database, Keys(skus={"A"}, dated={"A": None}))
    assert [line.line_id for line in state.orders["main", "1"].lines.values()] == ["1", "3"]
    both = stored(database, Keys(skus={"A"}, dated={"A": None}, usable={"A"}))
    assert len(both.orders["main", "1"].lines) == 3
    for asked in (state.order, state.order_in_part):
        with pytest.raises(Unloaded):
            asked(("main", "1"))


@rule("S6")
def test_only_as_many_lines_are_read_as_one_step_may_fill(database: Database) -> None:
    hold(database, *(("main", f"{n:02}", 100, n) for n in range(12)))
    for lines_max, read, more in ((24, 24, False), (23, 23, True), (20, 20, True), (1, 16, True)):
        rules = Rules(fill_step_lines_max=lines_max)
        state = stored(database, Keys(skus={"A"}, usable={"A"}), rules)
        queues = state.items["A"].queues
        assert queues is not None
        queue = queues["main", "main"]
        assert (len(queue.lines), queue.more) == (read, more)
        assert ranks(queue) == [(f"{n // 2:02}", str(n % 2 + 1)) for n in range(read)]


@rule("S6")
def test_what_one_step_may_fill_is_shared_by_the_skus_it_fills(database: Database) -> None:
    skus = [f"S{n}" for n in range(4)]
    keep(
        database,
        *(
            order_placed(f"{n:02}", [(sku, 1) for sku in skus], placed_at=T0 + timedelta(minutes=n))
            for n in range(30)
        ),
    )
    state = stored(database, Keys(skus=set(skus), usable=set(skus)), Rules(fill_step_lines_max=80))
    for sku in skus:
        queues = state.items[sku].queues
        assert queues is not None
        assert len(queues["main", "main"].lines) == 20


def test_a_line_that_waits_no_more_heads_no_queue(database: Database) -> None:
    hold(database, ("main", "a", 100, 0), ("main", "b", 100, 1))
    keep(database, order_cancelled("a", ["1"]))
    item = stored(database, Keys(skus={"A"}, usable={"A"})).items["A"]
    assert item.queues is not None
    assert ranks(item.queues["main", "main"]) == [("a", "2"), ("b", "1"), ("b", "2")]
    assert {row.shortage for row in item.demand.values()} == {5}


def read_of(database: Database, keys: Keys) -> list[str]:
    """The skus of the lines of order 1 that were read."""
    return [line.sku for line in stored(database, keys).orders["main", "1"].lines.values()]


def test_of_the_orders_of_heads_only_the_lines_that_wait_are_read(database: Database) -> None:
    keep(database, place_changed("WH1"), stock_received("r1", "WH1", [("B", 2), ("C", 1)]))
    keep(database, order_placed("1", [("A", 1), ("B", 2), ("C", 3), ("A", 4), ("D", 5)]))
    keep(database, order_cancelled("1", ["5"]))
    assert read_of(database, Keys(skus={"A"}, usable={"A"})) == ["A", "C", "A"]
    named = Keys(skus={"A", "B", "C", "D"}, usable={"A"}, orders={("main", "1")})
    assert read_of(database, named) == ["A", "B", "C", "A", "D"]


@rule("O9")
@pytest.mark.parametrize("ship_mode", ["complete", "line"])
def test_orders_that_do_not_leave_in_parts_are_read_whole(
    database: Database, ship_mode: str
) -> None:
    keep(database, order_placed("1", [("A", 1), ("B", 2)], ship_mode=ship_mode))
    assert read_of(database, Keys(skus={"A"}, usable={"A"})) == ["A", "B"]


@rule("O9")
def test_what_leaves_only_together_and_what_may_leave_now_is_read(database: Database) -> None:
    keep(database, place_changed("WH1"), stock_received("r1", "WH1", [("D", 1)]))
    b, c = ({"line_id": n, "sku": n, "qty": 1, "group": "g"} for n in ("B", "C"))
    keep(database, order_placed("1", [("A", 1), b, c, ("D", 1), ("E", 1)], release="manual"))
    keep(database, order_cancelled("1", ["5"]))
    assert read_of(database, Keys(skus={"A"}, usable={"A"})) == ["A", "B", "C", "D"]


@rule("O9")
def test_an_order_read_in_part_is_not_complete_before_the_rest_of_it_is(
    database: Database,
) -> None:
    keep(database, place_changed("WH1"))
    keep(database, order_placed("1", [("A", 1), ("B", 1), ("C", 1)]), order_cancelled("1", ["3"]))
    complete = [
        emission.message.order_complete
        for sku in ("A", "B")
        for emission in keep(
            database, stock_received(f"r-{sku}", "WH1", [(sku, 1)])
        ).decision.emissions
        if isinstance(emission.message, BackToShip)
    ]
    assert complete == [False, True]


def test_an_order_read_in_part_is_asked_for_where_it_is_named(database: Database) -> None:
    keep(database, order_placed("1", [("A", 1), ("B", 2)]))
    state = stored(database, Keys(skus={"A"}, usable={"A"}))
    with pytest.raises(Unloaded) as asked:
        state.order(("main", "1"))
    assert (asked.value.kind, asked.value.key) == ("orders", ("main", "1"))


@rule("R10", "R11")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_who_stands_behind_is_summed_as_a_model_sums_it(database: Database, seed: int) -> None:
    draw = random.Random(seed)
    keep(database, shop_changed("far", destination="P2", sources=["P2"]), place_changed("P2"))
    keep(database, shop_changed("main", destination="P1", sources=["P1"]), place_changed("P1"))
    waiting = []
    for number in range(24):
        shop = draw.choice(["main", "Main", "far"])
        rank = (draw.randint(1, 3), T0 + timedelta(minutes=draw.randint(0, 4)), shop, str(number))
        qty = draw.randint(1, 9)
        waiting.append((rank, qty))
        keep(
            database,
            order_placed(str(number), [("A", qty)], shop=shop, priority=rank[0], placed_at=rank[1]),
        )
    state = stored(database, Keys())
    home = {"main": "P1", "Main": "P1", "far": "P2"}
    probes = set()
    expected = {}
    for _ in range(40):
        shop = draw.choice(["main", "Main", "far", "new"])
        own = (
            draw.randint(1, 3),
            T0 + timedelta(minutes=draw.randint(0, 4)),
            shop,
            str(draw.randint(0, 30)),
        )
        probe = ("A", shop, own[3], own[0], own[1])
        at = home.get(shop, "P1")
        if ("A", shop, own[3], at) in expected:
            continue
        probes.add(probe)
        expected["A", shop, own[3], at] = sum(
            qty for rank, qty in waiting if home[rank[2]] == at and rank > own
        )
    assert state.behind == {}
    found = stored(database, Keys(skus={"A"}, probes=probes)).behind
    assert found == expected


def test_behind_is_not_asked_where_nobody_waits(database: Database) -> None:
    keep(database, stock_received("R1", "main", [("A", 50)]))
    kept = keep(database, order_placed("1", [("A", 5)]))
    assert not [sql for sql in kept.trail if "SUM(t.shortage)" in sql]
    assert kept.state.behind == {}


def test_a_policy_is_resolved_from_the_item_its_vendor_and_the_defaults(
    database: Database,
) -> None:
    rules = Rules(defaults=Policy(pack_size=4, min_order_qty=7))
    keep(database, item_changed("A", policy={"pack_size": 9}))
    policy = stored(database, Keys(skus={"A"}), rules).items["A"].policy
    assert (policy.pack_size, policy.min_order_qty) == (9, 7)
