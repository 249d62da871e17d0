"""Where a shop ships from, and where its replenishments are delivered (P4)."""

import pytest

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene


@rule("P4", "O3")
@pytest.mark.parametrize(
    ("changes", "served_from"),
    [
        pytest.param([], "B", id="all sources, by code"),
        pytest.param([place_changed("C", priority=1)], "C", id="all sources, by priority"),
        pytest.param([shop_changed("main", sources=["D", "B"])], "D", id="its list, in its order"),
        pytest.param(
            [shop_changed("main", sources=["E", "C"])], "C", id="the next one that has it"
        ),
        pytest.param(
            [shop_changed("main", sources=["D"]), shop_changed("main", sources=None)],
            "B",
            id="the list cleared",
        ),
        pytest.param([place_changed("B", enabled=False)], "C", id="not a disabled one"),
        pytest.param([shop_changed("main", sources=[])], None, id="an empty list: none"),
    ],
)
def test_a_shop_ships_from_its_sources_in_their_order(
    changes: list[Event], served_from: str | None
) -> None:
    scene = Scene(*(stock_received(f"r-{name}", name, [("A", 5)]) for name in "DCB"), *changes)
    scene.when(order_placed("1", [("A", 3)]))
    sources = [row.source for row in scene.house.line("1").allocations]
    assert sources == ([] if served_from is None else [served_from])


@rule("P4")
@pytest.mark.parametrize(
    ("changes", "destination"),
    [
        pytest.param([], "main", id="no source anywhere"),
        pytest.param([place_changed("B"), place_changed("A")], "A", id="the first source"),
        pytest.param([place_changed("B"), place_changed("A", priority=101)], "B", id="by priority"),
        pytest.param([shop_changed("main", sources=["C", "A"])], "C", id="the first of its list"),
        pytest.param([shop_changed("main", sources=[])], "main", id="an empty list"),
        pytest.param(
            [shop_changed("main", sources=["C", "A"], destination="A")], "A", id="one of its list"
        ),
        pytest.param(
            [
                place_changed("D", kind="dock", feeds="A"),
                shop_changed("main", sources=["C", "A"], destination="D"),
            ],
            "D",
            id="a dock that feeds one of its list",
        ),
        pytest.param(
            [
                shop_changed("main", sources=["C"], destination="C"),
                shop_changed("main", destination=None, sources=["A"]),
            ],
            "A",
            id="cleared",
        ),
        pytest.param(
            [place_changed("A"), place_changed("B"), place_changed("A", enabled=False)],
            "B",
            id="the first that serves",
        ),
    ],
)
def test_replenishments_of_a_shop_are_delivered_to_its_destination(
    changes: list[Event], destination: str
) -> None:
    scene = Scene(item_changed("X", vendor="V"), *changes).when(order_placed("1", [("X", 1)]))
    scene.told(
        "OrderBackordered main/1 [1: 1 X until ?] until ?",
        f"ReplenishmentRaised V>{destination}#1 rev 1 [1 X]",
    )


@rule("P4")
@pytest.mark.parametrize(
    "destination",
    [
        pytest.param("ELSE", id="a source of others"),
        pytest.param("D", id="a dock that feeds a source of others"),
    ],
)
def test_a_destination_that_cannot_serve_the_shop_is_not_used_and_a_person_is_told(
    destination: str,
) -> None:
    scene = Scene(
        place_changed("ELSE"),
        place_changed("D", kind="dock", feeds="ELSE"),
        item_changed("X", vendor="V"),
    )
    scene.when(shop_changed("main", sources=["WH"], destination=destination)).told(
        f"ExceptionRaised bad_destination: place={destination} shop=main"
    )
    scene.when(order_placed("1", [("X", 1)])).told(
        "OrderBackordered main/1 [1: 1 X until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 X]",
        f"ExceptionRaised bad_destination: place={destination} shop=main order_id=1",
    )


@rule("P4")
def test_an_order_keeps_the_destination_it_had_when_it_was_judged() -> None:
    scene = Scene(
        item_changed("X", vendor="V"),
        shop_changed("main", sources=["A", "B"]),
        order_placed("1", [("X", 1)]),
    )
    scene.when(shop_changed("main", destination="B")).told()
    scene.when(order_placed("2", [("X", 1)])).told(
        "OrderBackordered main/2 [1: 1 X until ?] until ?",
        "ReplenishmentRaised V>B#1 rev 1 [1 X]",
    ).kept(
        "main/1 [1] 1 X: 1 held",
        "main/2 [1] 1 X: 1 held",
        "V>A#1 open: 1 X",
        "V>B#1 open: 1 X",
    )
