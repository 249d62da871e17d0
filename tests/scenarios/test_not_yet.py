"""What the next release does is set aside with the field that asks for it: never half of it."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene


def _scene() -> Scene:
    return Scene(
        shop_changed("main"),
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("A", 2)]),
        order_placed("1", [("A", 5)]),
    )


def _with_group(group: str | None) -> Event:
    lines = [{"sku": "A", "qty": 1}, {"sku": "A", "qty": 1, "group": group}]
    return order_placed("2", lines)


ASKED = {
    "O9 line": (order_placed("2", [("A", 1)], ship_mode="line"), "data.ship_mode"),
    "O9 complete": (order_placed("2", [("A", 1)], ship_mode="complete"), "data.ship_mode"),
    "O9 group": (_with_group("g"), "data.lines.1.group"),
    "O10 manual": (order_placed("2", [("A", 1)], release="manual"), "data.release"),
    "O10 payment": (order_placed("2", [("A", 1)], holds=["payment"]), "data.holds"),
    "O10 fraud": (order_placed("2", [("A", 1)], holds=["fraud"]), "data.holds"),
    "O10 cleared": (order_hold_cleared("1"), "type"),
    "C2 changed": (order_changed("1", [("A", 6)]), "type"),
    "S8 counted": (stock_counted("c1", "WH", [("A", 7)]), "type"),
    "S10 not found": (line_backordered("1", ("1", 1), "WH"), "type"),
    "S11 asked for": (back_to_ship_requested("1"), "type"),
    "R9 asked for": (replenishment_requested("V", [("A", 5)]), "type"),
    "R10 shipped by the vendor": (order_shipped("1", "s1", "vendor:V", [("1", 1)]), "data.source"),
    "O2 buy to order": (
        item_changed("A", policy={"sourcing": "buy_to_order", "pack_size": 9}),
        "data.policy.sourcing",
    ),
    "O2 drop ship": (
        vendor_changed("V", policy={"sourcing": "drop_ship"}),
        "data.policy.sourcing",
    ),
    "O6 minimum": (item_changed("A", policy={"min_sale_qty": 2}), "data.policy.min_sale_qty"),
    "O6 increment": (
        vendor_changed("V", policy={"sale_increment": 6}),
        "data.policy.sale_increment",
    ),
    "C3 shipped before its order": (
        order_shipped("7", "s1", "WH", [("1", 1)]),
        "data.order_id",
    ),
    "C3 closed before it was raised": (
        replenishment_closed("R-7"),
        "data.replenishment_id",
    ),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_is_not_applied_yet_is_set_aside_whole(what: str) -> None:
    event, field = ASKED[what]
    scene = _scene()
    before = scene.rows()
    scene.when(event).told().booked().kept(*before)
    assert scene.outcome(event) == f"unknown_type at {field}"
    # Nothing of a policy stayed either: the next order is bought as ever.
    scene.when(order_placed("8", [("A", 1)])).told(
        "OrderBackordered main/8 [1: 1 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [4 A]",
    )


@pytest.mark.parametrize("what", ASKED)
def test_its_neighbours_in_the_batch_take_effect(what: str) -> None:
    event, _field = ASKED[what]
    scene = (
        _scene()
        .when(event, order_placed("8", [("A", 1)]))
        .told(
            "OrderBackordered main/8 [1: 1 A until ?] until ?",
            "ReplenishmentExtended V>WH#1 rev 2 [4 A]",
        )
    )
    assert scene.outcome(event).startswith("unknown_type")


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(item_changed("A", policy={"sourcing": "stock"}), id="sourcing stock"),
        pytest.param(item_changed("A", policy={"sourcing": None}), id="sourcing cleared"),
        pytest.param(item_changed("A", policy={"min_sale_qty": 1}), id="no minimum"),
        pytest.param(vendor_changed("V", policy={"sale_increment": None}), id="no increment"),
        pytest.param(_with_group(None), id="no group"),
        pytest.param(order_placed("2", [("A", 1)], holds=[]), id="no holds"),
    ],
)
def test_what_only_says_that_it_asks_for_nothing_more_is_applied(event: Event) -> None:
    assert _scene().given(event).outcome(event) == "applied"


@rule("C3")
def test_an_early_cancellation_waits_on_when_its_order_is_set_aside() -> None:
    scene = _scene()
    early = order_cancelled("2")
    scene.when(early, order_placed("2", [("A", 1)], ship_mode="line")).told()
    assert scene.outcome(early) == "waits for main/2"
    scene.when(order_placed("2", [("A", 1)])).told()
    assert scene.house.line("2").cancelled == 1
