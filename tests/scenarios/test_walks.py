"""A change that touches many skus reaches them in steps (S6, P3)."""

from handlers.decision import Applied, Deferred
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    shop_changed,
    stock_received,
    vendor_changed,
)
from tests.support.rules import rule
from tests.support.stepwise import Stepwise


@rule("S6", "P3", "S3")
def test_a_change_that_touches_many_skus_takes_effect_in_steps() -> None:
    skus = [f"S{n}" for n in range(4)]
    stepwise = Stepwise(
        vendor_changed("V", policy={"auto_replenish": False}),
        *(item_changed(sku, vendor="V") for sku in skus),
        order_placed("1", [(sku, 1) for sku in skus]),
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"auto_replenish": True})).told()
    for n in range(4):
        assert stepwise.step()
        kind = "Extended" if n else "Raised"
        lines = ", ".join(f"1 {sku}" for sku in skus[: n + 1])
        scene.told(f"Replenishment{kind} V>main#1 rev {n + 1} [{lines}]")
    assert stepwise.finish() == 1  # the step that finds nothing more


@rule("S6", "P3")
def test_an_event_before_the_walk_reaches_its_sku_is_judged_as_if_it_had() -> None:
    stepwise = Stepwise(
        place_changed("WH"),
        item_changed("A", vendor="V", policy={"safety_stock": 0}),
        item_changed("Z", vendor="V"),
        vendor_changed("V", policy={"safety_stock": 2}),
        stock_received("r1", "WH", [("Z", 2)]),
        order_placed("1", [("Z", 1)]),
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"safety_stock": 1})).told()
    scene.when(order_placed("2", [("Z", 1)], priority=1)).told(
        "BackToShip main/1 from WH [1: 1 Z] waited since T0 complete",
        "OrderBackordered main/2 [1: 1 Z until ?] until ?",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ReplenishmentRaised V>WH#2 rev 1 [1 Z]",
    )
    stepwise.finish()
    scene.kept(
        "main/1 [1] 1 Z: 1 at WH",
        "main/2 [1] 1 Z: 1 held",
        "WH: 2 Z, 1 promised",
        "V>WH#1 cancelled: nothing",
        "V>WH#2 open: 1 Z",
    )


@rule("S6", "P3")
def test_a_walk_that_comes_to_a_sku_being_filled_serves_it_after() -> None:
    stepwise = Stepwise.with_a_queue(shop_changed("b", sources=[]))
    scene = stepwise.scene.when(stock_received("r1", "WH", [("A", 10)]))
    scene.when(shop_changed("b", sources=["WH"]))
    scene.when(order_placed("9", [("A", 1)]))  # waits, and leaves the walk where it is
    scene.when(order_placed("10", [("A", 1)]))
    assert [task.kind for task in stepwise.house.tasks] == ["fill", "walk"]
    stepwise.finish()
    assert stepwise.house.line("1", shop="b").allocated == 2
    assert stepwise.house.line("3", shop="b").allocated == 2
    assert stepwise.held == 2


@rule("S6", "P3")
def test_a_walk_that_went_ahead_of_an_event_and_left_a_fill_may_leave_another() -> None:
    stepwise = Stepwise.with_a_queue(shop_changed("b", sources=[]))
    stepwise.scene.when(stock_received("r1", "WH", [("A", 11)]))
    stepwise.finish()
    assert stepwise.held == 4  # those of shop b, which may not ship from anywhere
    late = order_placed("9", [("A", 1)])
    stepwise.scene.when(shop_changed("b", sources=["WH"]))
    stepwise.scene.when(late)
    assert isinstance(stepwise.house.outcome(late), Deferred)
    stepwise.finish()
    assert isinstance(stepwise.house.outcome(late), Applied)
    assert stepwise.held == 0


@rule("S6", "P3", "S13")
def test_a_walk_that_goes_ahead_of_several_events_on_a_sku_is_told_once() -> None:
    """What other events do to the sku meanwhile is told as theirs, so that no id comes twice."""
    arrival = stock_received("r1", "WH", [("Z", 1)])
    repeats = [stock_received("r1", "WH", [("Z", 1)], event_id=f"again-{n}") for n in range(3)]
    stepwise = Stepwise(
        shop_changed("main"),
        item_changed("A", vendor="V"),
        item_changed("Z", vendor="V"),
        vendor_changed("V", policy={"safety_stock": 1}),
        arrival,
    )
    scene = stepwise.scene.when(vendor_changed("V", policy={"safety_stock": 0})).told()
    in_stock = "StockStatusChanged main Z in_stock, sellable unlimited"
    scene.when(repeats[0]).told(in_stock)
    scene.when(order_placed("1", [("Z", 1)]), repeats[1]).told(
        "ReadyToShip main/1 from WH [1: 1 Z] complete",
        "StockStatusChanged main Z backorder, sellable unlimited",
    )
    scene.when(stock_received("r2", "WH", [("Z", 1)]), repeats[2]).told(in_stock)
    stepwise.finish()


@rule("S6", "S13")
def test_what_a_walk_is_blamed_for_long_after_its_event_has_an_id_of_its_own() -> None:
    arrival = stock_received("r1", "WH", [("A", 1)])
    again = stock_received("r1", "WH", [("A", 1)], event_id="again")
    stepwise = Stepwise(shop_changed("other"), arrival)
    scene = stepwise.scene
    backorder = "StockStatusChanged other A backorder, sellable unlimited"
    # Shop main becomes known by this order, which leaves a walk for its other skus.
    scene.when(order_placed("1", [("A", 1)])).told(
        "ReadyToShip main/1 from WH [1: 1 A] complete", backorder
    )
    scene.when(order_cancelled("1")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
        "StockStatusChanged other A in_stock, sellable unlimited",
    )
    scene.when(shop_changed("other", sources=[])).told()
    scene.when(again).told(backorder)  # `Scene` asks that no id comes twice
    stepwise.finish()
