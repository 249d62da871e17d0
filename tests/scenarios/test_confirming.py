"""What a vendor confirms of a replenishment: quantities and dates (R4)."""

from datetime import timedelta

from tests.support.builders import (
    item_changed,
    order_placed,
    place_changed,
    replenishment_closed,
    stock_received,
)
from tests.support.rules import rule
from tests.support.scene import Scene
from tests.support.wire import T0, Moment

Parts = list[tuple[int, Moment | None]]

DAY = timedelta(days=1)

R1 = "V>WH#1"

R2 = "V>WH#2"


def _ordered(**policy: int) -> Scene:
    """5 A and 2 B are on order for WH; held by main/1."""
    return Scene(
        place_changed("WH"),
        item_changed("A", vendor="V", policy=policy),
        item_changed("B", vendor="V", policy=policy),
        order_placed("1", [("A", 5), ("B", 2)]),
    )


HELD = ("main/1 [1] 5 A: 5 held", "main/1 [2] 2 B: 2 held")


@rule("R4")
def test_a_vendor_may_confirm_less_and_the_rest_is_needed_again() -> None:
    scene = _ordered()
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(3, T0 + 9 * DAY)])])
    scene.when(closed).told(f"ReplenishmentRaised {R2} rev 1 [2 A]")
    scene.kept(*HELD, f"{R1} finalized: 3 A (3 until T0+9d), 2 B", f"{R2} open: 2 A")


@rule("R4", "R8")
def test_a_vendor_may_confirm_more_and_later_shortage_uses_it_first() -> None:
    scene = _ordered()
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(6, None)])])
    scene.when(closed).told()
    scene.kept(*HELD, f"{R1} finalized: 6 A (6 until ?), 2 B")
    scene.when(order_placed("2", [("A", 1)])).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?"
    )


@rule("R4")
def test_a_line_may_be_confirmed_in_several_parts() -> None:
    scene = _ordered()
    parts: Parts = [(2, T0 + 30 * DAY), (0, T0 + DAY), (2, T0 + 3 * DAY), (1, None)]
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", parts)])
    scene.when(closed).told()
    scene.kept(*HELD, f"{R1} finalized: 5 A (2 until T0+30d + 2 until T0+3d + 1 until ?), 2 B")


@rule("R4")
def test_one_sku_on_two_rows_of_a_confirmation_is_confirmed_for_their_sum() -> None:
    scene = _ordered()
    rows: list[tuple[str, Parts]] = [("A", [(2, T0 + DAY)]), ("A", [(1, T0 + 2 * DAY)])]
    scene.when(replenishment_closed(scene.replenishment_id(R1), lines=rows)).told(
        f"ReplenishmentRaised {R2} rev 1 [2 A]"
    )
    scene.kept(
        *HELD, f"{R1} finalized: 3 A (2 until T0+1d + 1 until T0+2d), 2 B", f"{R2} open: 2 A"
    )


@rule("R4")
def test_a_sku_confirmed_with_nothing_is_needed_again_and_the_others_are_on_their_way() -> None:
    scene = _ordered()
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(0, None)])])
    scene.when(closed).told(f"ReplenishmentRaised {R2} rev 1 [5 A]")
    scene.kept(*HELD, f"{R1} finalized: 2 B", f"{R2} open: 5 A")


@rule("R4", "R5")
def test_a_replenishment_confirmed_with_nothing_throughout_is_cancelled() -> None:
    scene = _ordered()
    nothing: list[tuple[str, Parts]] = [("A", [(0, None)]), ("B", [])]
    scene.when(replenishment_closed(scene.replenishment_id(R1), lines=nothing)).told(
        f"ReplenishmentCancelled {R1} rev 2 []",
        f"ReplenishmentRaised {R2} rev 1 [5 A, 2 B]",
        f"ExceptionRaised supply_lost: place=WH replenishment_id={R1} vendor=V",
    ).kept(*HELD, f"{R1} cancelled: 5 A, 2 B", f"{R2} open: 5 A, 2 B")


@rule("R4")
def test_a_finalized_replenishment_may_be_confirmed_anew() -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(replenishment_closed(name, lines=[("A", [(3, T0 + 9 * DAY)])]))
    scene.when(replenishment_closed(name, lines=[("A", [(4, T0 + 2 * DAY)])])).told(
        f"ReplenishmentReduced {R2} rev 2 [1 A]",
    )
    scene.kept(*HELD, f"{R1} finalized: 4 A (4 until T0+2d), 2 B", f"{R2} open: 1 A")
    scene.when(replenishment_closed(name, lines=[("A", [(5, T0 + 2 * DAY)])])).told(
        f"ReplenishmentCancelled {R2} rev 3 []",
        "ExpectedDateChanged main/1 [1: A ?>T0+2d]",
    )
    scene.when(replenishment_closed(name, lines=[("B", [(1, None)])])).told(
        "ReplenishmentRaised V>WH#3 rev 1 [1 B]"
    )


@rule("R4")
def test_a_confirmed_quantity_includes_what_has_been_received() -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 2)], replenishment_id=name))
    scene.when(replenishment_closed(name, lines=[("A", [(4, T0 + DAY)])])).told(
        f"ReplenishmentRaised {R2} rev 1 [1 A]"
    )
    scene.kept(
        "main/1 [1] 5 A: 2 at WH, 3 held",
        "main/1 [2] 2 B: 2 held",
        "WH: 2 A, 2 promised",
        f"{R1} partially_received: 4 A (4 until T0+1d), 2 in, 2 B",
        f"{R2} open: 1 A",
    )


@rule("R4")
def test_confirming_no_more_than_was_received_of_everything_ends_it() -> None:
    scene = _ordered()
    name = scene.replenishment_id(R1)
    scene.given(stock_received("r1", "WH", [("A", 2)], replenishment_id=name))
    rows: list[tuple[str, Parts]] = [("A", [(2, None)]), ("B", [(0, None)])]
    scene.when(replenishment_closed(name, lines=rows)).told(
        f"ReplenishmentRaised {R2} rev 1 [3 A, 2 B]"
    ).kept(
        "main/1 [1] 5 A: 2 at WH, 3 held",
        "main/1 [2] 2 B: 2 held",
        "WH: 2 A, 2 promised",
        f"{R1} received: 2 A (2 until ?), 2 in",
        f"{R2} open: 3 A, 2 B",
    )


@rule("R4", "R5")
def test_a_sku_that_is_not_on_the_replenishment_is_refused_and_the_rest_is_done() -> None:
    scene = _ordered()
    rows: list[tuple[str, Parts]] = [("Z", [(1, None)]), ("A", [(5, T0 + DAY)])]
    scene.when(replenishment_closed(scene.replenishment_id(R1), lines=rows)).told(
        "ExceptionRaised refused not_on_replenishment: "
        f"sku=Z place=WH replenishment_id={R1} vendor=V",
        "ExpectedDateChanged main/1 [1: A ?>T0+1d]",
    ).kept(*HELD, f"{R1} finalized: 5 A (5 until T0+1d), 2 B")


@rule("R3", "R4")
def test_what_was_asked_last_is_told_before_what_the_vendor_confirmed_of_it() -> None:
    scene = _ordered()
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(4, None)])])
    scene.when(order_placed("2", [("A", 1)]), closed).told(
        "OrderBackordered main/2 [1: 1 A until ?] until ?",
        f"ReplenishmentExtended {R1} rev 2 [6 A, 2 B]",
        f"ReplenishmentRaised {R2} rev 1 [2 A]",
    ).kept(
        *HELD,
        "main/2 [1] 1 A: 1 held",
        f"{R1} finalized: 4 A (4 until ?), 2 B",
        f"{R2} open: 2 A",
    )


@rule("R2", "R4")
def test_the_minimum_counts_anew_for_what_was_confirmed_less() -> None:
    scene = _ordered(pack_size=4)
    scene.kept(*HELD, f"{R1} open: 8 A, 4 B")
    closed = replenishment_closed(scene.replenishment_id(R1), lines=[("A", [(4, None)])])
    scene.when(closed).told(f"ReplenishmentRaised {R2} rev 1 [4 A]")
    scene.kept(*HELD, f"{R1} finalized: 4 A (4 until ?), 4 B", f"{R2} open: 4 A")
