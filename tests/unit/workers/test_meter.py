"""What a worker notes: the last of everything, and in numbers where metrics are on."""

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from store.errors import ConnectionLost, Contention
from tests.support.scrape import Scrape, samples_of
from workers.clock import SettableClock
from workers.meter import BatchTold, Meter, sqlstate_of
from workers.metrics import Metrics
from workers.transports.base import PublishResult

CLOCK = SettableClock(datetime(2026, 11, 21, 12, tzinfo=UTC))


@pytest.fixture
def counted() -> tuple[Metrics, CollectorRegistry]:
    registry = CollectorRegistry()
    return Metrics(CLOCK, "rabbitmq", "b.inbox", "b.out", registry), registry


def seen(registry: CollectorRegistry) -> Scrape:
    return samples_of(generate_latest(registry).decode())


def test_a_batch_raises_what_is_settled_and_its_age_is_the_last_one_told() -> None:
    meter = Meter(CLOCK)
    meter.batch(BatchTold(3, {}, 0.1, {}, 1.2345))
    assert (meter.settled, meter.message_age_ms) == (3, 1234)
    meter.batch(BatchTold(2, {}, 0.1, {}, None))  # nobody said when it was sent
    assert (meter.settled, meter.message_age_ms) == (5, 1234)


def test_the_first_consumer_is_a_start_and_each_later_one_a_loss(
    counted: tuple[Metrics, CollectorRegistry],
) -> None:
    meter, registry = counted
    for _ in range(3):
        meter.consumer_opened()
        meter.consumer_ended()
    assert seen(registry).by("backship_channel_epoch_total", "cause") == {
        "start": 1,
        "broker_lost": 2,
    }
    assert meter.state == "waiting"


def test_a_type_nobody_knows_is_no_label_of_its_own(
    counted: tuple[Metrics, CollectorRegistry],
) -> None:
    meter, registry = counted
    kinds = {(f"Strange{n}", "unknown_type"): 1 for n in range(50)} | {("", "malformed"): 2}
    meter.batch(BatchTold(52, kinds, 0.1, {}, None, {f"Strange{n}": 1.0 for n in range(50)}))
    found = seen(registry)
    assert found.by("backship_events_total", "type") == {"unknown": 52}
    assert found.by("backship_event_age_seconds_count", "type") == {"unknown": 50}


def test_a_message_that_crashed_its_workers_is_counted_wherever_it_is_set_aside(
    counted: tuple[Metrics, CollectorRegistry],
) -> None:
    meter, registry = counted
    meter.crashed(2)  # by the collector of the dead queue
    meter.batch(BatchTold(1, {("OrderPlaced", "crashed_worker"): 1}, 0.1, {}, None))
    assert seen(registry).total("backship_crashed_messages_total") == 3


def test_what_is_published_is_what_was_confirmed(
    counted: tuple[Metrics, CollectorRegistry],
) -> None:
    meter, registry = counted
    failed = {"c": "unroutable", "d": "timeout", "e": "timeout"}
    meter.published(PublishResult(frozenset("ab"), failed), 0.2)  # type: ignore[arg-type]
    found = seen(registry)
    assert found.total("messaging_client_sent_messages_total") == 2
    assert found.by("backship_publish_outcome_total", "outcome") == {
        "ack": 2,
        "unroutable": 1,
        "timeout": 2,
    }


def test_an_error_is_known_by_the_engines_own_code() -> None:
    assert sqlstate_of(Contention("x", "40P01")) == "40P01"
    assert sqlstate_of(ConnectionLost("x")) == "none"
    assert sqlstate_of(ValueError("x")) == "none"
    assert sqlstate_of(None) == "none"
