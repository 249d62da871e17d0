"""`backship demo` as a stranger runs it: what it prints is what the file it leaves holds.

Everything is counted again here, from the CSV and from the tables, by other means than the demo's.
"""

import csv
import gzip
import re
import shlex
import sqlite3
import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing

import orjson
import pytest

from tests.support.demo import DEMO_SECONDS_MAX, SAMPLE, Left, environment, is_order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * DEMO_SECONDS_MAX)]


@pytest.fixture(scope="module")
def lines() -> Sequence[dict[str, str]]:
    """The sample, line by line."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_takes_less_than_two_minutes(left: Left) -> None:
    assert left.seconds < DEMO_SECONDS_MAX


def test_it_leaves_one_file_and_no_question(left: Left) -> None:
    names = {path.name for path in left.directory.iterdir()}
    assert names - {"backship-demo.db-wal", "backship-demo.db-shm"} == {"backship-demo.db"}
    assert "?" not in left.printed
    assert "Traceback" not in left.complaints


def test_every_order_of_the_csv_is_in_the_ledger_line_by_line(
    left: Left, lines: Sequence[dict[str, str]]
) -> None:
    expected: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for line in filter(is_order, lines):
        expected[line["invoice"]].append((line["stock_code"], int(line["quantity"])))
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for order_id, sku, qty in left.rows(
        "SELECT order_id, sku, ordered FROM order_lines ORDER BY order_id, position"
    ):
        found[order_id].append((sku, qty))
    assert found == expected


def test_what_was_ordered_is_printed_as_the_csv_has_it(
    left: Left, lines: Sequence[dict[str, str]]
) -> None:
    orders = list(filter(is_order, lines))
    assert left.figures(r"Units ordered +([\d,]+) +([\d,]+) orders, ([\d,]+) lines") == [
        sum(int(line["quantity"]) for line in orders),
        len({line["invoice"] for line in orders}),
        len(orders),
    ]
    assert left.figures(r"^([\d,]+) invoices") == [len({line["invoice"] for line in lines})]


def test_what_was_not_replayed_is_printed_as_the_csv_has_it(
    left: Left, lines: Sequence[dict[str, str]]
) -> None:
    written_off = [
        -int(line["quantity"])
        for line in lines
        if line["invoice"].isdigit() and int(line["quantity"]) < 0
    ]
    counts = left.figures(r"Written off +([\d,]+) +in ([\d,]+) lines, told as counts")
    assert counts == [sum(written_off), len(written_off)]
    bad_debt = sum(line["invoice"].startswith("A") for line in lines)
    assert left.figures(r"([\d,]+) +lines that adjust bad debt") == [bad_debt]


def test_cancelled_lines_without_a_sale_are_counted_as_the_csv_has_it(
    left: Left, lines: Sequence[dict[str, str]]
) -> None:
    sold: Counter[tuple[str, str]] = Counter()
    unknown = cancelled = 0
    for line in lines:  # in the order of time
        key = (line["customer_id"], line["stock_code"])
        if is_order(line):
            sold[key] += int(line["quantity"])
        elif line["invoice"].startswith("C"):
            cancelled += 1
            units = min(sold[key], -int(line["quantity"])) if line["customer_id"] else 0
            sold[key] -= units
            unknown += units == 0
    # Nothing of what is cancelled in the sample was rejected: every unit sold can be taken back.
    assert left.figures(r"([\d,]+) +of ([\d,]+) C… lines") == [unknown, cancelled]


def test_every_unit_ordered_is_accounted_for(left: Left) -> None:
    [ordered] = left.figures(r"Units ordered +([\d,]+)")
    [at_once] = left.figures(r"ready at once +([\d,]+)")
    back_ordered, held_lines, held_orders = left.figures(
        r"back-ordered +([\d,]+) +([\d,]+) lines \(\d+ %\) of ([\d,]+) orders"
    )
    rejected, rejected_lines = left.figures(r"rejected +([\d,]+) +([\d,]+) lines")
    assert ordered == at_once + back_ordered + rejected
    assert at_once == left.units("ReadyToShip")
    told = left.emitted("OrderBackordered")
    assert back_ordered == left.units("OrderBackordered")
    assert (held_lines, held_orders) == (sum(len(data["lines"]) for data in told), len(told))
    assert [(rejected, rejected_lines)] == left.rows(
        "SELECT SUM(rejected), COUNT(*) FROM order_lines WHERE rejected > 0"
    )


def test_every_unit_that_waited_came_or_was_cancelled_or_waits(left: Left) -> None:
    [back_ordered] = left.figures(r"back-ordered +([\d,]+)")
    [released] = left.figures(r"Back to ship +([\d,]+)")
    [held, orders] = left.figures(r"Still held +([\d,]+) +of ([\d,]+) orders")
    assert released == left.units("BackToShip")
    assert [(held, orders)] == left.rows(
        "SELECT SUM(shortage), COUNT(DISTINCT order_id) FROM order_lines WHERE shortage > 0"
    )
    withdrawn = left.units("ReleaseCancelled")
    cancelled = left.value("SELECT SUM(cancelled) FROM order_lines")
    assert back_ordered == released + held + cancelled - withdrawn
    assert released > back_ordered // 20, "BackToShip happens at scale"


def test_what_was_cancelled_and_returned_is_in_the_ledger(left: Left) -> None:
    assert left.figures(r"Cancelled +([\d,]+)") == [
        left.value("SELECT SUM(cancelled) FROM order_lines")
    ]
    assert left.figures(r"Returned +([\d,]+)") == [
        left.value("SELECT SUM(qty) FROM movements WHERE reason = 'returned'")
    ]


def test_what_was_released_has_been_shipped(left: Left) -> None:
    allocated, shipped = left.rows("SELECT SUM(allocated), SUM(shipped) FROM order_lines")[0]
    released = left.units("ReadyToShip") + left.units("BackToShip")
    assert allocated == 0, "the pipeline has run to its end"
    assert shipped == released - left.units("ReleaseCancelled")


def test_replenishments_are_printed_as_the_ledger_has_them(left: Left) -> None:
    states = Counter(dict(left.rows("SELECT state, COUNT(*) FROM replenishments GROUP BY state")))
    kinds = Counter(dict(left.rows("SELECT type, COUNT(*) FROM emitted GROUP BY type")))
    assert left.figures(
        r"Replenishments +([\d,]+) +raised; ([\d,]+) extended, ([\d,]+) reduced, ([\d,]+) cancelled"
    ) == [
        states.total(),
        kinds["ReplenishmentExtended"],
        kinds["ReplenishmentReduced"],
        states["cancelled"],
    ]
    assert left.figures(r"([\d,]+) +closed: ([\d,]+) received in full, ([\d,]+) given up") == [
        states["received"] + states["closed"],
        states["received"],
        states["closed"],
    ]


def test_only_what_no_vendor_sells_still_waits(left: Left) -> None:
    held = left.rows(
        "SELECT DISTINCT i.vendor FROM order_lines JOIN items AS i USING (sku) WHERE shortage > 0"
    )
    assert held == [(None,)]


def test_the_longest_and_the_median_wait_are_those_of_the_history(left: Left) -> None:
    waits: list[float] = []
    for (body,) in left.rows("SELECT body FROM emitted WHERE type = 'BackToShip'"):
        envelope = orjson.loads(body)
        data = envelope["data"]
        waits += [_days_between(data["waited_since"], envelope["time"])] * len(data["lines"])
    waits.sort()
    median, worst = left.figures(r"after (\d+) days of waiting \(median\), (\d+) at worst")
    assert median == round(waits[(len(waits) - 1) // 2] * 24 // 1 / 24)
    assert worst == round(waits[-1])


def _days_between(since: str, until: str) -> float:
    with closing(sqlite3.connect(":memory:")) as connection:
        (days,) = connection.execute(
            "SELECT julianday(?) - julianday(?)", (until, since)
        ).fetchone()
    return float(days)


def test_events_in_and_out_are_counted_as_the_tables_have_them(left: Left) -> None:
    assert left.figures(r"^([\d,]+) events in, ([\d,]+) out") == [
        left.value("SELECT COUNT(*) FROM inbox"),
        left.value("SELECT COUNT(*) FROM emitted"),
    ]
    assert left.value("SELECT COUNT(*) FROM set_aside") == 0
    assert left.value("SELECT COUNT(*) FROM outbox") == 0
    assert left.rows("SELECT DISTINCT outcome FROM inbox") == [("applied",)]


def test_nothing_is_left_in_any_queue_and_its_own_is_gone(left: Left) -> None:
    assert left.value("SELECT COUNT(*) FROM queue_messages") == 0
    assert {name for (name,) in left.rows("SELECT name FROM queue_queues")} == {
        "backship.inbox",
        "backship.dead",
        "backship.unrouted",
    }


def test_it_fits_a_terminal_and_names_its_sources(left: Left) -> None:
    before, _next, after = left.printed.partition("Try next")
    assert max(map(len, before.splitlines())) <= 80
    assert len(left.printed.splitlines()) <= 60
    assert "no difference" in before
    for source in ("Online Retail", "UCI", "CC BY 4.0", "AdventureWorks", "MIT", "seed"):
        assert source in after


def test_the_three_commands_work_as_printed(left: Left) -> None:
    commands = re.findall(r"^  (BACKSHIP_\S+ .+)$", left.printed, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=left.directory,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout.strip()
    order = shlex.split(commands[0])[-1]
    assert f"that waited longest: {order}" in left.printed


def test_the_story_is_that_of_the_order_in_the_ledger(left: Left) -> None:
    [order_id] = re.findall(r"that waited longest: main/(\S+)", left.printed)
    [(qty, sku)] = re.findall(r"(\d[\d,]*) of (\S+) .* ordered, \d", left.printed)
    assert (int(qty.replace(",", "")),) in left.rows(
        f"SELECT ordered FROM order_lines WHERE order_id = '{order_id}' AND sku = '{sku}'"
    )
    [replenishment] = re.findall(r"it waits for (\S+) of", left.printed)
    [asked, received] = left.figures(r"([\d,]+) asked for, ([\d,]+) received")
    assert left.rows(
        "SELECT qty, received FROM replenishment_lines"
        f" WHERE replenishment_id = '{replenishment}' AND sku = '{sku}'"
    ) == [(asked, received)]
