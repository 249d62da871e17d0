"""The way to the broker is cut, hangs, is slow or away: the worker comes back by itself.

The real worker, a real RabbitMQ, and a bad network in between (tests/support/fault_proxy).
"""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.desk import hear, open_desk
from tests.support.fault_proxy import FaultProxy
from tests.support.ordering import Ordering
from tests.support.stack import Stack
from tests.support.transports import outgoing
from tests.support.watched_worker import no_oftener_than_it_says, watched
from workers.wiring import opened

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ORDERS = Ordering(300)


def test_connections_cut_again_and_again_under_load_lose_and_double_nothing(
    rabbit: Stack, behind: Stack, network: FaultProxy, tmp_path: Path
) -> None:
    with watched(behind, tmp_path) as worker:
        worker.until_said("worker_ready")
        for number, part in enumerate(ORDERS.parts(3)):
            rabbit.publish(part)
            worker.until(lambda: network.open_count >= 1)
            network.cut(reset=bool(number % 2))
        worker.until(lambda: ORDERS.settled(rabbit))
        assert worker.said("broker_lost")
        assert worker.troubles() <= {"broker_lost", "relay_waits", "chore_waits"}
        assert worker.stop() == 0
    ORDERS.check_once(rabbit)


def test_f14_a_half_open_connection_is_noticed_by_its_silence_and_replaced(
    rabbit: Stack, behind: Stack, network: FaultProxy, tmp_path: Path
) -> None:
    first, second = ORDERS.parts(2)
    with watched(behind, tmp_path) as worker:
        rabbit.publish(first)
        worker.until(lambda: rabbit.value("SELECT COUNT(*) FROM inbox") == len(first))
        network.lose_current()  # no FIN, no RST: only nothing comes any more
        rabbit.publish(second)
        worker.until(lambda: ORDERS.settled(rabbit))
        reasons = {line["reason"] for line in worker.said("broker_lost")}
        assert any("no heartbeat came" in reason for reason in reasons), reasons
        assert worker.stop() == 0
    ORDERS.check_once(rabbit)


@pytest.mark.long
def test_f09_a_broker_that_is_away_costs_a_line_per_pause_and_the_outbox_waits(
    rabbit: Stack, behind: Stack, network: FaultProxy, tmp_path: Path
) -> None:
    first, second = ORDERS.parts(2)
    with watched(behind, tmp_path) as worker:
        rabbit.publish(first)
        worker.until(lambda: rabbit.value("SELECT COUNT(*) FROM inbox") == len(first))
        worker.until(lambda: rabbit.value("SELECT COUNT(*) FROM outbox") == 0)
        network.refuse()
        with open_desk(rabbit.database_url) as desk:  # as a step of work left over would
            hear(desk, *ORDERS.events()[len(first) :])
        waiting = rabbit.value("SELECT COUNT(*) FROM outbox")
        assert isinstance(waiting, int)
        assert waiting > 0
        worker.until(lambda: len(worker.said("broker_lost")) >= 4)
        worker.until(lambda: len(worker.said("relay_waits")) >= 4)
        assert rabbit.value("SELECT COUNT(*) FROM outbox") == waiting
        for event in ("broker_lost", "relay_waits"):
            assert no_oftener_than_it_says(worker.said(event)), worker.said(event)
        network.mend()
        rabbit.publish(second)  # told again: repeats
        worker.until(lambda: ORDERS.settled(rabbit))
        worker.until(lambda: rabbit.value("SELECT COUNT(*) FROM outbox") == 0)
        assert worker.stop() == 0
    ORDERS.check_once(rabbit)


@pytest.mark.parametrize(
    "weather", [pytest.param("slow", marks=pytest.mark.long), pytest.param("crumbling")]
)
def test_f15_a_slow_or_crumbling_network_only_takes_longer(
    rabbit: Stack, behind: Stack, network: FaultProxy, tmp_path: Path, weather: str
) -> None:
    few = Ordering(30)
    patient = {"BACKSHIP_PUBLISH_SECONDS_MAX": "30", "BACKSHIP_CONNECT_SECONDS_MAX": "30"}
    with watched(replace(behind, more=behind.more | patient), tmp_path) as worker:
        worker.until_said("worker_ready")
        if weather == "slow":
            network.delay(0.5)
        else:
            network.crumble()
        rabbit.publish(few.messages())
        worker.until(lambda: few.settled(rabbit))
        assert worker.troubles() == set()
        network.mend()
        assert worker.stop() == 0
    few.check_once(rabbit)


def test_f32_acknowledgements_that_come_after_the_deadline_confirm_nothing_else(
    behind: Stack, network: FaultProxy
) -> None:
    early = [outgoing(number) for number in range(10)]
    late = [outgoing(number) for number in range(10, 20)]
    with opened(behind.settings) as house, house.transport.publisher() as publisher:
        names = house.topology
        warm = publisher.publish([outgoing(99)], names.inbox_exchange, deadline_seconds=10)
        assert warm.confirmed == {"99"}
        network.delay(1.5)  # they are kept; the answer comes after the deadline
        result = publisher.publish(early, names.inbox_exchange, deadline_seconds=0.5)
        assert result.failed == {str(number): "timeout" for number in range(10)}
        house.transport.delete_queue(names.inbox_queue)
        network.mend()
        # The same tags again, on their way to nobody: an answer to the first ten settles none.
        result = publisher.publish(late, names.inbox_exchange, deadline_seconds=10)
        assert result.failed == {str(number): "unroutable" for number in range(10, 20)}
        assert result.confirmed == frozenset()
