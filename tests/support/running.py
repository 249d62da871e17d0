"""A worker as a process that goes on for ever, and what it says while it does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from tests.support.services import isolation
from tests.support.stack import Stack

SECONDS_MAX = 60.0
_ROUNDING_SECONDS = 0.02


def until(reached: Callable[[], bool], what: str = "it") -> None:
    """Wait for something that happens in another process."""
    deadline = time.monotonic() + SECONDS_MAX
    while not reached():
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.05)


@dataclass(frozen=True)
class Running:
    """One worker process and the file its log goes to."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def said(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the whole lines of its log so far; only those of one name, if given."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        found = [orjson.loads(line) for line in lines if line.startswith(b"{")]
        return [line for line in found if event in {None, line["event"]}]

    def until_said(self, event: str, count: int = 1) -> None:
        """Wait until it has said something so many times."""
        until(lambda: self.ended() or len(self.said(event)) >= count, event)
        assert not self.ended(), self.log.read_text()

    def ended(self) -> bool:
        """Is it no longer there?"""
        return self.process.poll() is not None

    def warnings(self) -> list[dict[str, Any]]:
        """Return everything above INFO."""
        return [line for line in self.said() if line["level"] in {"warning", "error", "critical"}]

    def check_one_line_a_pause(self) -> None:
        """What it says before a pause it does not say again before the pause is over."""
        last: dict[str, tuple[datetime, float]] = {}
        for line in self.warnings():
            at = datetime.fromisoformat(line["timestamp"])
            if line["event"] in last:
                before, seconds = last[line["event"]]
                assert (at - before).total_seconds() >= seconds - _ROUNDING_SECONDS, line
            if "seconds" in line:
                last[line["event"]] = (at, float(line["seconds"]))

    def stop(self) -> None:
        """Ask it to end, as a service manager does; it drains and says so."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # says where each thread is
            status = self.process.wait(SECONDS_MAX)
        assert status == 0, self.log.read_text()


@contextmanager
def running(stack: Stack, folder: Path) -> Iterator[Running]:
    """Run one worker and leave no process behind."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
        "BACKSHIP_DATABASE_URL": stack.database_url,
        "BACKSHIP_BROKER_URL": stack.broker_url or "",
        "BACKSHIP_TOPOLOGY_PREFIX": stack.prefix,
        "BACKSHIP_DATABASE_ISOLATION": isolation(),
        **stack.more,
        "PYTHONFAULTHANDLER": "1",
    }
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "console", "worker"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=output,
        )
    try:
        made = Running(process, log)
        made.until_said("worker_ready")
        yield made
    finally:
        process.kill()
        process.wait()
