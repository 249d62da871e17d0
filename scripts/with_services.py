"""Run a command with RabbitMQ and PostgreSQL at hand: `python -m scripts.with_services COMMAND …`.

For each of the two, the first way that opens:

1. its variable (`BACKSHIP_TEST_AMQP_URL`, `BACKSHIP_TEST_POSTGRES_URL`): then it must answer
2. the standard local port
3. `docker compose`, where an engine answers
4. the installed program, on a private port in a scratch folder
5. as root on Debian: install it, then as 4

`SERVICES` narrows that: `none` (run without; the tests say what they leave out), `local` (1, 2),
`docker` (3), `private` (4, 5), `installed` (4). The variables are set for the command, whose exit
status is ours; 3 means that a server is missing. What was started here is stopped at the end,
whatever the end.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from scripts.compose import start_by_compose
from scripts.debian import install
from scripts.postgres import Postgres
from scripts.rabbitmq import RabbitMQ
from scripts.server import Kind, Server, UnavailableError

EXIT_WRONG_USE = 2
EXIT_SERVER_MISSING = 3

KINDS: tuple[Kind, ...] = (RabbitMQ(), Postgres())

WAYS_OF_CHOICE = {
    "auto": ("variable", "standard", "docker", "installed", "install"),
    "local": ("variable", "standard"),
    "docker": ("docker",),
    "installed": ("installed",),
    "private": ("installed", "install"),
}


def main(arguments: list[str]) -> int:
    """Find or start both servers, run the command, stop what was started."""
    choice = os.environ.get("SERVICES") or "auto"
    if not arguments or choice not in {*WAYS_OF_CHOICE, "none"}:
        known = ", ".join([*WAYS_OF_CHOICE, "none"])
        say(f"usage: [SERVICES={{{known}}}] python -m scripts.with_services COMMAND …")
        return EXIT_WRONG_USE
    if choice == "none":
        say("SERVICES=none: without RabbitMQ and PostgreSQL; this is NOT the whole suite")
        return run(arguments, {})
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    with ExitStack() as cleanup:
        environment: dict[str, str] = {}
        scratch = cleanup.enter_context(scratch_folder())
        for kind in KINDS:
            try:
                server = find(kind, WAYS_OF_CHOICE[choice], scratch)
            except UnavailableError as missing:
                say(str(missing))
                return EXIT_SERVER_MISSING
            if server.stop is not None:
                cleanup.callback(server.stop)
            say(f"{kind.name}: {server.found}")
            environment |= {kind.variable: server.url, **server.environment}
        return run(arguments, environment)


def find(kind: Kind, ways: tuple[str, ...], scratch: Path) -> Server:
    """The first way that opens; UnavailableError lists why each did not."""
    openings: dict[str, Callable[[], Server]] = {
        "variable": lambda: by_variable(kind),
        "standard": lambda: on_standard_port(kind),
        "docker": lambda: start_by_compose(kind),
        "installed": lambda: kind.start_private(scratch / kind.compose_service),
        "install": lambda: installed_now(kind, scratch / f"{kind.compose_service}-installed"),
    }
    refusals = []
    for way in ways:
        try:
            return openings[way]()
        except UnavailableError as refusal:
            if way == "variable" and os.environ.get(kind.variable):
                raise UnavailableError(
                    f"{kind.name}: {kind.variable} is set, but no server: {refusal}"
                ) from refusal
            refusals.append(f"  {way}: {refusal}")
    packages = " ".join(kind.debian_packages)
    remedy = f"Start one and set {kind.variable}; or install {packages} (Debian's name for it)."
    tried = [f"{kind.name} is missing. What was tried:", *refusals, remedy]
    raise UnavailableError("\n".join([*tried, "What needs no server runs with SERVICES=none."]))


def by_variable(kind: Kind) -> Server:
    """The one somebody named."""
    url = os.environ.get(kind.variable)
    if not url:
        raise UnavailableError(f"{kind.variable} is not set")
    kind.require_answer(url)
    return Server(url, f"the one {kind.variable} names")


def on_standard_port(kind: Kind) -> Server:
    """The one that runs on this machine anyway."""
    refusal = UnavailableError("no standard address")
    for url in kind.standard_urls:
        try:
            kind.require_answer(url)
        except UnavailableError as failure:
            refusal = failure
        else:
            return Server(url, "the one on the standard local port")
    raise refusal


def installed_now(kind: Kind, folder: Path) -> Server:
    """Install its package, then start it like any installed one."""
    say(f"{kind.name}: installing {' '.join(kind.debian_packages)}")
    install(kind.debian_packages)
    return kind.start_private(folder)


def run(command: list[str], environment: dict[str, str]) -> int:
    """The command's exit status, as a shell would put it; a signal to us reaches it too."""
    try:
        process = subprocess.Popen(command, env={**os.environ, **environment})
    except OSError as failure:
        say(f"{command[0]}: {failure.strerror}")
        return EXIT_WRONG_USE
    try:
        status = process.wait()
    except KeyboardInterrupt:
        # The terminal sent it the same signal; a test run cleans up behind itself then.
        status = process.wait()
    except SystemExit:
        process.terminate()
        status = process.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for everything started here, which another account must be able to enter."""
    folder = Path(tempfile.mkdtemp(prefix="backship-services-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leave(number: int, _frame: FrameType | None) -> None:
    """Turn a signal into an orderly end, so that every `finally` is reached."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


def say(line: str) -> None:
    """To the person, not into the command's output."""
    print(f"services: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
