"""Drop-ship: the vendor ships it, our stock has no part in it (O2, R10)."""

import pytest

from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    shop_changed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene

SHOP = shop_changed("main")
DROP = item_changed("A", vendor="V", policy={"sourcing": "drop_ship"})
R1 = "V>customer:main/1#1"


@rule("O2", "R10")
def test_all_of_it_is_bought_to_the_customer_and_stock_is_left_alone() -> None:
    scene = Scene(SHOP, DROP, stock_received("r1", "WH", [("A", 5)]))
    scene.when(order_placed("1", [("A", 3)], ship_to={"city": "Bern"})).told(
        f"ReplenishmentRaised {R1} rev 1 [3 A] to {{'city': 'Bern'}}"
    ).booked()
    scene.kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        "WH: 5 A",
        f"{R1} open: 3 A",
        f"{R1} brings main/1 [1] 3",
    )


@rule("R10", "O2", "O1")
def test_there_is_one_replenishment_per_vendor_and_order() -> None:
    scene = Scene(
        SHOP,
        DROP,
        item_changed("B", vendor="V", policy={"sourcing": "drop_ship"}),
        item_changed("C", vendor="W", policy={"sourcing": "drop_ship"}),
    )
    scene.when(
        order_placed("1", [("A", 1), ("B", 2), ("A", 3), ("C", 4)]), order_placed("2", [("A", 5)])
    ).told(
        f"ReplenishmentRaised {R1} rev 1 [4 A, 2 B]",
        "ReplenishmentRaised W>customer:main/1#1 rev 1 [4 C]",
        "ReplenishmentRaised V>customer:main/2#1 rev 1 [5 A]",
    ).kept(
        "main/1 [1] 1 A: 1 drop-shipped",
        "main/1 [2] 2 B: 2 drop-shipped",
        "main/1 [3] 3 A: 3 drop-shipped",
        "main/1 [4] 4 C: 4 drop-shipped",
        "main/2 [1] 5 A: 5 drop-shipped",
        f"{R1} open: 4 A, 2 B",
        "W>customer:main/1#1 open: 4 C",
        "V>customer:main/2#1 open: 5 A",
        f"{R1} brings main/1 [1] 1",
        f"{R1} brings main/1 [2] 2",
        f"{R1} brings main/1 [3] 3",
        "W>customer:main/1#1 brings main/1 [4] 4",
        "V>customer:main/2#1 brings main/2 [1] 5",
    )


@rule("O2", "O4", "O5", "R2")
@pytest.mark.parametrize(
    "policy",
    [
        {"backorder_policy": "none"},
        {"backorder_policy": "notify"},
        {"backorder_limit": 0},
        {"safety_stock": 9},
        {"min_order_qty": 10, "pack_size": 4},
        {"lead_time_days": 7},
    ],
    ids=str,
)
def test_nothing_waits_and_nothing_is_rounded_so_no_such_setting_matters(
    policy: dict[str, object],
) -> None:
    scene = Scene(SHOP, DROP, item_changed("A", policy=policy))
    scene.when(order_placed("1", [("A", 3)])).told(f"ReplenishmentRaised {R1} rev 1 [3 A]").kept(
        "main/1 [1] 3 A: 3 drop-shipped", f"{R1} open: 3 A", f"{R1} brings main/1 [1] 3"
    )


@rule("R10", "R2")
def test_while_it_is_open_it_moves_with_the_vendor_of_the_item() -> None:
    scene = Scene(SHOP, DROP, order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", vendor="W")).told(
        f"ReplenishmentCancelled {R1} rev 2 []",
        "ReplenishmentRaised W>customer:main/1#1 rev 1 [3 A]",
    ).kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        f"{R1} cancelled: nothing",
        "W>customer:main/1#1 open: 3 A",
        "W>customer:main/1#1 brings main/1 [1] 3",
    )


@rule("P1", "O2")
def test_a_line_stays_with_the_vendor_when_the_sku_is_sold_from_stock_later() -> None:
    scene = Scene(SHOP, DROP, stock_received("r1", "WH", [("A", 4)]), order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy={"sourcing": None})).told().kept(
        "main/1 [1] 3 A: 3 drop-shipped",
        "WH: 4 A",
        f"{R1} open: 3 A",
        f"{R1} brings main/1 [1] 3",
    )
    scene.when(order_placed("2", [("A", 3)])).told("ReadyToShip main/2 from WH [1: 3 A] complete")


@rule("P1", "O2", "S3")
def test_a_line_that_waits_for_stock_goes_on_waiting_when_the_sku_becomes_drop_ship() -> None:
    scene = Scene(SHOP, item_changed("A", vendor="V"), order_placed("1", [("A", 3)]))
    scene.when(item_changed("A", policy={"sourcing": "drop_ship"})).told(
        "StockStatusChanged main A in_stock, sellable unlimited"
    ).kept("main/1 [1] 3 A: 3 held", "V>main#1 open: 3 A")
    scene.when(order_placed("2", [("A", 2)])).told(
        "ReplenishmentRaised V>customer:main/2#1 rev 1 [2 A]"
    )
    scene.when(stock_received("r1", "main", [("A", 9)])).told(
        "BackToShip main/1 from main [1: 3 A] waited since T0 complete",
        "ReplenishmentCancelled V>main#1 rev 2 []",
    ).kept(
        "main/1 [1] 3 A: 3 at main",
        "main/2 [1] 2 A: 2 drop-shipped",
        "main: 9 A, 3 promised",
        "V>main#1 cancelled: nothing",
        "V>customer:main/2#1 open: 2 A",
        "V>customer:main/2#1 brings main/2 [1] 2",
    )


@rule("O2", "O7")
def test_the_other_lines_of_the_order_are_judged_as_ever_and_wait_without_it() -> None:
    scene = Scene(SHOP, DROP, stock_received("r1", "WH", [("B", 1)]), item_changed("B", vendor="V"))
    scene.when(order_placed("1", [("A", 3), ("B", 2)])).told(
        "ReadyToShip main/1 from WH [2: 1 B]",
        "OrderBackordered main/1 [2: 1 B until ?] until ?",
        f"ReplenishmentRaised {R1} rev 1 [3 A]",
        "ReplenishmentRaised V>WH#1 rev 1 [1 B]",
        "StockStatusChanged main B backorder, sellable unlimited",
    )
    scene.when(stock_received("r2", "WH", [("B", 1)])).told(
        "BackToShip main/1 from WH [2: 1 B] waited since T0 complete",
        "ReplenishmentCancelled V>WH#1 rev 2 []",
    )


@rule("R10", "C1")
def test_what_is_cancelled_is_not_bought_while_the_replenishment_is_open() -> None:
    scene = Scene(SHOP, DROP, order_placed("1", [("A", 3), ("A", 1)]))
    scene.when(order_cancelled("1", [("1", 2)])).told(f"ReplenishmentReduced {R1} rev 2 [2 A]")
    scene.kept(
        "main/1 [1] 3 A: 1 drop-shipped, 2 cancelled",
        "main/1 [2] 1 A: 1 drop-shipped",
        f"{R1} open: 2 A",
        f"{R1} brings main/1 [1] 1",
        f"{R1} brings main/1 [2] 1",
    )
    scene.when(order_cancelled("1", event_id="all")).told(f"ReplenishmentCancelled {R1} rev 3 []")
    scene.kept(
        "main/1 [1] 3 A: 3 cancelled", "main/1 [2] 1 A: 1 cancelled", f"{R1} cancelled: nothing"
    )
