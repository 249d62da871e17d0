"""A RabbitMQ nobody else uses, to be restarted, killed, starved and misconfigured by a test."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from scripts.rabbitmq import RabbitMQ
from scripts.server import UnavailableError, stop_process

SECONDS_MAX = 120.0


class PrivateBroker:
    """One node with all it writes in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kind = RabbitMQ()
        self._server = self._kind.start_private(folder)
        self.url = self._server.url
        ctl = shlex.split(self._server.environment["BACKSHIP_TEST_RABBITMQCTL"])
        self._ctl = ctl
        self._environment = dict(word.split("=", 1) for word in ctl[1:-1])
        self._again: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node; return what it printed."""
        done = subprocess.run(
            [*self._ctl, *arguments],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def restart(self) -> None:
        """Stop it in order and start it again."""
        self.run("stop_app")
        self.run("start_app")
        self.run("await_startup")

    def kill(self) -> None:
        """End it with kill -9."""
        number = int((self._folder / "node.pid").read_text(encoding="ascii"))
        os.kill(number, signal.SIGKILL)
        deadline = time.monotonic() + SECONDS_MAX
        while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
            if self._again is not None:
                self._again.poll()
            time.sleep(0.05)

    def start(self) -> None:
        """Start it again after a `kill`, on the same port and with the same data."""
        program = Path(self._ctl[-1]).with_name("rabbitmq-server")
        with (self._folder / "again.log").open("ab") as output:
            self._again = subprocess.Popen(
                [program],
                env={**os.environ, **self._environment},
                cwd=self._folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                self._kind.require_answer(self.url)
            except UnavailableError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """End it and all that was started for it."""
        if self._again is not None:
            stop_process(self._again, signal.SIGTERM)
        if self._server.stop is not None:
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
