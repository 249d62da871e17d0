"""`topology`, `config` and `schema`: what the program says of itself."""

import sqlite3
from pathlib import Path

import orjson
import pytest

from console.main import run
from events.catalogue import documents


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _json(arguments: str, capsys: pytest.CaptureFixture[str], status: int = 0) -> object:
    capsys.readouterr()
    assert run([*arguments.split(), "--json"]) == status
    return orjson.loads(capsys.readouterr().out)


def test_the_topology_is_listed_without_asking_a_broker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_BROKER_URL", "amqp://127.0.0.1:1/")
    monkeypatch.setenv("BACKSHIP_TOPOLOGY_PREFIX", "mine")
    found = _json("topology", capsys)
    assert isinstance(found, dict)
    assert [row["name"] for row in found["queues"]] == ["mine.unrouted", "mine.dead", "mine.inbox"]
    assert found["exchanges"][2] == {"name": "mine.in", "type": "topic", "arguments": {}}
    assert found["bindings"][2] == {
        "exchange": "mine.in",
        "queue": "mine.inbox",
        "routing_key": "#",
    }
    assert run(["topology"]) == 0
    assert "x-delivery-limit = 20" in capsys.readouterr().out


def test_drift_is_listed_with_how_to_mend_it_and_ends_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["init"]) == 0
    found = _json("topology --check", capsys)
    assert isinstance(found, dict)
    assert (found["differences"], found["unchecked"]) == ([], [])
    assert run(["topology", "--check"]) == 0
    assert "as it should be" in capsys.readouterr().out
    with sqlite3.connect("backship.db") as db:
        db.execute("UPDATE queue_queues SET delivery_limit = 3 WHERE name = 'backship.inbox'")
    db.close()
    drifted = _json("topology --check", capsys, status=1)
    assert isinstance(drifted, dict)
    (difference,) = drifted["differences"]
    assert (difference["name"], difference["expected"], difference["found"]) == (
        "backship.inbox",
        "20",
        "3",
    )
    assert difference["mend"]


def test_the_effective_settings_are_shown_with_secrets_masked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_BROKER_URL", "amqp://user:secret@a/v;amqp://user:secret@b/v")
    monkeypatch.setenv("BACKSHIP_DEFAULTS__SAFETY_STOCK", "7")
    Path("backship.toml").write_text("wait_hours = 5\n")
    found = _json("config", capsys)
    assert isinstance(found, dict)
    assert found["broker_url"] == "amqp://user:***@a/v;amqp://user:***@b/v"
    assert (found["wait_hours"], found["defaults"]["safety_stock"]) == (5, 7)
    assert run(["config"]) == 0
    shown = capsys.readouterr().out
    assert "secret" not in shown
    assert "BACKSHIP_DEFAULTS__SAFETY_STOCK" in shown


def test_the_schemas_of_all_messages_are_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schema", "docs/schemas"]) == 0
    written = {path.name: path.read_bytes() for path in (here / "docs" / "schemas").iterdir()}
    assert written == documents()
    assert f"{len(written)} documents" in capsys.readouterr().out


def test_without_a_folder_there_is_the_asyncapi_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema"]) == 0
    assert orjson.loads(capsys.readouterr().out)["asyncapi"].startswith("3.")
