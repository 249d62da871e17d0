"""Whatever goes wrong: nothing is lost, nothing doubled, nothing made up (see `checker`).

As many seeds as the budget allows; a failing one is named and repeated by
`BACKSHIP_TEST_SEED=12345 pytest tests/simulation`; many go by `python -m tests.simulation 1 9999`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.faults import KINDS
from tests.simulation.run import Tally, run, workshop
from tests.support.budget import repeatable, seeds
from workers.crash import POINTS

ROOT = Path(__file__).parent.parent.parent
BUDGET_SECONDS = 40
SURE = range(1, 41)
"""Seeds that are run each time, so that it is known what they inject."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with workshop() as made:
        yield made


@pytest.mark.random
@pytest.mark.slow
@pytest.mark.timeout(3600)  # `make test-long` gives it twenty times its budget
def test_whatever_fails_nothing_is_lost_and_nothing_doubled(folder: Path) -> None:
    for seed in seeds(seconds=BUDGET_SECONDS):
        with repeatable(seed):
            run(folder, seed)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_kind_of_fault_is_really_injected(folder: Path) -> None:
    tally = Tally()
    for seed in SURE:
        with repeatable(seed):
            tally.add(*run(folder, seed))
        if tally.faults.keys() >= set(KINDS):
            break
    assert tally.faults.keys() == set(KINDS), f"never: {set(KINDS) - tally.faults.keys()}"
    assert {"applied", "set_aside"} <= {name for name, count in tally.places.items() if count}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_workers_die_at_every_named_point_and_nothing_is_lost(folder: Path) -> None:
    died: set[str] = set()
    seed = 0
    while died != set(POINTS):
        seed += 1
        with repeatable(seed):
            world, _account = run(folder, seed)
        died |= world.faults.killed_at.keys()
        assert seed < 1000, f"nobody died at {set(POINTS) - died}"


def _told_of(seed: int, hash_seed: int) -> str:
    """Run a seed in a process of its own and return all it says but how long it took."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.simulation", str(seed), "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return said.partition("\n")[2]


@pytest.mark.slow
def test_one_seed_is_one_run() -> None:
    first, again = _told_of(5, hash_seed=1), _told_of(5, hash_seed=2)
    assert "commits of decisions" in first
    assert first == again
