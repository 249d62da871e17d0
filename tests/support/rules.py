"""Which rules of the rule book a test proves, written into its id: `test_…[O3,S4]`.

    @rule("O3", "S4")
    def test_…() -> None:

`rules_of(node id)` reads them back, so that the coverage of the rule book is a search.
"""

import re

import pytest

_NUMBER = r"[LPORSC][1-9][0-9]?"
_NUMBERS = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*")
_IN_ID = re.compile(rf"(?<=[\[-]){_NUMBERS.pattern}(?=[\]-])")


def rule(*numbers: str) -> pytest.MarkDecorator:
    """Write the numbers of the rules a test proves into its id."""
    told = ",".join(numbers)
    if _NUMBERS.fullmatch(told) is None:
        raise ValueError(f"no rules of the rule book: {told}")
    return pytest.mark.parametrize((), [pytest.param(id=told)])


def rules_of(node_id: str) -> frozenset[str]:
    """Return the rules a collected test proves."""
    return frozenset(number for told in _IN_ID.findall(node_id) for number in told.split(","))
