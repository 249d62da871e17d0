"""Waiting for what other processes bring about, while servers may be between two states."""

import time
from collections.abc import Callable
from typing import TypeVar

import psycopg

from store.errors import StoreError
from workers.transports.errors import TransportError

T = TypeVar("T")

TICK_SECONDS = 0.2


def asked(question: Callable[[], T], seconds_max: float = 60) -> T:
    """Ask again and again until there is an answer."""
    deadline = time.monotonic() + seconds_max
    while True:
        try:
            return question()
        except (StoreError, TransportError, psycopg.OperationalError):
            assert time.monotonic() < deadline, "no answer in time"
            time.sleep(TICK_SECONDS)


def until(reached: Callable[[], bool], seconds_max: float = 180) -> None:
    """Wait for it, and no longer than that."""
    deadline = time.monotonic() + seconds_max
    while not asked(reached):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(TICK_SECONDS)
