"""Run many seeds: `python -m tests.simulation SEED COUNT`. Ends at the first that fails.

Prints what went wrong how often, so that one can see what was really tried.
"""

import sys
import time

from tests.simulation.run import Tally, run, workshop


def main(first: int, count: int) -> None:
    """Run `count` seeds from `first` on."""
    tally, started = Tally(), time.monotonic()
    with workshop() as folder:
        for seed in range(first, first + count):
            try:
                tally.add(*run(folder, seed))
            except BaseException as failure:
                failure.add_note(f"This was seed {seed}: python -m tests.simulation {seed} 1")
                _tell(tally, time.monotonic() - started)
                raise
    _tell(tally, time.monotonic() - started)


def _tell(tally: Tally, seconds: float) -> None:
    rate = tally.seeds / seconds
    print(f"{tally.seeds} seeds in {seconds:.0f} s ({rate:.1f} a second)")  # noqa: T201
    print(f"{tally.turns} turns, {tally.commits} commits of decisions")  # noqa: T201
    for title, counts in (
        ("messages", tally.places),
        ("faults", tally.faults),
        ("killed at", tally.killed_at),
    ):
        print(f"{title}:")  # noqa: T201
        for name, number in counts.most_common():
            print(f"  {number:8} {name}")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
