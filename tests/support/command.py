"""The real command: as a process of its own, or (much quicker) within this one.

Either runs in a folder and with settings of its own. `settings` are names without `BACKSHIP_`, in
small letters. What starts a worker, configures logs or handles signals has to be a process.
"""

import io
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.main import run

COMMAND_SECONDS_MAX = 60
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ended:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """`backship` as a process, run in `folder`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, given: bytes = b"") -> Ended:
        """Run it to its end."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
            "PYTHONPATH": str(ROOT),
            **{f"BACKSHIP_{name.upper()}": value for name, value in self.settings.items()},
        }
        done = subprocess.run(
            [sys.executable, "-m", "console", *arguments],
            cwd=self.folder,
            env=environment,
            input=given,
            capture_output=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def done(self, *arguments: str, given: bytes = b"") -> str:
        """Run what has to succeed; return what it printed."""
        ended = self.run(*arguments, given=given)
        assert ended.status == 0, ended
        return ended.out

    def json(self, *arguments: str, status: int = 0) -> Any:  # noqa: ANN401 - a JSON document
        """Run a query for a program: one document on standard output and nothing else."""
        ended = self.run(*arguments, "--json")
        assert ended.status == status, ended
        return orjson.loads(ended.out)


class Inside(Command):
    """`backship` within this process: the same function its entry point calls."""

    def run(self, *arguments: str, given: bytes = b"") -> Ended:
        """Run it to its end."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in os.environ:
                if name.startswith("BACKSHIP_") and not name.startswith("BACKSHIP_TEST_"):
                    patch.delenv(name)
            for name, value in self.settings.items():
                patch.setenv(f"BACKSHIP_{name.upper()}", value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            status = run(arguments)
        return Ended(status, out.getvalue(), err.getvalue())
