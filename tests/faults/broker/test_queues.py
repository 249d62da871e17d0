"""A queue is deleted, a consumer ended, a connection closed by the broker; a body fills the wire.

The worker goes on by itself when it can, and says what is missing while it can not.
"""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from config.errors import SettingsError
from config.settings import read
from tests.support import services
from tests.support.builders import order_placed
from tests.support.ordering import Ordering
from tests.support.stack import Stack, outgoing
from tests.support.transports import RabbitStack
from tests.support.watched_worker import no_oftener_than_it_says, watched
from workers.transports.base import OutgoingMessage
from workers.transports.large_bodies import HEAD_BYTES
from workers.wiring import opened

ORDERS = Ordering(200)


@pytest.mark.slow
def test_f33_an_inbox_that_is_deleted_under_a_worker_is_named_and_used_again_when_it_is_back(
    stack: Stack, tmp_path: Path
) -> None:
    first, second = ORDERS.parts(2)
    with watched(stack, tmp_path) as worker, opened(stack.settings) as house:
        inbox = house.topology.inbox_queue
        stack.publish(first)
        worker.until(lambda: stack.value("SELECT COUNT(*) FROM inbox") == len(first))
        worker.until(lambda: stack.value("SELECT COUNT(*) FROM outbox") == 0)
        house.transport.delete_queue(inbox)
        worker.until(lambda: len(worker.said("queue_missing")) >= 2)
        assert all(inbox in line["reason"] for line in worker.said("queue_missing"))
        house.transport.declare(house.topology)
        stack.publish(second)
        worker.until(lambda: ORDERS.settled(stack))
        assert no_oftener_than_it_says(worker.said("queue_missing"))
        assert worker.troubles() <= {"queue_missing", "broker_lost"}
        assert worker.stop() == 0
    ORDERS.check_once(stack)


def test_f34_a_worker_does_not_start_without_its_queue_and_says_which(
    stack: Stack, tmp_path: Path
) -> None:
    with opened(stack.settings) as house:
        for queue in (house.topology.inbox_queue, house.topology.dead_queue):
            house.transport.delete_queue(queue)
            with watched(stack, tmp_path) as worker:
                assert worker.process.wait(30) == 2
            said = (tmp_path / "worker.log").read_text(encoding="utf-8")
            assert f"{queue} does not exist on the broker; run `backship init`." in said
            house.transport.declare(house.topology)


@pytest.mark.slow
@pytest.mark.broker
def test_a_connection_the_broker_closes_is_made_anew(rabbit: Stack, tmp_path: Path) -> None:
    vhost = unquote(urlsplit(rabbit.broker_url or "").path[1:])
    first, second = ORDERS.parts(2)
    with watched(rabbit, tmp_path) as worker:
        rabbit.publish(first)
        worker.until(lambda: rabbit.value("SELECT COUNT(*) FROM inbox") == len(first))
        rabbit.publish(second[:50])
        services.rabbitmqctl("close_all_connections", "--vhost", vhost, "by a person")
        rabbit.publish(second[50:])
        worker.until(lambda: ORDERS.settled(rabbit))
        assert any("by a person" in line["reason"] for line in worker.said("broker_lost"))
        assert worker.stop() == 0
    ORDERS.check_once(rabbit)


@pytest.mark.slow
@pytest.mark.broker
def test_f28_bodies_beyond_the_limit_are_kept_by_their_heads_and_their_neighbours_apply(
    rabbit: Stack, tmp_path: Path
) -> None:
    broker = RabbitStack(rabbit.broker_url or "", rabbit.prefix, tmp_path)
    events = [order_placed(f"{number}", [("A", 1)]) for number in range(3)]
    at_limit = padded(outgoing(events[1]), 1_048_576)
    over = padded(outgoing(events[2]), 1_048_577)
    huge = b'{"specversion": "1.0", "id": "' + b"x" * (17 * 1024 * 1024)
    for _ in range(2):  # told twice: one row
        broker.put_raw(huge, headers={}, encoding=None)
        rabbit.publish([replace(outgoing(events[2]), body=over)])
    rabbit.publish([outgoing(events[0]), replace(outgoing(events[1]), body=at_limit)])
    assert rabbit.burst() == 0
    assert rabbit.rows("SELECT outcome, COUNT(*) FROM inbox GROUP BY outcome") == [("applied", 2)]
    kept = rabbit.rows("SELECT reason, attempts, body, detail FROM set_aside ORDER BY message")
    assert {(reason, attempts, body, str(detail)) for reason, attempts, body, detail in kept} == {
        ("too_large", 2, whole[:HEAD_BYTES], detail_of(whole)) for whole in (huge, over)
    }
    assert rabbit.differences() == []


def padded(message: OutgoingMessage, size: int) -> bytes:
    """The same event in a body of that size: spaces mean nothing in JSON."""
    return message.body + b" " * (size - len(message.body))


def detail_of(body: bytes) -> str:
    return f'{{"bytes": {len(body)}, "sha256": "{sha256(body).hexdigest()}"}}'


@pytest.mark.parametrize("batches", ["0", "11"])
def test_f52_a_prefetch_without_bounds_is_refused(batches: str) -> None:
    with pytest.raises(SettingsError, match="PREFETCH_BATCHES"):
        read(prefetch_batches=batches)


@pytest.mark.slow
@pytest.mark.broker
def test_f52_a_prefetch_of_one_works_and_holds_one(rabbit: Stack) -> None:
    one = {"BACKSHIP_PREFETCH_BATCHES": "1", "BACKSHIP_BATCH_SIZE_MAX": "1"}
    narrow = Stack(rabbit.database_url, rabbit.broker_url, rabbit.prefix, one)
    few = Ordering(10)
    rabbit.publish(few.messages())
    with (
        opened(narrow.settings) as house,
        house.transport.consumer(house.topology.inbox_queue) as consumer,
    ):
        assert len(consumer.receive(500, 5)) == 1
        assert consumer.receive(500, 0.3) == []  # no more until that one is acknowledged
    assert narrow.burst() == 0
    few.check_once(rabbit)
