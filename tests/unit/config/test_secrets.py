"""Secrets come from variables or files, go into URLs, and are shown nowhere."""

from pathlib import Path

import pytest

from config import secrets, settings
from config.errors import SettingsError

SECRET = "s3cr3t-Ünsägliches"  # noqa: S105 - to be looked for, opens nothing


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a backship.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file(folder: Path, content: str) -> str:
    path = folder / "secret"
    path.write_text(content)
    return str(path)


def test_a_setting_may_come_from_a_file(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql+psycopg://u:{SECRET}@h/d"
    monkeypatch.setenv("BACKSHIP_DATABASE_URL_FILE", file(alone, f"{url}\n"))
    (alone / "hours").write_text("7")
    monkeypatch.setenv("BACKSHIP_WAIT_HOURS_FILE", str(alone / "hours"))
    given = settings.read()
    assert given.database_url == url
    assert given.wait_hours == 7
    shown = given.shown()
    assert shown["database_url"] == "postgresql+psycopg://u:***@h/d"
    assert shown["from_files"] == {
        "database_url": str(alone / "secret"),
        "wait_hours": str(alone / "hours"),
    }
    assert SECRET not in str(shown)


def test_a_file_goes_before_backship_toml(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "backship.toml").write_text("wait_hours = 3\ninbox_days = 4\n")
    monkeypatch.setenv("BACKSHIP_WAIT_HOURS_FILE", file(alone, "5"))
    assert (settings.read().wait_hours, settings.read().inbox_days) == (5, 4)


def test_both_a_variable_and_its_file_are_refused_by_name(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_BROKER_URL", f"amqp://u:{SECRET}@h/")
    monkeypatch.setenv("BACKSHIP_BROKER_URL_FILE", file(alone, f"amqp://u:{SECRET}@h/"))
    with pytest.raises(SettingsError) as refused:
        settings.read()
    assert str(refused.value) == (
        "BACKSHIP_BROKER_URL and BACKSHIP_BROKER_URL_FILE are both set; one of them is enough"
    )


def test_a_file_that_can_not_be_read_is_named_and_its_content_is_not(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = alone / "nowhere"
    monkeypatch.setenv("BACKSHIP_DATABASE_PASSWORD_FILE", str(missing))
    with pytest.raises(SettingsError, match="No such file") as refused:
        settings.read()
    assert f"BACKSHIP_DATABASE_PASSWORD_FILE: {missing}" in str(refused.value)
    missing.write_bytes(b"\xff" + SECRET.encode())
    with pytest.raises(SettingsError, match="is not UTF-8 text") as refused:
        settings.read()
    missing.write_text(SECRET * secrets.SECRET_BYTES_MAX)
    with pytest.raises(SettingsError, match="is longer than") as refused:
        settings.read()
    assert SECRET not in str(refused.value)


def test_passwords_are_put_into_every_url(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", "postgresql+psycopg://u@/db?host=a:1&host=b:2")
    monkeypatch.setenv("BACKSHIP_DATABASE_PASSWORD_FILE", file(alone, "a/b@c:d %\n"))
    monkeypatch.setenv("BACKSHIP_BROKER_URL", "amqp://w@a/v;amqps://w@b:5/v?cafile=c")
    monkeypatch.setenv("BACKSHIP_BROKER_PASSWORD", "ä")
    given = settings.read()
    assert given.database_url == (
        "postgresql+psycopg://u:a%2Fb%40c%3Ad%20%25@/db?host=a:1&host=b:2"
    )
    assert given.broker_url == "amqp://w:%C3%A4@a/v;amqps://w:%C3%A4@b:5/v?cafile=c"
    shown = given.shown()
    assert (shown["database_password"], shown["broker_password"]) == ("***", "***")
    assert shown["broker_url"] == "amqp://w:***@a/v;amqps://w:***@b:5/v?cafile=c"
    assert "%C3" not in str(shown)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql+psycopg://h/d", "names no user it would be of"),
        (f"postgresql+psycopg://u:{SECRET}@h/d", "holds a password already"),
        ("sqlite:///x.db", "names no user it would be of"),
        ("postgresql+psycopg://u@[h/d", "can not be read as a URL"),
    ],
)
def test_a_password_without_a_place_is_refused(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", url)
    monkeypatch.setenv("BACKSHIP_DATABASE_PASSWORD", SECRET)
    with pytest.raises(SettingsError, match=sentence) as refused:
        settings.read()
    assert SECRET not in str(refused.value)
    assert "BACKSHIP_DATABASE_URL" in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("amqp://u:pw@h/v;amqp://u:pw@g/v", "amqp://u:***@h/v;amqp://u:***@g/v"),
        ("amqp://u:p/w@h/v", "amqp://***@h/v"),
        ("amqp://u:p?w@h/v", "amqp://***@h/v"),
        ("amqp://u:p#w@h/v", "amqp://***@h/v"),
        ("postgresql+psycopg://h/d?password=pw&user=u", "postgresql+psycopg://h/d?password=***&user=u"),
        ("postgresql+psycopg://h/d?sslpassword=pw", "postgresql+psycopg://h/d?sslpassword=***"),
        ("amqp://u:p%40w@h", "amqp://u:***@h"),
        ("amqp://u:p@w@h", "amqp://u:***@h"),
        ("amqp://[h", "***"),
        ("sqlite:///a@b.db", "sqlite:///a@b.db"),
    ],
)  # fmt: skip
def test_what_is_shown_of_a_url_holds_no_password(url: str, shown: str) -> None:
    assert secrets.masked(url) == shown


def test_a_mistyped_file_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKSHIP_DATABSE_URL_FILE", "/run/secrets/x")
    with pytest.raises(SettingsError, match="BACKSHIP_DATABSE_URL_FILE is no setting"):
        settings.read()
