"""Topic patterns; that they are RabbitMQ's is shown against the real one in integration."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.transports.topics import matches

words = st.sampled_from(["a", "b", "", "main"])
keys = st.lists(words, max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("#", "", True),
        ("#", "a.b.c", True),
        ("*", "", False),
        ("*", "a", True),
        ("*", "a.b", False),
        ("*.*.WH1", "BackToShip.main.WH1", True),
        ("*.main.*", "BackToShip.other.WH1", False),
        ("a.#", "a", True),
        ("a.#.b", "a.b", True),
        ("a.#.b", "a.x.y.b", True),
        ("a.#.b", "a.x.y", False),
        ("a.*", "a.", True),
        ("OrderPlaced.main", "OrderPlaced.mainly", False),
        ("a+b", "aab", False),
    ],
)
def test_patterns_take_what_amqp_says(pattern: str, key: str, *, expected: bool) -> None:
    assert matches(pattern, key) is expected


@given(keys)
def test_a_pattern_without_wildcards_takes_exactly_itself(key: str) -> None:
    assert matches(key, key)
    assert not matches(key, f"{key}.more")


@given(st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=4), keys)
def test_stars_agree_with_a_regular_expression(pattern: list[str], key: str) -> None:
    expression = r"\.".join("[^.]*" if word == "*" else word for word in pattern)
    # An empty key has no words at all, so not even a star takes it.
    expected = bool(key) and re.fullmatch(expression, key) is not None
    assert matches(".".join(pattern), key) is expected


@given(st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=6), keys)
def test_a_hash_before_and_behind_takes_at_least_as_much(pattern: list[str], key: str) -> None:
    if matches(".".join(pattern), key):
        assert matches(".".join([*pattern, "#"]), key)
        assert matches(".".join(["#", *pattern]), key)
