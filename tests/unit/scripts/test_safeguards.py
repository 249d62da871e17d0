"""The safeguards that `scripts.safeguards` switches off are still where it looks for them."""

import ast

import pytest

from scripts.mutate import ROOT
from scripts.safeguard_list import SAFEGUARDS, Safeguard


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name.replace(" ", "-"))
def test_a_safeguard_is_in_its_place_once_and_without_it_there_is_still_a_program(
    safeguard: Safeguard,
) -> None:
    source = (ROOT / safeguard.path).read_text(encoding="utf-8")
    assert source.count(safeguard.old) == 1
    ast.parse(source.replace(safeguard.old, safeguard.new))


@pytest.mark.parametrize("safeguard", SAFEGUARDS, ids=lambda each: each.name.replace(" ", "-"))
def test_the_tests_that_must_notice_are_there(safeguard: Safeguard) -> None:
    for test in safeguard.noticed_by:
        assert (ROOT / test.partition("::")[0]).exists()
