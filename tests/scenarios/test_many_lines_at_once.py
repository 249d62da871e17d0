"""More lines than a step may touch lose, get or hear something, in a database (S6, S8, R12)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_counted,
    stock_received,
    stock_transferred,
)
from tests.support.desk import finish, hear, open_desk, rows
from tests.support.rules import rule
from tests.support.wire import T0
from workers.process import Desk

MANY = 60  # lines; a step reads 16 of each kind and one more, however few it may touch
DAY = timedelta(days=1)
TO_ORDER = item_changed("A", policy={"sourcing": "buy_to_order"})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(f"sqlite:///{tmp_path}/tables.db", Rules(fill_step_lines_max=1)) as opened:
        yield opened


def _given(desk: Desk, *given: Event, **rest: object) -> None:
    """After what is given, each of many orders has 2 A, which V sells."""
    _when(
        desk,
        place_changed("WH", priority=1),
        place_changed("FAR"),
        place_changed("DOCK", kind="dock", feeds="WH"),
        item_changed("A", vendor="V", policy={"lead_time_days": 7}),
        *given,
    )
    orders = [
        order_placed(str(n), [("A", 2)], placed_at=T0 + timedelta(minutes=n), **rest)  # type: ignore[arg-type]
        for n in range(MANY)
    ]
    _when(desk, *orders)


def _when(desk: Desk, *events: Event) -> None:
    hear(desk, *events)
    finish(desk)


def _lines(desk: Desk) -> tuple[object, object]:
    """Units that wait, and units that are promised."""
    (held,) = rows(desk, "SELECT SUM(shortage) FROM order_lines")[0]
    (promised,) = rows(desk, "SELECT COALESCE(SUM(qty), 0) FROM allocations")[0]
    return held, promised


def _open(desk: Desk) -> list[object]:
    """The quantity of each open replenishment."""
    found = rows(
        desk,
        "SELECT t.qty FROM replenishments AS r JOIN replenishment_lines AS t "
        "ON t.replenishment_id = r.replenishment_id WHERE r.state = 'open'",
    )
    return [qty for (qty,) in found]


def _name(desk: Desk) -> str:
    ((name,),) = rows(desk, "SELECT replenishment_id FROM replenishments")
    return str(name)


def _told(desk: Desk, kind: str) -> int:
    """How often it was told."""
    found = rows(desk, "SELECT body FROM outbox")
    bodies = [body if isinstance(body, bytes) else str(body).encode() for (body,) in found]
    return sum(f'"type":"{kind}"'.encode() in body for body in bodies)


@rule("S6", "S8", "O8")
@pytest.mark.parametrize("left", [0, 7, 61])
def test_counted_less_the_last_lines_lose_and_each_is_told_once(desk: Desk, left: int) -> None:
    _given(desk, stock_received("r0", "WH", [("A", 2 * MANY)]), holds=["fraud"])
    assert _lines(desk) == (0, 2 * MANY)
    _when(desk, stock_counted("c1", "WH", [("A", left)], counted_at=T0 + DAY))
    assert _lines(desk) == (2 * MANY - left, left)
    assert _open(desk) == [2 * MANY - left]
    assert _told(desk, "OrderBackordered") == MANY - left // 2
    lost = rows(desk, "SELECT order_id FROM order_lines WHERE shortage > 0")
    assert {int(str(order_id)) for (order_id,) in lost} == set(range(left // 2, MANY))


@rule("S6", "S8", "S3")
def test_moved_to_another_source_all_are_promised_there_and_nobody_is_told(desk: Desk) -> None:
    _given(desk, stock_received("r0", "WH", [("A", 2 * MANY)]), holds=["fraud"])
    _when(desk, stock_transferred("t1", "WH", "FAR", [("A", 2 * MANY)]))
    assert _lines(desk) == (0, 2 * MANY)
    assert _open(desk) == []
    assert _told(desk, "OrderBackordered") == 0


@rule("S6", "R10", "S4")
@pytest.mark.parametrize("to", [None, "WH"], ids=["at-the-source", "by-way-of-a-dock"])
def test_what_was_bought_for_many_lines_comes_to_all_of_them(desk: Desk, to: str | None) -> None:
    _given(desk, TO_ORDER)
    place = "WH" if to is None else "DOCK"
    _when(
        desk,
        stock_received(
            "r1", place, [("A", 2 * MANY)], replenishment_id=_name(desk), transfer_to=to
        ),
    )
    assert _lines(desk) == (0, 2 * MANY)
    assert _open(desk) == []
    assert _told(desk, "BackToShip") == MANY
    assert rows(desk, "SELECT COUNT(*) FROM links") == [(0,)]


@rule("S6", "R10", "S2")
def test_what_lies_at_a_dock_for_many_lines_comes_to_all_when_it_is_moved(desk: Desk) -> None:
    _given(desk, TO_ORDER)
    _when(desk, stock_received("r1", "DOCK", [("A", 2 * MANY)], replenishment_id=_name(desk)))
    assert _lines(desk) == (2 * MANY, 0)
    assert _open(desk) == []
    _when(desk, stock_transferred("t1", "DOCK", "WH", [("A", 2 * MANY - 1)]))
    assert _lines(desk) == (1, 2 * MANY - 1)
    assert _open(desk) == []


@rule("S6", "R10", "R4")
def test_confirmed_less_what_the_last_lose_is_bought_again(desk: Desk) -> None:
    _given(desk, TO_ORDER)
    _when(desk, replenishment_closed(_name(desk), lines=[("A", [(5, T0 + DAY)])]))
    assert _open(desk) == [2 * MANY - 5]
    assert rows(desk, "SELECT SUM(qty) FROM links") == [(2 * MANY,)]


@rule("S6", "R12")
@pytest.mark.parametrize("given", [(), (TO_ORDER,)], ids=["from-the-queue", "linked"])
def test_a_new_date_is_told_to_all_of_them_once(desk: Desk, given: tuple[Event, ...]) -> None:
    _given(desk, *given)
    _when(desk, replenishment_closed(_name(desk), lines=[("A", [(2 * MANY, T0 + 9 * DAY)])]))
    assert _told(desk, "ExpectedDateChanged") == MANY
    _when(desk, item_changed("A", policy={"lead_time_days": 1}))
    assert _told(desk, "ExpectedDateChanged") == MANY
