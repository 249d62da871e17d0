"""A person says that an order goes as it is, and when that is refused (S11)."""

from typing import Any

import pytest

from events.envelope import Event
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import Fields

SENT = back_to_ship_requested("1", requested_by="ada")
GROUP: list[Fields] = [
    {"sku": "A", "qty": 2, "group": "g"},
    {"sku": "B", "qty": 1, "group": "g"},
]


def _refused(reason: str) -> str:
    return f"ExceptionRaised refused {reason}: shop=main order_id=1"


def _scene(qty: int, *events: Event) -> Scene:
    scene = Scene(
        place_changed("WH"),
        place_changed("D", kind="dock", feeds="WH"),
        shop_changed("main"),
        *(item_changed(sku, vendor="V") for sku in ("A", "B")),
    )
    return scene.given(*([stock_received("r0", "WH", [("A", qty)])] if qty else []), *events)


@rule("S11", "O9", "O10")
@pytest.mark.parametrize(
    ("lines", "how"),
    [
        pytest.param([("A", 2), ("B", 1)], {"ship_mode": "complete"}, id="complete"),
        pytest.param(GROUP, {}, id="group"),
        pytest.param(GROUP, {"ship_mode": "complete", "release": "manual"}, id="everything"),
        pytest.param([("A", 2), ("B", 1)], {"release": "manual"}, id="manual"),
    ],
)
def test_what_is_promised_goes_whatever_the_order_waits_for(
    lines: list[tuple[str, int] | Fields], how: dict[str, Any]
) -> None:
    scene = _scene(2, order_placed("1", lines, **how))
    scene.when(SENT).told("ReadyToShip main/1 from WH [1: 2 A]").kept(
        "main/1 [1] 2 A: 2 at WH",
        "main/1 [2] 1 B: 1 held",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 B",
    )


@rule("S11", "O9")
def test_a_part_of_a_line_goes_and_the_rest_waits_for_the_whole_rest() -> None:
    scene = _scene(2, order_placed("1", [("A", 4)], ship_mode="line"))
    scene.when(SENT).told("ReadyToShip main/1 from WH [1: 2 A]")
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "ReplenishmentReduced V>WH#1 rev 2 [1 A]"
    )
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 3 []",
    )


@rule("S11", "O11")
def test_what_came_later_goes_back_to_ship_and_each_warehouse_is_told() -> None:
    scene = Scene(
        shop_changed("main", sources=["WH1", "WH2"]),
        stock_received("r1", "WH1", [("A", 2)]),
        order_placed("1", [("A", 3), ("B", 2)], ship_mode="complete"),
        stock_received("r2", "WH2", [("A", 1)]),
        stock_received("r3", "WH1", [("B", 1)]),
    )
    scene.when(SENT).told(
        "BackToShip main/1 from WH1 [1: 2 A, 2: 1 B] waited since T0",
        "BackToShip main/1 from WH2 [1: 1 A] waited since T0",
    )


@rule("S11")
def test_what_was_sent_is_not_sent_again() -> None:
    scene = _scene(2, order_placed("1", [("A", 2), ("B", 1)], ship_mode="complete"), SENT)
    scene.when(back_to_ship_requested("1", event_id="again")).told(_refused("nothing_allocated"))


@rule("S11", "O10")
@pytest.mark.parametrize("holds", [["payment"], ["fraud"], ["fraud", "payment"]], ids=str)
def test_an_order_on_hold_is_not_sent(holds: list[str]) -> None:
    scene = _scene(2, order_placed("1", [("A", 2)], holds=holds))
    kept = scene.rows()
    scene.when(SENT).told(_refused("on_hold")).kept(*kept)


@rule("S11")
@pytest.mark.parametrize(
    "events",
    [
        pytest.param([order_placed("1", [("B", 2)])], id="all of it waits"),
        pytest.param([order_placed("1", [("A", 2)])], id="all of it was sent"),
        pytest.param([order_placed("1", [("A", 2)]), order_cancelled("1")], id="cancelled"),
        pytest.param(
            [
                order_placed("1", [("A", 2)], release="manual"),
                order_shipped("1", "s", "WH", [("1", 2)]),
            ],
            id="shipped",
        ),
        pytest.param(
            [
                item_changed("A", policy={"sourcing": "drop_ship"}),
                order_placed("1", [("A", 2)], release="manual"),
            ],
            id="with the vendor",
        ),
        pytest.param(
            [
                item_changed("B", policy={"backorder_policy": "none"}),
                order_placed("1", [("B", 2)], release="manual"),
            ],
            id="rejected",
        ),
    ],
)
def test_where_nothing_is_promised_and_unsent_it_is_refused(events: list[Event]) -> None:
    scene = _scene(2, *events)
    kept = scene.rows()
    scene.when(SENT).told(_refused("nothing_allocated")).kept(*kept).booked()


@rule("S11", "S2")
def test_units_that_lie_at_the_dock_are_named() -> None:
    scene = _scene(0, order_placed("1", [("A", 2)]), stock_received("r1", "D", [("A", 1)]))
    kept = scene.rows()
    scene.when(SENT).told(_refused("at_dock_only")).kept(*kept)


@rule("S11", "S2", "S4")
def test_units_at_the_dock_that_others_get_first_are_not_for_it() -> None:
    scene = _scene(
        0,
        order_placed("0", [("A", 2)]),
        order_placed("1", [("A", 2)]),
        stock_received("r1", "D", [("A", 2)]),
    )
    scene.when(SENT).told(_refused("nothing_allocated"))
    scene.given(stock_received("r2", "D", [("A", 1)]))
    scene.when(back_to_ship_requested("1", event_id="again")).told(_refused("at_dock_only"))


@rule("S11", "S2")
def test_a_dock_that_feeds_another_source_has_nothing_for_it() -> None:
    scene = Scene(
        place_changed("WH1"),
        place_changed("WH2"),
        place_changed("D", kind="dock", feeds="WH2"),
        order_placed("1", [("A", 2)]),
        stock_received("r1", "D", [("A", 9)]),
    )
    scene.when(SENT).told(_refused("nothing_allocated"))


@rule("S11", "S2")
def test_what_can_be_sent_is_sent_though_the_rest_lies_at_the_dock() -> None:
    scene = _scene(
        1, order_placed("1", [("A", 2)], ship_mode="line"), stock_received("r1", "D", [("A", 1)])
    )
    scene.when(SENT).told("ReadyToShip main/1 from WH [1: 1 A]")
    scene.when(back_to_ship_requested("1", event_id="again")).told(_refused("at_dock_only"))


@rule("S11", "R10")
def test_units_bought_for_one_line_lie_at_the_dock_for_it_alone() -> None:
    scene = _scene(
        0,
        order_placed("1", [("A", 2)]),
        item_changed("A", policy={"sourcing": "buy_to_order"}),
        order_placed("2", [("A", 2)]),
    )
    name = scene.replenishment_id("V>WH#1")
    scene.given(replenishment_closed(name, lines=[("A", [(2, None)])]))
    scene.given(stock_received("r1", "D", [("A", 2)], replenishment_id=name))
    scene.when(back_to_ship_requested("2")).told(
        "ExceptionRaised refused at_dock_only: shop=main order_id=2"
    )
    scene.when(SENT).told(_refused("nothing_allocated"))
