"""The rules by example, proved of the reference alone: what a reader learns the rule book from."""

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from events.envelope import Event
from events.outbound import ExceptionRaised, ExpectedDateChanged, OrderRejected, Outbound
from tests.reference.model import Reference
from tests.reference.rows import Line
from tests.support.builders import (
    back_to_ship_requested,
    item_changed,
    line_backordered,
    order_cancelled,
    order_changed,
    order_hold_cleared,
    order_placed,
    order_shipped,
    place_changed,
    replenishment_closed,
    replenishment_requested,
    shop_changed,
    stock_counted,
    stock_received,
    stock_returned,
    stock_transferred,
)
from tests.support.rules import rule
from tests.support.wire import T0

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOUGHT = item_changed("A", vendor="V")


class Story:
    """A reference, and what it said last."""

    def __init__(self, *given: Event, keep_partial_allocations: bool = True) -> None:
        self.model = Reference(keep_partial_allocations=keep_partial_allocations)
        self.outcome = ""
        self.said: list[Outbound] = []
        for event in (place_changed("WH"), place_changed("DOCK", kind="dock"), *given):
            self.when(event)
            assert self.outcome == "applied"

    def when(self, event: Event) -> "Story":
        """Let something happen."""
        before = len(self.model.told)
        self.outcome = self.model.hear(event, T0)
        self.said = self.model.told[before:]
        return self

    @property
    def kinds(self) -> list[str]:
        """What was said last, by its type; of exceptions their code and reason."""
        return sorted(
            f"{row.code} {row.reason or ''}".strip()
            if isinstance(row, ExceptionRaised)
            else type(row).__name__
            for row in self.said
            if type(row).__name__ != "StockStatusChanged"
        )

    def line(self, order_id: str, line_id: str = "1") -> str:
        """Tell where the units of an order line are."""
        line = self.model.world.orders["main", order_id].line(line_id)
        assert line is not None
        return _terms(line)

    def stock(self, place: str, sku: str = "A") -> str:
        """Tell what the state says of a sku at a place."""
        start = f"{place}: "
        rows = [row for row in self.model.kept() if row.startswith(start) and f" {sku}" in row]
        return rows[0].removeprefix(start) if rows else "nothing"

    def bought(self, name: str) -> str:
        """Tell what the state says of a replenishment."""
        (row,) = [row for row in self.model.kept() if row.startswith(f"{name} ")]
        return row.removeprefix(f"{name} ")


def _terms(line: Line) -> str:
    terms: dict[str, int] = {}
    for row in line.allocations:
        told = "" if row.release else " not told"
        key = f"at {row.source or 'any'}{told}"
        terms[key] = terms.get(key, 0) + row.qty
    names = ("shortage", "pending", "drop_ship", "shipped", "cancelled", "rejected")
    terms |= {name: getattr(line, name) for name in names if getattr(line, name)}
    return ", ".join(f"{qty} {name}" for name, qty in terms.items())


def test_the_reference_shares_nothing_with_the_core() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                package = name.partition(".")[0]
                assert package not in {"handlers", "store", "workers", "console"}, path
                assert name != "tests.support.house", path


# ---------------------------------------------------------------- judging


@rule("O3", "O9", "R3")
def test_what_is_there_goes_and_the_rest_is_held_and_bought() -> None:
    story = Story(BOUGHT, stock_received("r", "WH", [("A", 2)]))
    story.when(order_placed("1", [("A", 5)]))
    assert story.line("1") == "2 at WH, 3 shortage"
    assert story.kinds == ["OrderBackordered", "ReadyToShip", "ReplenishmentRaised"]
    assert story.bought("V>WH#1") == "open revision 1: 3 A"


@rule("O6", "O7")
@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        pytest.param({"min_sale_qty": 4}, "min_sale_qty", id="less than the minimum"),
        pytest.param({"sale_increment": 2}, "sale_increment", id="no multiple"),
        pytest.param({"min_sale_qty": 4, "sale_increment": 2}, "min_sale_qty", id="both"),
        pytest.param({"min_sale_qty": 3, "sale_increment": 3}, None, id="neither"),
    ],
)
def test_the_sum_of_a_sku_keeps_to_the_rules_of_sale(
    policy: dict[str, int], reason: str | None
) -> None:
    story = Story(item_changed("A", policy=policy))
    story.when(order_placed("1", [("A", 1), ("A", 2)]))
    told = [row for row in story.said if isinstance(row, OrderRejected)]
    assert [line.reason for row in told for line in row.lines] == ([reason] * 2 if reason else [])


@rule("O2", "R10")
def test_buy_to_order_is_bought_for_the_line_whatever_lies_there() -> None:
    story = Story(item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}))
    story.when(stock_received("r", "WH", [("A", 9)])).when(order_placed("1", [("A", 2)]))
    assert story.line("1") == "2 shortage"
    assert "link main/1 [1] V>WH#1: 2" in story.model.kept()
    story.when(stock_received("r2", "WH", [("A", 2)], replenishment_id="V>WH#1"))
    assert story.line("1") == "2 at WH"


@rule("O2", "R10", "S9")
def test_drop_ship_is_bought_for_the_customer_and_shipped_by_the_vendor() -> None:
    story = Story(item_changed("A", vendor="V", policy={"sourcing": "drop_ship"}))
    story.when(order_placed("1", [("A", 2)], ship_to={"city": "Bern"}))
    assert story.kinds == ["ReplenishmentRaised"]
    assert story.line("1") == "2 drop_ship"
    assert story.bought("V>customer:main/1#1") == "open revision 1: 2 A"
    story.when(order_shipped("1", "s", "vendor:V", [("1", 2)]))
    assert story.line("1") == "2 shipped"
    assert story.bought("V>customer:main/1#1") == "received revision 1: 2 A 2 in"
    assert not story.model.world.movements


# ---------------------------------------------------------------- letting go


@rule("O9")
@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        pytest.param("partial", "1 at WH, 1 shortage", "1 at WH", id="whatever is there"),
        pytest.param("line", "1 at WH not told, 1 shortage", "1 at WH", id="whole lines"),
        pytest.param("complete", "1 at WH not told, 1 shortage", "1 at WH not told", id="all"),
    ],
)
def test_a_ship_mode_says_what_may_leave_alone(mode: str, first: str, second: str) -> None:
    story = Story(stock_received("r", "WH", [("A", 1), ("B", 1)]))
    story.when(order_placed("1", [("A", 2), ("B", 1)], ship_mode=mode))
    assert (story.line("1"), story.line("1", "2")) == (first, second)
    story.when(stock_received("r2", "WH", [("A", 1)]))
    assert (story.line("1"), story.line("1", "2")) == ("2 at WH", "1 at WH")


@rule("O9")
def test_lines_of_one_group_leave_together() -> None:
    story = Story(stock_received("r", "WH", [("A", 1), ("C", 1)]))
    lines = [{"sku": sku, "qty": 1, "group": "g" if sku < "C" else None} for sku in "ABC"]
    story.when(order_placed("1", lines))
    told = [story.line("1", line_id) for line_id in "123"]
    assert told == ["1 at WH not told", "1 shortage", "1 at WH"]
    story.when(stock_received("r2", "WH", [("B", 1)]))
    assert story.kinds == ["BackToShip"]


@rule("O9")
def test_what_can_not_leave_alone_need_not_be_reserved() -> None:
    story = Story(stock_received("r", "WH", [("A", 1)]), keep_partial_allocations=False)
    story.when(order_placed("1", [("A", 1), ("B", 1)], ship_mode="complete"))
    assert story.line("1") == "1 shortage"
    story.when(order_placed("2", [("A", 1)]))
    assert story.line("2") == "1 at WH"
    story.when(stock_received("r2", "WH", [("A", 1), ("B", 1)]))
    assert (story.line("1"), story.line("1", "2")) == ("1 at WH", "1 at WH")


@rule("O10", "S11")
def test_a_manual_order_is_reserved_until_a_person_asks_for_it() -> None:
    story = Story(stock_received("r", "WH", [("A", 1)]))
    story.when(order_placed("1", [("A", 1)], release="manual"))
    assert story.line("1") == "1 at WH not told"
    story.when(back_to_ship_requested("1"))
    assert story.kinds == ["ReadyToShip"]
    story.when(back_to_ship_requested("1", event_id="again"))
    assert story.kinds == ["refused nothing_allocated"]


@rule("O10")
def test_an_order_that_waits_for_its_payment_takes_nothing_and_keeps_its_place() -> None:
    story = Story(BOUGHT, stock_received("r", "WH", [("A", 1)]))
    story.when(order_placed("1", [("A", 2)], holds=["payment"], placed_at=T0 - DAY))
    assert (story.line("1"), story.kinds) == ("2 pending", [])
    story.when(order_placed("2", [("A", 2)]))
    story.when(order_hold_cleared("1"))
    assert (story.line("1"), story.line("2")) == ("2 shortage", "1 at WH, 1 shortage")
    story.when(stock_received("r2", "WH", [("A", 2)]))
    assert (story.line("1"), story.line("2")) == ("2 at WH", "1 at WH, 1 shortage")


@rule("O10", "S11")
def test_any_other_hold_waits_only_with_releasing() -> None:
    story = Story(stock_received("r", "WH", [("A", 1)]))
    story.when(order_placed("1", [("A", 1)], holds=["fraud"]))
    assert story.line("1") == "1 at WH not told"
    assert story.when(back_to_ship_requested("1")).kinds == ["refused on_hold"]
    assert story.when(order_hold_cleared("1", "fraud")).kinds == ["ReadyToShip"]


# ---------------------------------------------------------------- supply


@rule("R2", "R4")
def test_what_a_vendor_confirms_less_is_needed_again() -> None:
    story = Story(BOUGHT, order_placed("1", [("A", 5)]))
    story.when(replenishment_closed("V>WH#1", lines=[("A", [(3, T0 + DAY)])]))
    assert story.bought("V>WH#2") == "open revision 1: 2 A"


@rule("R5")
@pytest.mark.parametrize("outcome", ["short_closed", "cancelled"])
def test_supply_that_is_lost_is_needed_again(outcome: str) -> None:
    story = Story(BOUGHT, order_placed("1", [("A", 5)]), replenishment_closed("V>WH#1"))
    story.when(replenishment_closed("V>WH#1", outcome=outcome))
    assert story.bought("V>WH#2") == "open revision 1: 5 A"
    assert "supply_lost" in story.kinds


@rule("R9", "R2")
def test_a_buyer_adds_by_hand_and_takes_back_no_more_than_that() -> None:
    story = Story(BOUGHT, order_placed("1", [("A", 2)]))
    story.when(replenishment_requested("V", [("A", 3)]))
    assert story.bought("V>WH#1") == "open revision 2: 5 A (3 by hand)"
    story.when(replenishment_requested("V", [("A", -4)]))
    assert story.kinds == ["refused more_than_by_hand"]
    story.when(replenishment_requested("V", [("A", -3)]))
    assert story.bought("V>WH#1") == "open revision 3: 2 A"


@rule("R9", "R10", "S4")
def test_a_line_picked_by_hand_goes_before_the_queue() -> None:
    story = Story(order_placed("1", [("A", 1)]), order_placed("2", [("A", 1)]))
    chosen = {"sku": "A", "shop": "main", "order_id": "2", "line_id": "1"}
    story.when(replenishment_requested("V", [chosen]))
    story.when(stock_received("r", "WH", [("A", 1)], replenishment_id="V>WH#1"))
    assert (story.line("1"), story.line("2")) == ("1 shortage", "1 at WH")


@rule("R10", "S4")
def test_linked_units_stay_linked_on_their_way_through_a_dock() -> None:
    story = Story(item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}))
    story.when(order_placed("1", [("A", 2)]))
    story.when(item_changed("A", policy=None)).when(order_placed("0", [("A", 2)], priority=1))
    story.when(stock_received("r", "DOCK", [("A", 2)], replenishment_id="V>WH#1"))
    assert "docked A at DOCK of V>WH#1: 2" in story.model.kept()
    story.when(stock_transferred("t", "DOCK", "WH", [("A", 2)]))
    assert (story.line("0"), story.line("1")) == ("2 shortage", "2 at WH")


@rule("R10")
def test_what_is_bought_for_a_line_follows_the_item_to_its_new_vendor() -> None:
    story = Story(item_changed("A", vendor="V", policy={"sourcing": "buy_to_order"}))
    story.when(order_placed("1", [("A", 2)])).when(item_changed("A", vendor="W"))
    assert story.bought("V>WH#1") == "cancelled revision 2: nothing"
    assert "link main/1 [1] W>WH#1: 2" in story.model.kept()


@rule("R12")
def test_a_vendors_new_date_is_told_to_who_waits_for_it() -> None:
    story = Story(BOUGHT, order_placed("1", [("A", 2)]))
    story.when(replenishment_closed("V>WH#1", lines=[("A", [(2, T0 + 5 * DAY)])]))
    (told,) = [row for row in story.said if isinstance(row, ExpectedDateChanged)]
    assert [(row.was, row.expected_at) for row in told.lines] == [(None, T0 + 5 * DAY)]


# ---------------------------------------------------------------- goods


@rule("S1", "S2")
def test_at_a_dock_nobody_is_served_and_after_the_transfer_who_waits() -> None:
    story = Story(BOUGHT, order_placed("1", [("A", 2)]))
    story.when(stock_received("r", "DOCK", [("A", 2)]))
    assert (story.line("1"), story.kinds) == ("2 shortage", ["ReplenishmentCancelled"])
    story.when(stock_transferred("t", "DOCK", "WH", [("A", 2)]))
    assert (story.line("1"), story.kinds) == ("2 at WH", ["BackToShip"])


@rule("S7")
def test_found_units_are_taken_back_by_the_movement_that_came_late() -> None:
    story = Story(stock_transferred("t", "DOCK", "WH", [("A", 3)], time=T0 + HOUR))
    assert story.kinds == ["stock_missing"]
    story.when(stock_received("r", "DOCK", [("A", 3)], time=T0))
    assert story.stock("DOCK") == "nothing"
    assert story.stock("WH") == "3 A"


@rule("S8")
def test_a_count_says_what_was_there_then_and_later_movements_are_done_again() -> None:
    story = Story(stock_received("r", "WH", [("A", 5)], time=T0 + 2 * HOUR))
    story.when(stock_counted("c", "WH", [("A", 4)], counted_at=T0 + HOUR))
    assert story.stock("WH") == "9 A, counted 2026-11-21T11:00:00"
    story.when(stock_received("late", "WH", [("A", 7)], time=T0))
    assert story.stock("WH") == "9 A, counted 2026-11-21T11:00:00"


@rule("S8", "O8")
def test_less_than_is_promised_takes_from_the_last_who_was_not_told_yet() -> None:
    story = Story(stock_received("r", "WH", [("A", 3)]))
    story.when(order_placed("1", [("A", 1)]))
    story.when(order_placed("2", [("A", 2)], release="manual"))
    story.when(stock_counted("c", "WH", [("A", 2)], counted_at=T0 + HOUR))
    assert (story.line("1"), story.line("2")) == ("1 at WH", "1 at WH not told, 1 shortage")
    assert "OrderBackordered" in story.kinds
    story.when(stock_counted("d", "WH", [("A", 0)], counted_at=T0 + 2 * HOUR))
    assert (story.line("1"), story.line("2")) == ("1 at WH", "2 shortage")
    assert "over_allocated" in story.kinds


@rule("S9")
def test_a_shipment_takes_promised_units_first_then_who_waits_then_what_was_given_up() -> None:
    story = Story(stock_received("r", "WH", [("A", 2)]), order_placed("1", [("A", 4)]))
    story.when(order_cancelled("1", [("1", 1)])).when(order_shipped("1", "s", "WH", [("1", 5)]))
    assert story.line("1") == "4 shipped"
    assert story.kinds.count("over_shipment") == 2  # units found, and one too many


@rule("S10", "S4")
def test_what_a_picker_does_not_find_waits_again_and_is_written_off() -> None:
    story = Story(stock_received("r", "WH", [("A", 2)]), order_placed("1", [("A", 2)]))
    story.when(line_backordered("1", ("1", 1), "WH"))
    assert (story.line("1"), story.stock("WH")) == ("1 at WH, 1 shortage", "1 A, 1 promised")
    assert story.kinds == ["OrderBackordered", "ReleaseCancelled", "no_vendor"]


@rule("S10", "S11")
def test_what_staff_hold_serves_others_until_it_is_asked_for() -> None:
    story = Story(stock_received("r", "WH", [("A", 1)]), order_placed("1", [("A", 1)]))
    story.when(order_placed("2", [("A", 1)]))
    story.when(line_backordered("1", ("1", 1), "WH", reason="hold"))
    assert (story.line("1"), story.line("2")) == ("1 shortage", "1 at WH")
    story.when(stock_received("r2", "WH", [("A", 1)]))
    assert story.line("1") == "1 shortage"
    story.when(back_to_ship_requested("1"))
    assert (story.line("1"), story.kinds) == ("1 at WH", ["BackToShip"])


@rule("S11")
def test_what_lies_at_a_dock_only_can_not_be_asked_for() -> None:
    story = Story(order_placed("1", [("A", 1)]), stock_received("r", "DOCK", [("A", 1)]))
    assert story.when(back_to_ship_requested("1")).kinds == ["refused at_dock_only"]


@rule("S12", "S3")
def test_what_a_customer_sends_back_serves_who_waits() -> None:
    story = Story(order_placed("1", [("A", 1)]))
    assert story.when(stock_returned("x", "WH", [("A", 1)])).line("1") == "1 at WH"


@rule("S13")
def test_a_shop_that_becomes_known_hears_of_every_sku_that_is_another() -> None:
    story = Story(stock_received("r", "WH", [("A", 1)]))
    story.when(shop_changed("main"))
    assert [type(row).__name__ for row in story.said] == ["StockStatusChanged"]


# ---------------------------------------------------------------- changing


@rule("C1")
def test_cancelling_takes_what_waits_first_then_what_was_promised_last() -> None:
    story = Story(stock_received("r", "WH", [("A", 2)]), order_placed("1", [("A", 3)]))
    story.when(order_cancelled("1", [("1", 2)]))
    assert (story.line("1"), story.kinds) == ("1 at WH, 2 cancelled", ["ReleaseCancelled"])


@rule("C2")
def test_a_changed_order_cancels_what_is_less_and_judges_what_is_more() -> None:
    story = Story(stock_received("r", "WH", [("A", 3), ("B", 1)]), order_placed("1", [("A", 2)]))
    story.when(order_changed("1", [("A", 1), ("B", 1)]))
    assert (story.line("1"), story.line("1", "2")) == ("1 at WH, 1 cancelled", "1 at WH")
    older = story.when(order_changed("1", [("A", 9)], version=1, event_id="again"))
    assert older.outcome == "set_aside:conflict"
    story.when(order_changed("1", [("A", 4)], version=2))
    assert (story.line("1"), story.line("1", "2")) == (
        "3 at WH, 1 shortage, 1 cancelled",
        "1 cancelled",
    )


@rule("C3")
def test_what_comes_before_its_order_waits_and_takes_effect_before_anything_is_released() -> None:
    story = Story(stock_received("r", "WH", [("A", 3)]))
    assert story.when(order_cancelled("1", [("1", 1)])).outcome == "waiting"
    assert story.when(order_shipped("1", "s", "WH", [("1", 1)])).outcome == "waiting"
    story.when(order_placed("1", [("A", 3)]))
    assert (story.line("1"), story.kinds) == ("1 at WH, 1 shipped, 1 cancelled", ["ReadyToShip"])


@rule("C3")
def test_what_waits_too_long_is_set_aside_and_a_cancellation_is_not() -> None:
    story = Story()
    shipment = order_shipped("1", "s", "WH", [("1", 1)])
    story.when(shipment).when(order_cancelled("1"))
    assert story.model.time_passes(T0 + 23 * HOUR) == []
    assert story.model.time_passes(T0 + 24 * HOUR) == [shipment]
    assert story.model.set_aside == [(shipment, "not_found_in_time")]
    assert isinstance(story.model.told[-1], ExceptionRaised)


@rule("C3", "R4")
def test_a_close_that_comes_before_its_replenishment_takes_effect_when_it_is_raised() -> None:
    story = Story(BOUGHT)
    assert story.when(replenishment_closed("V>WH#1")).outcome == "waiting"
    story.when(order_placed("1", [("A", 1)]))
    assert story.kinds == ["OrderBackordered", "ReplenishmentRaised"]
    assert story.bought("V>WH#1") == "finalized revision 1: 1 A"


@rule("C4")
def test_a_fact_has_one_effect_and_another_version_of_it_is_a_conflict() -> None:
    receipt = stock_received("r", "WH", [("A", 1)])
    story = Story(receipt)
    assert story.when(receipt).outcome == "repeated"
    again = stock_received("r", "WH", [("A", 1)], event_id="again")
    assert story.when(again).outcome == "repeated"
    other = stock_received("r", "WH", [("A", 2)])
    assert story.when(other).outcome == "set_aside:conflict"
    assert story.stock("WH") == "1 A"
