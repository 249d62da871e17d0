"""A PostgreSQL primary and its synchronous standby on loopback, as processes of ours.

1. `initdb` and start of the primary; `pg_basebackup` and start of the standby.
2. The primary commits only what the standby has on its disk: `synchronous_standby_names` names it.
3. A primary can be killed like a machine that lost its power; `promote` makes the other one serve;
   `rejoin` brings the dead one back as the standby of its successor, by `pg_rewind`.

Unlike the servers that other tests use, these two sync to disk where the machine does.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from scripts.postgres import CONNECTIONS_MAX, Postgres, installed_initdb, unprivileged_user
from scripts.server import (
    START_SECONDS_MAX,
    UnavailableError,
    free_port,
    last_lines,
    stop_process,
    wait_for_answer,
)

DATABASE = "backship"
OWNER = "postgres"
TOOL_SECONDS_MAX = 120
CONNECT_SECONDS_MAX = 3
TICK_SECONDS = 0.1

# In the file and not on the command line: the recovery inside pg_rewind must not drop the log that
# it reads next.
SETTINGS = """
synchronous_commit = on
wal_keep_size = 512MB
"""


@dataclass
class Server:
    """One of the two. Its name is what the other knows it by.

    `overtaken`: it was the primary and another took its place; it may hold what that one lacks.
    """

    name: str
    port: int
    data: Path
    log: Path
    overtaken: bool = False
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its own address."""
        return f"postgresql+psycopg://{OWNER}@127.0.0.1:{self.port}/postgres"

    @property
    def runs(self) -> bool:
        """Is its process there?"""
        return self.process is not None and self.process.poll() is None

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction; return its rows, if it has any."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=OWNER, dbname="postgres",
            connect_timeout=CONNECT_SECONDS_MAX, autocommit=True,
        ) as connection:  # fmt: skip
            answer = connection.execute(sql)
            return list(answer.fetchall()) if answer.description else []


@dataclass
class PostgresPair:
    """A primary and a standby, and who is which now. Made by `started`."""

    folder: Path
    servers: list[Server] = field(default_factory=list)
    _bin: Path = Path()
    _user: str | None = None

    @property
    def url(self) -> str:
        """DATABASE_URL: both of them, and the driver finds the one that takes writes."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The same for another database of theirs."""
        hosts = "&".join(f"host=127.0.0.1:{server.port}" for server in self.servers)
        return f"postgresql+psycopg://{OWNER}@/{database}?{hosts}&target_session_attrs=read-write"

    @property
    def primary(self) -> Server:
        """The one that takes writes."""
        return self.servers[0]

    @property
    def standby(self) -> Server:
        """The other one."""
        return self.servers[1]

    def start(self) -> None:
        """Make and start both; UnavailableError where that does not work."""
        self._bin = installed_initdb().parent
        self._user = unprivileged_user()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._give(self.folder)
        self.servers = [self._made("a"), self._made("b")]
        self._tool(
            "initdb", "-D", self.primary.data, "-U", OWNER, "-A", "trust", "-E", "UTF8",
            "--locale=C", "--data-checksums", "--no-sync",
        )  # fmt: skip
        with (self.primary.data / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        self.launch(self.primary)
        self._wait_serving(self.primary)
        self.primary.ask(f"CREATE DATABASE {DATABASE}")
        self._tool(
            "pg_basebackup", "-h", "127.0.0.1", "-p", str(self.primary.port), "-U", OWNER,
            "-D", self.standby.data, "--checkpoint=fast", "--no-sync",
        )  # fmt: skip
        self._follow(self.standby, self.primary)

    def launch(self, server: Server) -> None:
        """Start a server's process on what is in its folder."""
        given = {
            "hot_standby": "on",
            "listen_addresses": "127.0.0.1",
            "max_connections": str(CONNECTIONS_MAX),
            "port": str(server.port),
            "unix_socket_directories": str(self.folder),
        }
        words = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with server.log.open("ab") as output:
            server.process = subprocess.Popen(
                [self._bin / "postgres", "-D", server.data, *words],
                user=self._user, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def kill(self, server: Server) -> None:
        """End a server as a power cut does: kill -9, the postmaster first, then all it started."""
        assert server.process is not None
        children = _children(server.process.pid)
        server.process.kill()
        server.process.wait()
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def stop_immediately(self, server: Server) -> None:
        """End a server as `pg_ctl stop -m immediate` does: no checkpoint, clients are cut off."""
        assert server.process is not None
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait(START_SECONDS_MAX)

    def promote(self) -> None:
        """Make the standby serve in the place of its primary, which must be dead."""
        assert not self.primary.runs, "two that take writes would part for ever"
        self._tool("pg_ctl", "promote", "-D", self.standby.data, "--wait")
        self.servers.reverse()
        self.standby.overtaken = True

    def rejoin(self) -> None:
        """Bring the dead one back as the synchronous standby of the one that serves."""
        # The new timeline stands in the control file, where pg_rewind looks, only after this.
        self.primary.ask("CHECKPOINT")
        self._tool(
            "pg_rewind", "--target-pgdata", self.standby.data, "--no-sync", "--source-server",
            f"host=127.0.0.1 port={self.primary.port} user={OWNER} dbname=postgres",
        )  # fmt: skip
        self.standby.overtaken = False
        self._follow(self.standby, self.primary)

    def restore(self) -> None:
        """Bring back what is not at work, so that a primary has its synchronous standby again."""
        if not self.primary.runs and self.standby.runs:
            self.promote()
        if not self.primary.runs:
            self.launch(self.primary)
            self._wait_serving(self.primary)
        if self.standby.overtaken:
            self.rejoin()
        elif not self.standby.runs:
            self._follow(self.standby, self.primary)

    def stop(self) -> None:
        """End both; their data is thrown away."""
        for server in self.servers:
            if server.process is not None:
                stop_process(server.process, signal.SIGQUIT)

    def _follow(self, standby: Server, primary: Server) -> None:
        """Start a standby and let the primary wait for it at every commit from here on."""
        where = f"host=127.0.0.1 port={primary.port} user={OWNER} application_name={standby.name}"
        settings = standby.data / "postgresql.auto.conf"
        # Without what the other was told: whom it waits for, and whom it followed.
        settings.write_text(f"primary_conninfo = '{where}'\n")
        (standby.data / "standby.signal").touch()
        self._give(settings)
        self._give(standby.data / "standby.signal")
        self.launch(standby)
        primary.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{standby.name}'")
        primary.ask("SELECT pg_reload_conf()")
        self._wait_until_synchronous(primary, standby)

    def _wait_until_synchronous(self, primary: Server, standby: Server) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        wanted = [(standby.name, "sync")]
        asked = "SELECT application_name, sync_state FROM pg_stat_replication"
        while primary.ask(asked) != wanted:
            if time.monotonic() > deadline:
                raise UnavailableError(f"no synchronous standby: {last_lines(standby.log)}")
            time.sleep(TICK_SECONDS)

    def _wait_serving(self, server: Server) -> None:
        assert server.process is not None
        wait_for_answer(Postgres(), server.url, server.process, server.log)

    def _made(self, name: str) -> Server:
        data = self.folder / name
        data.mkdir(mode=0o700)
        self._give(data)
        return Server(name, free_port(), data, self.folder / f"{name}.log")

    def _give(self, path: Path) -> None:
        if self._user is not None:
            shutil.chown(path, self._user, pwd.getpwnam(self._user).pw_gid)

    def _tool(self, program: str, *arguments: str | Path) -> None:
        try:
            done = subprocess.run(
                [self._bin / program, *arguments], user=self._user, cwd=self.folder,
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=TOOL_SECONDS_MAX, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise UnavailableError(f"{program}: {failure}") from failure
        if done.returncode != 0:
            raise UnavailableError(f"{program}: {(done.stderr or done.stdout).strip()}")


def started(folder: Path) -> PostgresPair:
    """Start a pair with all it writes in that folder, which must be new; `stop` it at the end."""
    pair = PostgresPair(folder)
    try:
        pair.start()
    except BaseException:
        pair.stop()
        raise
    return pair


def _children(pid: int) -> list[int]:
    """What a server has started; where the machine does not tell, they end by themselves."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in found.split()]
