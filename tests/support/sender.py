"""A sender under load, as a shop is to be: it keeps what is not confirmed and sends it again.

It publishes at a steady pace in a thread of its own, in small windows, up to as many messages as a
test has allowed so far: however slow the machine, a fault finds messages on their way. Before a
message goes out its id is in `attempted`; when the broker has confirmed it, in `acknowledged`. What
failed, for whatever reason, goes out again under the same id until it is confirmed.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from tests.support.stack import Stack
from workers.transports.base import OutgoingMessage, Publisher
from workers.transports.errors import TransportError
from workers.wiring import opened

WINDOW = 50
DEADLINE_SECONDS = 5.0
PAUSE_SECONDS = 0.2


class Sender:
    """Sends messages to the inbox of a stack while the block runs."""

    def __init__(self, stack: Stack, messages: Sequence[OutgoingMessage], per_second: int) -> None:
        self._stack = stack
        self._waiting = deque(messages)
        self._window_seconds = WINDOW / per_second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)
        self._broken: BaseException | None = None
        self.count = len(messages)
        self.allowed = 0
        self.attempted: set[str] = set()
        self.acknowledged: set[str] = set()
        self.failures: Counter[str] = Counter()
        """Why messages were not confirmed, counted by message and try."""

    def __enter__(self) -> Self:
        """Begin to send."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sending, whatever is left."""
        self._stop.set()
        self._thread.join(2 * DEADLINE_SECONDS + 60)

    def reach(self, count: int, seconds_max: float = 120) -> None:
        """Wait until so many are confirmed; what is allowed goes on beyond."""
        self.allowed = max(self.allowed, count)
        deadline = time.monotonic() + seconds_max
        while len(self.acknowledged) < count:
            assert self._broken is None, repr(self._broken)
            assert time.monotonic() < deadline, f"only {len(self.acknowledged)} are confirmed"
            time.sleep(0.02)

    def _run(self) -> None:
        try:
            with opened(self._stack.settings) as house, house.transport.publisher() as publisher:
                while self._waiting and not self._stop.is_set():
                    began = time.monotonic()
                    if len(self.acknowledged) < self.allowed:
                        self._send(publisher, house.topology.inbox_exchange)
                    self._stop.wait(self._window_seconds - (time.monotonic() - began))
        except BaseException as broken:
            self._broken = broken
            raise

    def _send(self, publisher: Publisher, exchange: str) -> None:
        window = [self._waiting.popleft() for _ in range(min(WINDOW, len(self._waiting)))]
        self.attempted.update(message.id for message in window)
        confirmed: set[str] = set()
        try:
            result = publisher.publish(window, exchange, deadline_seconds=DEADLINE_SECONDS)
        except TransportError as trouble:
            self.failures[type(trouble).__name__] += len(window)
            with suppress(TransportError):
                publisher.close()
            self._stop.wait(PAUSE_SECONDS)
        else:
            confirmed = set(result.confirmed)
            self.failures.update(result.failed.values())
        self.acknowledged |= confirmed
        self._waiting.extendleft(
            message for message in reversed(window) if message.id not in confirmed
        )
