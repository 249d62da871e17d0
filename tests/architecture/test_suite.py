"""The suite itself: it leaves nothing out unless told to, says so then, and random tests repeat."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import services
from tests.support.budget import repeatable, seeds

ROOT = Path(__file__).parent.parent.parent


def _collected(services_choice: str | None, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "SERVICES"}
    if services_choice is not None:
        environment["SERVICES"] = services_choice
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.slow
def test_without_servers_the_suite_leaves_out_what_needs_them_and_says_so() -> None:
    said = _collected("none", "tests/integration/test_deploy.py", "tests/architecture")
    assert "servers: NONE" in said
    assert "NOT the whole suite" in said
    assert "test_deploy.py" not in said
    assert "test_suite.py" in said


@pytest.mark.slow
def test_with_servers_nothing_is_left_out_and_no_password_is_shown() -> None:
    said = _collected(None, "tests/integration/test_deploy.py")
    assert "test_deploy.py" in said
    assert "deselected" not in said
    assert services.without_password(services.amqp_url()) in said
    assert "guest:guest@" not in said


def test_an_address_is_shown_without_its_password() -> None:
    assert services.without_password("amqp://u:secret@h:5672/v") == "amqp://u:***@h:5672/v"
    assert services.without_password("amqp://h:5672/v") == "amqp://h:5672/v"
    assert services.without_password("sqlite:////tmp/x.db") == "sqlite:////tmp/x.db"


def test_an_address_changes_its_host_for_nothing_but_what_is_asked() -> None:
    assert services.with_vhost("amqp://u:p@h:5672/", "v1") == "amqp://u:p@h:5672/v1"
    assert services.with_user("amqp://u:p@h:5672/v", "a", "b") == "amqp://a:b@h:5672/v"


def test_random_runs_end_with_their_budget_and_there_is_always_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BACKSHIP_TEST_SEED", raising=False)
    monkeypatch.delenv("BACKSHIP_TEST_BUDGET_FACTOR", raising=False)
    assert len(list(seeds(seconds=0))) == 1
    started = time.monotonic()
    drawn = set()
    for seed in seeds(seconds=0.05):
        drawn.add(seed)
        time.sleep(0.005)
    assert len(drawn) > 1
    assert time.monotonic() - started < 5


def test_a_longer_budget_is_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKSHIP_TEST_SEED", raising=False)
    monkeypatch.setenv("BACKSHIP_TEST_BUDGET_FACTOR", "20")
    started = time.monotonic()
    for _ in seeds(seconds=0.005):
        time.sleep(0.001)
    assert time.monotonic() - started >= 0.1


def test_a_failing_seed_is_named_and_can_be_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError) as failed, repeatable(4711):
        raise AssertionError
    (note,) = failed.value.__notes__
    assert "BACKSHIP_TEST_SEED=4711" in note
    monkeypatch.setenv("BACKSHIP_TEST_SEED", "4711")
    assert list(seeds(seconds=60)) == [4711]
