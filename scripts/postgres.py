"""PostgreSQL for the tests: does one answer, and a throw-away cluster of the installed one.

A private cluster syncs nothing to disk: it holds no data that outlives the run, and tests kill
workers, not the database's machine.
"""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from scripts.server import (
    Server,
    UnavailableError,
    free_port,
    installed_program,
    stop_process,
    wait_for_answer,
)

CONNECT_SECONDS_MAX = 3
CONNECTIONS_MAX = 200

# Who the server runs as when we are root, which it refuses: the account its package makes.
UNPRIVILEGED_USER = "postgres"


class Postgres:
    """How to find or start PostgreSQL."""

    name = "PostgreSQL"
    variable = "BACKSHIP_TEST_POSTGRES_URL"
    standard_urls: tuple[str, ...] = (
        "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
        "postgresql+psycopg://postgres:postgres@127.0.0.1:5432/postgres",
    )
    debian_packages: tuple[str, ...] = ("postgresql",)
    compose_service = "postgres"
    compose_port = 5432

    def require_answer(self, url: str) -> None:
        """Log in, and see that this user may create databases: each test has one of its own."""
        plain_url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        try:
            with psycopg.connect(plain_url, connect_timeout=CONNECT_SECONDS_MAX) as connection:
                found = connection.execute(
                    "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
        except psycopg.Error as failure:
            reason = str(failure).splitlines()[0]
            raise UnavailableError(reason) from failure
        if found is None or not found[0]:
            raise UnavailableError("its user may not create databases")

    def compose_url(self, port: int) -> str:
        """The one `docker compose` started."""
        return f"postgresql+psycopg://postgres:postgres@127.0.0.1:{port}/postgres"

    def start_private(self, folder: Path) -> Server:
        """Initialise a cluster in that folder and serve it on a port of its own."""
        initdb = installed_initdb()
        user = unprivileged_user()
        data = folder / "data"
        data.mkdir(parents=True)
        if user is not None:
            account = pwd.getpwnam(user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            os.chown(data, account.pw_uid, account.pw_gid)
        log = folder / "postgresql.log"
        made = subprocess.run(
            [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync"],
            user=user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise UnavailableError(f"initdb: {made.stderr.strip()}")
        port = free_port()
        settings = {
            "fsync": "off",
            "listen_addresses": "127.0.0.1",
            "max_connections": str(CONNECTIONS_MAX),
            "port": str(port),
            "unix_socket_directories": str(folder),
        }
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [initdb.with_name("postgres"), "-D", data, *given],
                user=user, cwd=folder, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"

        def stop() -> None:
            # SIGINT is its fast shutdown: clients are sent away instead of waited for.
            stop_process(process, signal.SIGINT)

        try:
            wait_for_answer(self, url, process, log)
        except BaseException:
            stop()
            raise
        return Server(url, f"the installed one, on private port {port}", stop=stop)


def installed_initdb() -> Path:
    """Where the newest installed `initdb` is, and its fellows with it."""
    bin_folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    on_path = [Path(found).parent for name in ("initdb",) if (found := shutil.which(name))]
    return installed_program("initdb", *on_path, *bin_folders)


def unprivileged_user() -> str | None:
    """Whom the server is to run as; None: us."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError as missing:
        raise UnavailableError(
            f"as root it needs an account {UNPRIVILEGED_USER} to run as"
        ) from missing
    return UNPRIVILEGED_USER
