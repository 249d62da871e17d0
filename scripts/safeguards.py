"""Would anybody notice? Each safeguard switched off in turn: `make safeguards`.

1. `scripts.safeguard_list` names the safeguards of "nothing lost, nothing doubled" and the change
   of the source that switches each off. The program itself has no such switches.
2. Each change is made alone in a copy of the tree, where the tests it names are run with real
   servers. At least one must fail; which one is printed.

At the end the named tests run without any change: they must pass, or their failing says nothing
(`--trust` leaves that out, after a run of the whole suite).
Exit status 1: a safeguard nobody would miss, or tests that fail as it is.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.mutate import COPIED, copy_of
from scripts.safeguard_list import SAFEGUARDS, Safeguard

SECONDS_MAX = 600.0
_SERVERS = (*COPIED, "deploy", "docs", "docker-compose.yml", "README.md", "requirements.lock")


def main() -> int:
    """Switch off what is asked for, one after the other; tell who noticed."""
    parser = argparse.ArgumentParser(description="Switch the safeguards off, one by one.")
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--trust", action="store_true", help="that the tests pass as they are")
    asked = parser.parse_args()
    chosen = [each for each in SAFEGUARDS if not asked.names or each.name in asked.names]
    unnoticed = []
    with tempfile.TemporaryDirectory(prefix="safeguards-") as folder:
        root = Path(folder) / "tree"
        copy_of(root, _SERVERS)
        for safeguard in chosen:
            who = noticed(root, safeguard)
            print(f"{safeguard.name}: {who or 'NOBODY NOTICED'}", flush=True)
            if who is None:
                unnoticed.append(safeguard.name)
        named = sorted({test for each in chosen for test in each.noticed_by})
        files = [test.partition("::")[0] for test in named]
        failing = None if asked.trust else first_failure(root, files)
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} noticed")
    if failing is not None:
        print(f"without any change this fails: {failing}")
    return 1 if unnoticed or failing is not None else 0


def noticed(root: Path, safeguard: Safeguard) -> str | None:
    """Switch one off in a copy; return the test that fails for it, None if none does."""
    path = root / safeguard.path
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(safeguard.old, safeguard.new), encoding="utf-8")
    try:
        for test in safeguard.noticed_by:
            name, _, wanted = test.partition("::")
            who = first_failure(root, [name], *(("-k", wanted) if wanted else ()))
            if who is not None:
                return who
    finally:
        path.write_text(before, encoding="utf-8")
    return None


def first_failure(root: Path, tests: Sequence[str], *more: str) -> str | None:
    """Run tests in a copy; return the first that fails, None if none does."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "-rfE", "-p"]
    command += ["no:cacheprovider", *more, *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=root,
            env=environment,
            timeout=SECONDS_MAX,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{', '.join(tests)} did not end in {SECONDS_MAX:.0f} s"
    if done.returncode == 0:
        return None
    rows = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return rows[0].partition(" - ")[0] if rows else f"pytest ended with {done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
