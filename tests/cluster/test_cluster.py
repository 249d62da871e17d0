"""A RabbitMQ cluster and a PostgreSQL pair lose members under load: nothing lost, nothing doubled.

Real workers run from the first message to the last and nobody starts one again. A sender keeps what
is not confirmed and sends it again. Afterwards the total-queue check says where each message ended,
and SQL whether all sums are those of each event taking effect once (F08, F10, F11).
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.cluster import Cluster
from scripts.rabbitmq_cluster import NODES
from tests.support.crew import Crew
from tests.support.load import Load
from tests.support.sender import Sender
from tests.support.stack import Stack
from tests.support.total_queue import found, tally
from tests.support.waiting import asked, until
from workers.topology import topology
from workers.wiring import opened

pytestmark = [pytest.mark.cluster]

WORKERS = 3
ORDERS = 3_000
PER_SECOND = 200
UNDER_WAY = 500  # so many messages more are on their way when something dies


def fault(*numbers: str) -> pytest.MarkDecorator:
    """Write the faults of the catalogue that a test brings about into its id."""
    return pytest.mark.parametrize((), [pytest.param(id=",".join(numbers))])


@dataclass
class Scene:
    """What a test sees while messages flow."""

    stack: Stack
    cluster: Cluster
    sender: Sender
    crew: Crew

    def reach(self, percent: int) -> None:
        """Wait until so much of the load is confirmed and much of that has had its effect.

        More messages are on their way then, and go on being sent.
        """
        count = self.sender.count * percent // 100
        self.sender.reach(count)
        until(lambda: self.heard() >= count // 2)
        self.sender.allowed = count + UNDER_WAY
        self.sender.reach(count + UNDER_WAY // 10)
        assert not self.crew.dead

    def heard(self) -> int:
        """How many events have had their effect."""
        count = self.stack.value("SELECT COUNT(*) FROM inbox")
        assert isinstance(count, int)
        return count

    def works_again(self) -> None:
        """Send more, and wait until as many have had their effect as were never heard of before."""
        wanted = asked(self.heard) + UNDER_WAY // 2
        self.sender.allowed += UNDER_WAY
        until(lambda: self.heard() >= wanted)


def quiet(stack: Stack) -> bool:
    """Is nothing ready, unfinished or unpublished?"""
    with opened(stack.settings) as house:
        ready = house.transport.ready_count(house.topology.inbox_queue)
    return ready == 0 and all(
        stack.value(f"SELECT COUNT(*) FROM {table}") == 0 for table in ("outbox", "tasks")
    )


@contextmanager
def under_load(
    stack: Stack, cluster: Cluster, folder: Path, seen: list[str], what: str
) -> Iterator[Scene]:
    """Let messages flow while the block runs; then wait until all is done, and check all of it."""
    load = Load(ORDERS)
    stack.publish(load.before)
    stack.work()
    began = time.monotonic()
    with Crew(stack, WORKERS, folder) as crew:
        with Sender(stack, load.during, PER_SECOND) as sender:
            yield Scene(stack, cluster, sender, crew)
            sender.reach(sender.count)
        first = {message.id for message in load.before}
        expected = len(first | sender.acknowledged) - 1  # the unreadable one is no row of it
        until(lambda: stack.value("SELECT COUNT(*) FROM inbox") == expected and quiet(stack))
        pids = [process.pid for process in crew.processes]
        crew.stop()
    until(lambda: quiet(stack), 10)
    total = tally(
        first | sender.attempted, first | sender.acknowledged, found(stack), crew.duplicates()
    )
    seconds = time.monotonic() - began
    said = {name: count for name, count in crew.events().items() if name not in {"batch", "step"}}
    seen += [
        f"{what}: {seconds:.0f} s, workers {pids} from first to last",
        f"  {total}",
        f"  not confirmed at a try: {dict(sender.failures)}; workers said: {said}",
    ]
    assert total.faults == ()
    assert (total.attempted, total.acknowledged) == (len(first) + len(load.during),) * 2
    assert (total.applied, total.set_aside) == (total.attempted - 1, 1)
    load.check(stack)


def test_init_declares_queues_with_three_replicas(cluster: Cluster, stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console", "init"],
        env={
            "BACKSHIP_DATABASE_URL": stack.database_url,
            "BACKSHIP_BROKER_URL": cluster.brokers.url,
            "BACKSHIP_TOPOLOGY_PREFIX": f"{stack.prefix}.2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = {queue.name for queue in topology(f"{stack.prefix}.2").queues}
    rows = cluster.brokers.rows("name", "type", "members", "online")
    ours = {name: rest for name, *rest in rows if name in names}
    everyone = sorted(node.name for node in cluster.brokers.nodes)
    assert ours.keys() == names
    for kind, members, online in ours.values():
        assert kind == "quorum"
        assert sorted(members.strip("[]").split(", ")) == everyone
        assert sorted(online.strip("[]").split(", ")) == everyone
    assert len(everyone) == NODES


@fault("F08")
def test_broker_nodes_die_and_return_under_load(
    stack: Stack, cluster: Cluster, tmp_path: Path, seen: list[str]
) -> None:
    brokers = cluster.brokers
    with under_load(stack, cluster, tmp_path, seen, "broker nodes") as scene:
        scene.reach(20)
        leader = brokers.leader_of(f"{stack.prefix}.inbox")
        brokers.kill(leader)
        scene.works_again()  # with two of three
        scene.reach(50)
        brokers.launch(leader)
        brokers.wait(leader)
        other = brokers.consumed_at(f"{stack.prefix}.inbox")
        assert other is not leader
        brokers.stop_node(other)
        scene.works_again()
        brokers.launch(other)
        brokers.wait(other)
        scene.works_again()
    assert scene.crew.events()["broker_lost"] > 0, "no worker was connected to what ended"


@fault("F10", "F11")
@pytest.mark.parametrize("end", ["kill -9", "immediate stop"])
def test_the_primary_dies_and_the_standby_takes_over_under_load(
    stack: Stack, cluster: Cluster, tmp_path: Path, seen: list[str], end: str
) -> None:
    pair = cluster.databases
    with under_load(stack, cluster, tmp_path, seen, f"primary, {end}") as scene:
        scene.reach(30)
        (pair.kill if end == "kill -9" else pair.stop_immediately)(pair.primary)
        time.sleep(2)  # nobody promotes at once
        pair.promote()
        scene.works_again()
        pair.rejoin()
        scene.works_again()  # and from here on the new primary waits for its standby too
    assert scene.crew.events()["database_waits"] > 0, "no worker noticed"


def test_the_standby_is_away_for_a_while_and_commits_wait_for_it(
    stack: Stack, cluster: Cluster, tmp_path: Path, seen: list[str]
) -> None:
    pair = cluster.databases
    with under_load(stack, cluster, tmp_path, seen, "standby away") as scene:
        scene.reach(30)
        pair.kill(pair.standby)
        until(lambda: waiting_for_standby(pair.primary.ask) > 0)
        before = scene.heard()
        time.sleep(5)
        assert scene.heard() == before, "a commit went through that only one of two has"
        pair.restore()
        scene.works_again()


def waiting_for_standby(ask: Callable[[str], list[tuple[object, ...]]]) -> int:
    """How many commits wait for the standby."""
    asked_for = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    ((count,),) = ask(asked_for)
    assert isinstance(count, int)
    return count


@fault("F08", "F10", "F11")
def test_broker_leader_and_primary_die_at_once(
    stack: Stack, cluster: Cluster, tmp_path: Path, seen: list[str]
) -> None:
    brokers, pair = cluster.brokers, cluster.databases
    with under_load(stack, cluster, tmp_path, seen, "both at once") as scene:
        scene.reach(30)
        leader = brokers.leader_of(f"{stack.prefix}.inbox")
        pair.kill(pair.primary)
        brokers.kill(leader)
        time.sleep(2)
        pair.promote()
        scene.works_again()
        brokers.launch(leader)
        brokers.wait(leader)
        pair.rejoin()
        scene.works_again()
