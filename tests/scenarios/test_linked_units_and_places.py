"""Units for single lines where places, people or settings come between (R10, S1, S2, S10, P4)."""

from datetime import timedelta

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    line_backordered,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_received,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

R1 = "V>WH#1"
R2 = "V>WH#2"
MINUTE = timedelta(minutes=1)
PLACES = (
    place_changed("WH", priority=1),
    place_changed("FAR"),
    place_changed("DOCK", kind="dock", feeds="WH"),
    item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}),
)


def _one_waits(*given: Event) -> Scene:
    """main/1 waits for 3 A that are bought for it."""
    return Scene(*PLACES, order_placed("1", [("A", 3)]), *given)


@rule("R10", "S3", "S2")
def test_a_dock_that_becomes_a_source_serves_the_lines_its_units_are_for() -> None:
    scene = _one_waits()
    name = scene.replenishment_id(R1)
    scene.given(
        stock_received("r0", "DOCK", [("A", 4)]),
        stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name),
    )
    scene.when(place_changed("DOCK", kind="source")).told(
        "BackToShip main/1 from DOCK [1: 2 A] waited since T0"
    ).kept(
        "main/1 [1] 3 A: 2 at DOCK, 1 held",
        "DOCK: 6 A, 2 promised",
        f"{R1} partially_received: 3 A, 2 in",
        f"{R1} brings main/1 [1] 1",
    )


@rule("R10", "S2", "S4")
def test_moved_from_dock_to_dock_it_stays_theirs() -> None:
    scene = _one_waits(place_changed("DOCK2", kind="dock", feeds="WH"))
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "DOCK", [("A", 3)], replenishment_id=name))
    scene.when(stock_transferred("t1", "DOCK", "DOCK2", [("A", 2)])).told().kept(
        "main/1 [1] 3 A: 3 held",
        "DOCK: 1 A",
        "DOCK2: 2 A",
        f"{R1} received: 3 A, 3 in, 1 for lines at DOCK, 2 for lines at DOCK2",
        f"{R1} brings main/1 [1] 3",
    )
    scene.when(stock_transferred("t2", "DOCK2", "WH", [("A", 2)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0"
    )


@rule("R10", "S2", "S4")
def test_of_several_deliveries_the_first_raised_is_moved_first() -> None:
    scene = _one_waits()
    first = scene.replenishment_id(R1)
    scene.given(
        replenishment_closed(first),
        order_placed("2", [("A", 2)], placed_at=T0 - 5 * MINUTE, time=T0 + MINUTE),
    )
    second = scene.replenishment_id(R2)
    scene.given(
        stock_received("r1", "DOCK", [("A", 2)], replenishment_id=second),
        stock_received("r2", "DOCK", [("A", 3)], replenishment_id=first),
    )
    scene.when(stock_transferred("t1", "DOCK", "WH", [("A", 4)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "BackToShip main/2 from WH [1: 1 A] waited since T0-5m",
    )


@rule("R10", "S4", "P4")
def test_a_linked_line_takes_its_units_wherever_its_shop_may_ship_from() -> None:
    scene = _one_waits()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "DOCK", [("A", 3)], replenishment_id=name))
    scene.when(stock_transferred("t1", "DOCK", "FAR", [("A", 3)])).told(
        "BackToShip main/1 from FAR [1: 3 A] waited since T0 complete"
    )


@rule("R10", "S4")
def test_of_two_shops_only_the_lines_that_may_ship_from_there_are_served() -> None:
    scene = Scene(
        *PLACES,
        shop_changed("near", sources=["WH"]),
        shop_changed("both", sources=["WH", "FAR"]),
        order_placed("1", [("A", 2)], shop="near"),
        order_placed("2", [("A", 2)], shop="both", placed_at=T0 + MINUTE),
    )
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "DOCK", [("A", 4)], replenishment_id=name))
    scene.when(stock_transferred("t1", "DOCK", "FAR", [("A", 2)])).told(
        "BackToShip both/2 from FAR [1: 2 A] waited since T0+1m complete"
    ).kept(
        "near/1 [1] 2 A: 2 held",
        "both/2 [1] 2 A: 2 at FAR",
        "FAR: 2 A, 2 promised",
        "DOCK: 2 A",
        f"{R1} received: 4 A, 4 in, 2 for lines at DOCK",
        f"{R1} brings near/1 [1] 2",
    )


@rule("R10", "S10", "R2")
def test_units_that_staff_hold_back_are_bought_for_the_line_again() -> None:
    scene = _one_waits()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 3)], replenishment_id=name))
    scene.when(line_backordered("1", ("1", 2), "WH", reason="hold")).kept(
        "main/1 [1] 3 A: 1 at WH, 2 held",
        "WH: 3 A, 1 promised",
        f"{R1} received: 3 A, 3 in",
        f"{R2} open: 2 A",
        f"{R2} brings main/1 [1] 2",
    )
    # While staff hold it back, what comes for it is ordinary stock.
    scene.when(
        stock_received("r2", "WH", [("A", 2)], replenishment_id=scene.replenishment_id(R2))
    ).kept(
        "main/1 [1] 3 A: 1 at WH, 2 held",
        "WH: 5 A, 1 promised",
        f"{R1} received: 3 A, 3 in",
        f"{R2} received: 2 A, 2 in",
        "V>WH#3 open: 2 A",
        "V>WH#3 brings main/1 [1] 2",
    )


@rule("R10", "S9")
def test_a_linked_line_shipped_from_other_stock_needs_its_own_no_more() -> None:
    scene = _one_waits(stock_received("r0", "WH", [("A", 2)]))
    scene.when(order_shipped("1", "s1", "WH", [("1", 2)])).told(
        f"ReplenishmentReduced {R1} rev 2 [1 A]"
    ).booked("2 A WH>customer shipped")
    scene.kept("main/1 [1] 3 A: 1 held, 2 shipped", f"{R1} open: 1 A", f"{R1} brings main/1 [1] 1")


@rule("R9", "O10")
def test_what_waits_for_its_payment_can_not_be_picked() -> None:
    scene = Scene(*PLACES, order_placed("1", [("A", 3)], holds=["payment"]))
    row = {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1"}
    scene.when(replenishment_requested("V", [row])).told(
        "ExceptionRaised refused more_than_shortage: sku=A shop=main order_id=1 line_id=1 vendor=V"
    ).kept("main/1 [1] 3 A: 3 pending")


@rule("R10", "R2")
def test_under_the_master_switch_lines_wait_for_a_buyer() -> None:
    scene = Scene.with_rules(Rules(auto_replenish_enabled=False), *PLACES)
    scene.when(order_placed("1", [("A", 3)])).told(
        "OrderBackordered main/1 [1: 3 A until ?] until ?"
    ).kept("main/1 [1] 3 A: 3 held")
    row = {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1"}
    scene.when(replenishment_requested("V", [row])).told(
        f"ReplenishmentRaised {R1} rev 1 [3 A] by hand"
    ).kept("main/1 [1] 3 A: 3 held", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3 by hand")


@rule("R10", "S1")
def test_drop_shipped_goods_that_come_to_us_are_ordinary_stock_and_asked_for_again() -> None:
    scene = Scene(*PLACES, item_changed("A", policy={"sourcing": "drop_ship"}))
    scene.given(order_placed("1", [("A", 3)]))
    name = scene.replenishment_id("V>customer:main/1#1")
    scene.when(stock_received("r1", "WH", [("A", 3)], replenishment_id=name)).booked(
        "3 A vendor>WH received"
    )
    assert any(row.startswith("ExceptionRaised wrong_place") for row in scene.lines())
    scene.kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        "WH: 3 A",
        "V>customer:main/1#1 received: 3 A, 3 in",
        "V>customer:main/1#2 open: 3 A",
        "V>customer:main/1#2 brings main/1 [1] 3",
    )


@rule("R10", "S9")
def test_of_two_replenishments_of_one_order_the_vendor_ships_the_first_first() -> None:
    scene = Scene(*PLACES, item_changed("A", policy={"sourcing": "drop_ship"}))
    scene.given(order_placed("1", [("A", 2), ("A", 3)]))
    name = scene.replenishment_id("V>customer:main/1#1")
    scene.given(replenishment_closed(name, lines=[("A", [(4, None)])]))
    scene.when(order_shipped("1", "s1", "vendor:V", [("1", 2), ("2", 3)])).told().kept(
        "main/1 [1] 2 A: 2 shipped",
        "main/1 [2] 3 A: 3 shipped",
        "V>customer:main/1#1 received: 4 A (4 until ?), 4 in",
        "V>customer:main/1#2 received: 1 A, 1 in",
    )


@rule("R10", "S2", "L3")
def test_drop_shipped_goods_that_come_by_way_of_a_dock_serve_nobody_who_has_none_coming() -> None:
    scene = Scene(*PLACES, item_changed("A", policy={"sourcing": "drop_ship"}))
    scene.given(order_placed("1", [("A", 3)]))
    name = scene.replenishment_id("V>customer:main/1#1")
    scene.when(stock_received("r1", "DOCK", [("A", 3)], replenishment_id=name))
    scene.when(stock_transferred("t1", "DOCK", "WH", [("A", 3)]))
    line = scene.house.line("1")
    assert (line.drop_ship, line.shortage, line.allocated) == (3, 0, 0)
    assert {"WH: 3 A", "V>customer:main/1#2 brings main/1 [1] 3"} <= set(scene.rows())
