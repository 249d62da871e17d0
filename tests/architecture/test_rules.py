"""Every rule of the rule book is kept somewhere, and proved by a test that carries its number."""

from pathlib import Path

import pytest

from scripts.write_rules import (
    AFTER_ANY_HISTORY,
    RULES,
    RULES_PAGE,
    collect,
    named_in,
    numbers_in,
    page,
    proved_in,
)
from tests.support.rules import rules_of

FOUND = collect()
BOOK = {"L": 6, "P": 4, "O": 11, "R": 12, "S": 13, "C": 4}  # rules by section

# An id that does not say that this very test proves the rule.
_each_rule = pytest.mark.parametrize("number", RULES, ids=[f"of_{number}" for number in RULES])


def test_the_page_knows_every_rule_of_the_book() -> None:
    numbered = [f"{letter}{n}" for letter, count in BOOK.items() for n in range(1, count + 1)]
    assert [*RULES] == [*numbered, "§8"]


@_each_rule
def test_every_rule_lives_in_the_code(number: str) -> None:
    assert FOUND[number].code


@_each_rule
def test_every_rule_is_proved_by_a_test(number: str) -> None:
    assert FOUND[number].tests


def test_the_page_says_what_the_code_and_the_tests_say() -> None:
    assert RULES_PAGE.read_text(encoding="utf-8") == page(FOUND), "make rules"


def test_every_link_of_the_page_leads_to_a_file() -> None:
    files = {path for found in FOUND.values() for path in (*found.code, *found.tests)}
    assert {path for path in files if not (RULES_PAGE.parent.parent / path).is_file()} == set()


def test_a_range_names_every_rule_in_it() -> None:
    assert numbers_in("sellable (O1-O3), L2 to L4; see §8") == {
        "O1",
        "O2",
        "O3",
        "L2",
        "L3",
        "L4",
        "§8",
    }
    assert numbers_in("R-0, S101, r2, XS3, R10s, O99") == set()


def test_a_rule_belongs_to_the_function_or_class_around_it() -> None:
    source = (
        '"""S1."""\n\nclass A:\n    """S2."""\n\n    def b(self):\n        # S3\n        pass\n'
    )
    assert list(named_in(source)) == [("S1", ""), ("S2", "A"), ("S3", "A.b")]


def test_what_is_read_is_what_pytest_collects(request: pytest.FixtureRequest) -> None:
    """Every test collected with this one carries the rules that were read in its file."""
    collected: dict[Path, dict[str, set[str]]] = {}
    for item in request.session.items:
        told = collected.setdefault(item.path, {}).setdefault(item.name.partition("[")[0], set())
        told |= rules_of(item.nodeid)
    for path, tests in collected.items():
        read = list(proved_in(path.read_text(encoding="utf-8")))
        for name, numbers in tests.items():
            found = {number for test, number in read if test == name}
            assert found - {AFTER_ANY_HISTORY} == numbers, (path, name)
