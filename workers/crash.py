"""Named crash points: places where tests kill the real process with -9. No-ops in production.

`BACKSHIP_TEST_CRASH_AT=after_commit` ends the process at the first pass of that point,
`after_commit:3` at the third. Every step between a receive and a confirm has one.
"""

import os
import signal

VARIABLE = "BACKSHIP_TEST_CRASH_AT"

POINTS = (
    "after_receive",
    "solo_after_begin",
    "after_claim",
    "after_load",
    "after_decide",
    "after_save",
    "after_commit",
    "after_ack",
    "step_before_commit",
    "step_after_commit",
    "retry_before_work",
    "retry_before_commit",
    "retry_after_commit",
    "relay_after_take",
    "relay_after_publish",
    "relay_after_delete",
    "collector_after_commit",
)

_point, _, _pass = os.environ.get(VARIABLE, "").partition(":")
_passes_left = int(_pass or 1)


def crash_point(name: str) -> None:
    """Die here, if a test asked for it."""
    if _point == name:
        _die()


def _die() -> None:
    global _passes_left  # noqa: PLW0603 - one counter for one process, for tests only
    _passes_left -= 1
    if _passes_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
