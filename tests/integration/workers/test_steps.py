"""Consequences too large for one transaction are done in steps (S6), on both engines."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
    vendor_changed,
)
from tests.support.desk import finish, hear, open_desk, refuse, rows
from workers.process import Desk

HELD = 60
FILLED = "CAST(decided AS TEXT) LIKE '%\"S4\"%'"
STEP = Rules(fill_step_lines_max=16)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with open_desk(database_url, STEP) as desk:
        yield desk


def held_orders(count: int = HELD, sku: str = "A", qty: int = 2) -> list[Event]:
    return [
        order_placed(f"{n:03}", [(sku, qty)], placed_at=f"2026-11-20T10:{n // 60:02}:{n % 60:02}Z")
        for n in range(count)
    ]


def state_of_lines(desk: Desk) -> list[tuple[object, ...]]:
    return rows(
        desk,
        "SELECT order_id, sku, allocated, shortage, cancelled FROM order_lines "
        "ORDER BY order_id, sku",
    )


def released(desk: Desk) -> list[object]:
    """The orders of the releases, in the order they were decided."""
    return [
        row[0]
        for row in rows(desk, f"SELECT order_id FROM reasons WHERE {FILLED} ORDER BY clock, n")
    ]


def test_f23_an_event_that_waited_for_a_sku_and_is_refused_then_is_set_aside_alone(
    desk: Desk,
) -> None:
    hear(desk, place_changed("WH1"), *held_orders())
    finish(desk)
    hear(desk, stock_received("R1", "WH1", [("A", 2 * HELD - 1)]))
    late = [order_placed(f"late {n}", [("A", 1)]) for n in range(9)]
    assert hear(desk, *late).counts == {"waiting": 9}  # the fill of its sku is not done
    refuse(desk, "late 5")
    finish(desk)
    assert rows(desk, "SELECT reason, event_id FROM set_aside") == [("gave_up", late[5].id)]
    applied = rows(desk, "SELECT order_id FROM orders WHERE order_id LIKE 'late%' ORDER BY 1")
    assert [row[0] for row in applied] == [f"late {n}" for n in range(9) if n != 5]
    assert rows(desk, "SELECT COUNT(*) FROM waiting") == [(0,)]
    assert rows(desk, "SELECT COUNT(*) FROM tasks") == [(0,)]


def test_a_long_fill_is_done_in_steps_and_in_queue_order(desk: Desk) -> None:
    hear(desk, place_changed("WH1"), *held_orders())
    finish(desk)
    hear(desk, stock_received("R1", "WH1", [("A", 2 * HELD - 1)]))
    assert rows(desk, "SELECT busy FROM items WHERE sku = 'A'") in ([(True,)], [(1,)])
    assert len(released(desk)) < HELD
    steps = finish(desk)
    assert steps >= HELD // 16
    assert released(desk) == [f"{n:03}" for n in range(HELD)]
    assert state_of_lines(desk)[:-1] == [(f"{n:03}", "A", 2, 0, 0) for n in range(HELD - 1)]
    assert state_of_lines(desk)[-1] == (f"{HELD - 1:03}", "A", 1, 1, 0)
    assert rows(desk, "SELECT busy FROM items WHERE sku = 'A'") in ([(False,)], [(0,)])
    assert rows(desk, "SELECT COUNT(*) FROM emitted WHERE type = 'BackToShip'") == [(HELD,)]


def test_events_on_a_sku_being_filled_wait_and_other_skus_are_served(desk: Desk) -> None:
    hear(desk, place_changed("WH1"), stock_received("R0", "WH1", [("B", 5)]), *held_orders())
    finish(desk)
    hear(desk, stock_received("R1", "WH1", [("A", 2 * HELD + 3)]))
    report = hear(
        desk,
        order_placed("new", [("A", 5)], placed_at="2026-11-21T11:00:00Z"),
        order_placed("other", [("B", 5)]),
        order_cancelled("000"),
    )
    assert report.counts == {"applied": 1, "waiting": 2}
    assert rows(desk, "SELECT allocated FROM order_lines WHERE order_id = 'other'") == [(5,)]
    finish(desk)
    # The new order had what nobody who waited could use; the cancelled units came after it.
    lines = {row[0]: row[2:] for row in state_of_lines(desk)}
    assert lines["new"] == (5, 0, 0)
    assert lines["000"] == (0, 0, 2)
    assert rows(desk, "SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [
        ("applied", 2 + HELD + 4)
    ]
    assert rows(desk, "SELECT event_id FROM waiting") == []


def test_steps_end_where_one_transaction_would(database_url: str, tmp_path: object) -> None:
    story = [
        [place_changed("WH1"), *held_orders()],
        [stock_received("R1", "WH1", [("A", 100)])],
        [
            order_placed("late", [("A", 30)], placed_at="2026-11-21T11:00:00Z"),
            order_cancelled("007"),
        ],
    ]
    ends = []
    for url, rules in ((database_url, STEP), (f"sqlite:///{tmp_path}/whole.db", Rules())):
        with open_desk(url, rules) as desk:
            for batch in story:
                hear(desk, *batch)
            finish(desk)
            ids = {row[0] for row in rows(desk, "SELECT id FROM emitted WHERE type = 'BackToShip'")}
            ends.append((state_of_lines(desk), ids))
    assert ends[0] == ends[1]


def test_a_vendors_new_policy_reaches_all_its_skus_in_steps(desk: Desk) -> None:
    skus = [f"S{n}" for n in range(9)]
    hear(
        desk,
        place_changed("WH1"),
        vendor_changed("V", policy={"auto_replenish": False}),
        *(item_changed(sku, vendor="V") for sku in skus),
        *(order_placed(sku, [(sku, 3)]) for sku in skus),
    )
    finish(desk)
    assert rows(desk, "SELECT sku FROM replenishment_lines") == []
    hear(desk, vendor_changed("V", policy={"auto_replenish": True}))
    assert finish(desk, skus_max=2) >= len(skus) // 2
    assert rows(desk, "SELECT sku, qty FROM replenishment_lines ORDER BY sku") == [
        (sku, 3) for sku in skus
    ]


def test_no_new_order_overtakes_those_a_policy_change_lets_go(desk: Desk) -> None:
    hear(
        desk,
        place_changed("WH1"),
        vendor_changed("V", policy={"safety_stock": 10}),
        item_changed("A", vendor="V"),
        stock_received("R1", "WH1", [("A", 10)]),
        order_placed("first", [("A", 4)], placed_at="2026-11-20T10:00:00Z"),
    )
    finish(desk)
    assert state_of_lines(desk) == [("first", "A", 0, 4, 0)]
    # The walk has not reached the sku when the next order comes, in a batch of its own.
    hear(desk, vendor_changed("V", policy={"safety_stock": 7}))
    hear(desk, order_placed("second", [("A", 2)], placed_at="2026-11-20T11:00:00Z"))
    assert state_of_lines(desk) == [("first", "A", 3, 1, 0), ("second", "A", 0, 2, 0)]
    ((cause,),) = rows(desk, f"SELECT event_type FROM reasons WHERE {FILLED}")
    assert cause == "VendorChanged"
    finish(desk)
    assert state_of_lines(desk) == [("first", "A", 3, 1, 0), ("second", "A", 0, 2, 0)]


@pytest.mark.parametrize("workers", [4])
def test_several_workers_at_the_same_steps_do_each_once(desk: Desk, workers: int) -> None:
    hear(desk, place_changed("WH1"), *held_orders(), *held_orders_of_b())
    finish(desk)
    hear(desk, stock_received("R1", "WH1", [("A", 2 * HELD), ("B", HELD)]))
    hear(desk, order_placed("later", [("A", 1), ("B", 1)], placed_at="2026-11-21T11:00:00Z"))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda _: finish(desk), range(workers)))
    finish(desk)
    assert rows(
        desk, "SELECT sku, SUM(allocated), SUM(shortage) FROM order_lines GROUP BY sku ORDER BY sku"
    ) == [("A", 2 * HELD, 1), ("B", HELD, 1)]
    assert rows(desk, "SELECT sku, allocated FROM stock ORDER BY sku") == [
        ("A", 2 * HELD),
        ("B", HELD),
    ]
    assert rows(desk, "SELECT COUNT(*) FROM waiting") == [(0,)]


def held_orders_of_b() -> list[Event]:
    return [
        order_placed(f"b{n:03}", [("B", 1)], placed_at=f"2026-11-20T10:00:{n % 60:02}Z")
        for n in range(HELD)
    ]
