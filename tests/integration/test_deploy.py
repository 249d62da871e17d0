"""Who may do what on a deployed broker: each right of the definitions, tried by connections."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pika.exceptions import ChannelClosedByBroker

from tests.support import services
from tests.support.deployment import Deployment, definitions, imported_definitions
from workers.topology import topology

DEFINITIONS = definitions()
USERS = ("admin", "worker", "shop-main", "warehouse-wh1")

ACCESS_REFUSED = 403

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    with imported_definitions() as imported:
        yield imported


@pytest.fixture(autouse=True)
def empty_queues(deployment: Deployment) -> None:
    with deployment.channel("admin") as channel:
        for queue in DEFINITIONS["queues"]:
            channel.queue_purge(queue["name"])


# ---------------------------------------------------------------- the topology


def test_a_second_init_finds_every_exchange_and_queue_as_it_would_declare_them(
    deployment: Deployment,
) -> None:
    declared = topology("backship")
    with deployment.channel("admin") as channel:
        for exchange in declared.exchanges:
            channel.exchange_declare(
                exchange.name, exchange.kind, durable=True, arguments=exchange.arguments
            )
        for queue in declared.queues:
            channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
        for binding in declared.bindings:
            channel.queue_bind(binding.queue, binding.exchange, binding.pattern)


def test_a_worker_sees_that_everything_exists(deployment: Deployment) -> None:
    declared = topology("backship")
    with deployment.channel("worker") as channel:
        for exchange in declared.exchanges:
            channel.exchange_declare(exchange.name, passive=True)
        for queue in declared.queues:
            channel.queue_declare(queue.name, passive=True)


def test_what_a_worker_emits_reaches_its_shop_and_its_warehouse_and_nothing_is_lost(
    deployment: Deployment,
) -> None:
    with deployment.channel("worker") as channel:
        for key in ("BackToShip.main.WH1", "OrderBackordered.main.-", "ReplenishmentRaised.V1.D9"):
            channel.basic_publish("backship.out", key, key.encode(), mandatory=True)
    assert deployment.take_all("shop-main", "backship.shop.main") == [
        b"BackToShip.main.WH1",
        b"OrderBackordered.main.-",
    ]
    assert deployment.take_all("warehouse-wh1", "backship.warehouse.WH1") == [
        b"BackToShip.main.WH1"
    ]
    assert deployment.take_all("admin", "backship.unrouted") == [b"ReplenishmentRaised.V1.D9"]


# ---------------------------------------------------------------- what each may do


@pytest.mark.parametrize(
    ("user", "routing_key"),
    [
        ("shop-main", "OrderPlaced.main"),
        ("shop-main", "OrderChanged.main"),
        ("shop-main", "OrderCancelled.main"),
        ("shop-main", "OrderHoldCleared.main"),
        ("shop-main", "BackToShipRequested.main"),
        ("warehouse-wh1", "OrderShipped.WH1"),
        ("warehouse-wh1", "LineBackordered.WH1"),
        ("warehouse-wh1", "StockReceived.WH1-DOCK"),
        ("warehouse-wh1", "StockTransferred.WH1-DOCK"),
        ("warehouse-wh1", "StockCounted.WH1"),
        ("warehouse-wh1", "StockReturned.WH1"),
        ("admin", "VendorChanged.purchasing"),
    ],
)
def test_what_one_may_publish_arrives_at_the_worker(
    deployment: Deployment, user: str, routing_key: str
) -> None:
    with deployment.channel(user) as channel:
        channel.basic_publish("backship.in", routing_key, routing_key.encode(), mandatory=True)
    assert deployment.take_all("worker", "backship.inbox") == [routing_key.encode()]


@pytest.mark.parametrize(
    ("user", "exchange", "routing_key"),
    [
        ("shop-main", "backship.in", "OrderPlaced.other"),
        ("shop-main", "backship.in", "OrderPlaced.main.other"),
        ("shop-main", "backship.in", "OrderPlaced.xmain"),
        ("shop-main", "backship.in", "OrderShipped.main"),
        ("shop-main", "backship.in", "StockReceived.main"),
        ("shop-main", "backship.in", "ShopChanged.main"),
        ("shop-main", "backship.in", "ItemChanged.purchasing"),
        ("shop-main", "backship.out", "BackToShip.main.WH1"),
        ("shop-main", "backship.dead", ""),
        ("shop-main", "", "backship.inbox"),
        ("warehouse-wh1", "backship.in", "StockReceived.WH2"),
        ("warehouse-wh1", "backship.in", "OrderPlaced.main"),
        ("warehouse-wh1", "backship.in", "PlaceChanged.WH1"),
        ("warehouse-wh1", "backship.out", "BackToShip.main.WH1"),
        ("worker", "backship.in", "OrderPlaced.main"),
        ("worker", "", "backship.inbox"),
    ],
)
def test_what_is_not_ones_own_cannot_be_published(
    deployment: Deployment, user: str, exchange: str, routing_key: str
) -> None:
    with deployment.channel(user) as channel, refused():
        channel.basic_publish(exchange, routing_key, b"not mine", mandatory=True)
    assert deployment.take_all("worker", "backship.inbox") == []


READABLE = {
    "worker": {"backship.inbox", "backship.dead", "backship.unrouted"},
    "shop-main": {"backship.shop.main"},
    "warehouse-wh1": {"backship.warehouse.WH1"},
}


@pytest.mark.parametrize("user", sorted(READABLE))
def test_one_reads_ones_own_queues_and_no_other(deployment: Deployment, user: str) -> None:
    for queue in (entry["name"] for entry in DEFINITIONS["queues"]):
        with deployment.channel(user) as channel:
            if queue in READABLE[user]:
                channel.basic_get(queue, auto_ack=True)
                continue
            with refused():
                channel.basic_get(queue, auto_ack=True)


@pytest.mark.parametrize("user", sorted(READABLE))
def test_only_the_administrator_declares_binds_or_deletes(
    deployment: Deployment, user: str
) -> None:
    own_queue = min(READABLE[user])
    with deployment.channel(user) as channel, refused():
        channel.queue_declare("backship.mine", durable=True)
    with deployment.channel(user) as channel, refused():
        channel.queue_declare("", exclusive=True)
    with deployment.channel(user) as channel, refused():
        channel.exchange_declare("backship.mine", "topic")
    with deployment.channel(user) as channel, refused():
        channel.queue_bind(own_queue, "backship.in", "#")
    with deployment.channel(user) as channel, refused():
        channel.queue_delete(own_queue)
    with deployment.channel(user) as channel, refused():
        channel.exchange_delete("backship.in")


@pytest.mark.parametrize("user", USERS)
def test_a_wrong_password_opens_nothing(deployment: Deployment, user: str) -> None:
    url = services.with_user(deployment.url, f"{deployment.prefix}{user}", "guess")
    assert not services.broker_answers(url)


@contextmanager
def refused() -> Iterator[None]:
    """The broker closes the channel, and for no other reason than a missing right."""
    with pytest.raises(ChannelClosedByBroker) as closed:
        yield
    assert closed.value.reply_code == ACCESS_REFUSED
