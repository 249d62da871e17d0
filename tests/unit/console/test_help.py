"""`--help` is quick, lists every command, and nothing heavy is loaded for it."""

import subprocess
import sys

import pytest

from console.main import run

HEAVY = (
    "alembic",
    "kombu",
    "orjson",
    "pika",
    "prometheus_client",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
)

COMMANDS = [
    "demo",
    "init",
    "worker",
    "publish",
    "housekeeping",
    "topology",
    "config",
    "schema",
    "status",
    "order",
    "explain",
    "stock",
    "backorders",
    "replenishments",
    "replenishment",
    "exceptions",
    "emitted",
    "audit",
    "dead",
]

SHOW_LOADED = f"""
import sys
from console.main import run
status = run(["--help"])
loaded = {{name.partition(".")[0] for name in sys.modules}}
sys.stderr.write(" ".join(sorted(loaded & set({HEAVY!r}))))
sys.exit(status)
"""


def test_help_loads_nothing_heavy_and_lists_every_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW_LOADED], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == COMMANDS


@pytest.mark.parametrize(
    "command", [*COMMANDS, "dead list", "dead show", "dead retry", "dead discard"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"Usage: backship {command}")
    assert "--help" in said


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Usage: backship" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["replay", "dead mend"])
def test_what_is_not_built_yet_is_no_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command.split()) == 2
    assert "No such command" in capsys.readouterr().err
