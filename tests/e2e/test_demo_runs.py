"""`backship demo` run again, killed, on another file, on servers: the same, or a clean no."""

import csv
import gzip
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from sqlalchemy import create_engine, text

from tests.support.demo import (
    DEMO_SECONDS_MAX,
    SAMPLE,
    Left,
    backship,
    environment,
    is_order,
    run_demo,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * DEMO_SECONDS_MAX)]


def test_two_runs_emit_the_same_events_in_the_same_order(left: Left, tmp_path: Path) -> None:
    (tmp_path / "backship-demo.db").write_text("what an earlier demo left")
    again = run_demo(tmp_path)
    everything = "SELECT id, body FROM emitted ORDER BY clock, n, id"
    assert again.rows(everything) == left.rows(everything)
    ledger = "SELECT * FROM order_lines ORDER BY shop, order_id, line_id"
    assert again.rows(ledger) == left.rows(ledger)


def test_a_demo_killed_in_the_middle_leaves_what_a_worker_can_finish(tmp_path: Path) -> None:
    file = tmp_path / "backship-demo.db"
    demo = subprocess.Popen(
        [sys.executable, "-m", "console", "demo"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_for_orders(demo, file, count=100)
    demo.send_signal(signal.SIGKILL)
    assert demo.wait() == -signal.SIGKILL
    env = environment(BACKSHIP_DATABASE_URL="sqlite:///backship-demo.db")
    finished = backship("worker", "--burst", cwd=tmp_path, env=env)
    assert finished.returncode == 0, finished.stderr
    audited = backship("audit", "--json", cwd=tmp_path, env=env)
    assert audited.returncode == 0, audited.stdout
    left = Left(tmp_path, "", "", 0)
    assert left.value("SELECT COUNT(*) FROM orders") >= 100
    assert left.value("SELECT COUNT(*) FROM outbox") == 0
    assert left.value("SELECT COUNT(*) FROM queue_messages WHERE queue = 'backship.inbox'") == 0


def _wait_for_orders(demo: "subprocess.Popen[bytes]", file: Path, count: int) -> None:
    deadline = time.monotonic() + DEMO_SECONDS_MAX
    while time.monotonic() < deadline:
        assert demo.poll() is None, "it ended before it could be killed"
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                if connection.execute("SELECT COUNT(*) FROM orders").fetchone()[0] >= count:
                    return
        except sqlite3.OperationalError:
            pass  # not there yet
        time.sleep(0.05)
    pytest.fail(f"no {count} orders in {DEMO_SECONDS_MAX} s")


def test_another_file_of_the_same_form_is_replayed(tmp_path: Path) -> None:
    head, *rows = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()
    few = "\n".join([head, *rows[:200], ""])
    (tmp_path / "few.csv").write_text(few, encoding="utf-8")
    # A terminal that knows ASCII only is no reason to fail either.
    env = environment(PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    done = backship("demo", "--full", "few.csv", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    left = Left(tmp_path, done.stdout, done.stderr, 0)
    lines = csv.DictReader(few.splitlines())
    assert left.value("SELECT COUNT(*) FROM order_lines") == sum(map(is_order, lines))


def test_a_file_that_is_none_leaves_the_last_demo_alone(tmp_path: Path) -> None:
    (tmp_path / "backship-demo.db").write_text("an earlier demo")
    done = backship("demo", "--full", "nowhere.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == (
        "backship: nowhere.csv can not be read: No such file or directory."
    )
    assert (tmp_path / "backship-demo.db").read_text() == "an earlier demo"


def test_on_servers_without_servers_is_wrong_use(tmp_path: Path) -> None:
    done = backship("demo", "--on-servers", cwd=tmp_path)
    assert done.returncode == 2
    assert "BACKSHIP_DATABASE_URL" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_servers_that_do_not_answer_are_exit_3(tmp_path: Path) -> None:
    env = environment(BACKSHIP_DATABASE_URL="postgresql+psycopg://postgres@127.0.0.1:1/demo")
    done = backship("demo", "--on-servers", cwd=tmp_path, env=env)
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1


class TestOnServers:
    """The same demo on PostgreSQL and RabbitMQ, if they are empty."""

    @pytest.fixture
    def env(
        self, vhost_url: str, postgres_database_url: str, topology_prefix: str
    ) -> dict[str, str]:
        return environment(
            BACKSHIP_DATABASE_URL=postgres_database_url,
            BACKSHIP_BROKER_URL=vhost_url,
            BACKSHIP_TOPOLOGY_PREFIX=topology_prefix,
        )

    def test_it_comes_to_the_same_there_and_then_refuses_to_run_again(
        self, env: dict[str, str], left: Left, tmp_path: Path
    ) -> None:
        done = backship("demo", "--on-servers", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        assert list(tmp_path.iterdir()) == []
        # Several batches may be cut otherwise there; only what is told once a batch may differ.
        assert _results(done.stdout) == _results(left.printed)
        again = backship("demo", "--on-servers", cwd=tmp_path, env=env)
        assert again.returncode == 2
        assert "already holds data (table " in again.stderr
        assert backship("audit", cwd=tmp_path, env=env).returncode == 0

    def test_strangers_data_is_refused_and_nothing_is_created(
        self, env: dict[str, str], postgres_database_url: str, tmp_path: Path
    ) -> None:
        engine = create_engine(postgres_database_url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE theirs (n integer)"))
            connection.execute(text("INSERT INTO theirs VALUES (1)"))
        done = backship("demo", "--on-servers", cwd=tmp_path, env=env)
        assert done.returncode == 2
        assert "table theirs" in done.stderr
        with engine.connect() as connection:
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            assert connection.execute(text(tables)).scalars().all() == ["theirs"]
        engine.dispose()

    def test_a_queue_that_holds_messages_is_refused(
        self, env: dict[str, str], tmp_path: Path
    ) -> None:
        assert backship("init", cwd=tmp_path, env=env).returncode == 0
        event = orjson.dumps(
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/places/WH1",
                "type": "PlaceChanged",
                "data": {"place": "WH1"},
            }
        )
        (tmp_path / "event.json").write_bytes(event)
        assert backship("publish", "event.json", cwd=tmp_path, env=env).returncode == 0
        done = backship("demo", "--on-servers", cwd=tmp_path, env=env)
        assert done.returncode == 2
        assert "1 messages in" in done.stderr


def _results(printed: str) -> list[str]:
    """The figures of the business: not how long it took, nor how often a state was told."""
    lines = printed.partition("Audit:")[0].splitlines()
    return [
        re.sub(r"[\d,]+ extended, [\d,]+ reduced", "", line)
        for line in lines
        if "events in, " not in line
    ]
