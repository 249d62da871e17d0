"""Which server is taken, what is said when none is, and that nothing started is left running."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scripts import compose, with_services
from scripts.debian import install
from scripts.server import Server, UnavailableError

ROOT = Path(__file__).parent.parent.parent.parent


@dataclass
class FakeKind:
    """A kind of server whose addresses answer as the test says, and which notes what is done."""

    name: str = "Fake"
    variable: str = "BACKSHIP_TEST_FAKE_URL"
    standard_urls: tuple[str, ...] = ("fake://standard",)
    debian_packages: tuple[str, ...] = ("fake-server",)
    compose_service: str = "fake"
    compose_port: int = 1234
    answering: set[str] = field(default_factory=set)
    installed: bool = False
    done: list[str] = field(default_factory=list)

    def require_answer(self, url: str) -> None:
        if url not in self.answering:
            raise UnavailableError(f"{url} does not answer")

    def compose_url(self, port: int) -> str:
        return f"fake://compose:{port}"

    def start_private(self, folder: Path) -> Server:
        if not self.installed:
            raise UnavailableError("fake-server is not installed")
        self.done.append(f"started in {folder.name}")
        return Server("fake://private", "private", stop=lambda: self.done.append("stopped"))


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKind]:
    fake = FakeKind()
    monkeypatch.setattr(with_services, "KINDS", (fake,))
    monkeypatch.delenv("SERVICES", raising=False)
    monkeypatch.delenv(fake.variable, raising=False)
    monkeypatch.setattr(compose, "_require_engine", _no_engine)
    monkeypatch.setattr(with_services, "install", _not_ours)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield fake
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _no_engine() -> None:
    raise UnavailableError("no docker engine with compose answers here")


def _not_ours(_packages: tuple[str, ...]) -> None:
    raise UnavailableError("not root, so nothing was installed")


def shows(name: str) -> list[str]:
    """A command that prints one environment variable."""
    return [sys.executable, "-c", f"import os; print(os.environ.get({name!r}))"]


# ---------------------------------------------------------------- which


def test_a_named_server_wins_over_every_other(
    kind: FakeKind, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(kind.variable, "fake://named")
    kind.answering = {"fake://named", "fake://standard"}
    kind.installed = True
    assert with_services.main(shows(kind.variable)) == 0
    assert capfd.readouterr().out == "fake://named\n"
    assert kind.done == []


def test_a_named_server_that_does_not_answer_is_an_error_and_never_replaced(
    kind: FakeKind, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(kind.variable, "fake://named")
    kind.answering = {"fake://standard"}
    assert with_services.main(shows(kind.variable)) == 3
    said = capfd.readouterr()
    assert "BACKSHIP_TEST_FAKE_URL is set, but no server: fake://named does not answer" in said.err
    assert said.out == ""


def test_the_standard_port_comes_before_anything_is_started(
    kind: FakeKind, capfd: pytest.CaptureFixture[str]
) -> None:
    kind.answering = {"fake://standard"}
    kind.installed = True
    assert with_services.main(shows(kind.variable)) == 0
    assert capfd.readouterr().out == "fake://standard\n"
    assert kind.done == []


def test_an_installed_program_is_started_and_stopped_again(
    kind: FakeKind, capfd: pytest.CaptureFixture[str]
) -> None:
    kind.installed = True
    assert with_services.main(shows(kind.variable)) == 0
    assert capfd.readouterr().out == "fake://private\n"
    assert kind.done == ["started in fake", "stopped"]


def test_what_is_missing_is_installed_where_that_is_ours_to_do(
    kind: FakeKind, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def now(packages: tuple[str, ...]) -> None:
        kind.done.append(f"installed {' '.join(packages)}")
        kind.installed = True

    monkeypatch.setattr(with_services, "install", now)
    assert with_services.main(shows(kind.variable)) == 0
    assert kind.done == ["installed fake-server", "started in fake-installed", "stopped"]
    assert "installing fake-server" in capfd.readouterr().err


def test_a_missing_server_fails_with_every_reason_and_the_remedy(
    kind: FakeKind, capfd: pytest.CaptureFixture[str]
) -> None:
    assert with_services.main(shows(kind.variable)) == 3
    said = capfd.readouterr()
    assert said.out == "", "the command must not run without its servers"
    for words in (
        "Fake is missing",
        "variable: BACKSHIP_TEST_FAKE_URL is not set",
        "standard: fake://standard does not answer",
        "docker: no docker engine with compose answers here",
        "installed: fake-server is not installed",
        "install: not root, so nothing was installed",
        "set BACKSHIP_TEST_FAKE_URL; or install fake-server",
        "SERVICES=none",
    ):
        assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("choice", "status"), [("local", 3), ("docker", 3), ("installed", 0), ("private", 0)]
)
def test_services_narrows_the_ways(
    kind: FakeKind, monkeypatch: pytest.MonkeyPatch, choice: str, status: int
) -> None:
    monkeypatch.setenv("SERVICES", choice)
    kind.installed = True
    assert with_services.main(shows("PATH")) == status


def test_services_none_runs_the_command_without_servers_and_says_so(
    kind: FakeKind, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SERVICES", "none")
    kind.installed = True
    assert with_services.main(shows(kind.variable)) == 0
    said = capfd.readouterr()
    assert said.out == "None\n"
    assert "NOT the whole suite" in said.err
    assert kind.done == []


@pytest.mark.parametrize("arguments", [[], ["true"]], ids=["no-command", "unknown-choice"])
def test_wrong_use_is_told_in_one_line(
    kind: FakeKind,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.setenv("SERVICES", "some" if arguments else "auto")
    assert with_services.main(arguments) == 2
    assert capfd.readouterr().err.count("\n") == 1
    assert kind.done == []


# ---------------------------------------------------------------- how it ends


@pytest.mark.parametrize(
    ("command", "status"),
    [(["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -9 $$"], 137), (["no-such-program"], 2)],
    ids=["failing", "killed", "missing"],
)
def test_a_failing_command_gives_its_status_and_still_the_server_is_stopped(
    kind: FakeKind, command: list[str], status: int
) -> None:
    kind.installed = True
    assert with_services.main(command) == status
    assert kind.done == ["started in fake", "stopped"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_command_and_the_servers(tmp_path: Path, number: signal.Signals) -> None:
    program = tmp_path / "run.py"
    program.write_text(
        textwrap.dedent(
            f"""
            import signal, subprocess, sys
            from scripts import with_services
            from scripts.server import Server, stop_process

            class Sleeper:
                name = variable = "SLEEPER"
                compose_service = "sleeper"
                def start_private(self, folder):
                    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
                    print(process.pid, flush=True)
                    return Server("-", "-", stop=lambda: stop_process(process, signal.SIGTERM))

            # A suite started in the background ignores the terminal's signal, and so would this.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with_services.KINDS = (Sleeper(),)
            command = [sys.executable, "-c", {_PATIENT!r}]
            sys.exit(with_services.main(command))
            """
        )
    )
    environment = {**os.environ, "SERVICES": "installed", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(program)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        started = [int(run.stdout.readline()), int(run.stdout.readline())]
        if number is signal.SIGINT:
            os.killpg(run.pid, number)  # as a terminal sends it: to all in the foreground
        else:
            run.send_signal(number)
        assert run.wait(timeout=20) != 0
    assert [pid for pid in started if _runs(pid)] == []


_PATIENT = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def _runs(pid: int) -> bool:
    for _ in range(20):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


# ---------------------------------------------------------------- docker compose, and Debian


def test_docker_compose_starts_one_project_finds_its_port_and_takes_it_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    docker = tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\necho "$*" >>{log}\n'
        'case "$*" in *" port fake 1234") echo 127.0.0.1:40123 ;; esac\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fake = FakeKind(answering={"fake://compose:40123"})
    server = compose.start_by_compose(fake)
    assert server.url == "fake://compose:40123"
    assert server.stop is not None
    server.stop()
    said = log.read_text().splitlines()
    project = (
        f"compose --project-name backship-test-{os.getpid()}-fake --file {compose.COMPOSE_FILE}"
    )
    assert said == [
        "compose version",
        "info",
        f"{project} up --detach --wait fake",
        f"{project} port fake 1234",
        f"{project} down --volumes --timeout 10",
    ]


def test_a_project_that_does_not_come_up_is_taken_down_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    docker = tmp_path / "docker"
    docker.write_text(
        f'#!/bin/sh\necho "$*" >>{log}\n'
        'case "$*" in *" up "*) echo "no such image" >&2; exit 1 ;; esac\n'
    )
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(UnavailableError, match="no such image"):
        compose.start_by_compose(FakeKind())
    assert "down --volumes" in log.read_text().splitlines()[-1]


def test_without_an_engine_compose_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no docker engine with compose answers here"):
        compose.start_by_compose(FakeKind())


def test_nothing_is_installed_where_the_system_is_not_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="not a Debian system"):
        install(("fake-server",))


def test_an_install_that_fails_gives_the_installers_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt_get = tmp_path / "apt-get"
    apt_get.write_text("#!/bin/sh\necho reading\necho E: Unable to locate package >&2\nexit 100\n")
    apt_get.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UnavailableError, match="E: Unable to locate package"):
        install(("fake-server",))
