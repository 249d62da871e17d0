"""More lines that are bought for one by one than a step may touch, in a database (S6, R10, P3).

The houses in memory have every replenishment at hand; here only those of the lines of a step are.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from events.envelope import Event
from handlers.policy import Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    vendor_changed,
)
from tests.support.desk import finish, hear, open_desk, rows
from tests.support.rules import rule
from workers.process import Desk

MANY = 60  # lines; a step reads 16 of each kind and one more, however few it may touch
TO_ORDER = {"sourcing": "buy_to_order"}
DROP_SHIP = {"sourcing": "drop_ship"}
BOTH = pytest.mark.parametrize("policy", [TO_ORDER, DROP_SHIP], ids=["to-order", "drop-ship"])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(f"sqlite:///{tmp_path}/tables.db", Rules(fill_step_lines_max=1)) as opened:
        yield opened


def _given(desk: Desk, policy: dict[str, str]) -> None:
    """Each of many orders has 2 A, which V sells."""
    _when(desk, place_changed("WH"), item_changed("A", vendor="V", policy=policy))
    _when(desk, *(order_placed(str(n), [("A", 2)]) for n in range(MANY)))


def _when(desk: Desk, *events: Event) -> None:
    hear(desk, *events)
    finish(desk)


def _bought(desk: Desk) -> dict[object, tuple[object, object]]:
    """Units asked of each vendor on open replenishments, and how many are for lines."""
    found = rows(
        desk,
        "SELECT r.vendor, SUM(t.qty), SUM(t.linked) FROM replenishments AS r "
        "JOIN replenishment_lines AS t ON t.replenishment_id = r.replenishment_id "
        "WHERE r.state = 'open' GROUP BY r.vendor",
    )
    return {vendor: (qty, linked) for vendor, qty, linked in found}


@rule("S6", "R10", "R2")
@BOTH
def test_ordered_at_once_all_of_it_is_bought(desk: Desk, policy: dict[str, str]) -> None:
    _given(desk, policy)
    assert _bought(desk) == {"V": (2 * MANY, 2 * MANY)}


@rule("S6", "R10", "P3")
@BOTH
def test_when_automation_stops_all_of_it_is_taken_back(desk: Desk, policy: dict[str, str]) -> None:
    _given(desk, policy)
    _when(desk, item_changed("A", policy={"auto_replenish": False}))
    assert _bought(desk) == {}
    _when(desk, item_changed("A", policy={"auto_replenish": None}))
    assert _bought(desk) == {"V": (2 * MANY, 2 * MANY)}


@rule("S6", "R10", "P3")
@BOTH
def test_from_another_vendor_all_of_it_is_bought_there(desk: Desk, policy: dict[str, str]) -> None:
    _given(desk, policy)
    _when(desk, item_changed("A", vendor="W"))
    assert _bought(desk) == {"W": (2 * MANY, 2 * MANY)}
    _when(desk, item_changed("A", vendor="V"))
    assert _bought(desk) == {"V": (2 * MANY, 2 * MANY)}


@rule("S6", "R10", "P1")
@BOTH
def test_when_the_vendor_may_not_be_ordered_from_all_of_it_waits(
    desk: Desk, policy: dict[str, str]
) -> None:
    _given(desk, policy)
    _when(desk, vendor_changed("V", policy={"auto_replenish": False}))
    assert _bought(desk) == {}


@rule("S6", "R10", "R5")
@pytest.mark.parametrize("sent", [True, False], ids=["after-it-was-sent", "while-it-is-open"])
@pytest.mark.parametrize("outcome", ["short_closed", "cancelled"])
def test_given_up_all_of_it_is_bought_again(desk: Desk, outcome: str, sent: bool) -> None:  # noqa: FBT001
    _given(desk, TO_ORDER)
    ((name,),) = rows(desk, "SELECT replenishment_id FROM replenishments")
    if sent:
        _when(desk, replenishment_closed(str(name)))
        assert _bought(desk) == {}
    _when(desk, replenishment_closed(str(name), outcome=outcome))
    assert _bought(desk) == {"V": (2 * MANY, 2 * MANY)}
