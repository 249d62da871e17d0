"""Servers from `docker compose`, where an engine answers: project and ports of their own."""

import os
import shlex
import subprocess
from pathlib import Path

from scripts.server import Kind, Server, UnavailableError

COMPOSE_FILE = Path(__file__).with_name("test-servers.yml")
ASK_SECONDS_MAX = 20
START_SECONDS_MAX = 600  # the images may have to be fetched first


def start_by_compose(kind: Kind) -> Server:
    """Start one service of `test-servers.yml` and wait for its health check."""
    _require_engine()
    project = f"backship-test-{os.getpid()}-{kind.compose_service}"
    compose = ["docker", "compose", "--project-name", project, "--file", str(COMPOSE_FILE)]

    def stop() -> None:
        _run([*compose, "down", "--volumes", "--timeout", "10"], START_SECONDS_MAX)

    try:
        _run([*compose, "up", "--detach", "--wait", kind.compose_service], START_SECONDS_MAX)
        published = _run(
            [*compose, "port", kind.compose_service, str(kind.compose_port)], ASK_SECONDS_MAX
        )
        port = int(published.strip().rpartition(":")[2])
        url = kind.compose_url(port)
        kind.require_answer(url)
    except BaseException:
        stop()
        raise
    rabbitmqctl = shlex.join([*compose, "exec", "-T", "rabbitmq", "rabbitmqctl"])
    return Server(
        url,
        f"started by docker compose, on port {port}",
        environment={"BACKSHIP_TEST_RABBITMQCTL": rabbitmqctl} if kind.name == "RabbitMQ" else {},
        stop=stop,
    )


def _require_engine() -> None:
    try:
        _run(["docker", "compose", "version"], ASK_SECONDS_MAX)
        _run(["docker", "info"], ASK_SECONDS_MAX)
    except UnavailableError as failure:
        raise UnavailableError("no docker engine with compose answers here") from failure


def _run(command: list[str], seconds_max: int) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds_max, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise UnavailableError(f"{shlex.join(command)}: {failure}") from failure
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UnavailableError(f"{shlex.join(command)}: {said[-1] if said else done.returncode}")
    return done.stdout
