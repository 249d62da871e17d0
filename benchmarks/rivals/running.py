"""Rivals as processes: started, waited for until they say "ready", ended by SIGTERM."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SECONDS_MAX = 30


@contextmanager
def running(module: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`python -m module` while the block runs; it has said "ready" when the block begins."""
    process = subprocess.Popen(  # noqa: S603 - a module of ours
        [sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        if said != "ready":
            raise RuntimeError(f"{module} did not become ready; it said {said!r}")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
