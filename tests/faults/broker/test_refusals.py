"""The broker answers and says no to single events: they are held back, and the others go their way.

The real relay on real brokers, with what it would find in the outbox.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from store import outbox, schema
from tests.support.ordering import Ordering
from tests.support.stack import Stack, rows_of
from tests.support.transports import EmbeddedStack, RabbitStack, outgoing, take
from tests.support.watched_worker import watched
from workers.relay import Relay
from workers.wiring import House, opened

LARGE = "x" * (17 * 1024 * 1024)
WINDOW = 500
SECONDS_MAX = 40.0


def identity(number: int) -> str:
    return str(UUID(int=number))


def put(house: House, numbers: Sequence[int], place: str, text: str = "") -> None:
    """Add events to the outbox for one warehouse, each about an order of its own."""
    key = f"ReadyToShip.main.{place}"
    with house.database.begin() as tx:
        tx.append(
            schema.outbox,
            [
                (n, 0, identity(n), key, "ReadyToShip", body(n, text), "2026-11-22 10:00:00+00:00")
                for n in numbers
            ],
        )


def body(number: int, text: str) -> str:
    return orjson.dumps({"id": identity(number), "subject": f"main/{number}", "x": text}).decode()


def relay_of(house: House) -> Relay:
    exchange = house.topology.out_exchange
    return Relay(house.database, house.transport, exchange, house.clock, WINDOW)


def held(house: House) -> list[tuple[object, ...]]:
    return rows_of(house, "SELECT clock, reason, failures FROM held_back ORDER BY clock")


def broker_of(stack: Stack, folder: Path) -> RabbitStack | EmbeddedStack:
    """What the administrator of the broker can do to it."""
    if stack.broker_url is not None:
        return RabbitStack(stack.broker_url, stack.prefix, folder)
    made = EmbeddedStack(stack.prefix, folder)
    made.path = folder / "backship.db"
    return made


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.slow
def test_f29_a_row_that_is_too_large_is_stuck_and_the_other_499_are_published(
    stack: Stack,
) -> None:
    with opened(stack.settings) as house:
        put(house, [n for n in range(WINDOW) if n != 100], "WH1")
        put(house, [100], "WH1", LARGE)
        relay = relay_of(house)
        assert relay.publish_once() == WINDOW - 1
        assert held(house) == [(100, "too_large", 1)]
        assert relay.publish_once() == 0  # it is not offered again at once
        assert outbox.count(house.database) == 1
        relay.stop(5)
    assert stack.published() == Counter(identity(n) for n in range(WINDOW) if n != 100)


@pytest.mark.slow
def test_f30_what_no_queue_takes_waits_for_its_binding_and_the_other_499_are_published(
    stack: Stack, tmp_path: Path
) -> None:
    broker = broker_of(stack, tmp_path)
    first, second = f"{stack.prefix}.WH1", f"{stack.prefix}.WH2"
    with opened(stack.settings) as house:
        broker.delete_queue(house.topology.unrouted_queue)
        broker.bind(first, house.topology.out_exchange, "*.*.WH1")
        put(house, [n for n in range(WINDOW) if n != 250], "WH1")
        put(house, [250], "WH2")
        relay = relay_of(house)
        assert relay.publish_once() == WINDOW - 1
        assert held(house) == [(250, "unroutable", 1)]
        assert house.transport.ready_count(first) == WINDOW - 1
        broker.bind(second, house.topology.out_exchange, "*.*.WH2")
        relay.start()  # it is offered again by itself
        until(lambda: outbox.count(house.database) == 0)
        relay.stop(5)
        assert held(house) == []
        assert (house.transport.ready_count(first), house.transport.ready_count(second)) == (
            WINDOW - 1,
            1,
        )
        broker.delete_queue(first)
        broker.delete_queue(second)


@pytest.mark.slow
@pytest.mark.broker
def test_f31_a_full_queue_of_one_warehouse_starves_no_other_and_drains_by_itself(
    rabbit: Stack, tmp_path: Path
) -> None:
    """Two windows of one warehouse's events lie before the other's."""
    broker = RabbitStack(rabbit.broker_url or "", rabbit.prefix, tmp_path)
    full, good = f"{rabbit.prefix}.WH1", f"{rabbit.prefix}.WH2"
    with opened(rabbit.settings) as house:
        with broker.channel() as channel:
            arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
            channel.queue_declare(full, durable=True, arguments=arguments)
            channel.queue_bind(full, house.topology.out_exchange, "*.*.WH1")
        broker.bind(good, house.topology.out_exchange, "*.*.WH2")
        with house.transport.publisher() as publisher:
            key = "ReadyToShip.main.WH1"
            for number in range(5):  # until it says no
                message = outgoing(number, key)
                publisher.publish([message], house.topology.out_exchange, deadline_seconds=10)
        put(house, range(2 * WINDOW), "WH1")
        put(house, range(2 * WINDOW, 2 * WINDOW + 50), "WH2")
        relay = relay_of(house)
        relay.start()
        until(lambda: house.transport.ready_count(good) == 50)
        until(lambda: outbox.count(house.database) == 2 * WINDOW)
        assert {reason for _clock, reason, _count in held(house)} == {"nacked"}
        assert len(held(house)) == 2 * WINDOW
        arrived: set[bytes] = set()
        drained = threading.Event()

        def drain() -> None:
            with house.transport.consumer(full) as consumer:
                while not drained.is_set():
                    deliveries = consumer.receive(500, 0.1)
                    arrived.update(delivery.body for delivery in deliveries)
                    consumer.ack(deliveries)

        # Its limit is lifted by making it anew, as its owner would: the arguments are immutable.
        broker.delete_queue(full)
        broker.bind(full, house.topology.out_exchange, "*.*.WH1")
        draining = threading.Thread(target=drain)
        draining.start()
        until(lambda: outbox.count(house.database) == 0)
        relay.stop(5)
        until(lambda: len(arrived) == 2 * WINDOW)
        drained.set()
        draining.join()
        assert held(house) == []
        with house.transport.consumer(good, prefetch_max=100) as consumer:
            deliveries = take(consumer, 50)
            consumer.ack(deliveries)
        assert [orjson.loads(delivery.body)["id"] for delivery in deliveries] == [
            identity(n) for n in range(2 * WINDOW, 2 * WINDOW + 50)
        ]
        broker.delete_queue(full)
        broker.delete_queue(good)


@pytest.mark.slow
def test_f30_a_burst_ends_only_when_what_was_held_back_is_published(
    stack: Stack, tmp_path: Path
) -> None:
    story = Ordering(10)
    broker = broker_of(stack, tmp_path)
    with opened(stack.settings) as house:
        names = house.topology
    broker.unbind(names.unrouted_queue, names.unrouted_queue, "#")  # its exchange has that name
    stack.publish(story.messages())
    with watched(stack, tmp_path, "--burst") as worker:
        worker.until_said("publish_held_back")
        [line] = worker.said("publish_held_back")
        assert line["reasons"].keys() == {"unroutable"}
        assert worker.is_alive()
        with opened(stack.settings) as house:
            house.transport.declare(house.topology)  # as `backship init` would
        assert worker.process.wait(SECONDS_MAX) == 0
        assert worker.troubles() == {"publish_held_back"}
        assert len(worker.said("publish_held_back")) == 1
    story.check_once(stack)
