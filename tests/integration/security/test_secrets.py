"""A password that is wrong, refused or mistyped is shown nowhere; nor is what a message holds."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from handlers import orders
from tests.support import services
from tests.support.builders import order_placed
from tests.support.command import Command, Ended, Inside
from tests.support.desk import hear, open_desk
from tests.support.stack import Stack, outgoing
from workers.transports.base import OutgoingMessage

SECRET = "Sw0rdfishQ7"  # noqa: S105 - to be looked for, opens nothing

# Where a secret may stand; nothing but the last two is well formed.
FORMS = {
    "plain": f"u:{SECRET}@",
    "encoded": f"u:%2F{SECRET}%40@",
    "slash": f"u:a/{SECRET}@",
    "question": f"u:a?{SECRET}@",
    "hash": f"u:a#{SECRET}@",
    "colon": f"u:a:{SECRET}@",
}


def silent(ended: Ended) -> None:
    assert SECRET not in ended.out + ended.err, ended
    assert ended.status in {0, 1, 2, 3}
    assert "should not happen" not in ended.err, ended


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["", "debug"])
def test_no_command_shows_a_secret_of_the_urls(
    form: str, debug: tuple[str, ...], tmp_path: Path
) -> None:
    databases = [
        f"postgresql+psycopg://{form}127.0.0.1:1/d",
        f"postgresql+psycopg://127.0.0.1:1/d?password={SECRET}&user=u",
        f"mysql://{form}h/d",
    ]
    for url in databases:
        backship = Inside(tmp_path, {"database_url": url, "connect_seconds_max": "1"})
        for command in ("config", "config --json", "stock A", "init"):
            silent(backship.run(*command.split(), *debug))
    brokers = [
        f"amqp://{form}127.0.0.1:1/v",
        f"amqps://{form}127.0.0.1:1/v",
        f"pyamqp://{form}127.0.0.1:1/v",
    ]
    for url in brokers:
        backship = Inside(tmp_path, {"broker_url": url, "connect_seconds_max": "1"})
        for command in ("config", "topology --check"):
            silent(backship.run(*command.split(), *debug))
        event = (
            b'{"specversion":"1.0","id":"1","source":"/s","type":"ItemChanged","data":{"sku":"A"}}'
        )
        silent(backship.run("publish", "-", *debug, given=event))


@pytest.mark.broker
@pytest.mark.postgres
def test_servers_that_refuse_a_password_are_told_of_without_it(tmp_path: Path) -> None:
    broker = services.with_user(services.amqp_url(), "guest", SECRET)
    backship = Inside(tmp_path, {"broker_url": broker})
    for arguments in (("topology", "--check"), ("publish", "--debug", "-")):
        ended = backship.run(*arguments, given=b'{"specversion":"1.0","id":"1","source":"/s",'
                             b'"type":"ItemChanged","data":{"sku":"A"}}')  # fmt: skip
        silent(ended)
        assert ended.status == 3, ended
    nobody = services.with_user(services.postgres_url(), "nobody_by_this_name", SECRET)
    ended = Inside(tmp_path, {"database_url": nobody}).run("audit", "--debug")
    silent(ended)
    assert ended.status == 3, ended


@pytest.mark.slow
@pytest.mark.broker
def test_a_worker_and_its_supervisor_show_no_secret_in_logs_or_process_lists(
    tmp_path: Path,
) -> None:
    broker = services.with_user(services.amqp_url(), "guest", SECRET)
    command = Command(tmp_path, {"broker_url": broker})
    Inside(tmp_path).done("init")
    silent(command.run("worker", "--burst"))
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd()),
                   "BACKSHIP_LOG_LEVEL": "DEBUG",
                   "BACKSHIP_BROKER_URL": f"amqp://u:{SECRET}@127.0.0.1:1/"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "worker", "--processes", "2"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while (shown := _commands_of(process.pid)).count("worker") < 3:  # it and its children
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)
        assert SECRET not in shown
    finally:
        process.terminate()
        out, _err = process.communicate(timeout=60)
    assert out
    assert SECRET not in out.decode()


def _commands_of(pid: int) -> str:
    """The command lines of a process and its children, as `ps` shows them to everybody."""
    done = subprocess.run(
        ["ps", "-ww", "-o", "args=", "--pid", str(pid), "--ppid", str(pid)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.slow
def test_what_a_message_holds_is_in_no_log_line_at_info(tmp_path: Path) -> None:
    marker = "Zebra-Lane-17"
    stack = Stack(f"sqlite:///{tmp_path / 'x.db'}", f"backship-sqlite:///{tmp_path / 'q.db'}", "bs")
    stack.init()
    good = order_placed("1", [("A", 1)], ship_to={"street": marker})
    conflict = order_placed("1", [("A", 2)], ship_to={"street": marker}, event_id="again")
    bodies = [
        b'{"specversion": "1.0", "id": "1", "note": "' + marker.encode() + b'"',
        b'{"specversion": "1.0", "id": "2", "source": "/s", "type": "OrderPlaced", "data": {"shop":'
        b' "main", "order_id": "' + marker.encode() + b'", "lines": []}}',
        marker.encode(),
    ]
    stack.publish([outgoing(good), outgoing(conflict)])
    stack.publish(
        [
            OutgoingMessage(f"bad{n}", "OrderPlaced", "OrderPlaced.main", body)
            for n, body in enumerate(bodies)
        ]
    )
    process = stack.worker()
    _out, err = process.communicate(timeout=60)
    lines = err.decode().splitlines()
    assert process.returncode == 0, err
    assert any('"event": "batch"' in line for line in lines)
    assert any("event_set_aside" in line for line in lines)
    assert stack.value("SELECT COUNT(*) FROM set_aside") == 4
    assert [line for line in lines if marker in line] == []


def test_a_bug_tells_where_it_is_and_not_what_the_message_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bug(*_arguments: object) -> None:
        raise ZeroDivisionError("of course")

    monkeypatch.setattr(orders, "placed", bug)
    with open_desk(f"sqlite:///{tmp_path / 'x.db'}") as desk:
        report = hear(desk, order_placed("1", [("A", 1)], ship_to={"street": "Zebra-Lane-17"}))
    assert report.counts == {"gave_up": 1}
    said = capsys.readouterr()
    assert "ZeroDivisionError" in said.out + said.err
    assert "Zebra-Lane-17" not in said.out + said.err
