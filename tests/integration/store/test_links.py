"""Links (R10): both ends of those on a replenishment, in order, and what is loaded with them."""

import pytest

from handlers.policy import Rules
from handlers.rows.items import Linked
from handlers.rows.supply import ReplenishmentState
from handlers.state import Keys, Sourced, State
from store.transaction import Database
from tests.support.hand_made import bought, empty, linked, waits
from tests.support.keeping import save_state, stored
from tests.support.rules import rule

FEW = Rules(fill_step_lines_max=1)  # 16 of each are read all the same
USABLE = Keys(skus={"A"}, usable={"A"})


def queue(state: State, name: str, count: int) -> None:
    """So many lines, bought to order, on one replenishment; the last ones stand first."""
    supply = bought(state, name, count)
    for n in range(count):
        line = waits(state, f"{name}-{n:02}", minutes=count - n, sourced=Sourced.BUY_TO_ORDER)
        linked(line, supply, name)


def orders(found: Linked) -> list[str]:
    return [link.line.order.order_id for link in found.links]


@rule("R10", "S6")
@pytest.mark.parametrize(
    ("count", "gap"), [(15, None), (16, None), (17, None), (32, None), (33, 16), (40, 16)]
)
def test_both_ends_of_the_links_are_read_in_rank_order(
    database: Database, count: int, gap: int | None
) -> None:
    state = empty()
    queue(state, "R", count)
    save_state(database, state)
    again = stored(database, USABLE, FEW)
    links = again.items["A"].links
    assert links is not None
    every = [f"R-{n:02}" for n in reversed(range(count))]
    assert orders(links["R"]) == (every if gap is None else every[:16] + every[-16:])
    assert links["R"].gap == gap


@rule("R10")
def test_links_are_the_very_ones_of_their_lines(database: Database) -> None:
    state = empty()
    queue(state, "R", 40)
    save_state(database, state)
    again = stored(database, USABLE, FEW)
    links = again.items["A"].links
    assert links is not None
    for link in links["R"].links:
        assert link in link.line.links
        assert link.line is again.orders[link.line.order.key].lines["1"]


@rule("R9", "R10")
def test_a_line_may_be_linked_twice_by_automation_and_by_hand(database: Database) -> None:
    state = empty()
    supply = bought(state, "R", 5)
    for order_id in ("b", "a"):
        line = waits(state, order_id, 3)
        linked(line, supply, "R", by_hand=True)
        linked(line, supply, "R")
    save_state(database, state)
    links = stored(database, USABLE).items["A"].links
    assert links is not None
    found = [(link.line.order.order_id, link.by_hand) for link in links["R"].links]
    assert found == [("a", False), ("a", True), ("b", False), ("b", True)]


def test_every_replenishment_of_every_usable_sku_has_links_of_its_own(database: Database) -> None:
    state = empty()
    queue(state, "R", 2)
    queue(state, "Q", 18)
    bought(state, "P")
    other = bought(state, "R", sku="B")
    linked(waits(state, "x", sku="B", sourced=Sourced.BUY_TO_ORDER), other, "R")
    save_state(database, state)
    again = stored(database, Keys(skus={"A", "B"}, usable={"A"}), FEW)
    links = again.items["A"].links
    assert links is not None
    assert {name: len(found.links) for name, found in links.items()} == {"R": 2, "Q": 18}
    assert again.items["B"].links is None  # it is not usable
    assert ("main", "x") not in again.orders


def test_links_are_not_read_where_there_are_none(database: Database) -> None:
    state = empty()
    bought(state, "R")
    waits(state, "1")
    save_state(database, state)
    assert stored(database, Keys(skus={"A"})).items["A"].links == {}
    assert stored(database, USABLE).items["A"].links == {}


@rule("R10")
def test_what_is_bought_for_the_lines_found_is_read_whole_under_its_lock(
    database: Database,
) -> None:
    state = empty()
    queue(state, "R", 2)
    bought(state, "R", 7, sku="B")
    save_state(database, state)
    again = stored(database, USABLE)
    whole = again.replenishments["R"]
    assert whole.complete
    assert set(whole.lines) == {"A", "B"}
    assert set(again.slots) == {("acme", "WH1")}
    assert again.items["A"].supply == ["R"]


@rule("R10", "C1")
def test_so_is_what_a_vendor_ships_to_the_customer_of_a_named_order(database: Database) -> None:
    there = "customer:main/1"
    state = empty()
    state.slots = stored(database, Keys(slots={("acme", there)})).slots
    line = waits(state, "1", 2, sourced=Sourced.DROP_SHIP)
    linked(line, bought(state, "R", 2, destination=there, state=ReplenishmentState.OPEN), "R", 2)
    save_state(database, state)
    again = stored(database, Keys(orders={("main", "1")}))
    assert set(again.slots) == {("acme", there)}
    assert again.replenishments["R"].complete
    assert again.items["A"].supply == ["R"]
    links = again.items["A"].links
    assert links is not None
    assert links["R"].links == again.orders["main", "1"].lines["1"].links


@rule("R5", "R10")
def test_so_are_the_links_of_a_named_replenishment_nothing_of_which_comes_here(
    database: Database,
) -> None:
    state = empty()
    line = waits(state, "1", 2, sourced=Sourced.DROP_SHIP)
    linked(line, bought(state, "R", 2, destination="customer:main/1"), "R", 2)
    save_state(database, state)
    again = stored(database, Keys(replenishments={"R"}, usable={"A"}))
    links = again.items["A"].links
    assert links is not None
    assert orders(links["R"]) == ["1"]


def test_a_line_of_a_sku_that_is_not_locked_brings_no_supply(database: Database) -> None:
    state = empty()
    line = waits(state, "1", sku="B", sourced=Sourced.BUY_TO_ORDER)
    linked(line, bought(state, "R", sku="B"), "R")
    save_state(database, state)
    again = stored(database, Keys(usable_orders={("main", "1")}))
    assert [link.qty for link in again.orders["main", "1"].lines["1"].links] == [1]
    assert again.replenishments == {}
