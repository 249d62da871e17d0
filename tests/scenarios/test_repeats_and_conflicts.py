"""The same fact again has no effect, another content under its name is set aside (C4, S5)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0

# Each fact, the same under another event id, and another content under the same name.
FACTS: dict[str, tuple[Event, Event, Event]] = {
    "order": (
        order_placed("9", [("A", 2)]),
        order_placed("9", [("A", 2)], event_id="again", time=T0 + timedelta(days=1)),
        order_placed("9", [("A", 3)]),
    ),
    "receipt": (
        stock_received("x", "WH", [("A", 2)]),
        stock_received("x", "WH", [("A", 2)], event_id="again", source="/elsewhere"),
        stock_received("x", "WH", [("A", 2)], transfer_to="WH2"),
    ),
    "transfer": (
        stock_transferred("x", "D", "WH", [("A", 2)]),
        stock_transferred("x", "D", "WH", [("A", 2)], event_id="again"),
        stock_transferred("x", "D", "WH2", [("A", 2)]),
    ),
    "return": (
        stock_returned("x", "WH", [("A", 2)]),
        stock_returned("x", "WH", [("A", 2)], event_id="again"),
        stock_returned("x", "WH", [("A", 1), ("A", 1)]),
    ),
    "shipment": (
        order_shipped("0", "x", "WH", [("1", 1)]),
        order_shipped("0", "x", "WH", [("1", 1)], event_id="again"),
        order_shipped("0", "x", "WH", [("1", 2)]),
    ),
}


def _scene() -> Scene:
    return Scene(
        shop_changed("main"),
        place_changed("WH"),
        place_changed("D", kind="dock"),
        item_changed("A", vendor="V"),
        stock_received("r1", "WH", [("A", 4)]),
        stock_received("r2", "D", [("A", 9)]),
        order_placed("0", [("A", 4)]),
        order_placed("1", [("A", 5)]),
    )


@pytest.mark.parametrize("fact", FACTS)
@rule("C4", "S5")
def test_a_fact_told_again_under_another_event_id_changes_nothing(fact: str) -> None:
    first, again, _other = FACTS[fact]
    scene = _scene().given(first)
    before = scene.rows()
    scene.when(again).told().booked().kept(*before)
    assert scene.outcome(again) == "repeated"


@pytest.mark.parametrize("fact", FACTS)
@rule("C4")
def test_a_fact_told_twice_in_one_batch_has_one_effect(fact: str) -> None:
    first, again, _other = FACTS[fact]
    once = _scene().when(first)
    twice = _scene().when(first, again)
    assert twice.rows() == once.rows()
    assert twice.out == once.out
    assert (twice.outcome(first), twice.outcome(again)) == ("applied", "repeated")


@pytest.mark.parametrize("fact", FACTS)
@rule("C4")
def test_another_content_under_the_name_of_a_fact_is_set_aside(fact: str) -> None:
    first, again, other = FACTS[fact]
    scene = _scene().given(first)
    before = scene.rows()
    scene.when(other).told().booked().kept(*before)
    assert scene.outcome(other) == "conflict at data"
    scene.when(again)
    assert scene.outcome(again) == "repeated"


@rule("C4")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(
            order_placed("9", [("A", 1)]), order_placed("9", [("A", 2)], shop="b"), id="shop"
        ),
        pytest.param(
            stock_received("x", "WH", [("B", 1)]),
            stock_received("x", "WH2", [("B", 2)]),
            id="receipt: place",
        ),
        pytest.param(
            stock_transferred("x", "D", "WH", [("A", 1)]),
            stock_transferred("x", "WH", "D", [("A", 2)]),
            id="transfer: origin",
        ),
        pytest.param(
            stock_returned("x", "WH", [("B", 1)]),
            stock_returned("x", "D", [("B", 2)]),
            id="return: place",
        ),
        pytest.param(
            stock_returned("x", "WH", [("B", 1)]),
            stock_received("x", "WH", [("B", 2)]),
            id="a return is no receipt",
        ),
        pytest.param(
            order_shipped("0", "x", "WH", [("1", 1)]),
            order_shipped("1", "x", "WH", [("1", 2)]),
            id="shipment: order",
        ),
        pytest.param(
            order_shipped("0", "x", "WH", [("1", 1)]),
            order_shipped("0", "x", "D", [("1", 2)]),
            id="shipment: source",
        ),
    ],
)
def test_a_name_counts_only_within_its_scope(first: Event, second: Event) -> None:
    scene = _scene().when(first, second)
    assert (scene.outcome(first), scene.outcome(second)) == ("applied", "applied")


@rule("C4")
def test_what_the_contract_does_not_know_makes_no_difference() -> None:
    scene = _scene().given(stock_received("x", "WH", [("A", 1)]))
    again = stock_received("x", "WH", [("A", 1)], event_id="again", weather="fine")
    scene.when(again).told().booked()
    assert scene.outcome(again) == "repeated"


@rule("C4")
def test_a_conflicting_order_in_the_batch_of_the_first_is_set_aside_and_the_rest_goes_on() -> None:
    other = order_placed("9", [("B", 1)])
    scene = _scene().when(order_placed("9", [("A", 1)]), other, order_placed("10", [("A", 1)]))
    assert scene.outcome(other) == "conflict at data"
    assert scene.house.line("9").sku == "A"
    assert scene.house.line("10").shortage == 1
