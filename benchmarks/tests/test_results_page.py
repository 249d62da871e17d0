"""RESULTS.md shows what was measured, says what was not, and keeps what people wrote."""

from pathlib import Path

import pytest

from benchmarks import plots
from benchmarks.results_page import BEGIN, END, NOT_MEASURED, PAGE, WHAT, page, shown, written

SPREAD = {"median": 152.4, "low": 150, "high": 161.2, "rounds": 3}
MET = {"what": "p99, ms", "target": "< 200", "measured": SPREAD, "met": True}
MISSED = {"what": "p50, ms", "target": "< 50", "measured": 152.4, "met": False}


def test_without_results_every_benchmark_is_not_measured_and_nothing_is_drawn(
    tmp_path: Path,
) -> None:
    lines = list(page({}, plots.draw({}, tmp_path)))
    assert lines.count(f"{NOT_MEASURED}.") == len(WHAT)
    assert not any("plots/" in line for line in lines)
    assert not any(character.isdigit() for line in lines for character in line)


def test_targets_are_told_with_what_came_and_whether_that_is_enough() -> None:
    lines = list(page({"latency": {"targets": [MET, MISSED], "half": {"p99_ms": SPREAD}}}, []))
    assert "| latency | p99, ms | < 200 | 152 [150-161] (3) | yes |" in lines
    assert "| latency | p50, ms | < 50 | 152 | **no** |" in lines
    assert "| half · p99 ms | 152 [150-161] (3) |" in lines


def test_a_result_nobody_has_named_here_is_shown_too() -> None:
    lines = list(page({"something": {"targets": {"old": 1}, "figure": 0.123}}, []))
    assert "## something" in lines
    assert "| figure | 0.123 |" in lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({**SPREAD, "rounds": 1}, "152 (1)"),
        (12_345.6, "12,346"),
        (0.8779, "0.878"),
        (3, "3"),
        (True, "True"),
        ("a | b", "a \\| b"),
    ],
)
def test_figures_are_short(value: object, text: str) -> None:
    assert shown(value) == text


def test_what_stands_around_the_markers_stays() -> None:
    before = f"By hand.\n{BEGIN}\nold\n{END}\nBelow.\n"
    after = written(before, iter(["new"]))
    assert after == f"By hand.\n{BEGIN}\n\nnew\n\n{END}\nBelow.\n"
    assert written(after, iter(["new"])) == after


def test_the_page_has_its_markers_and_losing_one_is_an_error() -> None:
    assert written(PAGE.read_text(), iter([""]))
    with pytest.raises(ValueError, match="markers"):
        written("no markers", iter([]))


def test_a_plot_is_drawn_of_what_is_there_and_an_old_one_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "hot.svg").write_text("old")
    told = {"orders_per_second": {"empty": SPREAD, "grown": SPREAD}}
    assert plots.draw({"growth": told, "hot": {"hot": {}}}, tmp_path) == ["growth"]
    assert [path.name for path in tmp_path.iterdir()] == ["growth.svg"]
    assert "orders a second" in (tmp_path / "growth.svg").read_text()
