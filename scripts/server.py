"""A server the tests may use, and the plain ways to start one: the words the other scripts share.

Every process started here is a child of ours, known by its number and stopped by it.
"""

import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30
LOG_LINES_SHOWN = 15


class UnavailableError(Exception):
    """One way to a server is not open here; the message says why, in one line."""


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    found: str  # how it was come by, for the person who reads along
    environment: dict[str, str] = field(default_factory=dict)  # what reaching it takes besides
    stop: Callable[[], None] | None = None  # None: it was there before us and stays


class Kind(Protocol):
    """What has to be known of RabbitMQ, or of PostgreSQL, to find or start one."""

    name: str
    variable: str  # the environment variable that holds its URL
    standard_urls: tuple[str, ...]
    debian_packages: tuple[str, ...]
    compose_service: str
    compose_port: int

    def require_answer(self, url: str) -> None:
        """Log in and ask for the rights the tests need; UnavailableError says what is missing."""

    def compose_url(self, port: int) -> str:
        """The URL of the one that `docker compose` started."""

    def start_private(self, folder: Path) -> Server:
        """Start the installed program on a port of its own, with all it writes in that folder."""


def free_port() -> int:
    """A local port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_answer(kind: Kind, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a started server answers; its own last words if it does not."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            kind.require_answer(url)
        except UnavailableError as not_yet:
            if process.poll() is not None:
                raise UnavailableError(f"it ended at once: {last_lines(log)}") from not_yet
            if time.monotonic() > deadline:
                said = f"it did not answer in {START_SECONDS_MAX} s: {last_lines(log)}"
                raise UnavailableError(said) from not_yet
            time.sleep(0.2)
        else:
            return


def stop_process(process: subprocess.Popen[bytes], politely: signal.Signals) -> None:
    """Ask one process of ours to end; after a while end it."""
    if process.poll() is not None:
        return
    process.send_signal(politely)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_lines(log: Path) -> str:
    """The end of a log, for a message."""
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])


def installed_program(name: str, *folders: Path) -> Path:
    """The newest installed program of that name: in those folders (last one first)."""
    for folder in reversed(folders):
        if (folder / name).is_file():
            return folder / name
    raise UnavailableError(f"{name} is not installed")
