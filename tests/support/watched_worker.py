"""`backship worker` as a real process whose log can be read while it runs.

A test does something to the world, waits for a line or a state, and looks at every line at the end.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.support.stack import Stack

SECONDS_MAX = 60.0
Line = dict[str, Any]


class WatchedWorker:
    """One running worker. `log`: all it has said so far, line by line."""

    def __init__(self, stack: Stack, log: Path, *arguments: str) -> None:
        self._log = log
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
            "BACKSHIP_DATABASE_URL": stack.database_url,
            "BACKSHIP_BROKER_URL": stack.broker_url or "",
            "BACKSHIP_TOPOLOGY_PREFIX": stack.prefix,
            **stack.more,
        }
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "console", "worker", *arguments],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    @property
    def log(self) -> list[Line]:
        """All whole lines that are JSON: what is not came from nobody of ours."""
        text = self._log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[Line]:
        """The lines of one event."""
        return [line for line in self.log if line["event"] == event]

    def troubles(self) -> set[str]:
        """The events of all lines that are not about plain work."""
        return {line["event"] for line in self.log if line["level"] != "info"}

    def is_alive(self) -> bool:
        """Is it still running?"""
        return self.process.poll() is None

    def until(self, reached: Callable[[], bool], seconds_max: float = SECONDS_MAX) -> None:
        """Wait for something; a worker that ends meanwhile is a failure."""
        deadline = time.monotonic() + seconds_max
        while not reached():
            assert self.is_alive(), self._log.read_text(encoding="utf-8")[-3000:]
            last = self._log.read_text(encoding="utf-8")[-3000:]
            assert time.monotonic() < deadline, f"it did not happen in time; log: {last}"
            time.sleep(0.1)

    def until_said(self, event: str, seconds_max: float = SECONDS_MAX) -> None:
        """Wait for a line."""
        self.until(lambda: bool(self.said(event)), seconds_max)

    def stop(self) -> int:
        """Ask it to end and wait; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS_MAX)


@contextmanager
def watched(stack: Stack, folder: Path, *arguments: str) -> Iterator[WatchedWorker]:
    """Run a worker while the block runs, and leave no process behind."""
    worker = WatchedWorker(stack, folder / "worker.log", *arguments)
    try:
        yield worker
    finally:
        if worker.is_alive():
            worker.process.kill()
        worker.process.wait(SECONDS_MAX)


def no_oftener_than_it_says(lines: list[Line]) -> bool:
    """Did each of these lines come only after the pause that the one before it named?"""
    times = [datetime.fromisoformat(line["timestamp"]) for line in lines]
    waits = [line["seconds"] for line in lines]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    return all(gap >= wait - 0.01 for gap, wait in zip(gaps, waits, strict=False))
