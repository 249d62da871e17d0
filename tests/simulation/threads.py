"""What production code finds under the name `threading`: events and threads that take turns.

The relay's thread becomes a task of the same process, a wait for an event a wait on virtual time;
both modules run as they are.
"""

import threading
from collections.abc import Callable

from tests.simulation.scheduler import Scheduler, Task


class SimulatedThreading:
    """Stands in for the module `threading` in one world; the rest is the real one's."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def Event(self) -> "SimulatedEvent":  # noqa: N802 - named as in `threading`
        """Make an event."""
        return SimulatedEvent(self._scheduler)

    def Thread(  # noqa: N802 - named as in `threading`
        self, target: Callable[[], None], name: str = "thread", *, daemon: bool = False
    ) -> "SimulatedThread":
        """Make a thread of the process whose turn it is."""
        del daemon
        return SimulatedThread(self._scheduler, target, name)

    def __getattr__(self, name: str) -> object:
        return getattr(threading, name)


class SimulatedEvent:
    """`threading.Event`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait on virtual time."""
        if self._set:
            return True
        self._scheduler.wait(self.is_set, timeout)
        return self._set


class SimulatedThread:
    """`threading.Thread`."""

    def __init__(self, scheduler: Scheduler, target: Callable[[], None], name: str) -> None:
        self._scheduler = scheduler
        self._target = target
        self._name = name
        self._task: Task | None = None

    def start(self) -> None:
        parent = self._scheduler.current
        assert parent is not None
        name = f"{parent.life.name} {self._name}"
        self._task = self._scheduler.spawn(name, parent.life, self._target)

    def is_alive(self) -> bool:
        return self._task is not None and not self._task.ended

    def join(self, timeout: float | None = None) -> None:
        self._scheduler.wait(lambda: not self.is_alive(), timeout)
