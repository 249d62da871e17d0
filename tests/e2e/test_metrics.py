"""A real worker's port: what it counts fits what happened, and it says truly whether it works."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import orjson
import pytest

from events.envelope import Event
from scripts.server import free_port
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    place_changed,
    stock_received,
)
from tests.support.proxy import Proxy, proxied
from tests.support.scrape import health, samples_of, scrape, until
from tests.support.stack import FreshStack, Stack, outgoing
from workers.transports.base import OutgoingMessage

ORDERS = 120
SECONDS_MAX = 40.0


@pytest.fixture
def stack(fresh_stack: FreshStack) -> Stack:
    return fresh_stack({"BACKSHIP_BATCH_SIZE_MAX": "50", "BACKSHIP_EMBEDDED_LEASE_SECONDS": "2"})


def some_events() -> list[Event]:
    return [
        place_changed("WH1"),
        item_changed("A", vendor="V1"),
        order_cancelled(f"{ORDERS - 1}", event_id="early"),  # waits for an order of a later batch
        stock_received("R1", "WH1", [("A", ORDERS // 2)]),
        *(order_placed(f"{n}", [("A", 1)]) for n in range(ORDERS)),
    ]


BAD = [
    OutgoingMessage("bad", "OrderPlaced", "OrderPlaced.main", b"{", None),
    OutgoingMessage(
        "odd",
        "Strange",
        "Strange.main",
        orjson.dumps(
            {"specversion": "1.0", "id": "odd", "source": "/x", "type": "Strange", "data": {}}
        ),
        None,
    ),
]


@contextmanager
def worker(
    stack: Stack, port: int, *arguments: str, log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `backship worker --metrics-port` and leave no process behind."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
        "BACKSHIP_DATABASE_URL": stack.database_url,
        "BACKSHIP_BROKER_URL": stack.broker_url or "",
        "BACKSHIP_TOPOLOGY_PREFIX": stack.prefix,
        **stack.more,
    }
    command = [sys.executable, "-m", "console", "worker", "--metrics-port", str(port), *arguments]
    with log.open("wb") as told:
        process = subprocess.Popen(command, env=environment, stderr=told)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(SECONDS_MAX)


def ready(port: int) -> bool:
    return health(port, "/readyz")[0] == 200


def consumed(port: int) -> float:
    return scrape(port).total("messaging_client_consumed_messages_total")


@pytest.mark.slow
def test_what_a_worker_counts_adds_up_to_what_happened(stack: Stack, tmp_path: Path) -> None:
    port = free_port()
    told = [outgoing(event) for event in some_events()]
    twice = [*told, *BAD, told[0]]
    stack.publish(twice)
    log = tmp_path / "worker.log"
    with worker(stack, port, log=log):
        until(lambda: ready(port), "it never became ready")
        assert health(port, "/healthz") == (200, [])
        until(lambda: consumed(port) == len(twice), "not everything was consumed")
        until(lambda: stack.rows("SELECT id FROM outbox") == [], "not everything was published")
        emitted = int(str(stack.value("SELECT COUNT(*) FROM emitted")))
        until(
            lambda: scrape(port).total("messaging_client_sent_messages_total") == emitted,
            "not everything that was published was counted",
        )
        seen = scrape(port)
        until(
            lambda: stack.rows("SELECT state, version FROM workers") == [("working", "0.1.0")],
            "it does not say that it works",
        )
    assert stack.rows("SELECT * FROM workers") == []  # a clean end leaves no row

    assert seen.by("backship_events_total", "outcome") == {
        "applied": len(told) - 1,
        "waiting": 1,
        "duplicate": 1,
        "malformed": 1,
        "unknown_type": 1,
    }
    assert seen.by("backship_events_total", "type") == {
        "PlaceChanged": 2,
        "ItemChanged": 1,
        "StockReceived": 1,
        "OrderPlaced": ORDERS,
        "OrderCancelled": 1,
        "unknown": 2,
    }
    assert seen.total("backship_events_total") == len(twice)
    assert seen.total("backship_late_events_total", type="OrderCancelled", outcome="applied") == 1
    assert seen.total("backship_batch_size_sum") == len(twice)
    batches = seen.total("backship_batch_size_count")
    assert seen.total("messaging_process_duration_seconds_count") == batches
    for stage in ("decode", "load", "decide", "save", "ack"):
        assert seen.total("backship_batch_duration_seconds_count", stage=stage) == batches
    assert seen.by("backship_publish_outcome_total", "outcome") == {"ack": emitted}
    assert seen.by("backship_channel_epoch_total", "cause") == {"start": 1}
    assert seen.total("backship_crashed_messages_total") == 0
    _the_log_says_the_same(log, len(twice), emitted)


BATCH_FIELDS = {
    "age_ms",
    "batch",
    "decide_ms",
    "decode_ms",
    "deliveries_max",
    "emitted",
    "epoch",
    "event",
    "late",
    "level",
    "load_ms",
    "milliseconds",
    "orders",
    "outcomes",
    "repeats",
    "save_ms",
    "size",
    "skus",
    "tasks",
    "timestamp",
    "tries",
}


def _the_log_says_the_same(log: Path, size: int, emitted: int) -> None:
    """One line a batch; together they tell of every message once."""
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    batches = [line for line in lines if line["event"] == "batch"]
    assert {frozenset(line) for line in batches} == {frozenset(BATCH_FIELDS)}
    assert sum(line["size"] for line in batches) == size
    assert sum(sum(line["outcomes"].values()) for line in batches) == size
    steps = [line for line in lines if line["event"] == "step"]
    assert sum(line["emitted"] for line in [*batches, *steps]) == emitted
    assert len({line["batch"] for line in batches}) == len(batches)
    assert all(line["tries"] == 1 and line["repeats"] == 0 for line in batches)
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [field for field in sorted(BATCH_FIELDS) if f"`{field}`" not in page] == []


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.postgres
@pytest.mark.parametrize("away", ["database", "broker"], ids=["F10 database", "F09 broker"])
def test_it_is_not_ready_while_a_server_is_away_and_is_again_when_it_is_back(
    away: str, postgres_database_url: str, vhost_url: str, topology_prefix: str, tmp_path: Path
) -> None:
    direct = Stack(postgres_database_url, vhost_url, topology_prefix)
    direct.init()
    port = free_port()
    with (
        server_behind_a_proxy(direct, away) as (stack, proxy),
        worker(stack, port, log=tmp_path / "worker.log"),
    ):
        until(lambda: ready(port), "it never became ready")
        direct.publish([outgoing(place_changed("WH1"))])
        until(lambda: consumed(port) == 1, "it does not work")
        proxy.cut()
        direct.publish([outgoing(place_changed("WH2"))])
        until(lambda: health(port, "/readyz")[0] == 503, "it still says that it is ready")
        _status, reasons = health(port, "/readyz")
        assert any(away in reason for reason in reasons)
        assert all("postgres:" not in reason for reason in reasons)  # no secret is told
        assert all("guest" not in reason for reason in reasons)
        assert health(port, "/healthz") == (200, [])  # to start it again would mend nothing
        proxy.mend()
        until(lambda: ready(port), "it did not become ready again")
        until(lambda: consumed(port) == 2, "what came meanwhile was not settled")
        lost = scrape(port).total("backship_channel_epoch_total", cause="broker_lost")
        assert (lost > 0) == (away == "broker")
    assert direct.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [("applied", 2)]


@contextmanager
def server_behind_a_proxy(direct: Stack, away: str) -> Iterator[tuple[Stack, Proxy]]:
    """Yield the same stack with one of its servers behind a proxy."""
    url, broker_url = direct.database_url, direct.broker_url
    parts = urlsplit(url if away == "database" else broker_url or "")
    with proxied(parts.hostname or "127.0.0.1", parts.port or 5672) as proxy:
        user, at, _host = parts.netloc.rpartition("@")
        moved = urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{proxy.port}"))
        if away == "database":
            url = moved
        else:
            broker_url = moved
        yield Stack(url, broker_url, direct.prefix), proxy


@pytest.mark.slow
def test_a_fleet_is_served_on_one_port_and_its_counters_outlive_a_killed_worker(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    stack = Stack(sqlite_database_url, None, "bs", {"BACKSHIP_EMBEDDED_LEASE_SECONDS": "2"})
    stack.init()
    port = free_port()
    told = some_events()
    half = len(told) // 2
    stack.publish([outgoing(event) for event in told[:half]])
    with worker(stack, port, "--processes", "2", log=tmp_path / "fleet.log") as supervisor:
        until(lambda: ready(port), "the fleet never became ready")
        until(lambda: consumed(port) == half, "the first half was not consumed")
        pids = {pid for (pid,) in stack.rows("SELECT pid FROM workers")}
        victim = min(int(str(pid)) for pid in pids)
        os.kill(victim, signal.SIGKILL)
        until(
            lambda: scrape(port).by("backship_channel_epoch_total", "cause") == {"start": 3},
            "it was not replaced",
        )
        assert consumed(port) == half
        stack.publish([outgoing(event) for event in told[half:]])
        until(lambda: consumed(port) == len(told), "the second half was not consumed")
        seen = scrape(port)
        assert seen.total("backship_events_total") == len(told)
        assert seen.total("backship_ready") == 1
        assert seen.total("backship_build_info", version="0.1.0") == 1
        (folder,) = {
            argument
            for line in _arguments_of_children(supervisor.pid)
            for flag, argument in itertools.pairwise(line)
            if flag == "--fleet-folder"
        }
        assert len(list(Path(folder).glob("*.db"))) == 4  # two files for each number, not process
    assert not Path(folder).exists()


def _arguments_of_children(pid: int) -> list[list[str]]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [Path(f"/proc/{child}/cmdline").read_text().split("\0") for child in children]


@pytest.mark.slow
def test_without_the_option_nothing_listens_and_prometheus_is_not_even_imported(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    stack = Stack(sqlite_database_url, None, "bs")
    stack.init()
    program = (
        "import socket, sys\n"
        "listened = []\n"
        "real = socket.socket.listen\n"
        "socket.socket.listen = lambda self, *a: (listened.append(self), real(self, *a))\n"
        "from console.main import run\n"
        "status = run(['worker', '--burst'])\n"
        "print(status, listened, 'prometheus_client' in sys.modules)\n"
    )
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")},
        "BACKSHIP_DATABASE_URL": stack.database_url,
        "BACKSHIP_TOPOLOGY_PREFIX": "bs",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "0 [] False\n"


def test_the_samples_are_read_as_they_are_written() -> None:
    seen = samples_of('# TYPE a counter\na_total{x="1",y="2"} 3\na_total{x="2",y="2"} 4\n')
    assert (seen.total("a_total", y="2"), seen.by("a_total", "x")) == (7, {"1": 3, "2": 4})
