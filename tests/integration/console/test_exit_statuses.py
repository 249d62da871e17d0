"""0 done, 1 it does not hold or nobody knows it, 2 wrong use, 3 no server: always one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from console.main import run
from store import migrations, schema
from store.transaction import Database
from tests.support import services
from tests.support.builders import stock_received
from tests.support.telling import tell

NOBODY = "postgresql+psycopg://127.0.0.1:1/nothing"
NO_BROKER = "amqp://127.0.0.1:1/"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in; there, the default settings mean SQLite and the embedded queue."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _with_tables() -> Database:
    database = Database("sqlite:///backship.db")
    migrations.upgrade(database)
    return database


def _run(
    arguments: str, capsys: pytest.CaptureFixture[str], sentence: str, *, out: str = ""
) -> int:
    """Run it; it prints one sentence on standard error, and on standard output only `out`."""
    status = run(arguments.split())
    said = capsys.readouterr()
    assert said.out == out
    (line,) = said.err.splitlines()
    assert sentence in line
    return status


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("order", "Missing argument 'SHOP/ID'"),
        ("order main/1 --xml", "No such option"),
        ("order main", "it takes SHOP/ID"),
        ("explain main", "it takes SHOP/ID"),
        ("emitted --since yesterday", "yesterday is no time"),
        ("replenishments --state lost", "lost"),
        ("dead list --reason because", "because"),
        ("dead", "Missing command"),
        ("dead retry", "It takes ids, --reason, --type or --all."),
        ("dead retry --rate 0 --all", "'--rate'"),
        ("dead discard --all", "Missing option '--why'"),
        ("dead discard --all --why=", "--why takes a few words"),
        ("worker --processes 0", "'--processes'"),
        ("publish", "Missing argument"),
        ("publish nowhere.jsonl", "nowhere.jsonl can not be read: No such file or directory."),
        ("publish .", ". can not be read: Is a directory."),
    ],
)
def test_wrong_use_is_2(arguments: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(arguments, capsys, sentence) == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABSE_URL", "x", "did you mean BACKSHIP_DATABASE_URL?"),
        ("WAIT_HOURS", "soon", "BACKSHIP_WAIT_HOURS"),
        ("DEFAULTS__BACKORDER_POLICY", "maybe", "BACKSHIP_DEFAULTS__BACKORDER_POLICY"),
        ("DATABASE_URL", "mysql://u:secret@h/d", "DATABASE_URL must begin with"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL must begin with"),
    ],
)
def test_a_wrong_setting_is_2_and_is_named(
    name: str,
    value: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"BACKSHIP_{name}", value)
    assert _run("stock A", capsys, sentence) == 2


def test_a_wrong_broker_url_is_2(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here.exists()
    monkeypatch.setenv("BACKSHIP_BROKER_URL", "amqp://u:secret@host:not-a-port/")
    assert _run("topology --check", capsys, "BROKER_URL") == 2


LOOKS = [
    "order main/1",
    "stock A",
    "backorders",
    "replenishments",
    "replenishment R",
    "exceptions",
    "emitted",
    "audit",
    "dead list",
    "dead show 0",
    "dead retry --all",
    "dead discard --all --why old",
]


@pytest.mark.parametrize("arguments", LOOKS)
def test_no_database_yet_is_2_and_none_is_made(
    arguments: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(f"{arguments} --json", capsys, "run `backship init`") == 2
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("here")
def test_tables_of_another_version_are_2(capsys: pytest.CaptureFixture[str]) -> None:
    database = _with_tables()
    with database.begin() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    database.close()
    assert _run("stock A", capsys, "are of version 0001") == 2


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("arguments", ["stock A", "init", "audit --json"])
def test_a_database_that_can_not_be_reached_is_3(
    arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", NOBODY)
    assert _run(arguments, capsys, "can not be reached") == 3


@pytest.mark.postgres
@pytest.mark.usefixtures("here")
def test_a_database_that_refuses_us_is_3_and_no_password_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = services.postgres_url().rpartition("/")[0] + "/there_is_no_such_database"
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", url)
    assert _run("stock A", capsys, "there_is_no_such_database") == 3


@pytest.mark.usefixtures("here")
def test_a_broker_that_can_not_be_reached_is_3_and_the_tables_are_made_all_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_BROKER_URL", NO_BROKER)
    made = f"Tables of sqlite:///backship.db are created (version {schema.REVISION}).\n"
    assert _run("init", capsys, "127.0.0.1:1", out=made) == 3
    assert _run("topology --check", capsys, "127.0.0.1:1") == 3
    Database("sqlite:///backship.db").check_schema()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "arguments",
    [
        "order main/1",
        "explain main/1",
        "stock A",
        "replenishment R-1",
        "dead show 0123456789abcdef",
    ],
)
def test_a_name_nobody_knows_is_1_and_null_for_programs(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_tables().close()
    assert _run(arguments, capsys, "is not known.") == 1
    assert _run(f"{arguments} --json", capsys, "is not known.", out="null\n") == 1


@pytest.mark.usefixtures("here")
def test_an_audit_that_finds_a_difference_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    database = _with_tables()
    tell(database, stock_received("r1", "WH1", [("A", 2)]))
    assert run(["audit"]) == 0
    with database.begin() as tx:
        tx.connection.execute(text("UPDATE stock SET on_hand = 7"))
    database.close()
    capsys.readouterr()
    assert run(["audit"]) == 1
    said = capsys.readouterr().out
    assert "1 difference" in said
    assert "L2    stock.on_hand  A    WH1           2      7  -" in said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("where", ["--debug stock", "stock --debug"])
def test_debug_shows_the_stack_before_the_sentence(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*where.split(), "A"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.splitlines()[-1].endswith("run `backship init`.")


@pytest.mark.usefixtures("here")
def test_a_bug_is_one_sentence_that_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_arguments: object, **_options: object) -> int:
        raise ZeroDivisionError("division by zero")

    broken: Callable[..., int] = break_down
    monkeypatch.setattr("console.describing.show_settings", broken)
    assert _run("config", capsys, "this should not happen: ZeroDivisionError") == 1
