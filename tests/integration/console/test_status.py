"""`backship status`: a verdict, its reasons, the figures; what is not known says why."""

import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from config.settings import Settings
from console.judging_status import Thresholds, judge
from store import migrations, presence
from store.presence import Heartbeat
from store.transaction import Database
from store.views.shapes import StatusView
from tests.support.builders import order_placed, place_changed
from tests.support.command import ROOT, Inside
from tests.support.desk import NOW
from tests.support.stack import Stack, outgoing
from tests.support.telling import deliver, tell
from workers.topology import topology
from workers.wiring import opened

NOBODY = "postgresql+psycopg://127.0.0.1:1/nothing"
NO_BROKER = "amqp://127.0.0.1:1/"
HEARTBEAT = Heartbeat("ann:1:5", "ann", 1, "0.1.0", "working", NOW, 12, None)
KEYS = [
    "at",
    "verdict",
    "reasons",
    "queue",
    "dead_queue",
    "unrouted",
    "held_orders",
    "open_replenishments",
    "outbox",
    "waiting",
    "tasks",
    "set_aside",
    "retrying",
    "exceptions",
    "workers",
    "workers_alive",
    "unknown",
    "at_least",
]


@pytest.fixture
def declared(backship: Inside) -> Inside:
    """The command, with the embedded queue declared in a folder of its own."""
    os.chdir(backship.folder)
    settings = Settings(database_url=backship.settings["database_url"])
    with opened(settings) as house:
        house.transport.declare(house.topology)
    return backship


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_all_is_well(declared: Inside, database: Database) -> None:
    tell(database, place_changed("WH1"))
    presence.seen(database, HEARTBEAT)
    seen = declared.json("status")
    assert list(seen) == KEYS
    (worker,) = seen.pop("workers")
    assert worker.pop("seen_at") <= seen.pop("at")
    assert worker == {
        "worker_id": "ann:1:5",
        "host": "ann",
        "pid": 1,
        "version": "0.1.0",
        "state": "working",
        "started_at": "2026-11-21T12:00:00Z",
        "settled": 12,
        "alive": True,
    }
    assert seen == {
        "verdict": "ok",
        "reasons": [],
        "queue": {"ready": 0, "outstanding": 0, "oldest_age_seconds": 0.0},
        "dead_queue": 0,
        "unrouted": 0,
        "held_orders": 0,
        "open_replenishments": 0,
        "outbox": {"count": 0, "oldest_age_seconds": None, "held_back": 0},
        "waiting": {"orders": 0, "replenishments": 0, "skus": 0, "oldest_age_seconds": None},
        "tasks": 0,
        "set_aside": {"total": 0, "by_reason": {}},
        "retrying": 0,
        "exceptions": {"total": 0, "last_24h": 0},
        "workers_alive": 1,
        "unknown": {},
        "at_least": [],
    }
    assert declared.done("status").startswith("OK  ")


def test_what_waits_for_a_person_is_attention_and_says_what_to_do(
    declared: Inside, database: Database
) -> None:
    deliver(database, b"{", b"[]")
    presence.seen(database, HEARTBEAT)
    seen = declared.json("status")
    assert seen["verdict"] == "attention"
    assert seen["reasons"] == [
        {"verdict": "attention", "text": "2 events set aside: backship dead list"}
    ]
    said = declared.done("status").splitlines()
    assert said[0].startswith("ATTENTION  ")
    assert said[1] == "  attention: 2 events set aside: backship dead list"


def test_messages_that_nobody_takes_are_trouble(declared: Inside, database: Database) -> None:
    settings = Settings(database_url=declared.settings["database_url"])
    with opened(settings) as house, house.transport.publisher() as publisher:
        message = outgoing(order_placed("1", [("A", 1)]))
        sent = publisher.publish([message], house.topology.inbox_exchange, deadline_seconds=5)
        assert not sent.failed
    assert database.file is None or database.file.exists()
    seen = declared.json("status")
    assert (seen["verdict"], seen["queue"]["ready"], seen["queue"]["outstanding"]) == (
        "trouble",
        1,
        1,
    )
    assert 0 <= seen["queue"]["oldest_age_seconds"] < 60
    assert seen["reasons"][0]["text"] == (
        "no worker is alive: start one (backship worker); 1 message to be done"
    )


@pytest.mark.broker
def test_on_rabbitmq_the_age_is_what_workers_saw_and_null_says_why(
    database: Database, database_url: str, vhost_url: str, topology_prefix: str, tmp_path: Path
) -> None:
    Stack(database_url, vhost_url, topology_prefix).init()
    named = {
        "database_url": database_url,
        "broker_url": vhost_url,
        "topology_prefix": topology_prefix,
    }
    backship = Inside(tmp_path, named)
    empty = backship.json("status")["queue"]
    assert empty == {"ready": 0, "outstanding": None, "oldest_age_seconds": 0.0}
    Stack(database_url, vhost_url, topology_prefix).publish(
        [outgoing(order_placed("1", [("A", 1)]))]
    )
    told = backship.json("status")
    assert told["queue"] == {"ready": 1, "outstanding": None, "oldest_age_seconds": None}
    assert "no worker that is alive" in told["unknown"]["queue.oldest_age_seconds"]
    presence.seen(
        database, Heartbeat("ann:1:5", "ann", 1, "0.1.0", "working", NOW, 12, message_age_ms=2_500)
    )
    assert backship.json("status")["queue"]["oldest_age_seconds"] == 2.5


def test_a_broker_that_does_not_answer_leaves_its_part_unknown(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    tell(database, order_placed("1", [("A", 1)]))
    backship = Inside(tmp_path, {"database_url": database_url, "broker_url": NO_BROKER})
    seen = backship.json("status")
    assert (seen["queue"], seen["dead_queue"], seen["unrouted"]) == (None, None, None)
    assert seen["outbox"]["count"] > 0
    assert set(seen["unknown"]) == {"queue", "dead_queue", "unrouted"}
    assert (seen["verdict"], seen["reasons"][0]["verdict"]) == ("trouble", "trouble")
    assert seen["reasons"][0]["text"].startswith("the broker does not answer: ")
    assert "not known: queue: " in backship.done("status")


def test_a_database_that_does_not_answer_leaves_its_part_unknown(tmp_path: Path) -> None:
    settings = Settings(database_url=NOBODY)
    with opened(settings) as house:
        house.transport.declare(topology("backship"))
    seen = Inside(tmp_path, {"database_url": NOBODY}).json("status")
    assert seen["queue"] == {"ready": 0, "outstanding": 0, "oldest_age_seconds": 0.0}
    assert [name for name in KEYS if seen[name] is None] == sorted(seen["unknown"], key=KEYS.index)
    assert seen["verdict"] == "trouble"
    assert seen["reasons"][0]["text"].startswith("the database does not answer: ")


def test_when_neither_answers_there_is_nothing_to_show(tmp_path: Path) -> None:
    backship = Inside(tmp_path, {"database_url": NOBODY, "broker_url": NO_BROKER})
    ended = backship.run("status", "--json")
    assert (ended.status, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1


def test_tables_that_are_not_there_are_a_wrong_use_and_none_are_made(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    ended = Inside(tmp_path, {"database_url": f"sqlite:///{file}"}).run("status")
    assert (ended.status, ended.out) == (2, "")
    assert "backship init" in ended.err
    assert not file.exists()


# ---------------------------------------------------------------- the verdict, figure by figure


def well() -> StatusView:
    """All is well: one worker lives."""
    return {
        "at": NOW,
        "verdict": "ok",
        "reasons": [],
        "queue": {"ready": 5, "outstanding": 9, "oldest_age_seconds": 1.0},
        "dead_queue": 0,
        "unrouted": 0,
        "held_orders": 100,
        "open_replenishments": 10,
        "outbox": {"count": 7, "oldest_age_seconds": 0.5, "held_back": 0},
        "waiting": {"orders": 3, "replenishments": 2, "skus": 1, "oldest_age_seconds": 60.0},
        "tasks": 2,
        "set_aside": {"total": 0, "by_reason": {}},
        "retrying": 0,
        "exceptions": {"total": 50, "last_24h": 0},
        "workers": [
            {
                "worker_id": "a",
                "host": "a",
                "pid": 1,
                "version": "1",
                "state": "working",
                "started_at": NOW,
                "seen_at": NOW,
                "settled": 1,
                "alive": True,
            }
        ],
        "workers_alive": 1,
        "unknown": {},
        "at_least": [],
    }


def judged(changes: dict[str, object], worker: dict[str, object] | None = None) -> StatusView:
    view = well()
    for path, value in changes.items():
        at: dict[str, object] = view  # type: ignore[assignment]
        *folders, name = path.split(".")
        for folder in folders:
            at = at[folder]  # type: ignore[assignment]
        at[name] = value
    if worker is not None:
        assert view["workers"] is not None
        view["workers"].append({**view["workers"][0], **worker})  # type: ignore[typeddict-item]
    return judge(view, Thresholds())


def test_work_that_goes_on_is_well() -> None:
    assert judged({})["verdict"] == "ok"
    assert judged({})["reasons"] == []


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        ({"outbox.oldest_age_seconds": 61.0}, "trouble", "7 events not published for over 60 s"),
        ({"outbox.held_back": 2}, "attention", "2 events held back"),
        ({"queue.oldest_age_seconds": 301.0}, "attention", "waited for over 5 minutes"),
        ({"dead_queue": 1}, "attention", "1 message in the dead queue"),
        ({"unrouted": 3}, "attention", "3 events nobody listens to"),
        ({"set_aside.total": 12}, "attention", "12 events set aside: backship dead list"),
        ({"waiting.oldest_age_seconds": 43_201.0}, "attention", "waited for its order"),
        ({"exceptions.last_24h": 1}, "attention", "1 exception in the last 24 hours"),
        ({"workers": []}, "trouble", "5 messages, 7 events to publish, 2 unfinished steps"),
        ({"unknown": {"queue": "gone."}}, "trouble", "the broker does not answer: gone."),
        ({"unknown": {"outbox": "gone."}}, "trouble", "the database does not answer: gone."),
    ],
)
def test_a_figure_that_is_not_well_gives_one_reason(
    changes: dict[str, object], verdict: str, said: str
) -> None:
    view = judged(changes)
    assert view["verdict"] == verdict
    (reason,) = view["reasons"]
    assert reason["verdict"] == verdict
    assert said in reason["text"]


@pytest.mark.parametrize(
    ("worker", "verdict", "said"),
    [
        ({"state": "waiting"}, "attention", "1 worker of 2 waits for"),
        ({"alive": False}, "attention", "1 worker ended without a word"),
        ({"version": "2"}, "attention", "versions 1 and 2 run together"),
    ],
)
def test_a_worker_that_is_unlike_the_others_gives_one_reason(
    worker: dict[str, object], verdict: str, said: str
) -> None:
    view = judged({}, worker)
    assert view["verdict"] == verdict
    (reason,) = view["reasons"]
    assert said in reason["text"]


def test_trouble_stands_before_attention() -> None:
    view = judged({"set_aside.total": 1, "outbox.oldest_age_seconds": 90.0, "dead_queue": 1})
    assert [reason["verdict"] for reason in view["reasons"]] == [
        "trouble",
        "attention",
        "attention",
    ]


# ---------------------------------------------------------------- watching


# A shell that starts the suite in the background lets its children ignore Ctrl-C: not this one.
WATCH = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[1:1] = ["status", "--watch"]
from console.main import main
main()
"""


def _environment(url: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BACKSHIP_")}
    return {**kept, "BACKSHIP_DATABASE_URL": url, "PYTHONPATH": str(ROOT), "TERM": "xterm"}


@pytest.fixture
def embedded(tmp_path: Path) -> str:
    """An embedded stack, ready to be looked at."""
    url = f"sqlite:///{tmp_path / 'backship.db'}"
    made = Database(url)
    migrations.upgrade(made)
    made.close()
    with opened(Settings(database_url=url)) as house:
        house.transport.declare(house.topology)
    return url


@pytest.mark.slow
def test_watching_prints_block_after_block_where_nobody_sits_and_ends_well(
    embedded: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", WATCH, "--json"]
    with subprocess.Popen(
        command, env=_environment(embedded), cwd=tmp_path, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        first, second = (orjson.loads(process.stdout.readline()) for _ in range(2))
        assert _nobody_reads(tmp_path / "backship.db")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert first["verdict"] == "attention"
    assert first["at"] < second["at"]


def _nobody_reads(file: Path) -> bool:
    """Between two looks no transaction is open: the whole log can be written back and emptied."""
    deadline = time.monotonic() + 10
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        while time.monotonic() < deadline:
            busy, *_rest = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
    return False


@pytest.mark.slow
def test_watching_on_a_terminal_fills_the_screen_and_ctrl_c_ends_well(
    embedded: str, tmp_path: Path
) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execvpe(  # noqa: S606 - our own command
            sys.executable,
            [sys.executable, "-c", WATCH],
            _environment(embedded),
        )
    seen = b""
    deadline = time.monotonic() + 40
    while seen.count(b"ATTENTION") < 2:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65_536)
    os.write(terminal, b"\x03")
    while select.select([terminal], [], [], 10)[0]:
        try:
            rest = os.read(terminal, 65_536)
        except OSError:  # the other end is gone
            break
        seen += rest
    _pid, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"no worker is alive" in seen
    assert b"Traceback" not in seen


def test_a_moment_is_the_databases_own(declared: Inside, database: Database) -> None:
    with database.read() as tx:
        before = presence.now(tx) - timedelta(seconds=1)
    assert declared.json("status")["at"] >= before.isoformat().replace("+00:00", "Z")[:19]
