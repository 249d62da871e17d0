"""Random tests with a time budget: as many seeds as the time allows, and the failing one by name.

    @pytest.mark.random
    def test_...() -> None:
        for seed in seeds(seconds=5):
            with repeatable(seed):
                ...

A failure ends with the line that repeats it. `BACKSHIP_TEST_SEED=N` runs that one seed alone;
`BACKSHIP_TEST_BUDGET_FACTOR` (set by `make test-long`) stretches every budget.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager


def seeds(seconds: float) -> Iterator[int]:
    """Fresh seeds until the budget is spent; at least one, however slow a run is."""
    asked_for = os.environ.get("BACKSHIP_TEST_SEED")
    if asked_for:
        yield int(asked_for)
        return
    budget = seconds * float(os.environ.get("BACKSHIP_TEST_BUDGET_FACTOR") or 1)
    deadline = time.monotonic() + budget
    while True:
        yield secrets.randbits(32)
        if time.monotonic() >= deadline:
            return


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Say in a failure how to run this seed again."""
    try:
        yield
    except BaseException as failure:
        failure.add_note(f"This was seed {seed}; to repeat it: BACKSHIP_TEST_SEED={seed}")
        raise
