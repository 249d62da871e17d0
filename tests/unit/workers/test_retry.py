"""The named policies: how often, how long, with jitter, and with which error they end."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from tenacity import Retrying

from workers.retry import (
    CONNECT_TRIES_MAX,
    TRANSACTION_TRIES_MAX,
    reaching_a_server,
    repeating_a_transaction,
    waiting_for_a_lock,
)

Policy = Callable[..., Retrying]


EVERY = [reaching_a_server, repeating_a_transaction, waiting_for_a_lock]


class Server:
    """Fails that often, then answers."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def ask(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError(self.calls)
        return "here"


@pytest.mark.parametrize("policy", EVERY)
def test_it_goes_on_until_the_answer(policy: Policy) -> None:
    server, waits = Server(failures=3), list[float]()
    assert policy((ConnectionError,), sleep=waits.append)(server.ask) == "here"
    assert (server.calls, len(waits)) == (4, 3)


@pytest.mark.parametrize(
    ("policy", "tries"),
    [(reaching_a_server, CONNECT_TRIES_MAX), (repeating_a_transaction, TRANSACTION_TRIES_MAX)],
)
def test_a_bounded_one_ends_with_the_last_error_itself(policy: Policy, tries: int) -> None:
    server, waits = Server(failures=1000), list[float]()
    with pytest.raises(ConnectionError) as raised:
        policy((ConnectionError,), sleep=waits.append)(server.ask)
    assert raised.value.args == (tries,)
    assert len(waits) == tries - 1


@pytest.mark.parametrize("policy", EVERY)
def test_another_error_is_not_worth_a_try(policy: Policy) -> None:
    server, waits = Server(failures=1), list[float]()
    with pytest.raises(ConnectionError):
        policy((ValueError,), sleep=waits.append)(server.ask)
    assert (server.calls, waits) == (1, [])


@pytest.mark.parametrize(
    ("policy", "first_seconds_max", "seconds_max"),
    [
        (reaching_a_server, 0.2, 1.6),
        (repeating_a_transaction, 0.01, 0.16),
    ],
)
def test_waits_grow_are_bounded_and_never_the_same_for_two(
    policy: Policy, first_seconds_max: float, seconds_max: float
) -> None:
    tables: list[list[float]] = []
    for _ in range(200):
        waits: list[float] = []
        policy((ConnectionError,), sleep=waits.append)(Server(failures=4).ask)
        tables.append(waits)
    firsts = [table[0] for table in tables]
    assert max(firsts) <= first_seconds_max
    assert len(set(firsts)) > 100
    longest = [max(column) for column in zip(*tables, strict=True)]
    assert all(later > earlier for earlier, later in pairwise(longest))
    assert max(longest) <= seconds_max


def test_each_wait_can_be_reported() -> None:
    said: list[int] = []
    policy = reaching_a_server(
        (ConnectionError,),
        sleep=lambda _: None,
        before_wait=lambda state: said.append(state.attempt_number),
    )
    policy(Server(failures=2).ask)
    assert said == [1, 2]


def test_a_lock_is_waited_for_in_short_steps() -> None:
    waits: list[float] = []
    waiting_for_a_lock((ConnectionError,), sleep=waits.append)(Server(failures=200).ask)
    assert len(waits) == 200
    assert 0.03 < max(waits) <= 0.05


def test_a_server_that_says_no_is_not_asked_again() -> None:
    server, waits = Server(failures=3), list[float]()
    policy = reaching_a_server((OSError,), but_not=(ConnectionError,), sleep=waits.append)
    with pytest.raises(ConnectionError):
        policy(server.ask)
    assert (server.calls, waits) == (1, [])
