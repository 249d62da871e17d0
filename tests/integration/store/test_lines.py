"""Lines a decision may have to change: to be linked (R10), dated (R12), or to give back (S8)."""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from handlers.decision import Decision
from handlers.policy import Rules
from handlers.rows.items import Some
from handlers.rows.supply import ReplenishmentState
from handlers.state import Keys, Rank, Sourced, Stock
from store import schema
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.builders import item_changed, order_placed
from tests.support.hand_made import allocated, bought, empty, item_of, linked, waits
from tests.support.keeping import NOW, after_waiting, keep, rows, save_state, still_waits, stored
from tests.support.rules import rule

FEW = Rules(fill_step_lines_max=1)  # 16 of each are read all the same
OPEN = ReplenishmentState.OPEN


def ids(some: Some | None) -> list[str]:
    assert some is not None
    return [line.order.order_id for line in some.lines]


# ---------------------------------------------------------------- wanting


@rule("R10")
def test_lines_without_their_links_are_wanting_in_rank_order(database: Database) -> None:
    state = empty()
    supply = bought(state, "R", 9)
    waits(state, "late", minutes=9, sourced=Sourced.BUY_TO_ORDER)
    waits(state, "first", minutes=99, priority=1, sourced=Sourced.DROP_SHIP)
    waits(state, "queued")
    partly = waits(state, "partly", 2, minutes=3, sourced=Sourced.BUY_TO_ORDER)
    wholly = waits(state, "wholly", 2, minutes=3, sourced=Sourced.BUY_TO_ORDER)
    linked(partly, supply, "R")
    linked(wholly, supply, "R", 2)
    save_state(database, state)
    again = stored(database, Keys(skus={"A"}, orderable={"A"}))
    assert ids(again.items["A"].wanting) == ["first", "partly", "late"]
    assert not again.items["A"].wanting.more
    assert ids(stored(database, Keys(skus={"A"})).items["A"].wanting) == []


@rule("R10", "S6")
@pytest.mark.parametrize("count", [16, 17])
def test_only_as_many_are_wanting_as_one_step_may_link(database: Database, count: int) -> None:
    state = empty()
    item_of(state, "A").vendor = "V"
    for n in range(count):
        waits(state, f"{n:02}", minutes=n, sourced=Sourced.BUY_TO_ORDER)
    save_state(database, state)
    wanting = stored(database, Keys(skus={"A"}, orderable={"A"}), FEW).items["A"].wanting
    assert ids(wanting) == [f"{n:02}" for n in range(16)]
    assert wanting.more is (count > 16)


@rule("R10", "P3")
def test_links_on_what_another_vendor_would_be_sent_are_wanting_too(database: Database) -> None:
    state = empty()
    item_of(state, "A").vendor = "new"
    for name, vendor, kind, by_hand in (
        ("old", "old", OPEN, False),
        ("by hand", "old", OPEN, True),
        ("sent", "gone", ReplenishmentState.FINALIZED, False),
        ("new", "new", OPEN, False),
    ):
        supply = bought(state, name, vendor=vendor, destination=name, state=kind)
        linked(waits(state, name, sourced=Sourced.BUY_TO_ORDER), supply, name, by_hand=by_hand)
    waits(state, "bare", minutes=-1, sourced=Sourced.DROP_SHIP)
    save_state(database, state)
    again = stored(database, Keys(skus={"A"}, orderable={"A"}))
    assert ids(again.items["A"].wanting) == ["bare", "old"]
    assert again.replenishments["old"].complete
    assert set(again.slots) >= {
        ("old", "old"),
        ("new", "WH1"),
        ("new", "customer:main/bare"),
    }


@rule("R10", "S6")
@pytest.mark.parametrize("rules", [FEW, Rules(auto_replenish_enabled=False, fill_step_lines_max=1)])
def test_so_are_all_links_of_automation_where_it_may_not_order(
    database: Database, rules: Rules
) -> None:
    state = empty()
    item_of(state, "A").vendor = "acme" if not rules.auto_replenish_enabled else None
    supply = bought(state, "R", 20, state=OPEN)
    for n in range(20):
        linked(waits(state, f"{n:02}", sourced=Sourced.BUY_TO_ORDER), supply, "R")
    save_state(database, state)
    wanting = stored(database, Keys(skus={"A"}, orderable={"A"}), rules).items["A"].wanting
    assert ids(wanting) == [f"{n:02}" for n in range(16)]
    assert wanting.more


@rule("R10", "P3")
def test_what_is_shipped_by_a_vendor_moves_with_its_sku_to_another(database: Database) -> None:
    keep(database, item_changed("A", vendor="V", policy={"sourcing": "drop_ship"}))
    keep(database, *(order_placed(str(n), [("A", 2)]) for n in range(60)))
    keep(database, item_changed("A", vendor="W"))
    names = ("vendor", "state")
    assert sorted(rows(database, schema.replenishments, *names)) == (
        [("V", "cancelled")] * 60 + [("W", "open")] * 60
    )
    assert sum(rows(database, schema.links, "qty")) == 120
    keep(database, item_changed("A", policy={"auto_replenish": False}))
    assert rows(database, schema.links) == []


# ---------------------------------------------------------------- held


@rule("R12", "S6")
@pytest.mark.parametrize("seed", [1, 2])
def test_held_lines_come_by_destination_and_rank_a_part_at_a_time(
    database: Database, seed: int
) -> None:
    draw = random.Random(seed)
    state = empty()
    expected = []
    for n in range(40):
        line = waits(
            state,
            str(n),
            shop=draw.choice(["main", "Main"]),
            destination=draw.choice(["WH1", "é", "Z"]),
            priority=draw.randint(1, 2),
            minutes=draw.randint(0, 3),
            staff_held=draw.random() < 0.2,
            sourced=draw.choice([Sourced.STOCK, Sourced.BUY_TO_ORDER]),
        )
        expected.append((line.order.destination, line.rank))
    waits(state, "not held", sourced=Sourced.DROP_SHIP)
    save_state(database, state)
    found: list[tuple[str, Rank]] = []
    more = True
    while more:
        keys = Keys(skus={"A"}, dated={"A": found[-1] if found else None})
        held = stored(database, keys, FEW).items["A"].held
        assert held is not None
        assert len(held.lines) <= 16
        found += [(line.order.destination, line.rank) for line in held.lines]
        more = held.more
    assert found == sorted(expected)
    assert stored(database, Keys(skus={"A"})).items["A"].held is None


@rule("R12", "S6")
@pytest.mark.parametrize(("skus", "lines_max", "read"), [(2, 1, 16), (4, 10, 40), (1, 10, 128)])
def test_of_many_skus_together_more_lines_may_be_dated_than_filled(
    database: Database, skus: int, lines_max: int, read: int
) -> None:
    state = empty()
    for n in range(130):
        waits(state, f"{n:03}", minutes=n)
    for other_sku in range(1, skus):
        waits(state, f"other {other_sku}", sku=f"B{other_sku}")
    save_state(database, state)
    names = {"A", *(f"B{n}" for n in range(1, skus))}
    keys = Keys(skus=names, dated=dict.fromkeys(names))
    held = stored(database, keys, Rules(fill_step_lines_max=lines_max)).items["A"].held
    assert held is not None
    assert (len(held.lines), held.more) == (read, True)


@rule("R12", "R10")
def test_of_the_skus_of_a_closed_replenishment_dates_and_links_are_read(database: Database) -> None:
    state = empty()
    linked(waits(state, "1", 2), bought(state, "R", 2), "R", by_hand=True)
    bought(state, "Q", sku="B")
    save_state(database, state)
    keys = Keys(replenishments={"Q", "R"}, closed={"R"})
    items = stored(database, keys).items
    assert ids(items["A"].held) == ["1"]
    assert items["A"].queues is None  # nothing came that could fill them
    assert [*(items["A"].links or {})] == ["R"]
    assert items["B"].held is None


@rule("R12", "R10")
def test_of_an_order_with_links_only_those_of_the_dated_line_are_read(database: Database) -> None:
    keep(
        database,
        *(item_changed(sku, vendor="V", policy={"sourcing": "buy_to_order"}) for sku in "AB"),
        order_placed("1", [("A", 2), ("B", 3)]),
    )
    state = stored(database, Keys(skus={"A"}, dated={"A": None}))
    (line,) = state.orders["main", "1"].lines.values()
    assert [(link.line.sku, link.qty) for link in line.links] == [("A", 2)]


# ---------------------------------------------------------------- reserved


@rule("S8")
def test_lines_give_back_in_reverse_order_source_by_source(database: Database) -> None:
    state = empty()
    item = item_of(state, "A")
    for place in ("WH1", "WH2", "EMPTY"):
        item.stock[place] = Stock("A", place, 99, 0 if place == "EMPTY" else 9)
    for n in range(20):
        allocated(waits(state, f"{n:02}", minutes=n), "WH1")
    both = waits(state, "both", minutes=5, priority=101)
    allocated(both, "WH2")
    allocated(both, "WH1")
    allocated(waits(state, "gone", priority=200), "WH1", release="r")
    allocated(waits(state, "anywhere", sourced=Sourced.UNMANAGED), None)
    save_state(database, state)
    reserved = stored(database, Keys(skus={"A"}, reserved={"A"}), FEW).items["A"].reserved
    assert reserved is not None
    assert set(reserved) == {"WH1", "WH2"}
    assert ids(reserved["WH1"]) == ["both", *(f"{n:02}" for n in range(19, 4, -1))]
    assert reserved["WH1"].more
    assert (ids(reserved["WH2"]), reserved["WH2"].more) == (["both"], False)


@rule("S8", "O9")
def test_what_was_released_while_its_order_was_waited_for_is_not_given_back(
    postgres: Database,
) -> None:
    state = empty()
    item_of(state, "A").stock["WH1"] = Stock("A", "WH1", 9, 2)
    for order_id in "12":
        allocated(waits(state, order_id), "WH1")
    save_state(postgres, state)
    with ThreadPoolExecutor(1) as pool:
        with postgres.begin() as tx:
            mine = load(tx, Keys(usable_orders={("main", "2")}, skus={"B"}), [], Rules())
            second = pool.submit(stored, postgres, Keys(skus={"A"}, reserved={"A"}))
            assert still_waits(second)
            mine.orders["main", "2"].lines["1"].allocations[0].release_id = "r"
            save(tx, mine, Decision(), NOW)
        again = partial(stored, postgres, Keys(skus={"A"}, reserved={"A"}))
        reserved = after_waiting(second, again).items["A"].reserved
    assert reserved is not None
    assert ids(reserved["WH1"]) == ["1"]


def test_nothing_is_given_back_where_nothing_is_reserved(database: Database) -> None:
    state = empty()
    item_of(state, "A").stock["WH1"] = Stock("A", "WH1", 9, 1)
    allocated(waits(state, "1"), "WH1", release="r")
    save_state(database, state)
    assert stored(database, Keys(skus={"A"}, reserved={"A"})).items["A"].reserved == {}
    assert stored(database, Keys(skus={"A"})).items["A"].reserved is None
