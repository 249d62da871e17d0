"""Settings, shops and places: who says what, and what a change brings about (P1-P4)."""

import pytest

from events.envelope import Event
from handlers.policy import Policy, Rules
from tests.support.builders import (
    item_changed,
    order_placed,
    order_shipped,
    place_changed,
    shop_changed,
    stock_received,
    stock_returned,
    stock_transferred,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.scene import Scene


@rule("P1")
@pytest.mark.parametrize(
    ("default", "vendor", "item", "ordered"),
    [
        pytest.param(2, None, None, 2, id="the default"),
        pytest.param(2, 4, None, 4, id="the vendor before the default"),
        pytest.param(2, 4, 6, 6, id="the item before the vendor"),
        pytest.param(2, None, 6, 6, id="the item before the default"),
        pytest.param(2, 4, 1, 1, id="the item, though it is what nobody set"),
    ],
)
def test_the_first_level_that_sets_a_setting_wins(
    default: int, vendor: int | None, item: int | None, ordered: int
) -> None:
    scene = Scene.with_rules(Rules(defaults=Policy(pack_size=default)))
    scene.when(
        item_changed("A", vendor="V", policy={"pack_size": item}),
        vendor_changed("V", policy={"pack_size": vendor}),
        order_placed("1", [("A", 1)]),
    ).told(
        "OrderBackordered main/1 [1: 1 A until ?] until ?",
        f"ReplenishmentRaised V>main#1 rev 1 [{ordered} A]",
    )


@rule("P1")
def test_clearing_a_setting_restores_the_next_level() -> None:
    scene = Scene.with_rules(
        Rules(defaults=Policy(pack_size=2)),
        vendor_changed("V", policy={"pack_size": 4}),
        item_changed("A", vendor="V", policy={"pack_size": 6, "min_order_qty": 7}),
        order_placed("1", [("A", 1)]),
    )
    scene.kept("main/1 [1] 1 A: 1 held", "V>main#1 open: 12 A")
    scene.when(item_changed("A", policy={"pack_size": None})).told(
        "ReplenishmentReduced V>main#1 rev 2 [8 A]"
    )
    scene.when(vendor_changed("V", policy={"pack_size": None})).told()
    scene.when(item_changed("A", policy=None)).told("ReplenishmentReduced V>main#1 rev 3 [2 A]")


@rule("P1")
def test_what_a_change_does_not_name_stays_as_it_is() -> None:
    scene = Scene(
        item_changed(
            "A", vendor="V", alternatives=["B"], policy={"lead_time_days": 3, "pack_size": 4}
        ),
        item_changed("A", name="Apple"),
        item_changed("A", policy={"pack_size": 5}),
        vendor_changed("V", policy={"min_order_qty": 6}),
        vendor_changed("V", email="v@example.org"),
    )
    scene.when(order_placed("1", [("A", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until T0+3d or B] until T0+3d",
        "ReplenishmentRaised V>main#1 rev 1 [10 A]",
    )
    scene.given(item_changed("A", alternatives=None))
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until T0+3d] until T0+3d"
    )


@rule("P1")
@pytest.mark.parametrize(
    "policy", [{"backorder_policy": "none"}, {"backorder_limit": 1}, {"backorder_limit": 0}]
)
def test_lines_that_wait_keep_their_promise_and_only_new_ones_are_rejected(
    policy: dict[str, object],
) -> None:
    scene = Scene(item_changed("A", vendor="V"), order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy=policy)).told(
        "StockStatusChanged main A out_of_stock, sellable 0"
    ).kept("main/1 [1] 3 A: 3 held", "V>main#1 open: 3 A")
    scene.when(order_placed("2", [("A", 1)]))
    assert scene.house.line("2").rejected == 1
    scene.when(stock_received("r1", "main", [("A", 3)])).told(
        "BackToShip main/1 from main [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
        *(
            ["StockStatusChanged main A backorder, sellable 1"]
            if policy.get("backorder_limit") == 1
            else []
        ),
    )


@rule("P1", "P3")
def test_a_change_applies_from_then_on_within_one_batch() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 5)]))
    scene.when(
        order_placed("1", [("A", 2)]),
        item_changed("A", policy={"safety_stock": 2}),
        order_placed("2", [("A", 2)]),
    )
    assert scene.house.line("1").allocated == 2
    assert scene.house.line("2").allocated == 1


@rule("P3", "P1")
def test_a_vendor_that_is_set_gets_what_waited_at_once() -> None:
    scene = Scene(order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor="V")).told("ReplenishmentRaised V>main#1 rev 1 [3 A]").kept(
        "main/1 [1] 3 A: 3 held", "V>main#1 open: 3 A"
    )


@rule("P3", "S3")
def test_a_change_of_a_vendor_reaches_an_event_of_its_batch_before_its_walk_does() -> None:
    scene = Scene(
        vendor_changed("V", policy={"safety_stock": 3}),
        item_changed("A", vendor="V"),
        stock_received("r1", "main", [("A", 3)]),
        order_placed("1", [("A", 2)]),
    )
    scene.when(vendor_changed("V", policy={"safety_stock": 0}), order_placed("2", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0 complete",
        "ReadyToShip main/2 from main [1: 1 A]",
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        "ReplenishmentCancelled V>main#1 rev 2 []",
        "ReplenishmentRaised V>main#2 rev 1 [1 A]",
    )


@rule("P2")
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(stock_received("x", "NEW", [("A", 3)]), id="receipt"),
        pytest.param(stock_received("x", "D", [("A", 3)], transfer_to="NEW"), id="straight on"),
        pytest.param(stock_transferred("x", "D", "NEW", [("A", 3)]), id="transfer"),
        pytest.param(stock_returned("x", "NEW", [("A", 3)]), id="return"),
    ],
)
def test_a_place_first_seen_where_goods_are_is_a_source_and_serves_at_once(seen: Event) -> None:
    scene = Scene(
        place_changed("main"),
        place_changed("D", kind="dock"),
        stock_received("r1", "D", [("A", 3)]),
        order_placed("1", [("A", 2)]),
    )
    scene.when(seen)
    assert scene.house.line("1").allocations[0].source == "NEW"
    place = scene.house.state.places["NEW"]
    assert (place.kind, place.priority, place.enabled) == ("source", 100, True)


@rule("P2", "S9")
def test_a_place_first_seen_in_a_shipment_is_a_source() -> None:
    scene = Scene(stock_received("r1", "WH", [("A", 2)]), order_placed("1", [("A", 2)]))
    scene.when(order_shipped("1", "s1", "NEW", [("1", 1)])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ExceptionRaised over_shipment: sku=A place=NEW shop=main order_id=1",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
    assert scene.house.state.places["NEW"].picks


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


@rule("P4")
@pytest.mark.parametrize(
    ("changes", "feeds"),
    [
        pytest.param([place_changed("D", kind="dock")], "B", id="the first source by priority"),
        pytest.param([place_changed("D", kind="dock", feeds="C")], "C", id="the one it names"),
        pytest.param(
            [place_changed("D", kind="dock"), place_changed("A", priority=1)],
            "B",
            id="the first when it was first seen",
        ),
        pytest.param(
            [place_changed("D", kind="dock", feeds="C"), place_changed("D", feeds=None)],
            "B",
            id="cleared",
        ),
        pytest.param(
            [place_changed("D", kind="dock", feeds="NEW")], "NEW", id="a place not seen before"
        ),
        pytest.param(
            [place_changed("D"), place_changed("D", kind="dock")], "B", id="once a source"
        ),
    ],
)
def test_a_dock_feeds_one_source(changes: list[Event], feeds: str) -> None:
    scene = Scene(place_changed("C"), place_changed("B", priority=5), *changes)
    assert scene.house.state.places["D"].feeds == feeds
    assert scene.house.state.places[feeds].picks


@rule("P4", "R2")
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(place_changed("WH"), id="told"),
        pytest.param(shop_changed("main", sources=["WH"]), id="a shop's"),
        pytest.param(stock_received("r0", "WH", [("Y", 1)]), id="where goods are"),
    ],
)
def test_a_dock_that_is_seen_before_any_source_feeds_the_first_one_seen(first: Event) -> None:
    scene = Scene(
        place_changed("D", kind="dock"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
        first,
        place_changed("A", priority=1),
    )
    assert scene.house.state.places["D"].feeds == "WH"
    scene.when(shop_changed("main", sources=["WH"]))
    scene.when(order_placed("1", [("X", 4)])).told(
        "OrderBackordered main/1 [1: 4 X until ?] until ?",
        "ReplenishmentRaised V>WH#1 rev 1 [1 X]",
    )


@rule("P4", "R2", "P3")
def test_what_waits_is_bought_no_more_once_the_dock_it_lies_at_feeds_its_destination() -> None:
    scene = Scene(
        place_changed("D", kind="dock"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
    )
    scene.when(order_placed("1", [("X", 4)])).told(
        # `main` is a source from now on, the first one.
        "OrderBackordered main/1 [1: 4 X until ?] until ?",
        "ReplenishmentRaised V>main#1 rev 1 [1 X]",
    )


@rule("P4", "R2", "P3")
def test_a_dock_that_feeds_another_source_is_counted_there_from_then_on() -> None:
    scene = Scene(
        place_changed("A"),
        place_changed("B"),
        place_changed("D", kind="dock", feeds="A"),
        item_changed("X", vendor="V"),
        stock_received("r1", "D", [("X", 3)]),
        shop_changed("main", sources=["B"]),
        order_placed("1", [("X", 4)]),
    )
    scene.when(place_changed("D", feeds="B")).told("ReplenishmentReduced V>B#1 rev 2 [1 X]")
    scene.when(place_changed("D", feeds="A")).told("ReplenishmentExtended V>B#1 rev 3 [4 X]")


@rule("P4")
def test_units_promised_at_a_place_that_is_disabled_stay_promised_and_a_person_is_told() -> None:
    scene = Scene(
        stock_received("r1", "WH", [("A", 5), ("B", 5), ("C", 5)]),
        order_placed("1", [("A", 3), ("C", 1)]),
        order_shipped("1", "s1", "WH", [("2", 1)]),
    )
    scene.when(place_changed("WH", enabled=False)).told(
        "ExceptionRaised place_disabled: sku=A place=WH",
        "StockStatusChanged main A backorder, sellable unlimited",
        "StockStatusChanged main B backorder, sellable unlimited",
        "StockStatusChanged main C backorder, sellable unlimited",
    ).kept(
        "main/1 [1] 3 A: 3 at WH",
        "main/1 [2] 1 C: 1 shipped",
        "WH: 5 A, 3 promised",
        "WH: 5 B",
        "WH: 4 C",
    )
    scene.when(order_shipped("1", "s2", "WH", [("1", 3)])).told().booked("3 A WH>customer shipped")


@rule("P4", "S3")
def test_a_source_that_had_promised_too_much_and_is_disabled_keeps_nobody_from_the_others() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 4)]),
        order_placed("1", [("A", 4)]),
        place_changed("D", kind="dock"),
        stock_transferred("t1", "WH1", "D", [("A", 4)]),
        stock_received("r2", "WH2", [("A", 3)]),
        order_placed("2", [("A", 2)]),
    )
    scene.when(place_changed("WH1", enabled=False)).told(
        "BackToShip main/2 from WH2 [1: 2 A] waited since T0 complete",
        "ExceptionRaised place_disabled: sku=A place=WH1",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )


@rule("P1", "O2")
def test_a_sku_that_is_no_longer_managed_still_serves_who_waited() -> None:
    scene = Scene(item_changed("A", vendor="V"), order_placed("1", [("A", 2)]))
    scene.when(item_changed("A", policy={"manage_stock": False})).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept("main/1 [1] 2 A: 2 held", "V>main#1 open: 2 A")
    scene.when(stock_received("r1", "main", [("A", 2)])).told(
        "BackToShip main/1 from main [1: 2 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
    )
