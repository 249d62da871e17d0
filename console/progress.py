"""How far long work is: a bar on a terminal, a line now and then elsewhere; on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from workers.clock import Clock

_LINE_SECONDS = 10.0


class Progress(Protocol):
    """Tells how far the work is."""

    def reached(self, done: int, total: int | None, what: str) -> None:
        """Say that `done` of `total` (None: nobody knows) is done; `what` says it in words."""
        ...

    def say(self, text: str) -> None:
        """Print a line that stays."""
        ...


class _Lines:
    """For logs and pipes: at most one line every ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said_at = clock.monotonic()

    def reached(self, done: int, total: int | None, what: str) -> None:
        del done, total
        now = self._clock.monotonic()
        if now - self._said_at >= _LINE_SECONDS:
            self._said_at = now
            self.say(what)

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


@contextmanager
def progress(title: str, clock: Clock) -> Iterator[Progress]:
    """Show progress while the block runs."""
    if not sys.stderr.isatty():
        yield _Lines(clock)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        class OnBar:
            def reached(self, done: int, total: int | None, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)

            def say(self, text: str) -> None:
                console.print(text, markup=False, soft_wrap=True)

        yield OnBar()
