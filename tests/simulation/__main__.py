"""Run many seeds: `python -m tests.simulation SEED COUNT`. Names each that fails, and why.

Prints what went wrong how often, so that one can see what was really tried. Ends with 1 if any
seed failed.
"""

import sys
import time
import traceback

from tests.simulation.run import Tally, run, workshop


def main(first: int, count: int) -> int:
    """Run `count` seeds from `first` on; return how many failed."""
    tally, started, failed = Tally(), time.monotonic(), 0
    with workshop() as folder:
        for seed in range(first, first + count):
            try:
                tally.add(*run(folder, seed))
            except Exception as failure:  # noqa: BLE001 - whatever it is, the next seed goes on
                failed += 1
                if count == 1:
                    traceback.print_exception(failure)
                _say(f"seed {seed}: {type(failure).__name__}: {str(failure)[:400]}")
    seconds = time.monotonic() - started
    _say(f"{failed} of {count} seeds failed, in {seconds:.0f} s ({count / seconds:.1f} a second)")
    _say(f"{tally.turns} turns, {tally.commits} commits of decisions")
    for title, counts in (
        ("messages", tally.places),
        ("faults", tally.faults),
        ("killed at", tally.killed_at),
    ):
        _say(f"{title}:")
        for name, number in counts.most_common():
            _say(f"  {number:8} {name}")
    return failed


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it talks to a person


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
