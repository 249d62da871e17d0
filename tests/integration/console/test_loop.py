"""From `init` to `audit` by nothing but the command, on both stacks."""

from pathlib import Path

import pytest

from tests.support.builders import (
    item_changed,
    order_placed,
    replenishment_closed,
    stock_received,
    stock_transferred,
)
from tests.support.command import Command, Inside
from tests.support.keeping import arrival
from tests.support.story import SOON
from tests.support.wire import T0


def _given(*events: object) -> bytes:
    return b"\n".join(arrival(event).body for event in events)  # type: ignore[arg-type]


def _settings(request: pytest.FixtureRequest, stack: str) -> dict[str, str]:
    if stack == "embedded":
        return {"database_url": request.getfixturevalue("sqlite_database_url")}
    return {
        "database_url": request.getfixturevalue("postgres_database_url"),
        "broker_url": request.getfixturevalue("vhost_url"),
        "topology_prefix": request.getfixturevalue("topology_prefix"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "stack",
    [
        "embedded",
        pytest.param("servers", marks=[pytest.mark.broker, pytest.mark.postgres]),
    ],
)
def test_an_order_waits_and_is_released_when_its_goods_arrive(
    stack: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = _settings(request, stack)
    backship, worker = Inside(tmp_path, settings), Command(tmp_path, settings)
    assert "are created" in backship.done("init")
    assert "are up to date" in backship.done("init")
    backship.done(
        "publish",
        "-",
        given=_given(
            item_changed("A", vendor="V"),
            stock_received("r0", "WH1", [("B", 1)]),
            order_placed("1", [("A", 2)], placed_at=T0),
        ),
    )
    worker.done("worker", "--burst")
    (bought,) = backship.json("replenishments", "--state", "open")
    assert backship.json("order", "main/1")["status"] == "held"
    name = bought["replenishment_id"]
    backship.done(
        "publish",
        "-",
        given=_given(
            replenishment_closed(name, lines=[("A", [(2, SOON)])]),
            stock_received("r1", "DOCK", [("A", 2)], replenishment_id=name),
            stock_transferred("t1", "DOCK", bought["destination"], [("A", 2)]),
        ),
    )
    worker.done("worker", "--burst", "--processes", "2")
    order = backship.json("order", "main/1")
    assert (order["status"], order["restock_status"]) == ("open", "full")
    assert [row["type"] for row in backship.json("emitted", "--type", "BackToShip")] == [
        "BackToShip"
    ]
    assert backship.json("audit")["differences"] == []
    assert backship.json("topology", "--check")["differences"] == []


@pytest.mark.slow
def test_init_applies_changed_rule_settings_to_what_waits(
    tmp_path: Path, sqlite_database_url: str
) -> None:
    settings = {"database_url": sqlite_database_url}
    off = {**settings, "auto_replenish_enabled": "false"}
    Inside(tmp_path, off).done("init")
    events = _given(item_changed("A", vendor="V"), order_placed("1", [("A", 2)]))
    Inside(tmp_path, off).done("publish", "-", given=events)
    Command(tmp_path, off).done("worker", "--burst")
    backship = Inside(tmp_path, settings)
    assert backship.json("replenishments") == []
    assert "Rule settings have changed" in backship.done("init")
    Command(tmp_path, settings).done("worker", "--burst")
    (bought,) = backship.json("replenishments")
    assert [(line["sku"], line["qty"]) for line in bought["lines"]] == [("A", 2)]
    assert backship.json("audit")["differences"] == []


def test_a_worker_without_a_database_or_topology_ends_with_2(
    tmp_path: Path, sqlite_database_url: str
) -> None:
    backship = Command(tmp_path, {"database_url": sqlite_database_url})
    ended = backship.run("worker", "--burst")
    assert ended.status == 2
    assert ended.err.splitlines()[-1].endswith("run `backship init`.")
    supervised = backship.run("worker", "--burst", "--processes", "1")
    assert supervised.status == 2
