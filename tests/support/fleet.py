"""Several real workers on one stack, of which one after another is killed with -9."""

import random
import subprocess
from dataclasses import dataclass, field
from typing import Self

from tests.support.stack import Stack


@dataclass
class Fleet:
    """Workers as processes; one is killed and replaced at every call of `kill_one`."""

    stack: Stack
    size: int
    draw: random.Random
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    killed: int = 0

    def __enter__(self) -> Self:
        """Start them."""
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""
        for process in self.started:
            process.kill()
            process.communicate()

    def kill_one(self) -> None:
        """Kill -9 one that is at work and start another."""
        running = self.running()
        if running:
            self.draw.choice(running).kill()
            self.killed += 1
        self._fill()

    def wait(self) -> None:
        """Wait until each has ended by itself: nothing is left."""
        for process in self.started:
            process.communicate(timeout=600)

    def running(self) -> list["subprocess.Popen[bytes]"]:
        """The workers that have not ended."""
        return [process for process in self.started if process.poll() is None]

    def _fill(self) -> None:
        while len(self.running()) < self.size:
            self.started.append(self.stack.worker())
