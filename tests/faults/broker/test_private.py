"""The broker itself is restarted, killed, starved, or changes its mind: one that is ours."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support import services
from tests.support.desk import hear, open_desk
from tests.support.ordering import Ordering
from tests.support.private_broker import PrivateBroker
from tests.support.quick import QUICK
from tests.support.stack import Stack
from tests.support.transports import RabbitStack
from tests.support.watched_worker import no_oftener_than_it_says, watched
from workers.transports.base import OutgoingMessage
from workers.transports.errors import TransportError

pytestmark = [pytest.mark.broker, pytest.mark.long, pytest.mark.timeout(400)]

ORDERS = Ordering(300)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    with PrivateBroker(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


@pytest.fixture
def own(broker: PrivateBroker, sqlite_database_url: str) -> Stack:
    made = Stack(sqlite_database_url, broker.url, services.unique_name("bs"), QUICK)
    made.init()
    return made


def publish_until_confirmed(stack: Stack, messages: Sequence[OutgoingMessage]) -> None:
    """As a careful sender does: again, under the same id, until the broker has said yes."""
    deadline = time.monotonic() + 120
    while True:
        try:
            stack.publish(messages)
        except (TransportError, AssertionError):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return


def publish_all(stack: Stack, parts: Sequence[Sequence[OutgoingMessage]]) -> None:
    for part in parts:
        publish_until_confirmed(stack, part)


def cleanly(broker: PrivateBroker) -> None:
    broker.restart()


def by_kill(broker: PrivateBroker) -> None:
    broker.kill()
    broker.start()


@pytest.mark.parametrize("restart", [cleanly, by_kill])
def test_f08_a_broker_that_is_restarted_under_load_loses_nothing_that_was_confirmed(
    broker: PrivateBroker, own: Stack, tmp_path: Path, restart: Callable[[PrivateBroker], None]
) -> None:
    first, *rest = ORDERS.parts(6)
    with watched(own, tmp_path) as worker:
        own.publish(first)
        sending = threading.Thread(target=lambda: publish_all(own, rest))
        worker.until(lambda: own.value("SELECT COUNT(*) FROM inbox") != 0)
        sending.start()
        restart(broker)
        sending.join()
        worker.until(lambda: ORDERS.settled(own), 120)
        assert worker.said("broker_lost")
        assert no_oftener_than_it_says(worker.said("broker_lost"))
        assert worker.stop() == 0
    ORDERS.check_once(own)


@pytest.mark.parametrize("need", ["memory", "disk"])
def test_f13_a_broker_in_need_blocks_the_relay_only_and_for_no_longer_than_its_deadline(
    broker: PrivateBroker, own: Stack, tmp_path: Path, need: str
) -> None:
    starve, feed = {
        "memory": (
            ("set_vm_memory_high_watermark", "0.00001"),
            ("set_vm_memory_high_watermark", "0.6"),
        ),
        "disk": (
            ("set_disk_free_limit", "mem_relative", "1000.0"),
            ("set_disk_free_limit", "50MB"),
        ),
    }[need]
    before, after = ORDERS.parts(2)
    own.publish(before)  # a blocked broker takes nothing from anybody
    with watched(own, tmp_path) as worker:
        broker.run(*starve)
        try:
            # The consumer goes on: what is there is worked off, and what comes of it waits.
            worker.until(lambda: own.value("SELECT COUNT(*) FROM inbox") == len(before))
            with open_desk(own.database_url) as desk:
                hear(desk, *ORDERS.events()[len(before) :])
            worker.until(lambda: len(worker.said("relay_waits")) >= 2)
            assert no_oftener_than_it_says(worker.said("relay_waits"))
            reasons = {line["reason"] for line in worker.said("relay_waits")}
            assert any("out of memory or disk" in reason for reason in reasons), reasons
            assert not worker.said("broker_lost")
            waiting = own.value("SELECT COUNT(*) FROM outbox")
            assert isinstance(waiting, int)
            assert waiting > 0
        finally:
            broker.run(*feed)
        own.publish(after)
        worker.until(lambda: ORDERS.settled(own), 120)
        assert worker.stop() == 0
    ORDERS.check_once(own)


def test_f35_what_is_given_up_while_nothing_takes_the_dead_arrives_after_the_binding(
    broker: PrivateBroker, own: Stack, tmp_path: Path
) -> None:
    tools = RabbitStack(broker.url, own.prefix, tmp_path)
    names = tools.topology
    tools.unbind(names.dead_queue, names.dead_queue, "#")  # its exchange has that name
    few = Ordering(2)
    own.publish(few.messages())
    for _ in range(25):  # its limit is 20: it is given up, and stays where it is
        with tools.transport.consumer(names.inbox_queue) as consumer:
            consumer.receive(500, 1)
    assert tools.transport.ready_count(names.dead_queue) == 0
    tools.bind(names.dead_queue, names.dead_queue, "#")
    with watched(own, tmp_path) as worker:
        worker.until(
            lambda: own.value("SELECT COUNT(*) FROM set_aside") == len(few.messages()), 260
        )
        assert worker.stop() == 0
    assert own.rows("SELECT DISTINCT reason, attempts FROM set_aside") == [("crashed_worker", 1)]


def test_f36_a_batch_that_takes_longer_than_two_heartbeats_keeps_its_connection(
    broker: PrivateBroker, postgres_database_url: str, tmp_path: Path
) -> None:
    own = Stack(postgres_database_url, broker.url, services.unique_name("bs"), QUICK)
    own.init()
    with watched(own, tmp_path) as worker:
        worker.until_said("worker_ready")
        with locked(own):
            own.publish(ORDERS.messages())
            time.sleep(14)  # the server hears of us every 5 s, or it would hang up
        worker.until(lambda: ORDERS.settled(own))
        assert not worker.said("broker_lost")
        assert worker.stop() == 0
    ORDERS.check_once(own)


def test_f37_a_batch_the_broker_no_longer_waits_for_comes_again_and_has_its_effect_once(
    broker: PrivateBroker, postgres_database_url: str, tmp_path: Path
) -> None:
    own = Stack(postgres_database_url, broker.url, services.unique_name("bs"), QUICK)
    own.init()
    broker.run("eval", "application:set_env(rabbit, consumer_timeout, 3000).")
    broker.run("eval", "application:set_env(rabbit, channel_tick_interval, 1000).")
    try:
        with watched(own, tmp_path) as worker:
            worker.until_said("worker_ready")
            with locked(own):
                own.publish(ORDERS.messages())
                time.sleep(9)
            worker.until_said("broker_lost")
            worker.until(lambda: ORDERS.settled(own))
            assert any("timeout" in line["reason"] for line in worker.said("broker_lost"))
            assert worker.stop() == 0
    finally:
        broker.run("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
        broker.run("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")
    ORDERS.check_once(own)


def locked(stack: Stack) -> "Lock":
    return Lock(stack.database_url)


class Lock:
    """Keeps every worker from the inbox while the block runs."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url)
        self._connection = self._engine.connect()

    def __enter__(self) -> None:
        self._connection.execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))

    def __exit__(self, *_: object) -> None:
        self._connection.rollback()
        self._connection.close()
        self._engine.dispose()


def test_a_password_that_is_changed_under_a_worker_is_waited_for_and_refused_at_the_start(
    broker: PrivateBroker, own: Stack, tmp_path: Path
) -> None:
    broker.run("add_user", "worker", "first")
    broker.run("set_permissions", "worker", ".*", ".*", ".*")
    url = services.with_user(broker.url, "worker", "first")
    as_user = Stack(own.database_url, url, own.prefix, own.more)
    first, second = ORDERS.parts(2)
    with watched(as_user, tmp_path) as worker:
        own.publish(first)
        worker.until(lambda: own.value("SELECT COUNT(*) FROM inbox") == len(first))
        broker.run("change_password", "worker", "second")
        broker.run("close_all_connections", "rotated")
        worker.until(lambda: len(worker.said("broker_refuses")) >= 2)
        with watched(as_user, tmp_path / "..") as another:
            assert another.process.wait(60) == 3
        own.publish(second)
        broker.run("change_password", "worker", "first")
        worker.until(lambda: ORDERS.settled(own))
        assert no_oftener_than_it_says(worker.said("broker_refuses"))
        log = (tmp_path / "worker.log").read_text(encoding="utf-8")
        assert "worker:first" not in log
        assert worker.stop() == 0
    ORDERS.check_once(own)
