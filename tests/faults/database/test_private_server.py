"""What would disturb everybody else on a shared PostgreSQL, shown on servers of our own (F10-F12).

It crashes in the middle of a batch, restarts while the worker is idle, becomes a standby, is full.
The worker is the same process afterwards; while the database is away it keeps its connection to
the broker, says what is wrong once per pause, and ends in time when it is told to.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from store.dialects.base import Limits
from store.errors import STANDBY, Unavailable
from store.statements import Query
from store.transaction import Database
from tests.faults.database.conftest import QUICK
from tests.faults.database.test_connections import BLOCKED, ask, stranger
from tests.support.private_postgres import Cluster, own_cluster
from tests.support.running import Running, running, until
from tests.support.services import unique_name
from tests.support.stack import Stack
from tests.support.undisturbed import (
    SKU,
    begin,
    check_undisturbed,
    heard,
    tell,
    told_before,
    told_meanwhile,
)

pytestmark = [pytest.mark.postgres, pytest.mark.long, pytest.mark.timeout(300)]

PATIENT = {**QUICK, "BACKSHIP_LOCK_SECONDS_MAX": "30", "BACKSHIP_STATEMENT_SECONDS_MAX": "60"}
HEARTBEAT_SECONDS = 5


def crash_within_a_batch(cluster: Cluster, stack: Stack) -> None:
    """Crash the server while a batch waits for a lock; whoever holds it is lost as well."""
    with stranger(stack) as other, other.transaction():
        other.execute("SELECT 1 FROM items WHERE sku = %s FOR UPDATE", [SKU])
        tell(stack, told_meanwhile())
        with stranger(stack) as looking:
            until(lambda: ask(looking, BLOCKED) > 0, "a batch under way")
        cluster.stop("immediate")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with own_cluster() as made:
        yield made


@pytest.fixture
def stack(cluster: Cluster, vhost_url: str, topology_prefix: str) -> Iterator[Stack]:
    """Tables and queues with nothing in them, on the private server."""
    name = unique_name("private")
    cluster.ask(f"CREATE DATABASE {name}")
    url = make_url(cluster.url).set(database=name).render_as_string(hide_password=False)
    made = Stack(url, vhost_url, topology_prefix, PATIENT)
    made.init()
    try:
        yield made
    finally:
        cluster.ask(f"DROP DATABASE {name} WITH (FORCE)")


def outage(worker: Running, count: int = 3) -> None:
    """Wait until it has paused so often for a database that is away."""
    worker.until_said("database_waits", count)


def test_f10_a_crash_within_a_batch_loses_and_doubles_nothing(
    cluster: Cluster, stack: Stack, tmp_path: Path
) -> None:
    with running(stack, tmp_path) as worker:
        begin(stack, worker)
        with pytest.raises(psycopg.OperationalError):
            crash_within_a_batch(cluster, stack)
        outage(worker)
        cluster.start()
        check_undisturbed(stack, worker)
        # The answer of a server that crashed is a lost connection; from then on nobody is there.
        assert len(worker.said("transaction_repeated")) == 1


def test_f10_a_restart_while_the_worker_is_idle_is_not_noticed_by_any_event(
    cluster: Cluster, stack: Stack, tmp_path: Path
) -> None:
    quick = Stack(
        stack.database_url,
        stack.broker_url,
        stack.prefix,
        {**PATIENT, "BACKSHIP_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS)},
    )
    with running(quick, tmp_path) as worker:
        begin(stack, worker)
        cluster.stop()
        time.sleep(3 * HEARTBEAT_SECONDS)  # the broker gives up on whoever is silent for so long
        cluster.start()
        tell(stack, told_meanwhile())
        check_undisturbed(stack, worker)
        assert not worker.said("broker_lost")
        # In so many seconds an idle worker looks for unfinished work 15 times, or pauses.
        assert 3 <= len(worker.said("step_waits")) <= 6
        assert 3 <= len(worker.said("relay_waits")) <= 8


def test_f10_a_batch_that_waits_for_its_database_keeps_its_heartbeats(
    cluster: Cluster, stack: Stack, tmp_path: Path
) -> None:
    quick = Stack(
        stack.database_url,
        stack.broker_url,
        stack.prefix,
        {**PATIENT, "BACKSHIP_HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS)},
    )
    with running(quick, tmp_path) as worker:
        begin(stack, worker)
        cluster.stop()
        tell(stack, told_meanwhile())
        outage(worker, 1)
        time.sleep(3 * HEARTBEAT_SECONDS)
        cluster.start()
        check_undisturbed(stack, worker)
        assert not worker.said("broker_lost")
        assert not any(line["outcomes"].get("duplicate") for line in worker.said("batch"))


def test_a_worker_whose_database_is_away_ends_in_time_and_another_goes_on(
    cluster: Cluster, stack: Stack, tmp_path: Path
) -> None:
    brief = Stack(
        stack.database_url,
        stack.broker_url,
        stack.prefix,
        {**PATIENT, "BACKSHIP_SHUTDOWN_SECONDS_MAX": "2"},
    )
    with running(brief, tmp_path) as worker:
        begin(stack, worker)
        cluster.stop()
        tell(stack, told_meanwhile())
        outage(worker, 2)
        asked_at = time.monotonic()
        worker.stop()  # by itself, with what it holds given back
        assert time.monotonic() - asked_at < 2 + 5
        assert not worker.said("worker_ended_as_it_was")
    cluster.start()
    with running(stack, tmp_path) as other:
        check_undisturbed(stack, other)


def test_a_worker_that_is_stuck_in_a_statement_ends_at_its_deadline(
    cluster: Cluster, stack: Stack, tmp_path: Path
) -> None:
    brief = Stack(
        stack.database_url,
        stack.broker_url,
        stack.prefix,
        {**PATIENT, "BACKSHIP_SHUTDOWN_SECONDS_MAX": "1"},
    )
    del cluster
    with running(brief, tmp_path) as worker, stranger(stack) as other:
        begin(stack, worker)
        with other.transaction():
            other.execute("SELECT 1 FROM items WHERE sku = %s FOR UPDATE", [SKU])
            tell(stack, told_meanwhile())
            with stranger(stack) as looking:
                until(lambda: ask(looking, BLOCKED) > 0, "a batch under way")
            worker.process.terminate()
            assert worker.process.wait(1 + 5 + 5) == 3
        assert worker.said("worker_ended_as_it_was")
    with running(stack, tmp_path) as another:
        check_undisturbed(stack, another)


def test_f11_a_server_that_takes_no_writes_any_more_is_left_for_the_one_that_does(
    vhost_url: str, topology_prefix: str, tmp_path: Path
) -> None:
    with own_cluster() as first, first.standby() as second:
        both = make_url(first.url).set(host=None, port=None)
        both = both.update_query_dict(
            {
                "host": [f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"],
                "target_session_attrs": "read-write",
            }
        )
        stack = Stack(
            both.render_as_string(hide_password=False), vhost_url, topology_prefix, PATIENT
        )
        stack.init()
        refuses_writes(second.url)
        with running(stack, tmp_path) as worker:
            begin(stack, worker)
            first.set("default_transaction_read_only", "on")
            tell(stack, told_meanwhile())
            outage(worker)
            assert heard(stack_on(first, stack)) == len(told_before())
            ((written,),) = first.ask("SELECT pg_current_wal_flush_lsn()")
            until(
                lambda: second.ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == [(True,)],
                "the standby",
            )
            second.promote()
            check_undisturbed(stack, worker)
            assert any("read-only" in line["reason"] for line in worker.warnings())
            assert first.ask("SELECT COUNT(*) FROM inbox") == [(len(told_before()),)]


def refuses_writes(url: str) -> None:
    """See that a standby is one we wait for, however a transaction begins."""
    for isolation in ("READ COMMITTED", "SERIALIZABLE"):
        database = Database(url, Limits(isolation=isolation))
        for _ in range(2):  # the second on a connection that has read before
            with pytest.raises(Unavailable) as refused, database.begin() as tx:
                tx.run(Query("UPDATE catalogue SET version = version + 1"))
            assert refused.value.code in STANDBY
            if isolation == "READ COMMITTED":
                database.check_schema()
        database.close()


def stack_on(cluster: Cluster, stack: Stack) -> Stack:
    """The same on one server, whether it takes writes or not."""
    return Stack(cluster.url, stack.broker_url, stack.prefix)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A file system of its own, so small that a test can fill it; takes the right to mount."""
    if os.geteuid() != 0:
        pytest.fail("a small disk has to be mounted, which takes root")
    folder = Path("/var/tmp") / f"backship-disk-{os.getpid()}"  # noqa: S108 - a mount point of ours
    folder.mkdir()
    try:
        options = f"size={megabytes}m,mode=0777"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    finally:
        folder.rmdir()


def fill(folder: Path) -> Path:
    """Write until nothing more goes in; return the file to delete."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            while shutil.disk_usage(folder).free >= size:
                file.write(b"\0" * size)
    return filler


def test_f12_a_full_disk_of_the_server_stops_the_work_until_there_is_room(
    cluster: Cluster, vhost_url: str, topology_prefix: str, tmp_path: Path
) -> None:
    with small_disk(60) as disk:
        room = disk / "tables"
        room.mkdir()
        shutil.chown(room, "postgres", "postgres")
        cluster.ask(f"CREATE TABLESPACE small LOCATION '{room}'")
        cluster.ask("CREATE DATABASE full_disk TABLESPACE small")
        url = make_url(cluster.url).set(database="full_disk")
        stack = Stack(
            url.render_as_string(hide_password=False), vhost_url, topology_prefix, PATIENT
        )
        try:
            stack.init()
            with running(stack, tmp_path) as worker:
                begin(stack, worker)
                filler = fill(disk)
                tell(stack, told_meanwhile())
                outage(worker)
                filler.unlink()
                check_undisturbed(stack, worker)
                waits = worker.said("database_waits")
                assert all("No space left on device" in line["reason"] for line in waits)
        finally:
            cluster.ask("DROP DATABASE full_disk WITH (FORCE)")
            cluster.ask("DROP TABLESPACE small")


def test_f12_a_full_disk_of_the_embedded_file_stops_the_work_until_there_is_room(
    tmp_path: Path,
) -> None:
    with small_disk(8) as disk:
        more = {"BACKSHIP_BATCH_SIZE_MAX": "50", "BACKSHIP_EMBEDDED_LEASE_SECONDS": "2"}
        stack = Stack(f"sqlite:///{disk / 'backship.db'}", None, "bs", more)
        stack.init()
        with running(stack, tmp_path) as worker:
            begin(stack, worker)
            worker.process.send_signal(signal.SIGSTOP)  # it is idle, and holds no lock
            tell(stack, told_meanwhile())
            filler = fill(disk)
            worker.process.send_signal(signal.SIGCONT)
            until(lambda: worker.ended() or len(full(worker)) >= 3, "a full disk")
            filler.unlink()
            check_undisturbed(stack, worker)


def full(worker: Running) -> list[str]:
    """What it has said about a disk that is full, whoever noticed."""
    return [line["event"] for line in worker.warnings() if "is full" in line.get("reason", "")]
