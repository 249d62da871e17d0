"""Versions of an order, and what of an order a change leaves as it is (C2, C4)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene


def _scene(qty: int = 0) -> Scene:
    scene = Scene(place_changed("WH"), shop_changed("main"), item_changed("A", vendor="V"))
    return scene.given(stock_received("r0", "WH", [("A", qty)])) if qty else scene


@rule("C2")
def test_an_older_version_is_ignored_whatever_it_says() -> None:
    scene = _scene(9).given(
        order_placed("1", [("A", 3)]), order_changed("1", [("A", 4)], version=5)
    )
    kept = scene.rows()
    older = order_changed("1", [("A", 1), ("B", 2)], version=4)
    scene.when(older).told().booked().kept(*kept)
    assert scene.outcome(older) == "repeated"


@rule("C2", "C4")
def test_the_same_version_with_the_same_content_is_a_repetition() -> None:
    scene = _scene(9).given(order_placed("1", [("A", 3)]), order_changed("1", [("A", 4)]))
    kept = scene.rows()
    again = order_changed("1", [("A", 4)], event_id="again", extension="unknown to us")
    scene.when(again).told().kept(*kept)
    assert scene.outcome(again) == "repeated"


@rule("C2", "C4")
def test_the_same_version_with_other_content_is_set_aside() -> None:
    scene = _scene(9).given(order_placed("1", [("A", 3)]), order_changed("1", [("A", 4)]))
    kept = scene.rows()
    other = order_changed("1", [("A", 5)])
    scene.when(other).told().kept(*kept)
    assert scene.outcome(other) == "conflict at data"
    scene.when(order_changed("1", [("A", 5)], version=2)).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    )


@rule("C2", "C4")
def test_the_order_as_it_was_placed_is_told_again_after_the_change() -> None:
    scene = _scene(9).given(order_placed("1", [("A", 3)]), order_changed("1", [("A", 4)]))
    kept = scene.rows()
    again = order_placed("1", [("A", 3)], event_id="again")
    scene.when(again).told().kept(*kept)
    assert scene.outcome(again) == "repeated"
    other = order_placed("1", [("A", 4)])
    scene.when(other).told().kept(*kept)
    assert scene.outcome(other) == "conflict at data"


@rule("C2")
def test_versions_in_one_batch_have_their_effect_in_their_order() -> None:
    scene = _scene(9)
    scene.when(
        order_placed("1", [("A", 3)]),
        order_changed("1", [("A", 5)], version=2),
        order_changed("1", [("A", 1)], version=1),
    ).told(
        "ReadyToShip main/1 from WH [1: 3 A] complete",
        "ReadyToShip main/1 from WH [1: 2 A] complete",
    ).kept("main/1 [1] 5 A: 5 at WH", "WH: 9 A, 5 promised")


@rule("C2")
def test_another_sku_under_a_line_id_is_set_aside_whole_and_uses_up_no_version() -> None:
    scene = _scene(9).given(order_placed("1", [("A", 3), ("A", 1)]))
    kept = scene.rows()
    other = order_changed("1", [("A", 9), ("B", 1)])
    scene.when(other).told().kept(*kept)
    assert scene.outcome(other) == "conflict at data.lines.1.sku"
    scene.when(order_changed("1", [("A", 4), ("A", 1)])).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete"
    )


@rule("C2")
@pytest.mark.parametrize("hold", [[], ["payment"]], ids=["judged", "pending"])
def test_a_change_of_price_or_address_alone_writes_and_tells_nothing(hold: list[str]) -> None:
    scene = _scene(2).given(
        order_placed(
            "1", [("A", 3)], holds=hold, ship_to={"city": "Bern"}, customer={"name": "Ada"}
        )
    )
    kept = scene.rows()
    line = {"sku": "A", "qty": 3, "unit_price": "9.90", "name": "Apple"}
    scene.when(order_changed("1", [line], ship_to={"city": "Rome"})).told().booked().kept(*kept)


@rule("C2", "O8")
def test_later_messages_have_the_new_address_and_the_new_customer() -> None:
    scene = _scene().given(
        order_placed("1", [("A", 3)], ship_to={"city": "Bern"}, customer={"email": "a@x.org"})
    )
    scene.when(
        order_changed("1", [("A", 4)], ship_to={"city": "Rome"}, customer={"email": "b@x.org"})
    ).told(
        "OrderBackordered main/1 [1: 4 A until ?] until ? for b@x.org",
        "ReplenishmentExtended V>WH#1 rev 2 [4 A]",
    )
    scene.when(stock_received("r1", "WH", [("A", 3)])).told(
        "BackToShip main/1 from WH [1: 3 A] waited since T0 to {'city': 'Rome'}",
        "ReplenishmentReduced V>WH#1 rev 3 [1 A]",
    )
    scene.given(order_changed("1", [("A", 4)], version=2))
    scene.when(stock_received("r2", "WH", [("A", 1)])).told(
        "BackToShip main/1 from WH [1: 1 A] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 4 []",
    )
