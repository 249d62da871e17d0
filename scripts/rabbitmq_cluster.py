"""A cluster of RabbitMQ nodes on loopback, each a process of ours that can be killed and started.

1. One Erlang port mapper and one cookie for all of them, in a folder nobody else uses: they neither
   meet nor touch the machine's own broker.
2. All nodes start at once, then each joins the first with `rabbitmqctl join_cluster`.
3. A virtual host and a user, known to all nodes.

A node keeps its ports and its data: what was killed comes back as the member it was.
"""

import os
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from scripts.rabbitmq import RabbitMQ, installed_programs, node_environment
from scripts.server import (
    START_SECONDS_MAX,
    UnavailableError,
    free_port,
    last_lines,
    stop_process,
    wait_for_answer,
)

NODES = 3
VHOST = "shop"
USER = "backship"
CTL_SECONDS_MAX = 60

# One scheduler and no busy waiting: three nodes share the machine with all that is tested.
ERLANG_ARGS = "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -noinput"

MORE_SETTINGS = """
cluster_partition_handling = pause_minority
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 64000000
vm_memory_high_watermark.absolute = 512MB
"""


@dataclass
class Node:
    """One member. `process` is the node itself, no shell around it."""

    name: str
    port: int
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "rabbitmq.log"

    @property
    def runs(self) -> bool:
        """Is its process there?"""
        return self.process is not None and self.process.poll() is None


@dataclass
class RabbitCluster:
    """The nodes and how to reach them. Made by `started`."""

    folder: Path
    password: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    nodes: list[Node] = field(default_factory=list)
    _epmd: subprocess.Popen[bytes] | None = None
    _program: Path = Path()

    @property
    def url(self) -> str:
        """BROKER_URL: all nodes, parted by `;`."""
        return ";".join(self.url_of(node) for node in self.nodes)

    def url_of(self, node: Node) -> str:
        """The address of one node."""
        return f"amqp://{USER}:{self.password}@127.0.0.1:{node.port}/{VHOST}"

    def node_named(self, name: str) -> Node:
        """The member of that name."""
        return next(node for node in self.nodes if node.name == name)

    def start(self, count: int = NODES) -> None:
        """Start all and join them; UnavailableError where that does not work."""
        self._program, epmd = installed_programs()
        self.folder.mkdir(parents=True, exist_ok=True)
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16).upper())
        cookie.chmod(0o400)
        epmd_port = free_port()
        with (self.folder / "epmd.log").open("wb") as output:
            self._epmd = subprocess.Popen(
                [epmd, "-port", str(epmd_port), "-address", "127.0.0.1"],
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        for number in range(1, count + 1):
            self.nodes.append(self._made(f"bs{number}@localhost", epmd_port))
        for node in self.nodes:
            self.launch(node)
        first, *others = self.nodes
        self._wait_booted()
        for node in others:
            self.ctl("stop_app", node=node)
            self.ctl("join_cluster", first.name, node=node)
            self.ctl("start_app", node=node)
        self.ctl("add_vhost", VHOST)
        self.ctl("add_user", USER, self.password)
        self.ctl("set_permissions", "-p", VHOST, USER, ".*", ".*", ".*")
        for node in self.nodes:
            self.wait(node)

    def launch(self, node: Node) -> None:
        """Start a node's process; `wait` for it to serve."""
        with node.log.open("ab") as output:
            node.process = subprocess.Popen(
                [self._program], env={**os.environ, **node.environment}, cwd=node.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def wait(self, node: Node) -> None:
        """Wait until it serves our virtual host; UnavailableError with its last words if not."""
        assert node.process is not None
        wait_for_answer(RabbitMQ(), self.url_of(node), node.process, node.log)

    def kill(self, node: Node) -> None:
        """End a node as a power cut does: kill -9."""
        assert node.process is not None
        node.process.kill()
        node.process.wait()

    def stop_node(self, node: Node) -> None:
        """Ask a node to end in order."""
        assert node.process is not None
        stop_process(node.process, signal.SIGTERM)

    def stop(self) -> None:
        """End everything that was started here; its data is thrown away, so without ceremony."""
        for node in self.nodes:
            if node.runs:
                self.kill(node)
        if self._epmd is not None:
            stop_process(self._epmd, signal.SIGTERM)

    def ctl(self, *arguments: str, node: Node | None = None, program: str = "rabbitmqctl") -> str:
        """Run `rabbitmqctl` (or a neighbour of it) against one node; return what it printed."""
        asked = node or next(node for node in self.nodes if node.runs)
        command = [str(self._program.with_name(program)), "--quiet", "-n", asked.name, *arguments]
        try:
            done = subprocess.run(
                command, env={**os.environ, **asked.environment}, cwd=asked.folder,
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=CTL_SECONDS_MAX, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as failure:
            said = f"{program} {arguments[0]} took over {CTL_SECONDS_MAX} s"
            raise UnavailableError(said) from failure
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise UnavailableError(f"{program} {arguments[0]} on {asked.name}: {said}")
        return done.stdout

    def rows(self, *columns: str) -> list[list[str]]:
        """`list_queues` of our virtual host: one list of words per queue."""
        said = self.ctl("list_queues", "-p", VHOST, "--no-table-headers", *columns)
        return [line.split("\t") for line in said.splitlines() if line]

    def leader_of(self, queue: str) -> Node:
        """The node that leads a quorum queue now."""
        leader = next(leader for name, leader in self.rows("name", "leader") if name == queue)
        return self.node_named(leader)

    def consumed_at(self, queue: str) -> Node:
        """The node to which most consumers of a queue are connected."""
        columns = ("queue_name", "channel_pid")
        said = self.ctl("list_consumers", "-p", VHOST, "--no-table-headers", *columns)
        rows = [line.split("\t") for line in said.splitlines() if line]
        # A process is shown as <node.number.…>.
        names = [pid.strip("<>").partition(".")[0] for name, pid in rows if name == queue]
        return self.node_named(max(names, key=names.count))

    def _made(self, name: str, epmd_port: int) -> Node:
        folder = self.folder / name.partition("@")[0]
        folder.mkdir(exist_ok=True)
        port = free_port()
        environment = node_environment(folder, name, port=port, epmd_port=epmd_port)
        with (folder / "rabbitmq.conf").open("a") as settings:
            settings.write(MORE_SETTINGS)
        environment |= {
            "HOME": str(self.folder),  # the one cookie
            "RABBITMQ_ALLOW_INPUT": "true",  # no shell around it: its number is the node's
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGS,
        }
        return Node(name, port, folder, environment)

    def _wait_booted(self) -> None:
        """Wait for all nodes as they come, before there is a virtual host or user of ours."""
        deadline = time.monotonic() + START_SECONDS_MAX
        for node in self.nodes:
            assert node.process is not None
            standard = f"amqp://guest:guest@127.0.0.1:{node.port}/"
            wait_for_answer(RabbitMQ(), standard, node.process, node.log)
            if time.monotonic() > deadline:
                raise UnavailableError(f"the cluster did not start: {last_lines(node.log)}")


def started(folder: Path) -> RabbitCluster:
    """Start a cluster of three with all it writes in that folder; `stop` it at the end."""
    cluster = RabbitCluster(folder)
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    return cluster
