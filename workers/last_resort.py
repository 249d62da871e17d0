"""The end of a worker that was told to stop and does not come to its end.

Everything a worker waits for has a limit, but several may follow one another, and one statement may
take longer than the whole time it is given to stop. At the deadline the process ends as it is. That
is safe: what was not acknowledged is delivered again, what was committed is a repeat then.
"""

import os
import threading

from config.logs import logger

GRACE_SECONDS = 5.0
"""How much later than the deadline: whoever started us gives us 10 s more before a SIGKILL."""

_UNREACHABLE = 3  # the exit status of a server that could not be reached


def end_after(seconds: float) -> threading.Timer:
    """End this process after so many seconds, whatever it does then; the timer can be cancelled."""
    timer = threading.Timer(seconds, _end, [seconds])
    timer.daemon = True
    timer.start()
    return timer


def _end(seconds: float) -> None:
    logger().error("worker_ended_as_it_was", seconds=seconds)
    os._exit(_UNREACHABLE)
