"""When to try again, and when to stop: named tenacity policies, all in one file.

Every policy has jitter, so that a fleet does not come back in step. Bounded ones end with the last
error itself, unwrapped. Which errors are worth another try is the caller's to say.

- `reaching_a_server`: a worker that starts together with its servers. Bounded tries and time.
- `repeating_a_transaction`: a deadlock, a serialization failure, a connection lost in a commit: the
  whole transaction again. Bounded tries and time; anything held in the database is
  claimed anew each time.
- `waiting_for_a_lock`: a lock that others hold for a moment and that cannot be queued for.
"""

import random  # noqa: TID251 - jitter decides nothing: it only spreads the tries of a fleet
from collections.abc import Callable

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from config.logs import logger
from workers.clock import SystemClock

_REAL_SLEEP = SystemClock().sleep

Errors = tuple[type[Exception], ...]

CONNECT_TRIES_MAX = 5
CONNECT_SECONDS_MAX = 20.0
TRANSACTION_TRIES_MAX = 6
"""One, and five more."""
TRANSACTION_SECONDS_MAX = 60.0
TRANSACTION_WAIT_SECONDS_MAX = 2.0
LOCK_SECONDS_MAX = 30.0


def _say_nothing(_: RetryCallState) -> None:
    """Report nothing before a wait."""


def saying(event: str) -> Callable[[RetryCallState], None]:
    """Return what logs each wait under this name, with the try's number and what went wrong."""

    def say(state: RetryCallState) -> None:
        trouble = state.outcome.exception() if state.outcome is not None else None
        logger().warning(event, attempt=state.attempt_number, reason=str(trouble))

    return say


def reaching_a_server(
    on: Errors,
    *,
    but_not: Errors = (),
    sleep: Callable[[float], None] = _REAL_SLEEP,
    before_wait: Callable[[RetryCallState], None] = _say_nothing,
) -> Retrying:
    """Try at most 5 times and 20 s, waiting up to 0.2, 0.4, 0.8 and 1.6 s in between.

    `but_not`: those of `on` that another try does not mend, such as a wrong password.
    """
    return Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, on) and not isinstance(error, but_not)
        ),
        stop=stop_after_attempt(CONNECT_TRIES_MAX) | stop_after_delay(CONNECT_SECONDS_MAX),
        wait=wait_random_exponential(multiplier=0.2, max=CONNECT_SECONDS_MAX),
        sleep=sleep,
        before_sleep=before_wait,
        reraise=True,
    )


def _never() -> bool:
    return False


def _either(stop: stop_base, given_up: Callable[[], bool]) -> Callable[[RetryCallState], bool]:
    return lambda state: given_up() or stop(state)


def repeating_a_transaction(
    on: Errors,
    *,
    but_not: Errors = (),
    given_up: Callable[[], bool] = _never,
    sleep: Callable[[float], None] = _REAL_SLEEP,
    before_wait: Callable[[RetryCallState], None] = _say_nothing,
) -> Retrying:
    """Try at most 6 times and 60 s, waiting up to 10, 20, 40 … ms (2 s at most) in between.

    `but_not`: those of `on` that another try does not mend. `given_up`: asked before each other
    try, so that a worker that is to stop does not first wait out its locks.
    """
    return Retrying(
        retry=retry_if_exception(
            lambda error: isinstance(error, on) and not isinstance(error, but_not)
        ),
        stop=_either(
            stop_after_attempt(TRANSACTION_TRIES_MAX) | stop_after_delay(TRANSACTION_SECONDS_MAX),
            given_up,
        ),
        wait=wait_random_exponential(multiplier=0.01, max=TRANSACTION_WAIT_SECONDS_MAX),
        sleep=sleep,
        before_sleep=before_wait,
        reraise=True,
    )


def jittered(tries: int, *, first_seconds: float, seconds_max: float) -> float:
    """Return a wait after so many tries: doubling, between half and all of it, never the same."""
    ceiling = min(seconds_max, first_seconds * 2.0 ** min(tries, 30))
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - nothing secret


def waiting_for_a_lock(
    on: Errors,
    *,
    sleep: Callable[[float], None] = _REAL_SLEEP,
    before_wait: Callable[[RetryCallState], None] = _say_nothing,
) -> Retrying:
    """Try for 30 s, waiting a random time of up to 50 ms in between."""
    return Retrying(
        retry=retry_if_exception_type(on),
        stop=stop_after_delay(LOCK_SECONDS_MAX),
        wait=wait_random(0, 0.05),
        sleep=sleep,
        before_sleep=before_wait,
        reraise=True,
    )
