"""A demo that has run, as a stranger runs it: what it printed, and the file it left."""

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "console" / "data" / "uci-online-retail-sample.csv.gz"
DEMO_SECONDS_MAX = 120  # issue 2: under two minutes on two cores


def environment(**more: str) -> dict[str, str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")}
    return {**plain, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def backship(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "console", *arguments],
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        timeout=2 * DEMO_SECONDS_MAX,
        check=False,
    )


@dataclass(frozen=True)
class Left:
    """A demo that has run: what it printed, and what it left."""

    directory: Path
    printed: str
    complaints: str
    seconds: float

    @cached_property
    def file(self) -> Path:
        return self.directory / "backship-demo.db"

    def rows(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str) -> Any:  # noqa: ANN401 - whatever is asked for
        ((value,),) = self.rows(sql)
        return value

    def emitted(self, kind: str) -> list[dict[str, Any]]:
        bodies = self.rows(f"SELECT body FROM emitted WHERE type = '{kind}'")
        return [orjson.loads(body)["data"] for (body,) in bodies]

    def units(self, kind: str) -> int:
        return sum(line["qty"] for data in self.emitted(kind) for line in data["lines"])

    def figures(self, pattern: str) -> list[int]:
        """The numbers printed where the pattern has groups."""
        found = re.search(pattern, self.printed, re.MULTILINE)
        assert found is not None, f"{pattern} is not in:\n{self.printed}"
        return [int(group.replace(",", "")) for group in found.groups()]


def run_demo(directory: Path) -> Left:
    # Configured servers, and any other directory's files, are not looked at.
    env = environment(
        BACKSHIP_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/nowhere",
        BACKSHIP_BROKER_URL="amqp://nobody@127.0.0.1:1/",
    )
    begun = time.monotonic()
    done = backship("demo", cwd=directory, env=env)
    seconds = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    return Left(directory, done.stdout, done.stderr, seconds)


def is_order(line: dict[str, str]) -> bool:
    """Is this line of the CSV one of an order?"""
    return line["invoice"].isdigit() and int(line["quantity"]) > 0
