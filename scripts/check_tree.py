"""Nothing in the tree may name one machine or one package index: `python -m scripts.check_tree`.

A clone must build anywhere, from whatever index its owner set up. So no file holds an index's
address or an option that sets one, no absolute path of a person's machine, no `uv.lock`, and the
locks hold no address at all. Exit status 1 names file and line.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Each pattern is written so that it does not find itself.
FORBIDDEN = {
    "sets a package index": re.compile(r"--(?:extra-)?index[-]url|--find[-]links|index[-]url\s*="),
    "names a package index": re.compile(
        r"pypi[.]org|python[h]osted|registry[.]npm|deb[.]debian[.]org|/sim[p]le/?(?:[\"'\s]|$)"
    ),
    "names a path of one machine": re.compile(r"(?<![\w.$}-])/(?:farm|home|root|Users|work)/\w"),
}
FORBIDDEN_IN_LOCKS = {"holds an address": re.compile(r"https?://|file:/")}
FORBIDDEN_NAMES = ("uv.lock",)


def main() -> int:
    """Print every finding; 1 if there is one."""
    findings = [finding for path in files_of_the_tree() for finding in findings_in(path)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def files_of_the_tree(root: Path = ROOT) -> list[Path]:
    """Every file git has or would take; in a tree without git, none are ours to judge."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=False,
    )  # fmt: skip
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    return sorted(path for name in set(names) if name and (path := root / name).is_file())


def findings_in(path: Path) -> Iterator[str]:
    """One line for each place that names what it must not."""
    if path.name in FORBIDDEN_NAMES:
        yield f"{path}: is not kept here; requirements*.lock are the locks"
    content = path.read_bytes()
    if b"\0" in content:
        return
    patterns = FORBIDDEN | (FORBIDDEN_IN_LOCKS if path.suffix == ".lock" else {})
    for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
        for reason, pattern in patterns.items():
            if pattern.search(line):
                yield f"{path}:{number}: {reason}: {line.strip()[:120]}"


if __name__ == "__main__":
    sys.exit(main())
