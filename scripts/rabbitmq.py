"""RabbitMQ for the tests: does one answer, and a throw-away node of the installed one.

A private node has its own name, ports, Erlang port mapper, cookie and folders, so that it neither
meets nor touches the machine's own.
"""

import logging
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from scripts.server import (
    Server,
    UnavailableError,
    free_port,
    installed_program,
    stop_process,
    wait_for_answer,
)

CONNECT_SECONDS_MAX = 3

# Debian keeps the real programs apart from wrappers that change the user and allow root only.
PROGRAM_FOLDERS = ("/usr/local/sbin", "/opt/homebrew/sbin", "/usr/sbin", "/usr/lib/rabbitmq/bin")


class RabbitMQ:
    """How to find or start RabbitMQ."""

    name = "RabbitMQ"
    variable = "BACKSHIP_TEST_AMQP_URL"
    standard_urls: tuple[str, ...] = ("amqp://guest:guest@127.0.0.1:5672/",)
    debian_packages: tuple[str, ...] = ("rabbitmq-server",)
    compose_service = "rabbitmq"
    compose_port = 5672

    def require_answer(self, url: str) -> None:
        """Log in on that virtual host."""
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        parameters = pika.URLParameters(url)
        parameters.socket_timeout = CONNECT_SECONDS_MAX
        parameters.stack_timeout = CONNECT_SECONDS_MAX
        try:
            pika.BlockingConnection(parameters).close()
        except (AMQPError, OSError) as failure:
            raise UnavailableError(_reason(failure)) from failure

    def compose_url(self, port: int) -> str:
        """The one `docker compose` started."""
        return f"amqp://guest:guest@127.0.0.1:{port}/"

    def start_private(self, folder: Path) -> Server:
        """Start a node of its own with all it writes in that folder."""
        program, epmd_program = installed_programs()
        folder.mkdir(parents=True, exist_ok=True)
        port, epmd_port = free_port(), free_port()
        name = f"backship{os.getpid()}@localhost"
        environment = node_environment(folder, name, port=port, epmd_port=epmd_port)
        log = folder / "rabbitmq.log"
        with log.open("wb") as output:
            # Before the node, which else would start one of its own and leave it behind.
            epmd = subprocess.Popen(
                [epmd_program, "-port", str(epmd_port), "-address", "127.0.0.1"],
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
            node = subprocess.Popen(
                [program], env={**os.environ, **environment}, cwd=folder,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

        def stop() -> None:
            stop_process(node, signal.SIGTERM)
            stop_process(epmd, signal.SIGTERM)

        url = f"amqp://guest:guest@127.0.0.1:{port}/"
        try:
            wait_for_answer(self, url, node, log)
        except BaseException:
            stop()
            raise
        ctl = ["env", *(f"{name}={value}" for name, value in environment.items())]
        ctl.append(str(program.with_name("rabbitmqctl")))
        return Server(
            url,
            f"the installed one, on private port {port}",
            environment={"BACKSHIP_TEST_RABBITMQCTL": shlex.join(ctl)},
            stop=stop,
        )


def installed_programs() -> tuple[Path, str]:
    """Where `rabbitmq-server` and Erlang's port mapper are; UnavailableError names what is not."""
    on_path = [Path(found).parent] if (found := shutil.which("rabbitmq-server")) else []
    program = installed_program("rabbitmq-server", *on_path, *map(Path, PROGRAM_FOLDERS))
    epmd_program = shutil.which("epmd")
    if epmd_program is None:
        raise UnavailableError("epmd (Erlang) is not installed")
    return program, epmd_program


def node_environment(folder: Path, name: str, *, port: int, epmd_port: int) -> dict[str, str]:
    """Write a node's settings into that folder; return the environment that makes it read them."""
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.local = 127.0.0.1:{port}\nlog.console = true\nlog.console.level = warning\n"
    )
    (folder / "enabled_plugins").write_text("[].\n")
    (folder / "no-more-settings").write_text("")
    return {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "HOME": str(folder),  # where Erlang keeps the cookie
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-more-settings"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_PID_FILE": str(folder / "node.pid"),
    }


def _reason(failure: BaseException) -> str:
    """The first line that says something: pika wraps the cause several times."""
    seen: BaseException | None = failure
    while seen is not None:
        if str(seen):
            return str(seen).splitlines()[0]
        inner = getattr(seen, "exceptions", None) or seen.args
        seen = next((item for item in inner if isinstance(item, BaseException)), seen.__cause__)
    return type(failure).__name__
