"""`backship dead`: chosen, shown beforehand, done once, and told afterwards."""

import sys
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import orjson
import pytest

from console import mending
from console.main import run
from console.mending import Request, mend
from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders
from handlers.decision import Outcome
from handlers.turn import Turn
from store.set_aside import SetAsideRow, record
from tests.support.builders import order_placed, stock_counted
from tests.support.command import Ended, Inside
from tests.support.desk import NOW, finish, hear, open_desk, rows
from tests.support.stack import outgoing
from tests.support.wire import body_of
from workers.clock import SettableClock
from workers.process import Desk

BAD = body_of("OrderPlaced", {"shop": "main", "order_id": "7"}, event_id="E7", source="/shops/main")
STATES = "SELECT state, COUNT(*) FROM set_aside GROUP BY state ORDER BY state"


@pytest.fixture
def desk(sqlite_database_url: str) -> Iterator[Desk]:
    """Three things set aside: two orders whose handler had a bug, and a count in conflict."""
    with open_desk(sqlite_database_url) as made, pytest.MonkeyPatch.context() as patch:

        def with_a_bug(_turn: Turn, _event: Event, data: OrderPlaced) -> Outcome:
            raise ZeroDivisionError(data.order_id)

        patch.setattr(orders, "placed", with_a_bug)
        hear(made, order_placed("1", [("A", 1)]), order_placed("2", [("A", 2)]))
        patch.undo()
        hear(made, *(stock_counted("c1", "WH1", [("A", qty)]) for qty in (1, 2)))
        yield made


@pytest.fixture
def backship(desk: Desk, sqlite_database_url: str, tmp_path: Path) -> Inside:
    del desk
    return Inside(tmp_path, {"database_url": sqlite_database_url})


def key_of(desk: Desk, order_id: str) -> str:
    """The id of the set-aside row of an order."""
    for key, body in rows(desk, "SELECT id, body FROM set_aside"):
        assert isinstance(body, bytes)
        if f'"order_id":"{order_id}"'.encode() in body:
            return str(key)
    raise AssertionError(order_id)


def states(desk: Desk) -> dict[object, object]:
    return {row[0]: row[1] for row in rows(desk, STATES)}


@pytest.mark.parametrize(
    ("options", "matched"),
    [
        (["--all"], 3),
        (["--reason", "gave_up"], 2),
        (["--type", "StockCounted"], 1),
        (["--reason", "gave_up", "--type", "OrderPlaced"], 2),
        (["--reason", "gave_up", "--type", "StockCounted"], 0),
        (["--all", "--reason", "conflict"], 1),
    ],
)
def test_a_dry_run_shows_what_would_be_done_and_changes_nothing(
    desk: Desk, backship: Inside, options: list[str], matched: int
) -> None:
    found = backship.json("dead", "retry", *options, "--dry-run")
    assert (found["action"], found["dry_run"], found["done"]) == ("retry", True, 0)
    assert (found["matched"], len(found["ids"]), found["skipped"]) == (matched, matched, [])
    assert states(desk) == {"set_aside": 3}
    assert rows(desk, "SELECT * FROM operations") == []
    done = backship.json("dead", "retry", *options)
    assert done == {
        "action": "retry",
        "dry_run": False,
        "matched": matched,
        "done": matched,
        "skipped": [],
    }
    assert states(desk).get("retrying", 0) == matched


def test_a_person_sees_groups_and_ids_before_and_counts_after(desk: Desk, backship: Inside) -> None:
    out = backship.done("dead", "retry", "--all", "--dry-run")
    assert "gave_up   OrderPlaced   -           2" in out
    assert "3 events would be tried again" in out
    assert key_of(desk, "1") in out
    assert backship.done("dead", "retry", "--type", "StockCounted") == (
        "1 event will be tried again by the workers.\n"
    )
    ended = backship.run("dead", "discard", key_of(desk, "1"), "--why", "the shop took it back")
    assert (ended.status, ended.out, ended.err) == (0, "1 event discarded.\n", "")
    assert backship.done("dead", "discard", "--reason", "malformed", "--why", "x") == (
        "0 events discarded.\n"
    )


def test_an_id_nobody_knows_is_named_and_the_others_are_done(desk: Desk, backship: Inside) -> None:
    key = key_of(desk, "1")
    ended = backship.run("dead", "retry", "0" * 16, key)
    assert ended == Ended(
        1,
        "1 event will be tried again by the workers.\n",
        f"{'0' * 16} is left as it is: it is not known.\n",
    )
    found = backship.json("dead", "retry", "0" * 16, key, status=1)
    assert (found["matched"], found["done"]) == (0, 0)
    assert found["skipped"] == [
        {"id": "0" * 16, "state": None, "why": "it is not known"},
        {"id": key, "state": "retrying", "why": "it is about to be tried again already"},
    ]


def test_what_has_been_done_already_is_done_once_and_nothing_wrong(
    desk: Desk, backship: Inside
) -> None:
    key = key_of(desk, "1")
    for _ in range(3):
        backship.done("dead", "retry", key, key)
    finish(desk)
    backship.done("dead", "retry", key)
    assert rows(desk, "SELECT action FROM operations") == [("retry",)]
    assert backship.run("dead", "discard", key, "--why", "too late").status == 1
    other = key_of(desk, "2")
    for _ in range(2):
        backship.done("dead", "discard", other, "--why", "not wanted")
    assert backship.run("dead", "retry", other).err == (
        f"{other} is left as it is: it has been discarded.\n"
    )
    assert states(desk) == {"discarded": 1, "resolved": 1, "set_aside": 1}


def test_waiting_tells_what_became_of_them(desk: Desk, backship: Inside) -> None:
    def work() -> None:
        while states(desk).get("retrying", 0) != 3:
            time.sleep(0.02)
        finish(desk)

    worker = threading.Thread(target=work)
    worker.start()
    found = backship.json("dead", "retry", "--all", "--wait", status=1)
    worker.join()
    (again,) = found["ends"].pop("set_aside")
    assert found["ends"] == {"applied": 2, "retrying": 0}
    assert again["reason"] == "conflict"
    assert states(desk) == {"resolved": 2, "set_aside": 1}


def test_waiting_ends_when_no_worker_comes(desk: Desk, backship: Inside) -> None:
    ended = backship.run("dead", "retry", "--all", "--wait", "--seconds-max", "0")
    assert ended == Ended(1, "Of 3 events: 3 wait for a worker.\n", "")
    assert states(desk) == {"retrying": 3}


def test_not_more_are_tried_again_in_a_second_than_was_asked_for(
    desk: Desk,
    backship: Inside,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = [b"{%d" % n for n in range(40)]
    hear(desk, *(("OrderPlaced.main", body) for body in bad))
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", backship.settings["database_url"])
    clock = SettableClock(NOW)
    assert mend(Request(action="retry", ids=(), reason="malformed", rate=8), clock) == 0
    assert capsys.readouterr().out == "40 events will be tried again by the workers.\n"
    assert clock.monotonic() == 40 / 8
    marked = rows(desk, "SELECT at, COUNT(*) FROM operations GROUP BY at ORDER BY at")
    assert [count for _at, count in marked] == [8] * 5


def test_many_are_done_in_bounded_statements(
    desk: Desk, backship: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mending, "SLICE_MAX", 7)
    with desk.database.begin() as tx:
        bodies = [b"{%d" % n for n in range(50)]
        record(
            tx,
            [SetAsideRow(None, None, None, "malformed", None, "x", body) for body in bodies],
            NOW,
        )
    assert backship.json("dead", "discard", "--all", "--why", "a test")["done"] == 53
    assert states(desk) == {"discarded": 53}
    assert rows(desk, "SELECT COUNT(*) FROM operations") == [(53,)]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "options", "done"), [("n", [], 0), ("y", [], 3), ("", ["--yes"], 3)]
)
def test_a_person_who_says_all_is_asked(  # noqa: PLR0913, PLR0917 - a table of cases
    desk: Desk,
    backship: Inside,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    options: list[str],
    done: int,
) -> None:
    monkeypatch.setenv("BACKSHIP_DATABASE_URL", backship.settings["database_url"])
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    assert run(["dead", "discard", "--all", "--why", "old", *options]) == (0 if done else 1)
    assert states(desk).get("discarded", 0) == done
    said = capsys.readouterr()
    assert ("Everything set aside is to be discarded?" in said.err + said.out) is not bool(options)


def test_one_is_shown_with_its_history_and_where_the_bug_is(desk: Desk, backship: Inside) -> None:
    key = key_of(desk, "1")
    backship.done("dead", "retry", key, "--by", "ada", "--why", "mended in 1.2")
    shown = backship.json("dead", "show", key)
    (done,) = shown["operations"]
    assert (done["operator"], done["action"], done["why"]) == ("ada", "retry", "mended in 1.2")
    out = backship.done("dead", "show", key)
    assert "to be tried again  mended in 1.2" in out
    stack = out.partition("\nStack\n")[2]
    assert stack.startswith("Traceback (most recent call last):\n")
    assert "ZeroDivisionError: 1\n\nBody\n{" in stack


def test_a_copy_has_another_id_and_names_what_it_corrects(desk: Desk, backship: Inside) -> None:
    hear(desk, ("OrderPlaced.main", BAD), ("OrderPlaced.main", b"{"), ("x", b'{"id": "1"}'))
    keys = {
        orjson.loads(backship.done("dead", "show", row["id"], "--json"))["body"]: row["id"]
        for row in backship.json("dead", "list", "--reason", "malformed")
    }
    original = orjson.loads(BAD)
    cause = {"source": "/shops/main", "id": "E7", "type": "OrderPlaced"}
    key = keys[BAD.decode()]
    copy = orjson.loads(backship.done("dead", "show", key, "--copy"))
    assert copy == {**original, "id": "E7-corrected", "caused_by": cause}
    named = backship.done("dead", "show", key, "--copy", "--new-id", "E8")
    assert orjson.loads(named) == {**original, "id": "E8", "caused_by": cause}
    assert backship.run("dead", "show", keys["{"], "--copy").status == 1
    nameless = backship.run("dead", "show", keys['{"id": "1"}'], "--copy")
    assert orjson.loads(nameless.out) == {"specversion": "1.0", "id": "1-corrected"}
    assert "the copy can not name it" in nameless.err
    assert backship.run("dead", "show", "nobody", "--copy").status == 1


def test_the_story_of_an_order_tells_what_is_done_about_what_was_set_aside(
    desk: Desk, backship: Inside
) -> None:
    def last() -> str:
        return str(backship.json("explain", "main/1")[-1]["text"])

    message = outgoing(order_placed("1", [("A", 9)], event_id="later"))
    assert "had no effect and was set aside (gave up)" in last()
    backship.done("dead", "retry", key_of(desk, "1"))
    assert last().endswith("; it is to be tried again")
    finish(desk)
    assert "set aside" not in last()
    hear(desk, (message.routing_key, message.body))
    assert "set aside (conflict)" in last()
    backship.done("dead", "discard", "--reason", "conflict", "--why", "the shop's mistake")
    assert last().endswith("; a person has discarded it")
