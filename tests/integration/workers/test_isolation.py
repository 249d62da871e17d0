"""One bad event costs itself: its neighbours in the batch take effect (contract.md §1, F21-F23)."""

from collections.abc import Iterator, Sequence

import pytest

from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders
from handlers.decision import Outcome
from handlers.turn import Turn
from tests.support.builders import order_changed, order_placed
from tests.support.desk import hear, open_desk, refuse, rows
from tests.support.stack import outgoing
from workers.process import Desk


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url) as desk:
        yield desk


def orders_of(desk: Desk) -> list[object]:
    return [row[0] for row in rows(desk, "SELECT order_id FROM orders ORDER BY order_id")]


def some_orders(ids: Sequence[str]) -> list[Event]:
    return [order_placed(order_id, [("A", 1)]) for order_id in ids]


def test_a_malformed_body_is_set_aside_with_field_and_reason_and_its_neighbours_go_on(
    desk: Desk,
) -> None:
    one, two = some_orders("12")
    bad = outgoing(order_placed("3", [("A", 1)]))
    body = bad.body.replace(b'"qty":1', b'"qty":0')
    report = hear(desk, one, (bad.routing_key, body), two)
    assert report.counts == {"malformed": 1, "applied": 2}
    assert orders_of(desk) == ["1", "2"]
    assert rows(desk, "SELECT reason, field, attempts FROM set_aside") == [
        ("malformed", "data.lines.0.qty", 1)
    ]


def test_the_same_malformed_body_again_raises_attempts_and_adds_no_row(desk: Desk) -> None:
    for _ in range(3):
        hear(desk, ("OrderPlaced.main", b"not json"))
    assert rows(desk, "SELECT reason, attempts FROM set_aside") == [("malformed", 3)]


def test_an_order_under_another_shops_key_is_set_aside(desk: Desk) -> None:
    order = outgoing(order_placed("1", [("A", 1)], shop="main"))
    report = hear(desk, ("OrderPlaced.other", order.body))
    assert report.counts == {"wrong_origin": 1}
    assert orders_of(desk) == []
    assert rows(desk, "SELECT reason, field FROM set_aside") == [("wrong_origin", "data.shop")]


def test_a_bug_in_a_handler_costs_its_event_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = orders.placed

    def with_a_bug(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
        if data.order_id == "2":
            raise ZeroDivisionError
        return judge(turn, event, data)

    monkeypatch.setattr(orders, "placed", with_a_bug)
    report = hear(desk, *some_orders("123"))
    assert report.counts == {"applied": 2, "gave_up": 1}
    assert orders_of(desk) == ["1", "3"]
    ((reason, message, detail),) = rows(desk, "SELECT reason, message, detail FROM set_aside")
    assert reason == "gave_up"
    assert "ZeroDivisionError" in str(message)
    assert "with_a_bug" in str(detail)


def test_an_event_the_database_refuses_is_found_by_halving(desk: Desk) -> None:
    refuse(desk, "poison")
    ids = [f"{n:02}" for n in range(20)]
    ids[13] = "poison"
    report = hear(desk, *some_orders(ids))
    assert report.counts == {"applied": 19, "gave_up": 1}
    assert orders_of(desk) == sorted(set(ids) - {"poison"})
    assert rows(
        desk,
        "SELECT reason, event_id = (SELECT event_id FROM inbox WHERE outcome = "
        "'set_aside') FROM set_aside",
    ) in ([("gave_up", True)], [("gave_up", 1)])
    assert rows(desk, "SELECT shortage FROM demand") == [(19,)]


def test_what_was_set_aside_is_not_applied_when_it_is_delivered_again(desk: Desk) -> None:
    hear(desk, order_placed("1", [("A", 1)]))
    changed = order_changed("1", [("B", 1)])
    assert hear(desk, changed).counts == {"conflict": 1}
    assert hear(desk, changed).counts == {"duplicate": 1}
    assert rows(desk, "SELECT sku, ordered FROM order_lines") == [("A", 1)]
    assert rows(desk, "SELECT reason, field, attempts FROM set_aside") == [
        ("conflict", "data.lines.0.sku", 1)
    ]


def test_the_same_event_with_other_content_is_a_conflict_and_changes_nothing(desk: Desk) -> None:
    first = order_placed("1", [("A", 1)], event_id="E", source="/shops/main")
    other = order_placed("1", [("A", 2)], event_id="E", source="/shops/main")
    assert hear(desk, first).counts == {"applied": 1}
    assert hear(desk, other).counts == {"conflict": 1}
    assert rows(desk, "SELECT ordered FROM order_lines") == [(1,)]


def test_repeats_inside_one_batch_are_applied_once(desk: Desk) -> None:
    order = order_placed("1", [("A", 1)])
    assert hear(desk, order, order, order).counts == {"applied": 1, "duplicate": 2}
    assert rows(desk, "SELECT shortage FROM demand") == [(1,)]
