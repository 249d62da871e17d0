"""Every query of the command line, on a database of each kind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from store import migrations
from store.transaction import Database
from tests.support.builders import order_placed
from tests.support.command import ROOT, Command, Inside
from tests.support.documents import BROKEN, ORDER, QUERIES, SET_ASIDE, given
from tests.support.story import FIRST
from tests.support.telling import deliver, tell


@pytest.fixture
def backship(database_url: str, tmp_path: Path) -> Inside:
    """The command beside a database in which one order waits for a finalized replenishment."""
    database = Database(database_url)
    migrations.upgrade(database)
    tell(database, *given())
    deliver(database, BROKEN)
    database.close()
    return Inside(tmp_path, {"database_url": database_url})


def test_json_is_what_the_contract_says_and_nothing_else_is_printed(backship: Inside) -> None:
    assert {query: backship.json(*query) for query in QUERIES} == QUERIES
    emitted = backship.json("emitted", "--type", "OrderBackordered", "--since", "2026-11-21")
    assert [event["data"] for event in emitted] == [
        {
            "shop": "main",
            "order_id": "1",
            "lines": [
                {
                    "line_id": line_id,
                    "sku": sku,
                    "qty": qty,
                    "expected_at": None,
                    "alternatives": [],
                    "notify": False,
                }
                for line_id, sku, qty in (("1", "A", 2), ("2", "B", 1))
            ],
            "expected_at": None,
        }
    ]
    (listed,) = backship.json("dead", "list")
    key = listed.pop("id")
    assert listed == SET_ASIDE
    shown = backship.json("dead", "show", key)
    assert shown == {
        "id": key,
        **SET_ASIDE,
        "body": BROKEN.decode(),
        "headers": {},
        "detail": None,
        "operations": [],
    }


SAYS = {
    ("order", "main/1"): ["Order main/1", "held", "2026-11-24 10:00"],
    ("stock", "A"): ["net position  -2", "source", "main      7"],
    ("backorders",): ["Waiting: 1 order", "main/1"],
    ("backorders", "--ready"): ["No order waits."],
    ("replenishments",): ["1 replenishment", FIRST, "finalized"],
    ("replenishments", "--state", "closed"): ["Nothing is bought."],
    ("replenishment", FIRST): ["raised by       automation", "main/1 line 1: 2"],
    ("exceptions",): ["no_vendor", "main/1, sku B, line 2"],
    ("emitted",): ["OrderBackordered", "2 lines, 3 units"],
    ("audit",): ["order lines", "Everything adds up."],
    ("dead", "list"): ["By reason, type and field", "malformed", "type is missing"],
}


def test_a_person_reads_aligned_tables(backship: Inside) -> None:
    for query, words in SAYS.items():
        out = backship.done(*query)
        assert [word for word in words if word not in out] == [], out
        assert "\x1b" not in out
        assert not [line for line in out.splitlines() if line != line.rstrip()]


def test_a_table_of_many_shows_the_first_and_says_that_there_are_more(
    backship: Inside, database_url: str
) -> None:
    database = Database(database_url)
    tell(database, *(order_placed(f"more {n}", [(f"M{n}", 1)]) for n in range(3)))
    database.close()
    waiting = backship.json("backorders")
    assert backship.json("backorders", "--limit", "2") == waiting[:2]
    ended = backship.run("backorders", "--limit", "2")
    assert "Waiting: the first 2 orders" in ended.out
    assert "--limit 0 lists all" in ended.err
    assert "M2" not in ended.out
    ended = backship.run("backorders", "--limit", "0")
    assert "Waiting: all orders" in ended.out
    assert "M2" in ended.out
    assert ended.err == ""


@pytest.mark.slow
def test_the_process_itself_prints_one_document_and_nothing_else(backship: Inside) -> None:
    process = Command(backship.folder, backship.settings)
    assert process.json("order", "main/1") == ORDER
    ended = process.run("order", "main/2", "--json")
    assert (ended.status, ended.out, ended.err) == (1, "null\n", "Order main/2 is not known.\n")


def test_a_shop_or_an_order_may_have_a_slash_in_its_name(
    sqlite_database_url: str, tmp_path: Path
) -> None:
    database = Database(sqlite_database_url)
    migrations.upgrade(database)
    tell(database, order_placed("2026/7", [("A", 1)], shop="eu/main"))
    database.close()
    backship = Inside(tmp_path, {"database_url": sqlite_database_url})
    found = backship.json("order", "eu/main/2026/7")
    assert (found["shop"], found["order_id"]) == ("eu/main", "2026/7")


@pytest.mark.slow
def test_a_reader_that_has_had_enough_is_nothing_wrong(backship: Inside) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "emitted"],
        cwd=ROOT,
        env={**os.environ, "BACKSHIP_DATABASE_URL": backship.settings["database_url"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _nothing, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
