"""Do the tests of the core notice when a rule is changed? `python -m scripts.mutate --minutes 10`.

1. `scripts.mutants` names small changes of `handlers/rules/*.py`: another comparison, another sign,
   a condition or a statement left out.
2. Each is made alone in a copy of the tree, where the fast tests of the core run; what they do not
   notice has survived, and is printed with its place. Tests that fail as it is are left out.
3. What became of each is kept in `build/mutants.jsonl`: the next run goes on with the others.
   A module that has changed has other mutants; `--again` asks all, after tests have changed.

Exit status 1: there are survivors. A survivor is a missing test, or a change that changes nothing.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

from scripts.mutants import Mutant, mutants_of

ROOT = Path(__file__).parent.parent
RULES = ROOT / "handlers" / "rules"
KEPT = ROOT / "build" / "mutants.jsonl"
COPIED = ("config", "console", "events", "handlers", "scripts", "store", "tests", "workers")
JOBS = 2
# In this order: what fails first costs least. The second stage is random, with a fixed seed.
STAGES = (
    ("tests/scenarios", "tests/reference"),
    ("tests/property/test_core.py", "tests/property/test_reference.py"),
)


def main() -> int:
    """Make the mutants asked for, tell which survive."""
    asked = _arguments()
    chosen = _chosen(asked)
    known = {} if asked.again else _known()
    left = [mutant for mutant in chosen if mutant.key not in known]
    print(f"{len(chosen)} mutants, {len(chosen) - len(left)} of them known", flush=True)
    known |= _asked(left, asked.minutes * 60, asked.seconds)
    told = [(mutant, known[mutant.key]) for mutant in chosen if mutant.key in known]
    for outcome in ("noticed", "took too long", "survived"):
        print(f"{outcome}: {sum(row == outcome for _mutant, row in told)}")
    survivors = [mutant for mutant, outcome in told if outcome == "survived"]
    for mutant in sorted(survivors, key=lambda row: (row.path, row.line)):
        print(f"  {mutant}")
    return 1 if survivors else 0


def _asked(mutants: Sequence[Mutant], seconds: float, seconds_each: float) -> dict[str, str]:
    """Return what became of each mutant that was begun in time."""
    deadline = time.monotonic() + seconds
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees: SimpleQueue[Tree] = SimpleQueue()
        first = Tree.copied(Path(folder) / "0")
        failing = first.failing(seconds_each * len(STAGES))
        for name in failing:
            print(f"left out, it fails without any change: {name}", flush=True)
        trees.put(first)
        for n in range(1, JOBS):
            trees.put(Tree.copied(Path(folder) / str(n), failing))

        def ask(mutant: Mutant) -> None:
            tree = trees.get()
            try:
                if time.monotonic() < deadline:
                    found[mutant.key] = tree.tried(mutant, seconds_each)
                    _keep(mutant, found[mutant.key])
            finally:
                trees.put(tree)

        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(ask, mutants))
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Mutation tests of the rules.")
    parser.add_argument("--module", action="append", help="a module of handlers/rules, by name")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60.0, help="begin none after that")
    parser.add_argument("--seconds", type=float, default=90.0, help="per stage and mutant")
    parser.add_argument("--again", action="store_true", help="ask those that are known, too")
    return parser.parse_args()


def _chosen(asked: argparse.Namespace) -> Sequence[Mutant]:
    names = asked.module or sorted(path.stem for path in RULES.glob("*.py"))
    found = [mutant for name in names for mutant in _of(name)]
    if asked.sample is None or asked.sample >= len(found):
        return found
    drawn = sorted(found, key=lambda row: sha256(f"{asked.seed} {row.key}".encode()).digest())
    return drawn[: asked.sample]


def _of(name: str) -> Iterator[Mutant]:
    path = RULES / f"{name}.py"
    return mutants_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def _known() -> dict[str, str]:
    if not KEPT.exists():
        return {}
    rows = (json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines())
    return {row["key"]: row["outcome"] for row in rows}


def _keep(mutant: Mutant, outcome: str) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    with KEPT.open("a", encoding="utf-8") as file:
        row = {"key": mutant.key, "outcome": outcome, "what": str(mutant)}
        file.write(json.dumps(row) + "\n")


@dataclass(slots=True)
class Tree:
    """A copy of the tree for one job; `left_out`: tests that fail without any change."""

    root: Path
    left_out: Sequence[str] = ()

    @classmethod
    def copied(cls, root: Path, left_out: Sequence[str] = ()) -> "Tree":
        """Copy it, with kept bytecode for all but what is to be changed."""
        copy_of(root, COPIED)
        how = ("-q", "--invalidation-mode", "unchecked-hash")
        compiled = [sys.executable, "-m", "compileall", *how, "."]
        subprocess.run(compiled, cwd=root, check=True)
        shutil.rmtree(root / "handlers" / "rules" / "__pycache__")
        return cls(root, left_out)

    def failing(self, seconds: float) -> Sequence[str]:
        """Find the tests that fail without any change, and leave them out from now on."""
        said = ""
        for stage in STAGES:
            done = self._run(stage, seconds, "--tb=no", "-rf")
            said += done.stdout
        rows = (line for line in said.splitlines() if line.startswith("FAILED "))
        self.left_out = [line.removeprefix("FAILED ").partition(" - ")[0] for line in rows]
        return self.left_out

    def tried(self, mutant: Mutant, seconds: float) -> str:
        """Return what became of a mutant: `survived`, `noticed` or `took too long`."""
        path = self.root / mutant.path
        before = path.read_text(encoding="utf-8")
        path.write_text(mutant.source, encoding="utf-8")
        try:
            for stage in STAGES:
                if self._run(stage, seconds, "-x").returncode != 0:
                    return "noticed"
        except subprocess.TimeoutExpired:
            return "took too long"
        finally:
            path.write_text(before, encoding="utf-8")
        return "survived"

    def _run(
        self, stage: Sequence[str], seconds: float, *more: str
    ) -> subprocess.CompletedProcess[str]:
        paths = [path for path in stage if (self.root / path).exists()]
        plugins = ("no:cacheprovider", "no:xdist", "scripts.few_examples")
        command = [sys.executable, "-m", "pytest", "-q", "--assert=plain", *more, *paths]
        command += [word for plugin in plugins for word in ("-p", plugin)]
        command += [word for name in self.left_out for word in ("--deselect", name)]
        kept = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(self.root)}
        return subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **kept},
            timeout=seconds,
            capture_output=True,
            text=True,
            check=False,
        )


def copy_of(root: Path, names: Sequence[str]) -> None:
    """Copy parts of the tree to another place, to be changed there."""
    root.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in (*names, "pyproject.toml"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root)


if __name__ == "__main__":
    sys.exit(main())
