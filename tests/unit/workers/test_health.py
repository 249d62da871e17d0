"""Alive and ready: of one worker, from what it notes; of a fleet, from what its workers wrote."""

from datetime import UTC, datetime
from pathlib import Path

from workers.clock import SettableClock
from workers.health import LIVE_SECONDS_MAX, READY_SECONDS_MAX, FleetHealth, Health, health_file
from workers.meter import Meter

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at_work() -> tuple[SettableClock, Meter, Health]:
    """A worker that consumes and whose database answers."""
    clock = SettableClock(NOW)
    meter = Meter(clock)
    health = Health(meter)
    meter.consumer_opened()
    health.database_answered()
    return clock, meter, health


def test_one_that_has_begun_nothing_is_alive_and_not_ready() -> None:
    health = Health(Meter(SettableClock(NOW)))
    assert health.live() == []
    assert health.ready() == [
        "it has no consumer: it starts, or has lost the broker",
        "the database has not been asked yet",
    ]


def test_one_at_work_is_both() -> None:
    _clock, meter, health = at_work()
    assert (health.live(), health.ready(), meter.state) == ([], [], "working")


def test_one_that_waits_for_a_server_is_alive_and_says_for_which() -> None:
    clock, meter, health = at_work()
    meter.waits("database_waits", ConnectionError("x does not answer"))
    assert health.ready() == ["database_waits: x does not answer"]
    assert meter.state == "waiting"
    clock.advance(LIVE_SECONDS_MAX)
    meter.waits("database_waits", ConnectionError("x does not answer"))
    assert health.live() == []
    meter.turned()
    health.database_answered()
    assert health.ready() == []


def test_one_whose_database_refuses_or_goes_silent_is_not_ready() -> None:
    clock, _meter, health = at_work()
    health.database_failed("no room")
    assert health.ready() == ["the database: no room"]
    health.database_answered()
    clock.advance(READY_SECONDS_MAX + 1)
    assert health.ready() == ["the database has not answered for 20 s"]


def test_one_whose_loop_does_not_come_round_is_not_alive() -> None:
    clock, meter, health = at_work()
    clock.advance(LIVE_SECONDS_MAX + 1)
    assert health.live() == ["the loop has not come round for 181 s"]
    meter.turned()
    assert health.live() == []


def test_one_that_stops_is_not_ready() -> None:
    _clock, meter, health = at_work()
    meter.stopping = True
    assert (health.ready(), health.live(), meter.state) == (["it is stopping"], [], "stopping")


# ---------------------------------------------------------------- a fleet


def test_a_fleet_is_ready_while_one_of_it_is(tmp_path: Path) -> None:
    clock, _meter, health = at_work()
    other = Health(Meter(clock))
    fleet = FleetHealth(tmp_path, lambda: [0, 1, 2], clock)
    assert (fleet.live(), fleet.ready()) == ([], [f"worker {n}: it starts" for n in range(3)])
    other.write(health_file(tmp_path, 0))
    assert fleet.ready()[0] == "worker 0: it has no consumer: it starts, or has lost the broker"
    health.write(health_file(tmp_path, 2))
    assert (fleet.live(), fleet.ready()) == ([], [])
    clock.advance(READY_SECONDS_MAX + 1)
    assert "worker 2: it has said nothing for 20 s" in fleet.ready()
    assert fleet.live() == []


def test_a_fleet_with_one_that_is_stuck_or_with_none_is_not_alive(tmp_path: Path) -> None:
    clock, _meter, health = at_work()
    clock.advance(LIVE_SECONDS_MAX + 1)
    health.write(health_file(tmp_path, 1))
    assert FleetHealth(tmp_path, lambda: [0, 1], clock).live() == [
        "worker 1 has not come round for 181 s"
    ]
    assert FleetHealth(tmp_path, lambda: [0], clock).live() == []  # the other's file is an old one
    nobody = FleetHealth(tmp_path, list, clock)
    assert (nobody.live(), nobody.ready()) == (["no worker runs"], ["no worker runs"])
