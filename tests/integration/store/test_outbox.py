"""What was decided leaves in the order it was decided, and stays until it is confirmed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from events.envelope import Cause
from events.outbound import ExceptionRaised, ReadyToShip, Refs, ReleasedLine
from events.vocabulary import ExceptionCode
from handlers.decision import Decision, Emission
from handlers.policy import Rules
from handlers.state import Keys, State
from store import outbox, schema
from store.errors import ConnectionLost
from store.load import load
from store.save import save
from store.transaction import Database
from tests.support.builders import (
    item_changed,
    order_cancelled,
    order_placed,
    replenishment_closed,
    stock_received,
)
from tests.support.keeping import NOW, bodies, keep, rows, save_state
from tests.support.rules import rule

AT = datetime(2026, 11, 21, 10, 0, 0, 250000, tzinfo=UTC)


def emission(number: int) -> Emission:
    message = ReadyToShip(
        shop="main",
        order_id=f"ö{number}",
        source="WH.1",
        release_id="r",
        lines=(ReleasedLine(line_id="1", sku="A", qty=1),),
        order_complete=True,
    )
    cause = Cause("/shops/main", str(number), "OrderPlaced")
    return Emission(str(UUID(int=number)), message, f"main/ö{number}", cause, AT, "00-trace-01")


def emit(database: Database, *numbers: int, now: datetime = NOW) -> list[str]:
    emissions = [emission(number) for number in numbers]
    save_state(database, State(Rules()), Decision(emissions=emissions), now)
    return [row.id for row in emissions]


def test_an_emitted_event_is_to_be_published_and_is_kept(database: Database) -> None:
    (key,) = emit(database, 7)
    with outbox.guard(database) as guard:
        (row,) = guard.take(10)
    assert (row.id, row.type, row.at) == (key, "ReadyToShip", AT)
    assert row.routing_key == "ReadyToShip.main.WH%2E1"
    assert row.unix_seconds == int(AT.timestamp())
    envelope = orjson.loads(row.body)
    assert envelope["id"] == key
    assert envelope["subject"] == "main/ö7"
    assert envelope["time"] == "2026-11-21T10:00:00.250000Z"
    assert envelope["traceparent"] == "00-trace-01"
    assert bodies(database, schema.emitted) == [envelope]
    assert rows(database, schema.emitted, "time", "event_source", "event_id") == [
        (AT, "/shops/main", "7")
    ]


def test_rows_are_taken_in_order_of_decision_whatever_their_ids(database: Database) -> None:
    first = emit(database, 9, 2, 5)
    second = emit(database, 1, 8, now=NOW + timedelta(microseconds=1))
    with outbox.guard(database) as guard:
        assert [row.id for row in guard.take(4)] == [*first, second[0]]
        assert [row.id for row in guard.take(100)] == first + second


def test_what_is_confirmed_is_forgotten_and_the_rest_stays(database: Database) -> None:
    keys = emit(database, 1, 2, 3)
    with outbox.guard(database) as guard:
        guard.take(10)
        guard.delete({keys[0], keys[2]})
    assert outbox.count(database) == 1
    with outbox.guard(database) as guard:
        assert [row.id for row in guard.take(10)] == [keys[1]]
        guard.delete([])
    assert outbox.count(database) == 1
    assert outbox.oldest_at(database) == AT
    assert len(rows(database, schema.emitted)) == 3


def test_a_window_that_fails_leaves_every_row(database: Database) -> None:
    emit(database, 1, 2)

    with suppress(ConnectionError), outbox.guard(database) as guard:
        guard.take(10)
        raise ConnectionError
    with outbox.guard(database) as guard:
        assert len(guard.take(10)) == 2  # and the right to publish is free again


def test_an_empty_outbox_gives_nothing_to_publish(database: Database) -> None:
    with outbox.guard(database) as guard:
        assert guard.take(10) == []
    assert outbox.count(database) == 0
    assert outbox.oldest_at(database) is None


def test_one_relay_publishes_at_a_time(database: Database) -> None:
    emit(database, 1)
    holds, done = threading.Event(), threading.Event()

    def relay() -> int:
        with outbox.guard(database) as guard:
            taken = guard.take(10)
            holds.set()
            assert done.wait(20)
            return len(taken)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(relay)
        assert holds.wait(20)
        with outbox.guard(database) as guard:
            assert not guard.held
            assert guard.take(10) == []
        done.set()
        assert first.result(20) == 1
    with outbox.guard(database) as guard:
        assert guard.held


def test_a_relay_that_hangs_keeps_others_out_for_its_lease_only(sqlite: Database) -> None:
    emit(sqlite, 1)
    killed = outbox.guard(sqlite, lease_seconds=1)
    killed.__enter__()
    with outbox.guard(sqlite) as guard:
        assert not guard.held
    threading.Event().wait(1.2)
    with outbox.guard(sqlite) as guard:
        assert [row.type for row in guard.take(10)] == ["ReadyToShip"]


def test_the_right_of_a_relay_ends_with_its_connection(postgres: Database) -> None:
    emit(postgres, 1)

    def cut_off() -> None:
        with outbox.guard(postgres) as guard:
            guard.take(10)
            with postgres.begin() as tx:
                tx.connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND state = 'idle in transaction'"
                )
            guard.delete([str(UUID(int=1))])

    with pytest.raises(ConnectionLost):
        cut_off()
    with outbox.guard(postgres) as guard:
        assert [row.type for row in guard.take(10)] == ["ReadyToShip"]


@rule("R3")
def test_what_concerns_one_sku_or_order_keeps_its_order_though_the_clock_goes_back(
    database: Database,
) -> None:
    moments = [NOW - timedelta(hours=n) for n in range(8)]  # another machine, always behind
    keep(database, item_changed("A", vendor="acme"), now=moments[0])
    keep(database, order_placed("1", [("A", 4)]), now=moments[1])
    keep(database, order_placed("2", [("A", 3)]), now=moments[2])
    keep(database, order_cancelled("2"), now=moments[3])
    (name,) = rows(database, schema.replenishments, "replenishment_id")
    keep(database, replenishment_closed(name), now=moments[4])
    keep(database, stock_received("R1", "main", [("A", 4)], replenishment_id=name), now=moments[5])
    keep(database, order_cancelled("1"), now=moments[6])
    told = [row["type"] for row in bodies(database, schema.emitted)]
    assert told == [
        "OrderBackordered",
        "ReplenishmentRaised",
        "OrderBackordered",
        "ReplenishmentExtended",
        "ReplenishmentReduced",
        "BackToShip",
        "ReleaseCancelled",
        "StockStatusChanged",
    ]
    assert [row["type"] for row in bodies(database, schema.outbox)] == told


def about(number: int, **refs: str) -> Emission:
    cause = Cause("/tests", str(number), "StockReceived")
    message = ExceptionRaised(
        code=ExceptionCode.REFUSED,
        message=str(number),
        refs=Refs(**refs),
        caused_by=cause,
    )
    return Emission(str(UUID(int=number)), message, None, cause, AT)


@pytest.mark.parametrize(
    ("keys", "refs"),
    [
        pytest.param(Keys(skus={"A"}), {"sku": "A"}, id="sku"),
        pytest.param(Keys(orders={("main", "1")}), {"shop": "main", "order_id": "1"}, id="order"),
        pytest.param(Keys(replenishments={"R"}), {"replenishment_id": "R"}, id="replenishment"),
    ],
)
def test_what_only_something_is_told_of_keeps_the_order_of_it_as_well(
    database: Database, keys: Keys, refs: dict[str, str]
) -> None:
    keep(database, item_changed("A", vendor="acme"), order_placed("1", [("A", 4)]))
    (name,) = rows(database, schema.replenishments, "replenishment_id")
    if keys.replenishments:
        keys, refs = Keys(replenishments={name}), {"replenishment_id": name}
    for number, now in ((1, NOW + timedelta(hours=1)), (2, NOW), (3, NOW + timedelta(minutes=1))):
        with database.begin() as tx:
            state = load(tx, keys, [], Rules())
            save(tx, state, Decision(emissions=[about(number, **refs)]), now)
    told = [row["data"] for row in bodies(database, schema.emitted)]
    assert [data["message"] for data in told if "message" in data] == ["1", "2", "3"]
