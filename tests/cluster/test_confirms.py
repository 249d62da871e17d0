"""A node dies while thousands of its confirms are on their way: what is not confirmed goes again.

No workers here: the queue itself is counted, as the total-queue check of Jepsen does. Everything
confirmed must be in it; what was sent again may be in it twice, under the one id it has.
"""

import threading
import time
from collections import Counter
from functools import partial

import pytest

from scripts.cluster import Cluster
from tests.support.stack import Stack
from tests.support.waiting import asked, until
from workers.transports.base import OutgoingMessage, PublishResult, Transport, TransportOptions
from workers.transports.rabbitmq import RabbitTransport
from workers.wiring import opened

pytestmark = [pytest.mark.cluster]

MESSAGES = 30_000
UNDER_WAY = 1_000
DEADLINE_SECONDS = 60
TRIES_MAX = 60


@pytest.mark.parametrize((), [pytest.param(id="F08")])
def test_what_was_not_confirmed_when_a_node_died_is_sent_again_and_nothing_is_missing(
    stack: Stack, cluster: Cluster, seen: list[str]
) -> None:
    brokers = cluster.brokers
    victim = brokers.leader_of(f"{stack.prefix}.inbox")
    bound = RabbitTransport(brokers.url_of(victim), TransportOptions())
    sent = [
        OutgoingMessage(str(n), "OrderPlaced", "OrderPlaced.main", b"%01000d" % n, None)
        for n in range(MESSAGES)
    ]
    with opened(stack.settings) as house:
        inbox = house.topology.inbox_queue
        results: list[PublishResult] = []
        thread = threading.Thread(
            target=lambda: results.append(publish(bound, sent, house.topology.inbox_exchange))
        )
        thread.start()
        until(lambda: house.transport.ready_count(inbox) > UNDER_WAY)
        brokers.kill(victim)
        thread.join(2 * DEADLINE_SECONDS)
        (first,) = results
        assert first.confirmed
        assert set(first.failed.values()) == {"closed"}
        assert len(first.confirmed) + len(first.failed) == MESSAGES
        tries = 0
        again = [message for message in sent if message.id in first.failed]
        while again:  # while there is no leader, the queue answers with nacks
            tries += 1
            assert tries <= TRIES_MAX
            result = asked(partial(publish, house.transport, again, house.topology.inbox_exchange))
            again = [message for message in again if message.id in result.failed]
            time.sleep(0.5)
        copies = taken(house.transport, inbox)
    seen.append(
        f"confirms lost: attempted={MESSAGES} acknowledged={MESSAGES} at once="
        f"{len(first.confirmed)} sent again={len(first.failed)} in {tries} tries, "
        f"in the queue={copies.total()} duplicate={copies.total() - len(copies)} lost={MESSAGES - len(copies)}"
    )
    assert copies.keys() == {message.id for message in sent}


def publish(transport: Transport, messages: list[OutgoingMessage], exchange: str) -> PublishResult:
    """Publish all of them once."""
    with transport.publisher() as publisher:
        return publisher.publish(messages, exchange, deadline_seconds=DEADLINE_SECONDS)


def taken(transport: Transport, queue: str) -> Counter[str]:
    """Take all there is: how many copies of each."""
    copies: Counter[str] = Counter()
    with transport.consumer(queue) as consumer:
        while deliveries := consumer.receive(1000, 2):
            copies.update(str(int(delivery.body)) for delivery in deliveries)
            consumer.ack(deliveries)
    return copies
