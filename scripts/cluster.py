"""A RabbitMQ cluster and a PostgreSQL pair on loopback: `python -m scripts.cluster [COMMAND …]`.

Three RabbitMQ nodes, a PostgreSQL primary and its synchronous standby, all in a scratch folder with
ports of their own. The command runs with BACKSHIP_BROKER_URL and BACKSHIP_DATABASE_URL set; without
one the two are printed, and Ctrl-C ends it. Everything started here is stopped at the end.

Where the programs are missing they are installed, as root on Debian; elsewhere this says what is
missing and ends with status 3. `tests/cluster` starts the same in its own process.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts import postgres_pair, rabbitmq_cluster
from scripts.debian import install
from scripts.postgres import Postgres, installed_initdb
from scripts.postgres_pair import PostgresPair
from scripts.rabbitmq import RabbitMQ, installed_programs
from scripts.rabbitmq_cluster import RabbitCluster
from scripts.server import Kind, UnavailableError
from scripts.with_services import EXIT_SERVER_MISSING, leave, run, say, scratch_folder


@dataclass(frozen=True)
class Cluster:
    """Both, running."""

    brokers: RabbitCluster
    databases: PostgresPair


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """Start both in that folder, which other accounts must be able to enter; stop them after."""
    with ExitStack() as cleanup:
        require(RabbitMQ(), installed_programs)
        require(Postgres(), installed_initdb)
        databases = postgres_pair.started(folder / "postgres")
        cleanup.callback(databases.stop)
        brokers = rabbitmq_cluster.started(folder / "rabbitmq")
        cleanup.callback(brokers.stop)
        yield Cluster(brokers, databases)


def require(kind: Kind, installed: Callable[[], object]) -> None:
    """Install a server's package where its programs are missing and that is ours to do."""
    try:
        installed()
    except UnavailableError as missing:
        packages = " ".join(kind.debian_packages)
        say(f"{kind.name}: {missing}; installing {packages}")
        try:
            install(kind.debian_packages)
        except UnavailableError as refusal:
            raise UnavailableError(
                f"{kind.name}: {missing}, and {refusal}. Install {packages} (Debian's name for it)."
            ) from refusal
        installed()


def main(command: list[str]) -> int:
    """Start both, run the command, stop both."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    with scratch_folder() as folder:
        try:
            with running(folder) as cluster:
                settings = {
                    "BACKSHIP_BROKER_URL": cluster.brokers.url,
                    "BACKSHIP_DATABASE_URL": cluster.databases.url,
                }
                if command:
                    return run(command, {**os.environ, **settings})
                for name, value in settings.items():
                    print(f"export {name}='{value}'", flush=True)
                say("a cluster of three and a pair run until Ctrl-C")
                threading.Event().wait()
        except UnavailableError as missing:
            say(str(missing))
            return EXIT_SERVER_MISSING
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
