"""What Backship is measured against does the same work: the same rows, the same events out."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest

from benchmarks.loop import SKUS, catalogue, orders
from benchmarks.rivals.running import running
from events.envelope import Event
from store import schema
from tests.support.builders import item_changed, order_placed, shop_changed
from tests.support.services import amqp_url, own_database, own_vhost, postgres_url, unique_name
from tests.support.stack import Stack, outgoing

pytestmark = [
    pytest.mark.long,
    pytest.mark.broker,
    pytest.mark.postgres,
    pytest.mark.timeout(600),
]

ORDERS = 1_000
RIVAL_SECONDS_MAX = 240
POLL_SECONDS = 0.2

# Everything a run leaves, but what depends on when it ran.
LEFT = {
    "emitted": "id, type, body, time, event_source, event_id",
    "outbox": "id",
    "orders": "shop, order_id, placed_at, judged_at, priority, destination, data_hash, ship_mode,"
    " release, holds, version, version_hash, customer, ship_to, allocation_count",
    "order_lines": "*",
    "allocations": "*",
    "links": "*",
    "reasons": "shop, order_id, n, at, decided, event_source, event_id, event_type",
    "exceptions": "id, code, reason, message, refs, shop, order_id, at",
    "inbox": "source, event_id, type, data_hash, body, outcome, traceparent",
    "items": "sku, vendor, name, alternatives, policy, busy, base_status",
    "item_statuses": "*",
    "stock": "sku, place, on_hand, allocated, counted_at, owed",
    "demand": "sku, destination, shop, shortage, queued, fillable",
    "replenishments": "replenishment_id, vendor, destination, raised_at, state, automatic,"
    " revision, told_revision, told_total, finalized_at, closed_at",
    "replenishment_lines": "*",
    "replenishment_slots": "vendor, destination, open_id, raised",
}

# Every way a line may be judged (O2-O7), besides those the load of the benchmark has.
SPECIAL = {
    "NO-VENDOR": item_changed("NO-VENDOR"),
    "DROP-SHIP": item_changed("DROP-SHIP", vendor="V1", policy={"sourcing": "drop_ship"}),
    "TO-ORDER": item_changed("TO-ORDER", vendor="V1", policy={"sourcing": "buy_to_order"}),
    "UNMANAGED": item_changed("UNMANAGED", policy={"manage_stock": False}),
    "PACKS": item_changed("PACKS", vendor="V2", policy={"pack_size": 12}),
    "NEVER": item_changed("NEVER", vendor="V2", policy={"backorder_policy": "none"}),
    "LIMITED": item_changed("LIMITED", vendor="V3", policy={"backorder_limit": 5}),
}


def mixed(count: int) -> list[Event]:
    """The load of the benchmark, every twentieth order about something special."""
    placed = orders("mixed", count)
    names = [*SPECIAL, "NEVER-TOLD"]
    for n in range(0, count, 20):
        lines = [(names[(n // 20 + k) % len(names)], 2) for k in range(3)] + [(SKUS[-1], 1)] * 2
        placed[n] = order_placed(f"special-{n}", lines, customer={"email": "a@example.org"})
    return placed


@contextmanager
def made(broker_url: str, more: Sequence[Event] = (), **settings: str) -> Iterator[Stack]:
    """A stack of its own that knows the shop and the catalogue, and has stock of half of it."""
    with own_database(postgres_url()) as url:
        stack = Stack(
            url, broker_url, unique_name("rival"), {"BACKSHIP_LOG_LEVEL": "ERROR", **settings}
        )
        stack.init()
        told = [shop_changed("main", sources=["WH1"]), *catalogue(0.5), *more]
        stack.publish([outgoing(event) for event in told])
        stack.work()
        yield stack


@pytest.fixture(scope="module")
def broker_url() -> Iterator[str]:
    with own_vhost(amqp_url()) as url:
        yield url


def left(stack: Stack) -> dict[str, list[tuple[object, ...]]]:
    return {
        table: sorted(stack.rows(f"SELECT {columns} FROM {table}"), key=repr)
        for table, columns in LEFT.items()
    }


def work_as_rival(stack: Stack, placed: Sequence[Event], prefetch: int) -> None:
    """Let the per-message worker and its relay work until all is taken in and published."""
    stack.publish([outgoing(event) for event in placed])
    assert stack.broker_url is not None
    where = (stack.database_url, stack.broker_url, stack.prefix)
    with ExitStack() as processes:
        for module, *more in (("per_message", "--prefetch", str(prefetch)), ("relay",)):
            name = f"benchmarks.rivals.{module}"
            processes.enter_context(running(name, *where, *more))
        deadline = time.monotonic() + RIVAL_SECONDS_MAX
        while stack.rows(
            "SELECT (SELECT COUNT(*) FROM inbox WHERE type = 'OrderPlaced'),"
            " (SELECT COUNT(*) FROM outbox)"
        ) != [(len(placed), 0)]:
            assert time.monotonic() < deadline, "the rival did not come to its end"
            time.sleep(POLL_SECONDS)


def test_one_message_after_another_it_leaves_what_backship_leaves_with_batches_of_one(
    broker_url: str,
) -> None:
    placed = mixed(ORDERS)
    special = list(SPECIAL.values())
    with (
        made(broker_url, special) as rival,
        made(broker_url, special, BACKSHIP_BATCH_SIZE_MAX="1") as ours,
    ):
        ours.publish([outgoing(event) for event in placed])
        ours.work()
        work_as_rival(rival, placed, prefetch=1)
        theirs, expected = left(rival), left(ours)
        for table, rows in expected.items():
            assert theirs[table] == rows, table
        assert rival.differences() == []
        assert rival.published() == ours.published()


def test_ten_messages_at_once_its_books_are_right_and_a_repeat_has_no_effect(
    broker_url: str,
) -> None:
    placed = orders("ten", ORDERS)
    with made(broker_url) as rival:
        rival.publish([outgoing(event) for event in placed[:100]])
        work_as_rival(rival, placed, prefetch=10)
        assert rival.value("SELECT COUNT(*) FROM orders") == ORDERS
        assert rival.differences() == []
        assert set(rival.published().values()) == {1}


def test_the_floor_leaves_the_rows_that_backship_left(broker_url: str) -> None:
    placed = orders("floor", ORDERS)
    with made(broker_url) as ours, made(broker_url) as floor:
        for stack in (ours, floor):
            stack.publish([outgoing(event) for event in placed])
        ours.work()
        where = (ours.database_url, floor.database_url, broker_url, floor.prefix)
        with running("benchmarks.rivals.floor", *where) as process:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
        assert said["orders"] == ORDERS
        for table in schema.metadata.tables:
            count = f"SELECT COUNT(*) FROM {table}"
            assert floor.value(count) == ours.value(count), table
        theirs, expected = left(floor), left(ours)
        for table, rows in expected.items():
            assert theirs[table] == rows, table
        assert floor.differences() == []
        assert floor.published() == ours.published()
