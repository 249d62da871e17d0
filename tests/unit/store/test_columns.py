"""How values are kept: moments that order as time does, documents that lose nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.columns import instant_text, json_text, json_value

EPOCH = datetime(1970, 1, 2, tzinfo=UTC)
MICROSECONDS = 230 * 365 * 24 * 3600 * 10**6

moments = st.integers(0, MICROSECONDS).map(lambda n: EPOCH + timedelta(microseconds=n))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(moments, moments)
def test_text_of_moments_orders_as_time_does(one: datetime, other: datetime) -> None:
    assert (instant_text(one) < instant_text(other)) == (one < other)
    assert len(instant_text(one)) == len(instant_text(other))


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_a_moment_is_kept_in_utc_whatever_zone_it_was_given_in(at: datetime, minutes: int) -> None:
    elsewhere = at.astimezone(timezone(timedelta(minutes=minutes)))
    assert instant_text(elsewhere) == instant_text(at)
    assert datetime.fromisoformat(instant_text(at)) == at
    assert datetime.fromisoformat(instant_text(at)).tzinfo is UTC


def test_a_moment_without_a_zone_is_not_kept() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant_text(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


@given(values.filter(lambda value: "\\ud" not in repr(value)))
def test_a_document_comes_back_as_it_was(value: object) -> None:
    assert json_value(json_text(value)) == value


def test_numbers_beyond_64_bits_keep_every_digit() -> None:
    assert json_value(json_text({"n": 2**80 + 1})) == {"n": 2**80 + 1}
