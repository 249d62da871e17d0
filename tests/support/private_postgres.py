"""A PostgreSQL of a test module's own: stopped hard, filled up, demoted, without a neighbour.

`Cluster.start_new` makes one; `stop`, `start` and `set` do to it what happens to servers. A standby
is another cluster that follows the first one until it is promoted.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from scripts.postgres import Postgres
from scripts.server import free_port

SECONDS_MAX = 60
_PROGRAMS = "SELECT setting FROM pg_config() WHERE name = 'BINDIR'"


@dataclass(frozen=True)
class Cluster:
    """One server: its folder, its port, and the programs it came with."""

    folder: Path
    port: int
    programs: Path

    @property
    def url(self) -> str:
        """Its address, as the superuser."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """Where its files are."""
        return self.folder / "data"

    def stop(self, mode: str = "fast") -> None:
        """End it; `immediate` is a crash: nothing is written any more."""
        self._run("pg_ctl", "stop", "-D", str(self.data), "-w", "-m", mode)

    def start(self) -> None:
        """Start it on the same port, with what it had written."""
        log = str(self.folder / "again.log")
        self._run("pg_ctl", "start", "-D", str(self.data), "-w", "-l", log)

    def promote(self) -> None:
        """Make a standby the one that writes."""
        self._run("pg_ctl", "promote", "-D", str(self.data), "-w")

    def set(self, name: str, value: str) -> None:
        """Change a setting for all sessions, also those that are open."""
        self.ask(f"ALTER SYSTEM SET {name} = '{value}'")
        self.ask("SELECT pg_reload_conf()")

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Ask it something, or tell it to do something; writes where it takes none else."""
        plain = self.url.replace("+psycopg", "")
        options = "-c default_transaction_read_only=off"
        with psycopg.connect(plain, autocommit=True, options=options) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def standby(self) -> Iterator["Cluster"]:
        """Another server that holds the same and takes no writes, until it is promoted."""
        with _folder() as folder:
            made = Cluster(folder, free_port(), self.programs)
            self._run(
                "pg_basebackup", "-D", str(made.data), "-R", "-X", "stream", "-c", "fast",
                "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "--no-sync",
            )  # fmt: skip
            own = f"port = {made.port}\nunix_socket_directories = '{folder}'\n"
            with (made.data / "postgresql.auto.conf").open("a") as settings:
                settings.write(own)
            made.start()
            try:
                yield made
            finally:
                made.end()

    def end(self) -> None:
        """Stop it, however it is."""
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            user="postgres" if os.geteuid() == 0 else None,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a server that is started keeps what it was given
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments}: {self._last_words()}"

    def _last_words(self) -> str:
        log = self.folder / "again.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A server nobody else uses, gone afterwards."""
    with _folder() as folder:
        first = Postgres().start_private(folder)
        port = int(first.url.rpartition(":")[2].partition("/")[0])
        assert first.stop is not None
        try:
            with psycopg.connect(first.url.replace("+psycopg", ""), autocommit=True) as connection:
                for name in ("port", "unix_socket_directories", "max_connections", "fsync"):
                    ((value,),) = connection.execute(f"SHOW {name}".encode())
                    connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
                ((binaries,),) = connection.execute(
                    "SELECT setting FROM pg_config() WHERE name = 'BINDIR'"
                )
        finally:
            first.stop()  # from here on it is started with what it has written down
        made = Cluster(folder, port, Path(str(binaries)))
        made.start()
        try:
            yield made
        finally:
            made.end()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder its server may enter: pytest's own are closed to any other user."""
    folder = Path(tempfile.mkdtemp(prefix="backship-postgres-"))
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
