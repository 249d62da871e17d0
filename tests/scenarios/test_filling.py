"""Stock becomes usable: who waits is served before anyone else can buy (S3, S5)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from events.outbound import BackToShip
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

HOUR = timedelta(hours=1)


@rule("S3", "S4")
@pytest.mark.parametrize("lowered_to", [None, 0, 2])
def test_a_lower_safety_stock_serves_who_waits_from_what_is_above_it(
    lowered_to: int | None,
) -> None:
    scene = Scene(
        item_changed("A", vendor="V", policy={"safety_stock": 5}),
        stock_received("r1", "main", [("A", 4)]),
        order_placed("1", [("A", 3)]),
    )
    scene.when(item_changed("A", policy={"safety_stock": lowered_to}))
    free = 4 - (lowered_to or 0)
    assert scene.house.line("1").allocated == min(3, free)


@rule("S3")
def test_a_source_given_to_a_shop_serves_its_held_lines() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1"]),
        stock_received("r1", "WH2", [("A", 3), ("B", 2)]),
        order_placed("1", [("A", 2), ("B", 1)]),
    )
    scene.when(shop_changed("main", sources=["WH1", "WH2"])).told(
        "BackToShip main/1 from WH2 [1: 2 A, 2: 1 B] waited since T0 complete",
        "StockStatusChanged main A in_stock, sellable unlimited",
        "StockStatusChanged main B in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 2 A: 2 at WH2",
        "main/1 [2] 1 B: 1 at WH2",
        "WH2: 3 A, 2 promised",
        "WH2: 2 B, 1 promised",
    )


@rule("S3")
@pytest.mark.parametrize(
    ("closed", "opened"),
    [
        pytest.param(
            place_changed("WH2", enabled=False), place_changed("WH2", enabled=True), id="enabled"
        ),
        pytest.param(
            place_changed("WH2", enabled=False),
            place_changed("WH2", enabled=None),
            id="no longer disabled",
        ),
        pytest.param(
            place_changed("WH2", kind="dock"), place_changed("WH2", kind="source"), id="a source"
        ),
    ],
)
def test_a_place_that_becomes_usable_serves_who_waits(closed: Event, opened: Event) -> None:
    scene = Scene(
        place_changed("WH1"),
        stock_received("r1", "WH2", [("A", 3)]),
        closed,
        order_placed("1", [("A", 2)]),
    )
    scene.when(opened).told(
        "BackToShip main/1 from WH2 [1: 2 A] waited since T0 complete",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 2 A: 2 at WH2", "WH2: 3 A, 2 promised")


@rule("S3", "P4")
def test_what_arrives_serves_only_shops_that_may_ship_from_there() -> None:
    scene = Scene(
        shop_changed("one", sources=["WH1"]),
        shop_changed("two", sources=["WH2"]),
        order_placed("1", [("A", 2)], shop="one", priority=1),
        order_placed("2", [("A", 2)], shop="two"),
    )
    scene.when(stock_received("r1", "WH2", [("A", 3)])).told(
        "BackToShip two/2 from WH2 [1: 2 A] waited since T0 complete",
        "StockStatusChanged two A in_stock, sellable unlimited",
    ).kept("one/1 [1] 2 A: 2 held", "two/2 [1] 2 A: 2 at WH2", "WH2: 3 A, 2 promised")


@rule("S3")
def test_what_arrives_at_a_disabled_place_serves_nobody() -> None:
    scene = Scene(
        place_changed("WH1"),
        place_changed("WH2"),
        place_changed("WH2", enabled=False),
        order_placed("1", [("A", 2)]),
    )
    scene.when(stock_received("r1", "WH2", [("A", 3)])).told().kept(
        "main/1 [1] 2 A: 2 held", "WH2: 3 A"
    )


@rule("S5", "O11", "O9")
def test_a_fill_tells_the_warehouse_once_per_order_with_all_lines_it_served() -> None:
    scene = Scene(
        item_changed("A", vendor="V"),
        item_changed("B", vendor="V"),
        order_placed("1", [("A", 2), ("B", 1), ("A", 1)]),
    )
    scene.when(stock_received("r1", "main", [("B", 1), ("A", 3)])).told(
        "BackToShip main/1 from main [1: 2 A, 2: 1 B, 3: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
    )


@rule("L6", "S5")
def test_two_fills_that_complete_an_order_release_it_once_each_and_complete_at_the_second() -> None:
    scene = Scene(order_placed("1", [("A", 2), ("B", 1)]))
    scene.when(
        stock_received("r1", "main", [("A", 2)]), stock_received("r2", "main", [("B", 1)])
    ).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0",
        "BackToShip main/1 from main [2: 1 B] waited since T0 complete",
    )


@rule("S5")
def test_waited_since_is_when_the_earliest_of_the_released_lines_began_to_wait() -> None:
    scene = Scene(order_placed("1", [("A", 1)], placed_at=T0 - timedelta(days=9)))
    scene.when(stock_received("r1", "main", [("A", 1)], received_at=T0 + HOUR)).told(
        "BackToShip main/1 from main [1: 1 A] waited since T0-9d complete"
    )


@rule("S5")
@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param(stock_received("x", "main", [("A", 1)]), id="receipt"),
        pytest.param(stock_received("x", "D", [("A", 1)], transfer_to="main"), id="straight on"),
        pytest.param(stock_transferred("x", "D", "main", [("A", 1)]), id="transfer"),
        pytest.param(stock_returned("x", "main", [("A", 1)]), id="return"),
        pytest.param(order_cancelled("0", ["1"]), id="cancellation"),
        pytest.param(item_changed("A", policy={"safety_stock": 0}), id="safety stock"),
    ],
)
def test_whatever_makes_a_unit_usable_is_named_as_the_cause(arrival: Event) -> None:
    scene = Scene(
        place_changed("main"),
        place_changed("D", kind="dock"),
        stock_received("r1", "main", [("A", 2)]),
        stock_received("r2", "D", [("A", 1)]),
        order_placed("0", [("A", 1)]),
        item_changed("A", policy={"safety_stock": 1}),
        order_placed("1", [("A", 1)]),
    )
    scene.when(arrival)
    (told,) = [row for row in scene.out if isinstance(row, BackToShip)]
    assert told.caused_by == arrival.cause
    assert (told.shop, told.order_id) == ("main", "1")


@rule("S5", "S13")
def test_a_shop_that_became_known_in_the_batch_is_not_named_as_the_cause() -> None:
    opened = place_changed("D", kind="source")
    scene = Scene(
        place_changed("main"),
        place_changed("D", kind="dock"),
        stock_received("r1", "D", [("A", 1)]),
    )
    scene.when(order_placed("1", [("A", 1)]), opened).told(
        "OrderBackordered main/1 [1: 1 A until T0] until T0",
        "ExceptionRaised no_vendor: sku=A shop=main order_id=1 line_id=1",
        "BackToShip main/1 from D [1: 1 A] waited since T0 complete",
    )
    (told,) = [row for row in scene.out if isinstance(row, BackToShip)]
    assert told.caused_by == opened.cause
