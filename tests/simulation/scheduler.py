"""One thing at a time: simulated tasks take turns, drawn by a seed, in virtual time.

Each task is a real thread, so that production code runs in it unchanged, but only the one whose
turn it is ever runs. It gives its turn away where it waits, and now and then at a `pause`. When
nobody can go on, the clock jumps to the first moment at which somebody can.

A `Life` is one process: killing it ends all its tasks at their next step by `Killed`, which no
handler of ordinary errors catches. Whatever they would still do to the world on their way out is
refused by the same `Killed`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from workers.clock import SettableClock

_SWITCHES = 0.15  # how often a pause gives the turn away: a switch costs some 30 µs
_JOIN_SECONDS_MAX = 10.0


class Killed(BaseException):
    """The process this ran in is no more (kill -9)."""


class Stuck(AssertionError):  # noqa: N818 - names what happened
    """The world did not come to rest."""


@dataclass(eq=False, slots=True)
class Life:
    """One process. `last_words` are called when it is killed, before anybody else has a turn."""

    name: str
    alive: bool = True
    last_words: list[Callable[[], None]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Task:
    """One thread of a process."""

    name: str
    life: Life
    work: Callable[[], None]
    until: Callable[[], bool] | None = None
    wake_at: float | None = None
    ended: bool = False
    failure: BaseException | None = None
    told_now: datetime | None = None  # what its clock said last
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    thread: threading.Thread | None = None


class Scheduler:
    """Whose turn it is, and what time."""

    def __init__(self, rng: Random, start: datetime) -> None:
        self.rng = rng
        self.clock = SettableClock(start)
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self.turns = 0
        self._given_back = threading.Semaphore(0)

    # ---------------------------------------------------------------- for tasks

    def spawn(self, name: str, life: Life, work: Callable[[], None]) -> Task:
        """Begin a task; it has its first turn later."""
        task = Task(name, life, work)
        task.thread = threading.Thread(target=self._live, args=(task,), name=name, daemon=True)
        self.tasks.append(task)
        task.thread.start()
        return task

    def pause(self) -> None:
        """Let another go first, perhaps; raises Killed in a process that is no more."""
        task = self.current
        if task is None:
            return
        if not task.life.alive:
            raise Killed
        if self.rng.random() < _SWITCHES:
            self._give_away(task)

    def wait(self, until: Callable[[], bool] | None, seconds: float | None) -> bool:
        """Wait until something is so, at most so long; tell whether it is."""
        task = self.current
        assert task is not None, "only tasks wait"
        if not task.life.alive:
            raise Killed
        task.until = until
        task.wake_at = None if seconds is None else self.clock.monotonic() + max(0.0, seconds)
        self._give_away(task)
        task.until = task.wake_at = None
        return until is None or until()

    def kill(self, life: Life) -> None:
        """End a process as kill -9 does."""
        if life.alive:
            life.alive = False
            for last in life.last_words:
                last()
        if self.current is not None and self.current.life is life:
            raise Killed

    def _give_away(self, task: Task) -> None:
        self._given_back.release()
        task.turn.acquire()
        if not task.life.alive:
            raise Killed

    def _live(self, task: Task) -> None:
        task.turn.acquire()
        try:
            if task.life.alive:
                task.work()
        except Killed:
            pass
        except BaseException as failure:  # noqa: BLE001 - raised again where the world is run
            task.failure = failure
        task.ended = True
        self._given_back.release()

    # ---------------------------------------------------------------- for whoever runs the world

    def run(self, rested: Callable[[], bool], *, seconds_max: float, turns_max: int) -> None:
        """Give turns until the world is at rest. Raises Stuck, and what a task has raised."""
        ends_at = self.clock.monotonic() + seconds_max
        turns_end = self.turns + turns_max
        while not rested():
            if self.clock.monotonic() > ends_at or self.turns > turns_end:
                raise Stuck(f"after {seconds_max} s and {self.turns} turns it still goes on")
            self._turn(self._next())

    def end(self) -> None:
        """Kill whatever is still there."""
        while self.tasks:
            task = self.tasks[0]
            task.life.alive = False
            self._give(task)
            self._forget(task)

    def _turn(self, task: Task) -> None:
        self._give(task)
        self.turns += 1
        if task.ended:
            self._forget(task)
            if task.failure is not None:
                raise task.failure

    def _give(self, task: Task) -> None:
        self.current = task
        task.turn.release()
        self._given_back.acquire()
        self.current = None

    def _forget(self, task: Task) -> None:
        assert task.ended, f"{task.name} did not end"
        assert task.thread is not None
        task.thread.join(_JOIN_SECONDS_MAX)
        self.tasks.remove(task)

    def _next(self) -> Task:
        """Draw whose turn it is; the dead go first, so that nobody sees them half gone."""
        for task in self.tasks:
            if not task.life.alive:
                return task
        able = [task for task in self.tasks if self._can_go_on(task)]
        if able:
            return able[0] if len(able) == 1 else self.rng.choice(able)
        wakes = [task.wake_at for task in self.tasks if task.wake_at is not None]
        if not wakes:
            raise Stuck(f"everybody waits for somebody: {[task.name for task in self.tasks]}")
        self.clock.advance(max(0.0, min(wakes) - self.clock.monotonic()) + 1e-6)
        return self._next()

    def _can_go_on(self, task: Task) -> bool:
        if task.until is None and task.wake_at is None:
            return True
        if task.wake_at is not None and self.clock.monotonic() >= task.wake_at:
            return True
        return task.until is not None and task.until()
