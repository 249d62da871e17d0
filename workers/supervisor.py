"""`worker --processes N`: a small supervisor on one machine.

It starts N workers as processes of their own, starts one again that ends by itself (with growing
pauses, so that a crash loop does not burn the machine), passes SIGTERM on and waits until all have
drained. One that does not end in time is killed: what it had is delivered again.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from config.logs import logger
from workers.clock import Clock

_PAUSE_SECONDS_MAX = 30.0
_STEADY_SECONDS = 60.0  # a worker that lived so long starts again at once
GRACE_SECONDS = 10.0
_TICK_SECONDS = 0.2

DONE = 0
FINAL = frozenset({2, 3})  # wrong settings, a server that refuses: again is of no use


@dataclass(slots=True)
class _Child:
    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0
    ended: bool = False


@dataclass(slots=True)
class Supervisor:
    """Keeps `count` processes of one command running."""

    command: Sequence[str]
    count: int
    clock: Clock
    shutdown_seconds_max: float = 20.0
    more: Callable[[int], Sequence[str]] = lambda _number: ()
    """What worker number n is told besides."""
    _children: list[_Child] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, *, burst: bool = False) -> int:
        """Run until told to stop (or, with `burst`, until all are done); return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        children = self._children = [_Child(number) for number in range(self.count)]
        status = DONE
        while not self._stopping.is_set() and not all(child.ended for child in children):
            for child in children:
                status = max(status, self._tend(child, burst=burst))
            if status in FINAL:
                break
            self._stopping.wait(_TICK_SECONDS)
        self._end(children)
        return status

    def running(self) -> list[int]:
        """Return the numbers of the workers that have a process."""
        return [child.number for child in self._children if child.process is not None]

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping.set()

    def _tend(self, child: _Child, *, burst: bool) -> int:
        """Start a child that is due; note how one ended. Returns an exit status that ends all."""
        now = self.clock.monotonic()
        if child.ended:
            return DONE
        if child.process is None:
            if now >= child.due_at:
                command = [*self.command, *self.more(child.number)]
                child.process = subprocess.Popen(command)  # noqa: S603 - our own command
                child.started_at = now
                logger().info("worker_started", number=child.number, pid=child.process.pid)
            return DONE
        status = child.process.poll()
        if status is None:
            return DONE
        child.process = None
        if (status == DONE and burst) or status in FINAL:
            child.ended = True
            return status
        child.failures = 0 if now - child.started_at > _STEADY_SECONDS else child.failures + 1
        pause = min(_PAUSE_SECONDS_MAX, 0.5 * 2**child.failures) if child.failures else 0.0
        child.due_at = now + pause
        logger().warning("worker_ended", number=child.number, status=status, again_in_seconds=pause)
        return DONE

    def _end(self, children: Sequence[_Child]) -> None:
        running = [child.process for child in children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = self.clock.monotonic() + self.shutdown_seconds_max + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, deadline - self.clock.monotonic()))
            except subprocess.TimeoutExpired:
                logger().warning("worker_killed", pid=process.pid)
                process.kill()
                process.wait()


def worker_command(arguments: Sequence[str]) -> list[str]:
    """Return the command that runs one worker with this very interpreter."""
    return [sys.executable, "-m", "console", "worker", *arguments]
