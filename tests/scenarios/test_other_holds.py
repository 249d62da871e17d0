"""Holds other than the payment, and orders a person releases: reserved, bought, not sent (O10)."""

from typing import Any

import pytest

from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    order_cancelled,
    order_hold_cleared,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

HELD: dict[str, Any] = {"holds": ["fraud"]}
MANUAL: dict[str, Any] = {"release": "manual"}
KEPT = ("main/1 [1] 3 A: 2 at WH, 1 held", "WH: 2 A, 2 promised", "V>WH#1 open: 1 A")
EITHER = pytest.mark.parametrize("how", [HELD, MANUAL], ids=["hold", "manual"])


def _scene(qty: int) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)]))


@rule("O10")
@EITHER
def test_units_are_reserved_and_bought_and_the_customer_told_but_nothing_is_sent(
    how: dict[str, Any],
) -> None:
    scene = _scene(2)
    scene.when(order_placed("1", [("A", 3)], **how)).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 A]",
        "StockStatusChanged main A backorder, sellable unlimited",
    ).kept(*KEPT)
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "ReplenishmentCancelled V>WH#1 rev 2 []"
    )
    scene.kept("main/1 [1] 3 A: 3 at WH", "WH: 3 A, 3 promised", "V>WH#1 cancelled: nothing")


@rule("O10")
def test_what_is_reserved_goes_when_the_hold_is_lifted() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], **HELD))
    scene.when(order_hold_cleared("1", "fraud")).told("ReadyToShip main/1 from WH [1: 2 A]").kept(
        *KEPT
    )
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O10", "O11")
def test_units_that_came_meanwhile_make_it_back_to_ship() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], **HELD))
    scene.given(stock_received("r1", "WH", [("A", 1)]))
    scene.when(order_hold_cleared("1", "fraud")).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete"
    )


@rule("O10")
def test_the_last_of_several_holds_lets_it_go() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)], holds=["fraud", "address", "fraud"]))
    scene.when(order_hold_cleared("1", "fraud")).told().kept(
        "main/1 [1] 1 A: 1 at WH", "WH: 2 A, 1 promised"
    )
    scene.when(order_hold_cleared("1", "address")).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    )


@rule("O10")
@pytest.mark.parametrize("hold", ["payment", "address", "Fraud"])
def test_a_hold_the_order_does_not_have_lifts_nothing(hold: str) -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)], **HELD))
    scene.when(order_hold_cleared("1", hold)).told().kept(
        "main/1 [1] 1 A: 1 at WH", "WH: 2 A, 1 promised"
    )


@rule("O10")
def test_a_hold_lifted_twice_releases_once() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)], **HELD), order_hold_cleared("1", "fraud"))
    scene.when(order_hold_cleared("1", "fraud", event_id="again")).told()


@rule("O10", "S11")
def test_a_manual_order_goes_when_a_person_says_so_and_so_does_each_later_part() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], **MANUAL))
    scene.when(back_to_ship_requested("1")).told("ReadyToShip main/1 from WH [1: 2 A]").kept(*KEPT)
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "ReplenishmentCancelled V>WH#1 rev 2 []"
    )
    scene.when(back_to_ship_requested("1", event_id="again")).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete"
    )


@rule("O10", "S11")
def test_a_manual_order_with_a_hold_waits_for_both() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 1)], **HELD, **MANUAL))
    scene.when(back_to_ship_requested("1")).told(
        "ExceptionRaised refused on_hold: shop=main order_id=1"
    )
    scene.when(order_hold_cleared("1", "fraud")).told()
    scene.when(back_to_ship_requested("1", event_id="again")).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    )


@rule("O10", "O9")
def test_the_ship_mode_is_asked_when_the_hold_is_lifted() -> None:
    scene = _scene(2).given(order_placed("1", [("A", 3)], ship_mode="complete", **HELD))
    scene.when(order_hold_cleared("1", "fraud")).told().kept(*KEPT)
    scene.when(stock_received("r1", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("O10", "C1", "O11")
@EITHER
def test_reserved_units_are_cancelled_without_a_word_to_the_warehouse(how: dict[str, Any]) -> None:
    scene = _scene(2).given(order_placed("1", [("A", 2)], **how))
    scene.when(order_cancelled("1")).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept("main/1 [1] 2 A: 2 cancelled", "WH: 2 A")


@rule("O10", "O2")
@EITHER
def test_the_vendor_is_told_to_ship_all_the_same(how: dict[str, Any]) -> None:
    """A hold other than payment waits only with releasing; what a vendor ships is bought."""
    scene = _scene(2).given(item_changed("D", vendor="V", policy={"sourcing": "drop_ship"}))
    scene.when(order_placed("1", [("D", 1)], **how)).told(
        "ReplenishmentRaised V>customer:main/1#1 rev 1 [1 D]"
    )
