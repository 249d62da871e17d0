"""`publish`: good events reach the inbox, bad ones are named by line, field and reason."""

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from config.settings import read
from tests.support.command import Command, Inside
from tests.support.wire import T0, body_of
from workers.transports.base import Delivery
from workers.wiring import opened


def _body(number: int, **more: object) -> bytes:
    line = {"line_id": "1", "sku": "A", "qty": 1, **more}
    data = {"shop": "main", "order_id": str(number), "placed_at": T0, "lines": [line]}
    return body_of("OrderPlaced", data, source="/shops/main", event_id=f"e{number}")


@pytest.fixture
def backship(tmp_path: Path, sqlite_database_url: str) -> Inside:
    """The command beside an embedded queue that is ready."""
    command = Inside(tmp_path, {"database_url": sqlite_database_url})
    command.done("init")
    return command


def _inbox(command: Command) -> list[Delivery]:
    """Take everything out of the inbox."""
    settings = read(**command.settings)
    with opened(settings) as house:
        consumer = house.transport.consumer(house.topology.inbox_queue)
        found: list[Delivery] = []
        while deliveries := consumer.receive(1000, 0.5):
            found += deliveries
            consumer.ack(deliveries)
        consumer.close()
        return found


def test_json_lines_reach_the_inbox_in_their_order_as_they_are(backship: Inside) -> None:
    bodies = [_body(n) for n in range(5)]
    (backship.folder / "orders.jsonl").write_bytes(b"\n".join(bodies) + b"\n")
    assert backship.done("publish", "orders.jsonl") == "5 events sent to backship.in.\n"
    found = _inbox(backship)
    assert [row.body for row in found] == bodies
    assert {row.routing_key for row in found} == {"OrderPlaced.main"}


def test_an_array_several_files_and_standard_input_are_sent(backship: Inside) -> None:
    (backship.folder / "array.json").write_bytes(b"[\n" + _body(1) + b",\n" + _body(2) + b"]")
    pretty = orjson.dumps(orjson.loads(_body(3)), option=orjson.OPT_INDENT_2)
    (backship.folder / "pretty.json").write_bytes(pretty)
    sent = backship.done("publish", "array.json", "pretty.json", "-", given=_body(4))
    assert sent == "4 events sent to backship.in.\n"
    ids = [orjson.loads(row.body)["id"] for row in _inbox(backship)]
    assert ids == ["e1", "e2", "e3", "e4"]


def test_bad_lines_are_named_and_left_out_and_the_others_are_sent(backship: Inside) -> None:
    lines = [_body(1), b"{not json", _body(2, qty=0), b"", _body(3), body_of("Nonsense", {})]
    (backship.folder / "orders.jsonl").write_bytes(b"\n".join(lines))
    ended = backship.run("publish", "orders.jsonl")
    assert (ended.status, ended.out) == (1, "2 events sent to backship.in; 3 left out.\n")
    said = ended.err.splitlines()
    assert said[0].startswith("orders.jsonl:2: malformed: the body is not JSON")
    assert said[1] == ("orders.jsonl:3: malformed: data.lines.0.qty must be at least 1; found 0")
    assert said[2].startswith("orders.jsonl:6: unknown_type: type must be that of an event in")
    assert [orjson.loads(row.body)["id"] for row in _inbox(backship)] == ["e1", "e3"]


def test_windows_are_confirmed_one_after_the_other(backship: Inside) -> None:
    bodies = [_body(n) for n in range(25)]
    backship.settings["relay_window_max"] = "10"
    said = backship.done("publish", "-", given=b"\n".join(bodies))
    assert said == "25 events sent to backship.in.\n"
    assert [row.body for row in _inbox(backship)] == bodies


def test_one_event_is_one_event(backship: Inside) -> None:
    assert backship.done("publish", "-", given=_body(1)) == "1 event sent to backship.in.\n"


def test_without_a_topology_nothing_is_sent_and_nothing_made(tmp_path: Path) -> None:
    ended = Inside(tmp_path).run("publish", "-", given=_body(1))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.splitlines() == [
        "0 events confirmed before this:",
        "backship: backship.in does not exist on the broker; run `backship init`.",
    ]
    assert list(tmp_path.iterdir()) == []


def test_without_a_queue_behind_the_exchange_nothing_is_said_to_be_sent(
    backship: Inside,
) -> None:
    with closing(sqlite3.connect(backship.folder / "backship.db")) as db, db:
        db.execute("DELETE FROM queue_bindings WHERE exchange = 'backship.in'")
    ended = backship.run("publish", "-", given=_body(1))
    assert (ended.status, ended.out) == (2, "")
    assert "A queue bound to backship.in does not exist" in ended.err


@pytest.mark.broker
def test_the_same_goes_for_rabbitmq(
    tmp_path: Path, sqlite_database_url: str, vhost_url: str, topology_prefix: str
) -> None:
    settings = {
        "database_url": sqlite_database_url,
        "broker_url": vhost_url,
        "topology_prefix": topology_prefix,
        "relay_window_max": "2",
    }
    command = Command(tmp_path, settings)
    command.done("init")
    bodies = [_body(n) for n in range(3)]
    said = command.done("publish", "-", given=b"\n".join(bodies))
    assert said == f"3 events sent to {topology_prefix}.in.\n"
    assert [row.body for row in _inbox(command)] == bodies
