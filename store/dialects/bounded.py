"""A psycopg connection that waits for no answer longer than it was told to.

The server ends a statement that takes too long (statement_timeout), and the kernel gives up on a
peer that is gone (keepalives, tcp_user_timeout). Neither helps where something in between, a
pooler, a balancer, a server that was stopped, takes our bytes and never answers: without a limit of
our own that wait has no end.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

_Result = TypeVar("_Result")
_TICK_SECONDS = 0.1  # how often psycopg wakes up from a wait


class BoundedConnection(psycopg.Connection[Any]):
    """Ends itself when an answer takes longer than `answer_seconds_max`."""

    answer_seconds_max: float = 60.0

    def wait(
        self, gen: PQGen[_Result], interval: float = _TICK_SECONDS, timeout: float | None = None
    ) -> _Result:
        """Wait for what `gen` does; raises OperationalError when it took too long."""
        bounded = _bounded(gen, monotonic() + self.answer_seconds_max)
        try:
            return super().wait(bounded, interval, *(() if timeout is None else (timeout,)))
        except NoAnswerError:
            self.close()  # what it would answer now is the answer to another question
            message = f"no answer within {self.answer_seconds_max:g} s"
            raise psycopg.OperationalError(message) from None


class NoAnswerError(Exception):
    """The wait is over, without an answer."""


def _bounded(gen: PQGen[_Result], deadline: float) -> Generator[Any, Any, _Result]:
    """Do what `gen` does until the deadline; it is looked at whenever nothing has come."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and monotonic() > deadline:
                raise NoAnswerError
            wanted = gen.send(ready)
    except StopIteration as end:
        result: _Result = end.value
        return result
