"""The small changes that `scripts.mutate` makes: each is a program, and another one."""

import ast
from textwrap import dedent

import pytest

from scripts.mutants import mutants_of
from scripts.mutate import ROOT, RULES


def changes(source: str) -> set[str]:
    """Return what becomes of the body of one function."""
    program = "def f():\n    " + dedent(source).replace("\n", "\n    ") + "\n"
    return {f"{row.old} -> {row.new}" for row in mutants_of("f.py", program)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"a < b -> (a <= b)"}),
        ("x = a is None", {"a is None -> (a is not None)"}),
        ("x = a + b", {"a + b -> (a - b)"}),
        ("x += b", {"x += b -> pass", "x += b -> x -= b"}),
        ("x = a and b", {"a and b -> (b)", "a and b -> (a)", "a and b -> (a or b)"}),
        ("x = not a", {"not a -> (a)"}),
        ("x = 0", {"0 -> (1)"}),
        ("x = True", {"True -> (False)"}),
        ("x = min(a, b)", {"min(a, b) -> (max(a, b))"}),
        ("x = a if b else c", {"a if b else c -> (a)", "a if b else c -> (c)"}),
        ("return a", {"return a -> return None"}),
        ("go()", {"go() -> pass"}),
        ("a.b = c", {"a.b = c -> pass"}),
        ("if a:\n    x = b", {"a -> (not a)"}),
        ("for a in b:\n    continue", {"continue -> break"}),
        ('"""What is said of it."""', set()),
        ("assert a < b", set()),
        ("x: int | None = f'{a + b}'", set()),
    ],
)
def test_each_kind_of_change_is_made(source: str, expected: set[str]) -> None:
    assert changes(source) == expected


def test_every_mutant_of_a_rule_is_another_program() -> None:
    path = RULES / "sellable.py"
    source = path.read_text(encoding="utf-8")
    before = ast.dump(ast.parse(source))
    mutants = list(mutants_of(path.relative_to(ROOT).as_posix(), source))
    assert len({mutant.key for mutant in mutants}) == len(mutants) > 50
    for mutant in mutants:
        assert ast.dump(ast.parse(mutant.source)) != before, mutant
