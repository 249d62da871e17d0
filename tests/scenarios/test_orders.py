"""Orders placed: what is there goes, from where it should, the rest waits (O1-O3, O9, O11)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0


@rule("O3")
def test_an_order_that_stock_covers_is_released_whole() -> None:
    Scene(stock_received("r1", "WH", [("A", 5)])).when(order_placed("1", [("A", 3)])).told(
        "ReadyToShip main/1 from WH [1: 3 A] complete",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 3 A: 3 at WH", "WH: 5 A, 3 promised").booked()


@rule("O3", "O9")
def test_what_is_there_goes_and_the_rest_waits_and_is_bought() -> None:
    Scene(item_changed("A", vendor="V"), stock_received("r1", "WH", [("A", 2)])).when(
        order_placed("1", [("A", 5)])
    ).told(
        "ReadyToShip main/1 from WH [1: 2 A]",
        "OrderBackordered main/1 [1: 3 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [3 A]",
    ).kept("main/1 [1] 5 A: 2 at WH, 3 held", "WH: 2 A, 2 promised", "V>WH#1 open: 3 A").booked()


@rule("O3")
@pytest.mark.parametrize(
    ("on_hand", "safety_stock", "taken"),
    [(5, 0, 4), (5, 1, 4), (5, 2, 3), (5, 5, 0), (5, 7, 0)],
)
def test_an_order_takes_nothing_of_the_safety_stock(
    on_hand: int, safety_stock: int, taken: int
) -> None:
    scene = Scene(
        item_changed("A", policy={"safety_stock": safety_stock}),
        stock_received("r1", "WH", [("A", on_hand)]),
    ).when(order_placed("1", [("A", 4)]))
    line = scene.house.line("1")
    assert (line.allocated, line.shortage) == (taken, 4 - taken)


@rule("O3")
@pytest.mark.parametrize(
    ("there", "asked", "shares"),
    [
        pytest.param((4, 9), 3, {"WH1": 3}, id="the first that covers it"),
        pytest.param((4, 9), 5, {"WH2": 5}, id="the first cannot, the second covers it alone"),
        pytest.param((4, 5), 8, {"WH1": 4, "WH2": 4}, id="none alone: split in source order"),
        pytest.param((4, 5), 12, {"WH1": 4, "WH2": 5}, id="all there is"),
        pytest.param((0, 5), 5, {"WH2": 5}, id="an empty one is passed over"),
    ],
)
def test_units_come_from_the_first_source_that_covers_them_alone_else_from_several(
    there: tuple[int, int], asked: int, shares: dict[str, int]
) -> None:
    scene = Scene(
        *(
            stock_received(f"r-{place}", place, [("A", qty)])
            for place, qty in zip(("WH1", "WH2"), there, strict=True)
            if qty
        )
    ).when(order_placed("1", [("A", asked)]))
    line = scene.house.line("1")
    assert {row.source: row.qty for row in line.allocations} == shares
    assert line.shortage == asked - sum(shares.values())


@rule("O11", "O3")
def test_each_warehouse_gets_a_release_of_its_own_with_all_lines_of_the_order() -> None:
    Scene(
        stock_received("r1", "WH1", [("A", 2), ("B", 4)]),
        stock_received("r2", "WH2", [("A", 3), ("C", 1)]),
    ).when(order_placed("1", [("A", 5), ("B", 4), ("C", 1)], ship_to={"city": "Bern"})).told(
        "ReadyToShip main/1 from WH1 [1: 2 A, 2: 4 B] to {'city': 'Bern'} complete",
        "ReadyToShip main/1 from WH2 [1: 3 A, 3: 1 C] to {'city': 'Bern'} complete",
        # B and C are as they were before anything came: nothing is free of them.
    ).kept(
        "main/1 [1] 5 A: 2 at WH1, 3 at WH2",
        "main/1 [2] 4 B: 4 at WH1",
        "main/1 [3] 1 C: 1 at WH2",
        "WH1: 2 A, 2 promised",
        "WH1: 4 B, 4 promised",
        "WH2: 3 A, 3 promised",
        "WH2: 1 C, 1 promised",
    )


@rule("O1")
def test_lines_of_one_sku_are_judged_on_their_sum_and_served_in_their_order() -> None:
    Scene(item_changed("A", vendor="V"), stock_received("r1", "WH", [("A", 5)])).when(
        order_placed("1", [("A", 3), ("B", 1), ("A", 4)])
    ).told(
        "ReadyToShip main/1 from WH [1: 3 A, 3: 2 A]",
        "OrderBackordered main/1 [2: 1 B until ?, 3: 2 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [2 A]",
        "ExceptionRaised no_vendor: sku=B shop=main order_id=1 line_id=2",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/1 [2] 1 B: 1 held",
        "main/1 [3] 4 A: 2 at WH, 2 held",
        "WH: 5 A, 5 promised",
        "V>WH#1 open: 2 A",
    )


@rule("O9")
def test_lines_that_are_there_do_not_wait_for_those_that_are_not() -> None:
    scene = Scene(
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("B", 2)]),
        order_placed("1", [("A", 1), ("B", 2)]),
    )
    scene.told(
        "ReadyToShip main/1 from WH [2: 2 B]",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
    )
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O9")
@pytest.mark.parametrize(
    "placed",
    [
        pytest.param(order_placed("1", [("A", 3)]), id="silent"),
        pytest.param(order_placed("1", [("A", 3)], ship_mode="partial"), id="partial"),
        pytest.param(order_placed("1", [("A", 3)], release="auto"), id="auto"),
        pytest.param(order_placed("1", [("A", 3)], holds=[]), id="no holds"),
    ],
)
def test_partial_and_automatic_are_what_an_order_is_when_it_says_nothing(placed: Event) -> None:
    Scene(stock_received("r1", "WH", [("A", 5)])).when(placed).told(
        "ReadyToShip main/1 from WH [1: 3 A] complete",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )


@rule("L6", "O3")
def test_of_two_orders_for_the_last_unit_exactly_the_first_gets_it() -> None:
    Scene(item_changed("A", vendor="V"), stock_received("r1", "WH", [("A", 1)])).when(
        order_placed("2", [("A", 1)]), order_placed("1", [("A", 1)])
    ).told(
        "ReadyToShip main/2 from WH [1: 1 A] complete",
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
    ).kept(
        "main/2 [1] 1 A: 1 at WH",
        "main/1 [1] 1 A: 1 held",
        "WH: 1 A, 1 promised",
        "V>WH#1 open: 1 A",
    )


@rule("O2")
def test_an_unmanaged_sku_ships_at_once_from_wherever_the_picker_chooses() -> None:
    Scene(item_changed("GIFT", policy={"manage_stock": False})).when(
        order_placed("1", [("GIFT", 3)])
    ).told(
        "ReadyToShip main/1 from anywhere [1: 3 GIFT] complete",
        "StockStatusChanged main GIFT in_stock, sellable unlimited",
    ).kept("main/1 [1] 3 GIFT: 3 anywhere").booked()


@rule("O2", "O11")
def test_managed_and_unmanaged_lines_of_an_order_are_released_apart() -> None:
    Scene(
        item_changed("GIFT", policy={"manage_stock": False}),
        stock_received("r1", "WH", [("A", 1), ("GIFT", 5)]),
    ).when(order_placed("1", [("GIFT", 3), ("A", 2)])).told(
        "ReadyToShip main/1 from anywhere [1: 3 GIFT]",
        "ReadyToShip main/1 from WH [2: 1 A]",
        "OrderBackordered main/1 [2: 1 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=2",
        "StockStatusChanged main GIFT in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 3 GIFT: 3 anywhere",
        "main/1 [2] 2 A: 1 at WH, 1 held",
        "WH: 1 A, 1 promised",
        "WH: 5 GIFT",
    )


@rule("P2")
def test_an_unknown_sku_in_an_unknown_shop_waits_for_the_place_main() -> None:
    scene = Scene().when(order_placed("1", [("A", 1)], shop="new"))
    scene.told(
        "OrderBackordered new/1 [1: 1 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=new order_id=1 line_id=1",
    ).kept("new/1 [1] 1 A: 1 held")
    scene.when(stock_received("r1", "main", [("A", 1)])).told(
        "BackToShip new/1 from main [1: 1 A] waited since T0 complete"
    )


@rule("O3")
def test_a_place_that_serves_nobody_serves_no_order() -> None:
    Scene(
        stock_received("r1", "WH1", [("A", 3)]),
        stock_received("r2", "WH2", [("A", 3)]),
        stock_received("r3", "DOCK", [("A", 3)]),
        place_changed("WH1", enabled=False),
        place_changed("DOCK", kind="dock"),
    ).when(order_placed("1", [("A", 9)])).told(
        "ReadyToShip main/1 from WH2 [1: 3 A]",
        "OrderBackordered main/1 [1: 6 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
    )


@rule("O3")
def test_an_order_is_judged_when_it_comes_whenever_it_was_placed() -> None:
    Scene(stock_received("r1", "WH", [("A", 2)]), order_placed("1", [("A", 2)])).when(
        order_placed("2", [("A", 1)], placed_at=T0 - timedelta(days=90))
    ).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=2 line_id=1",
    )
