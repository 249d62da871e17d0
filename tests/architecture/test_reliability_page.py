"""docs/reliability.md names a proof for every fault, and every test it names is there."""

import re

from tests.support.command import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (F\d\d) .* \| (.*) \| .+ \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_fault_has_one_row_and_a_proof_or_the_one_above() -> None:
    rows = ROW.findall(PAGE)
    assert [fault for fault, _proof in rows] == [f"F{number:02}" for number in range(1, 53)]
    assert [
        fault for fault, proof in rows if not TEST.search(proof) and "the same" not in proof
    ] == []


def test_every_test_it_names_is_there() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in TEST.findall(PAGE)
        if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
