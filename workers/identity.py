"""What a worker is called: in its row of `workers`, in its logs, in the ids of its batches."""

import os
import socket
from functools import cache


@cache
def worker_id() -> str:
    """Return host, process and when the machine started it, so that a number used again differs."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started()}"


def _started() -> str:
    """Return the process's own start in clock ticks since boot; "0" where nobody tells."""
    try:
        with open(f"/proc/{os.getpid()}/stat", encoding="utf-8") as file:  # noqa: PTH123 - one line
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return "0"
