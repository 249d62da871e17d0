"""Workers that run on, as an operator starts them, and what they said in the end.

Their numbers stay the same from the first to the last: whatever happens to the servers, nobody
starts a worker again here.
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.support.stack import Stack

STOP_SECONDS_MAX = 60


@dataclass
class Crew:
    """`size` processes of `backship worker`, each with its log in that folder."""

    stack: Stack
    size: int
    folder: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start them."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
            "BACKSHIP_DATABASE_URL": self.stack.database_url,
            "BACKSHIP_BROKER_URL": self.stack.broker_url or "",
            "BACKSHIP_TOPOLOGY_PREFIX": self.stack.prefix,
            **self.stack.more,
        }
        for number in range(self.size):
            with self._log(number).open("wb") as said:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "console", "worker"],
                        env=environment,
                        stdout=subprocess.DEVNULL,
                        stderr=said,
                    )
                )
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        for process in self.processes:
            process.kill()
            process.wait()

    @property
    def dead(self) -> list[str]:
        """The last words of those that have ended."""
        return [
            f"worker {number} ended with {process.returncode}: {self._said(number)[-1500:]}"
            for number, process in enumerate(self.processes)
            if process.poll() is not None
        ]

    def stop(self) -> None:
        """SIGTERM to all; each must drain and end with 0."""
        assert not self.dead
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(STOP_SECONDS_MAX) for process in self.processes]
        assert statuses == [0] * self.size, self.dead

    def lines(self) -> Iterator[dict[str, Any]]:
        """What they logged, worker by worker; lines that are no JSON are kept as they are."""
        for number in range(self.size):
            for line in self._said(number).splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    yield {"event": "not JSON", "line": line}

    def events(self) -> Counter[str]:
        """How often they logged what."""
        return Counter(str(line["event"]) for line in self.lines())

    def duplicates(self) -> int:
        """How many deliveries they knew already."""
        return sum(line.get("duplicate", 0) for line in self.lines() if line["event"] == "batch")

    def _log(self, number: int) -> Path:
        return self.folder / f"worker{number}.log"

    def _said(self, number: int) -> str:
        return self._log(number).read_text(errors="replace")
