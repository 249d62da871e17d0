"""What an event names has not come in time: it is set aside, and a shipment is told of (C3)."""

from datetime import timedelta

import pytest

from events.envelope import Event
from handlers.batch import expire
from handlers.decision import SetAside
from tests.support.builders import (
    back_to_ship_requested,
    line_backordered,
    order_changed,
    order_hold_cleared,
    order_shipped,
    replenishment_closed,
    replenishment_requested,
    stock_received,
)
from tests.support.house import NOW
from tests.support.retelling import message, movement
from tests.support.rules import rule
from tests.support.scene import Scene

OVERDUE = NOW + timedelta(hours=24)
PICKED = {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1"}


@rule("C3")
@pytest.mark.parametrize(
    ("event", "told"),
    [
        pytest.param(order_hold_cleared("1"), [], id="hold cleared"),
        pytest.param(order_changed("1", [("A", 1)]), [], id="changed"),
        pytest.param(back_to_ship_requested("1"), [], id="a person's word"),
        pytest.param(line_backordered("1", ("1", 1), "WH"), [], id="not found"),
        pytest.param(replenishment_requested("V", [PICKED]), [], id="a buyer's pick"),
        pytest.param(replenishment_closed("V>WH#1"), [], id="a buyer's close"),
        pytest.param(
            order_shipped("1", "s1", "WH", [("1", 2)]),
            ["ExceptionRaised over_shipment: place=WH shop=main order_id=1 line_id=1"],
            id="shipped",
        ),
        pytest.param(
            order_shipped("1", "s1", "vendor:V", [("1", 2), ("2", 1)]),
            [
                "ExceptionRaised over_shipment: place=vendor:V shop=main order_id=1 line_id=1",
                "ExceptionRaised over_shipment: place=vendor:V shop=main order_id=1 line_id=2",
            ],
            id="shipped by a vendor",
        ),
    ],
)
def test_an_event_that_waited_too_long_is_set_aside(event: Event, told: list[str]) -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 2)])).when(event).told()
    kept = scene.rows()
    decision = expire(scene.house.state, [(event, NOW)], OVERDUE)
    ((_event, outcome),) = decision.outcomes
    assert isinstance(outcome, SetAside)
    assert (outcome.reason, outcome.field) == ("not_found_in_time", None)
    assert [message(row.message, {}) for row in decision.emissions] == told
    assert [movement(row) for row in decision.movements] == []
    assert scene.rows() == kept


@rule("C3")
def test_several_are_set_aside_together_each_with_its_own_exception() -> None:
    events = [order_shipped(name, "s1", "WH", [("1", 1)]) for name in ("1", "2")]
    scene = Scene().when(*events)
    decision = expire(scene.house.state, [(event, NOW) for event in events], OVERDUE)
    assert [event for event, _outcome in decision.outcomes] == events
    assert [message(row.message, {}) for row in decision.emissions] == [
        "ExceptionRaised over_shipment: place=WH shop=main order_id=1 line_id=1",
        "ExceptionRaised over_shipment: place=WH shop=main order_id=2 line_id=1",
    ]
    assert [row.cause for row in decision.emissions] == [event.cause for event in events]
    assert len({row.id for row in decision.emissions}) == len(events)
