"""What the demo prints: counts of what was heard, a chart that fits, commands that can be typed."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console import demo_report
from console.demo_chart import chart
from console.demo_tally import Tally

NOW = datetime(2011, 3, 23, 10, tzinfo=UTC)


def back_to_ship(
    order_id: str, days: float, lines: int = 1, cause: str = "StockTransferred"
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "waited_since": (NOW - timedelta(days=days)).isoformat(),
        "caused_by": {"source": "/x", "id": "1", "type": cause},
        "lines": [{"line_id": str(n), "sku": f"s{n}", "qty": 2} for n in range(lines)],
    }


def test_units_and_lines_are_counted_by_what_was_said_of_them() -> None:
    tally = Tally()
    line = {"line_id": "1", "sku": "a", "qty": 3}
    tally.hear("ReadyToShip", NOW, {"lines": [line, line]})
    tally.hear("OrderBackordered", NOW, {"lines": [line]})
    tally.hear("OrderRejected", NOW, {"lines": [line, line, line]})
    tally.hear("ReleaseCancelled", NOW, {"lines": [line]})
    tally.hear("ExceptionRaised", NOW, {"code": "no_vendor"})
    tally.hear("StockStatusChanged", NOW, {"sku": "a"})
    assert (tally.at_once, tally.withdrawn) == (6, 3)
    assert (tally.back_ordered, tally.back_ordered_lines, tally.back_ordered_orders) == (3, 1, 1)
    assert (tally.rejected, tally.rejected_lines) == (9, 3)
    assert tally.messages.total() == 6
    assert tally.exceptions == {"no_vendor": 1}


def test_the_median_is_of_lines_and_the_worst_of_all() -> None:
    tally = Tally({"s0": "R-1"})
    for order_id, days, lines in (("1", 1, 3), ("2", 10, 1), ("3", 30.25, 1)):
        tally.hear("BackToShip", NOW, back_to_ship(order_id, days, lines))
    assert tally.median_wait_days() == 1
    assert tally.worst_wait_days() == 30.25
    assert tally.longest is not None
    assert (tally.longest.order_id, tally.longest.replenishment_id) == ("3", "R-1")


def test_goods_that_came_back_came_by_no_replenishment() -> None:
    tally = Tally({"s0": "R-1"})
    tally.hear("BackToShip", NOW, back_to_ship("1", 3, cause="StockReturned"))
    assert tally.longest is not None
    assert tally.longest.replenishment_id is None


def test_nothing_waited_is_no_wait() -> None:
    assert (Tally().median_wait_days(), Tally().worst_wait_days()) == (0, 0)


def test_a_chart_of_a_year_is_legible_at_80_columns() -> None:
    days = {date(2010, 12, 1) + timedelta(days=n): n * 37 for n in range(375)}
    lines = chart(days)
    assert len(lines) == 8
    assert max(map(len, lines)) <= 76
    assert lines[0].startswith("15,000 ┤")
    assert lines[3].startswith(" 7,500 ┤")
    assert lines[-1].split("  ")[-1].strip().endswith("2011")
    assert "Dec 2010" in lines[-1]


def test_the_columns_of_a_chart_are_as_high_as_their_values() -> None:
    first = date(2011, 1, 1)
    lines = chart({first: 0, first + timedelta(days=1): 60, first + timedelta(days=2): 30})
    plot = [line.split("┤")[-1].split("│")[-1].ljust(3) for line in lines[:6]]
    assert [sum(row[column] != " " for row in plot) for column in range(3)] == [0, 6, 3]


def test_a_day_without_a_value_keeps_the_last() -> None:
    first = date(2011, 1, 1)
    lines = chart({first: 60, first + timedelta(days=9): 0})
    assert lines[5].endswith("█" * 9)


def test_a_peak_of_one_day_is_not_lost_among_others_of_its_column() -> None:
    first = date(2011, 1, 1)
    days = {first + timedelta(days=n): 0 for n in range(1_000)} | {first + timedelta(days=501): 12}
    assert "█" in chart(days)[0]


def test_a_chart_of_nothing_is_flat() -> None:
    assert not any("█" in line for line in chart({date(2011, 1, 1): 0}))


@pytest.mark.parametrize(
    ("typed", "on_path", "printed"),
    [
        pytest.param("bin/backship", True, "backship", id="installed"),
        pytest.param("bin/backship", False, "bin/backship", id="in-an-environment"),
        pytest.param("console/__main__.py", False, f"{sys.executable} -m console", id="module"),
    ],
)
def test_the_commands_to_try_begin_as_this_one_did(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    on_path: bool,  # noqa: FBT001 - a parameter of the case
    printed: str,
) -> None:
    program = tmp_path / typed
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(program.parent) if on_path else "/nowhere")
    monkeypatch.setattr("sys.argv", [typed, "demo"])
    assert demo_report.program() == printed


def test_names_from_outside_are_quoted_in_commands() -> None:
    wait = SimpleNamespace(order_id="1; rm -rf /", sku="a b", replenishment_id=None)
    outcome = SimpleNamespace(
        replay=SimpleNamespace(tally=SimpleNamespace(longest=wait)), on_servers=True
    )
    order, _backorders, stock = demo_report.commands(cast("demo_report.Outcome", outcome))
    assert order.endswith("explain 'main/1; rm -rf /'")
    assert stock.endswith("stock 'a b'")
