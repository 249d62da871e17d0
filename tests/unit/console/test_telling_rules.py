"""Every decision the core keeps a reason for has a sentence of its own."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.telling_decisions import RULES
from tests.support.command import ROOT


def _rules_in(tree: ast.AST, value: ast.expr) -> set[str]:
    """Return the rule numbers an expression may come to, through names of the same module."""
    if isinstance(value, ast.Constant):
        return {str(value.value)}
    if isinstance(value, ast.IfExp):
        return _rules_in(tree, value.body) | _rules_in(tree, value.orelse)
    if isinstance(value, ast.Dict):
        return set().union(*(_rules_in(tree, row) for row in value.values))
    if isinstance(value, ast.Subscript):
        return _rules_in(tree, value.value)
    assert isinstance(value, ast.Name), ast.dump(value)
    found: set[str] = set()
    for row in ast.walk(tree):
        if isinstance(row, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == value.id for target in row.targets
        ):
            found |= _rules_in(tree, row.value)
    assert found, f"nobody knows what {value.id} may be"
    return found


def _kept(module: Path) -> Iterator[set[str]]:
    tree = ast.parse(module.read_text())
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "because"
        ):
            yield _rules_in(tree, call.args[1])


def test_every_rule_the_core_keeps_a_reason_for_has_a_sentence() -> None:
    kept = [rules for module in (ROOT / "handlers").rglob("*.py") for rules in _kept(module)]
    assert len(kept) > 10  # they are found at all
    assert set().union(*kept) - RULES.keys() == set()


def test_a_rule_is_found_however_the_source_names_it() -> None:
    source = """
REASONS = {1: "O4", 2: "O5"}
def f(turn, line, way):
    turn.because(line, "S9", qty=1)
    turn.because(line, REASONS[way], qty=1)
    rule = "O2" if way else "O3"
    turn.because(line, rule, qty=1)
"""
    tree = ast.parse(source)
    calls = [row for row in ast.walk(tree) if isinstance(row, ast.Call)]
    assert [_rules_in(tree, call.args[1]) for call in calls] == [{"S9"}, {"O4", "O5"}, {"O2", "O3"}]


def test_a_rule_nobody_knows_is_an_error_of_the_test_not_silence() -> None:
    tree = ast.parse("turn.because(line, number, qty=1)")
    (call,) = (row for row in ast.walk(tree) if isinstance(row, ast.Call))
    with pytest.raises(AssertionError, match="number"):
        _rules_in(tree, call.args[1])
