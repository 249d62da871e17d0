"""Orders cancelled: the least promised goes first, the warehouse is told (C1, O11)."""

from events.envelope import Event
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    order_shipped,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

VENDOR = item_changed("A", vendor="V")


def _stocked(qty: int, *orders: Event) -> Scene:
    return Scene(VENDOR, stock_received("r1", "WH", [("A", qty)]), *orders)


@rule("C1", "O11")
def test_a_whole_order_goes_and_each_warehouse_is_told_to_keep_its_units() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 2), ("B", 4)]),
        stock_received("r2", "WH2", [("A", 3)]),
        order_placed("1", [("A", 5), ("B", 1)]),
    )
    scene.when(order_cancelled("1")).told(
        "ReleaseCancelled main/1 from WH1 [1: 2 A, 2: 1 B]",
        "ReleaseCancelled main/1 from WH2 [1: 3 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 5 A: 5 cancelled",
        "main/1 [2] 1 B: 1 cancelled",
        "WH1: 2 A",
        "WH1: 4 B",
        "WH2: 3 A",
    ).booked()


@rule("C1", "R2")
def test_what_waits_is_cancelled_before_what_is_promised() -> None:
    scene = _stocked(2, order_placed("1", [("A", 5)]))
    scene.when(order_cancelled("1", [("1", 2)])).told("ReplenishmentReduced V>WH#1 rev 2 [1 A]")
    scene.kept(
        "main/1 [1] 5 A: 2 at WH, 1 held, 2 cancelled",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 1 A",
    )
    scene.when(order_cancelled("1", [("1", 2)], event_id="again")).told(
        "ReplenishmentCancelled V>WH#1 rev 3 []",
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    )
    scene.kept(
        "main/1 [1] 5 A: 1 at WH, 4 cancelled", "WH: 2 A, 1 promised", "V>WH#1 cancelled: nothing"
    )


@rule("C1")
def test_of_what_is_promised_the_latest_goes_first() -> None:
    scene = Scene(
        stock_received("r1", "WH1", [("A", 2)]),
        order_placed("1", [("A", 9)]),
        stock_received("r2", "WH2", [("A", 3)]),
        stock_received("r3", "WH1", [("A", 4)]),
    )
    scene.when(order_cancelled("1", [("1", 5)])).told(
        "ReleaseCancelled main/1 from WH1 [1: 4 A]",
        "ReleaseCancelled main/1 from WH2 [1: 1 A]",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept(
        "main/1 [1] 9 A: 2 at WH1, 2 at WH2, 5 cancelled",
        "WH1: 6 A, 2 promised",
        "WH2: 3 A, 2 promised",
    )


@rule("C1")
def test_a_line_without_a_quantity_goes_whole() -> None:
    scene = _stocked(9, order_placed("1", [("A", 5), ("A", 2)]))
    scene.when(order_cancelled("1", ["1"])).told("ReleaseCancelled main/1 from WH [1: 5 A]").kept(
        "main/1 [1] 5 A: 5 cancelled", "main/1 [2] 2 A: 2 at WH", "WH: 9 A, 2 promised"
    )


@rule("C1")
def test_by_sku_the_last_line_of_it_loses_first() -> None:
    scene = _stocked(9, order_placed("1", [("A", 3), ("B", 1), ("A", 2)]))
    scene.when(order_cancelled("1", [{"sku": "A", "qty": 4}])).told(
        "ReleaseCancelled main/1 from WH [1: 2 A, 3: 2 A]"
    ).kept(
        "main/1 [1] 3 A: 1 at WH, 2 cancelled",
        "main/1 [2] 1 B: 1 held",
        "main/1 [3] 2 A: 2 cancelled",
        "WH: 9 A, 1 promised",
    )


@rule("C1")
def test_one_sku_named_twice_loses_both_quantities() -> None:
    scene = _stocked(9, order_placed("1", [("A", 3), ("A", 2)]))
    rows = [{"sku": "A", "qty": 2}, {"sku": "A", "qty": 1}]
    scene.when(order_cancelled("1", rows)).told(
        "ReleaseCancelled main/1 from WH [1: 1 A, 2: 2 A]"
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 cancelled",
        "main/1 [2] 2 A: 2 cancelled",
        "WH: 9 A, 2 promised",
    )


@rule("C1")
def test_a_line_named_by_id_and_again_by_sku_loses_once_what_it_has() -> None:
    scene = _stocked(9, order_placed("1", [("A", 3), ("A", 2)]))
    scene.when(order_cancelled("1", ["2", {"sku": "A", "qty": 1}])).told(
        "ReleaseCancelled main/1 from WH [1: 1 A, 2: 2 A]"
    ).kept(
        "main/1 [1] 3 A: 2 at WH, 1 cancelled",
        "main/1 [2] 2 A: 2 cancelled",
        "WH: 9 A, 2 promised",
    )


@rule("C1")
def test_shipped_units_are_never_cancelled_and_a_person_is_told() -> None:
    scene = _stocked(3, order_placed("1", [("A", 5)]), order_shipped("1", "s1", "WH", [("1", 2)]))
    scene.when(order_cancelled("1")).told(
        "ReleaseCancelled main/1 from WH [1: 1 A]",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1 line_id=1",
        "StockStatusChanged main A in_stock, sellable unlimited",
    ).kept("main/1 [1] 5 A: 2 shipped, 3 cancelled", "WH: 1 A", "V>WH#1 cancelled: nothing")


@rule("C1")
def test_more_than_is_open_is_cancelled_as_far_as_it_goes() -> None:
    scene = _stocked(5, order_placed("1", [("A", 2), ("A", 1)]))
    scene.when(order_cancelled("1", [("1", 3)])).told(
        "ReleaseCancelled main/1 from WH [1: 2 A]",
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1 line_id=1",
    )
    scene.when(order_cancelled("1", [{"sku": "A", "qty": 2}])).told(
        "ReleaseCancelled main/1 from WH [2: 1 A]",
        "ExceptionRaised over_cancelled: sku=A shop=main order_id=1",
    )
    scene.kept("main/1 [1] 2 A: 2 cancelled", "main/1 [2] 1 A: 1 cancelled", "WH: 5 A")


@rule("C1")
def test_what_the_order_does_not_have_is_an_exception_and_nothing_else() -> None:
    scene = _stocked(5, order_placed("1", [("A", 2)]))
    scene.when(order_cancelled("1", ["9", {"sku": "B", "qty": 1}])).told(
        "ExceptionRaised over_cancelled: shop=main order_id=1 line_id=9",
        "ExceptionRaised over_cancelled: sku=B shop=main order_id=1",
    ).kept("main/1 [1] 2 A: 2 at WH", "WH: 5 A, 2 promised")


@rule("C1")
def test_a_second_cancellation_of_a_whole_order_finds_nothing_left() -> None:
    scene = _stocked(5, order_placed("1", [("A", 2)]), order_cancelled("1"))
    scene.when(order_cancelled("1", event_id="again")).told().kept(
        "main/1 [1] 2 A: 2 cancelled", "WH: 5 A"
    )


@rule("C1")
def test_rejected_units_are_not_cancelled_again() -> None:
    scene = _stocked(5)
    scene.given(item_changed("A", policy={"backorder_policy": "none"}))
    scene.given(order_placed("1", [("A", 9), ("B", 1)]))
    scene.when(order_cancelled("1")).told().kept(
        "main/1 [1] 9 A: 9 rejected", "main/1 [2] 1 B: 1 cancelled", "WH: 5 A"
    )


@rule("C1")
def test_unmanaged_units_are_cancelled_like_promised_ones() -> None:
    scene = Scene(
        item_changed("GIFT", policy={"manage_stock": False}), order_placed("1", [("GIFT", 3)])
    )
    scene.when(order_cancelled("1", [("1", 1)])).told(
        "ReleaseCancelled main/1 from anywhere [1: 1 GIFT]"
    ).kept("main/1 [1] 3 GIFT: 2 anywhere, 1 cancelled").booked()
