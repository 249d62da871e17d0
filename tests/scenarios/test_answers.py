"""What a shop is answered: lines rejected, and lines that wait (O4, O5, O7, O8)."""

from tests.support.builders import (
    item_changed,
    order_placed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene


@rule("O1", "O4")
def test_two_lines_that_fit_one_by_one_but_not_together_are_rejected_together() -> None:
    Scene(
        item_changed("A", policy={"backorder_policy": "none"}),
        stock_received("r1", "WH", [("A", 5)]),
    ).when(order_placed("1", [("A", 3), ("A", 3)])).told(
        "OrderRejected main/1 [1: 3 A out_of_stock, sellable 5, 2: 3 A out_of_stock, sellable 5]",
        "StockStatusChanged main A in_stock, sellable 5",
    ).kept("main/1 [1] 3 A: 3 rejected", "main/1 [2] 3 A: 3 rejected", "WH: 5 A")


@rule("O4", "O7")
def test_without_back_orders_a_sku_is_rejected_whole_and_the_other_lines_go_on() -> None:
    Scene(
        item_changed("A", policy={"backorder_policy": "none"}, vendor="V"),
        stock_received("r1", "WH", [("A", 2), ("B", 1)]),
    ).when(order_placed("1", [("A", 3), ("B", 1)])).told(
        "OrderRejected main/1 [1: 3 A out_of_stock, sellable 2]",
        "ReadyToShip main/1 from WH [2: 1 B] complete",
        "StockStatusChanged main A in_stock, sellable 2",
    ).kept(
        "main/1 [1] 3 A: 3 rejected",
        "main/1 [2] 1 B: 1 at WH",
        "WH: 2 A",
        "WH: 1 B, 1 promised",
    )


@rule("O4")
def test_without_back_orders_what_is_there_can_be_had_to_the_last_unit() -> None:
    Scene(
        item_changed("A", policy={"backorder_policy": "none"}),
        stock_received("r1", "WH", [("A", 2)]),
    ).when(order_placed("1", [("A", 2)])).told(
        "ReadyToShip main/1 from WH [1: 2 A] complete",
        "StockStatusChanged main A out_of_stock, sellable 0",
    ).kept("main/1 [1] 2 A: 2 at WH", "WH: 2 A, 2 promised")


@rule("O5", "O7")
def test_a_shortage_up_to_the_limit_waits_and_one_beyond_it_is_rejected_whole() -> None:
    scene = Scene(
        item_changed("A", policy={"backorder_limit": 3}, vendor="V"),
        stock_received("r1", "WH", [("A", 2)]),
        order_placed("1", [("A", 4)]),
    )
    scene.when(order_placed("2", [("A", 2)])).told(
        "OrderRejected main/2 [1: 2 A backorder_limit, sellable 1]"
    )
    scene.when(order_placed("3", [("A", 1)])).told(
        "OrderBackordered main/3 [1: 1 A until ?] until ?",
        "ReplenishmentExtended V>WH#1 rev 2 [3 A]",
        "StockStatusChanged main A out_of_stock, sellable 0",
    )
    scene.kept(
        "main/1 [1] 4 A: 2 at WH, 2 held",
        "main/2 [1] 2 A: 2 rejected",
        "main/3 [1] 1 A: 1 held",
        "WH: 2 A, 2 promised",
        "V>WH#1 open: 3 A",
    )


@rule("O5")
def test_a_limit_counts_what_waits_in_all_shops() -> None:
    scene = Scene(
        item_changed("A", policy={"backorder_limit": 2}, vendor="V"),
        order_placed("1", [("A", 2)], shop="east"),
    )
    scene.when(order_placed("1", [("A", 1)], shop="west")).told(
        "OrderRejected west/1 [1: 1 A backorder_limit, sellable 0]",
        "StockStatusChanged west A out_of_stock, sellable 0",
    )
    scene.kept("east/1 [1] 2 A: 2 held", "west/1 [1] 1 A: 1 rejected", "V>main#1 open: 2 A")


@rule("O5")
def test_a_limit_of_nothing_lets_nothing_wait_but_sells_what_is_there() -> None:
    scene = Scene(
        item_changed("A", policy={"backorder_limit": 0}),
        stock_received("r1", "WH", [("A", 2)]),
    )
    scene.when(order_placed("1", [("A", 3)]), order_placed("2", [("A", 2)])).told(
        "OrderRejected main/1 [1: 3 A backorder_limit, sellable 2]",
        "ReadyToShip main/2 from WH [1: 2 A] complete",
        "StockStatusChanged main A out_of_stock, sellable 0",
    ).kept("main/1 [1] 3 A: 3 rejected", "main/2 [1] 2 A: 2 at WH", "WH: 2 A, 2 promised")


@rule("O5")
def test_a_limit_passed_before_it_was_set_does_not_reject_what_stock_covers() -> None:
    scene = Scene(
        order_placed("1", [("A", 5)]),
        item_changed("A", policy={"backorder_limit": 2}),
        shop_changed("main", sources=["WH1"]),
        stock_received("r1", "WH2", [("A", 1)]),
        shop_changed("other", sources=["WH2"]),
    )
    scene.when(order_placed("2", [("A", 1)], shop="other")).told(
        "ReadyToShip other/2 from WH2 [1: 1 A] complete",
        "StockStatusChanged other A out_of_stock, sellable 0",
    )


@rule("O7")
def test_one_message_names_every_rejected_line_with_its_own_reason() -> None:
    Scene(
        item_changed("A", policy={"backorder_policy": "none"}),
        item_changed("B", policy={"backorder_limit": 1}),
        stock_received("r1", "WH", [("B", 4)]),
    ).when(order_placed("1", [("A", 1), ("B", 6)])).told(
        "OrderRejected main/1 "
        "[1: 1 A out_of_stock, sellable 0, 2: 6 B backorder_limit, sellable 5]",
        "StockStatusChanged main A out_of_stock, sellable 0",
        "StockStatusChanged main B in_stock, sellable 5",
    ).kept("main/1 [1] 1 A: 1 rejected", "main/1 [2] 6 B: 6 rejected", "WH: 4 B")


@rule("O8")
def test_held_lines_are_told_once_per_order_with_date_alternatives_and_whom_to_notify() -> None:
    Scene(
        item_changed("A", vendor="V", policy={"lead_time_days": 5}, alternatives=["B", "C"]),
        item_changed("D", vendor="V", policy={"lead_time_days": 2, "backorder_policy": "notify"}),
    ).when(
        order_placed("1", [("A", 1), ("D", 2)], customer={"email": "ada@example.org"}),
    ).told(
        "OrderBackordered main/1 [1: 1 A until T0+5d or B C, 2: 2 D until T0+2d notify] "
        "until T0+5d for ada@example.org",
        "ReplenishmentRaised V>main#1 rev 1 [1 A, 2 D]",
    )


@rule("O8", "R11")
def test_a_line_without_a_date_leaves_the_whole_order_without_one() -> None:
    Scene(
        item_changed("A", vendor="V", policy={"lead_time_days": 5}),
        item_changed("B", vendor="V"),
    ).when(order_placed("1", [("A", 1), ("B", 1)])).told(
        "OrderBackordered main/1 [1: 1 A until T0+5d, 2: 1 B until ?] until ?",
        "ReplenishmentRaised V>main#1 rev 1 [1 A, 1 B]",
    )
