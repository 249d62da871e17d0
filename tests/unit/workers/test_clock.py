"""The clock somebody sets, and the machine's own."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from workers.clock import SettableClock, SystemClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_it_stands_still_until_it_is_moved() -> None:
    clock = SettableClock(NOON)
    assert clock.now() == clock.now() == NOON
    clock.sleep(90)
    assert clock.now() == NOON + timedelta(seconds=90)
    clock.sleep(-5)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_set_back_it_shows_the_earlier_time_and_its_deadlines_do_not_move() -> None:
    clock = SettableClock(NOON)
    clock.set(NOON + timedelta(hours=2))
    clock.set(NOON - timedelta(hours=1))
    assert clock.now() == NOON - timedelta(hours=1)
    assert clock.monotonic() == 7200


def test_it_speaks_utc() -> None:
    clock = SettableClock(datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an instant with a time zone"):
        SettableClock(datetime(2026, 11, 21, 12))  # noqa: DTZ001 - that is the mistake
    with pytest.raises(ValueError, match="needs an instant with a time zone"):
        SettableClock(NOON).set(datetime(2026, 11, 21, 12))  # noqa: DTZ001 - that is the mistake


def test_the_machines_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 5
    before = clock.monotonic()
    clock.sleep(0.01)
    clock.sleep(-1)
    assert clock.monotonic() >= before + 0.01
