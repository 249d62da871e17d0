"""What becomes of each message of one publish: the bookkeeping of pipelined confirms, without I/O.

1. `take` hands out the next message while fewer than `limit` messages, and not too many bytes, wait
   for their confirm; `sent` notes the tag it went under.
2. `settle` takes the broker's ack or nack of one tag or of all up to it. A message that no queue
   takes is `returned` first and acknowledged all the same: the ack of a returned one is a failure.
3. A broker that does not want a message closes the channel and does not say which one it was. So
   after `refused` the messages in flight go out again from a window of one, which grows by one with
   each confirm: the culprit comes to be alone in flight, and the others are kept. Some of them go
   out twice then, under the same id.
"""

from collections import deque
from collections.abc import Sequence
from itertools import takewhile

from workers.transports.base import OutgoingMessage, PublishFailure, PublishResult

BYTES_IN_FLIGHT_MAX = 8 * 1024 * 1024
"""A thousand large bodies would be a gigabyte of buffers: from here on one waits for confirms."""


class PublishWindow:
    """The outcome of every message of one batch, as far as it is known."""

    def __init__(self, messages: Sequence[OutgoingMessage], window_max: int) -> None:
        self.messages = messages
        self.remark = ""
        self._window_max = window_max
        self._limit = window_max
        self._to_send: deque[int] = deque()
        self._in_flight: dict[int, int] = {}
        self._bytes_in_flight = 0
        self._returned: set[int] = set()
        self._confirmed_count = 0
        self._failed: dict[int, PublishFailure] = {}
        for position, message in enumerate(messages):
            reason = message.unsendable
            if reason is None:
                self._to_send.append(position)
            else:
                self._failed[position] = reason
        self._never_sent = frozenset(self._failed)

    @property
    def done(self) -> bool:
        """Whether every message has its outcome."""
        return not self._to_send and not self._in_flight

    @property
    def clean(self) -> bool:
        """Whether the channel it went over may be used again: nothing failed on the way."""
        return self._failed.keys() <= self._never_sent

    @property
    def confirmed_any(self) -> bool:
        """Whether the broker has confirmed at least one."""
        return self._confirmed_count > 0

    def take(self) -> int | None:
        """Give the position of the next message to send; None: wait for confirms first."""
        full = len(self._in_flight) >= self._limit or self._bytes_in_flight >= BYTES_IN_FLIGHT_MAX
        if not self._to_send or full:
            return None
        return self._to_send.popleft()

    def sent(self, tag: int, position: int) -> None:
        """Note that a message went out as the channel's publish number `tag`."""
        self._in_flight[tag] = position
        self._bytes_in_flight += len(self.messages[position].body)

    def returned(self, message_id: str | None) -> None:
        """Note that no queue takes the messages in flight under this id."""
        self._returned |= {
            position
            for position in self._in_flight.values()
            if self.messages[position].id == message_id
        }

    def settle(self, tag: int, *, multiple: bool, kept: bool) -> None:
        """Take an ack (`kept`) or a nack of one publish, or of all up to it."""
        if multiple:
            tags = list(takewhile(lambda sent: sent <= tag, self._in_flight))
        else:
            tags = [tag] if tag in self._in_flight else []
        for settled in tags:
            position = self._in_flight.pop(settled)
            self._bytes_in_flight -= len(self.messages[position].body)
            if not kept:
                self._failed[position] = "nacked"
            elif position in self._returned:
                self._failed[position] = "unroutable"
            else:
                self._confirmed_count += 1
                self._limit = min(self._limit + 1, self._window_max)

    def refused(self, reason: PublishFailure) -> None:
        """Take a channel that the broker closed because of one of the messages in flight."""
        suspects = list(self._in_flight.values())
        self._forget_flight()
        if len(suspects) == 1:
            self._failed[suspects[0]] = reason
        else:
            self._to_send.extendleft(reversed(suspects))
        self._limit = 1

    def give_up(self, reason: PublishFailure) -> None:
        """Give every message without an outcome this one."""
        for position in (*self._in_flight.values(), *self._to_send):
            self._failed[position] = reason
        self._forget_flight()
        self._to_send.clear()

    def result(self) -> PublishResult:
        """Sum up by message id; ask only when `done`."""
        failed: dict[str, PublishFailure] = {}
        for position in sorted(self._failed):
            failed.setdefault(self.messages[position].id, self._failed[position])
        confirmed = frozenset(message.id for message in self.messages) - failed.keys()
        return PublishResult(confirmed=confirmed, failed=failed, remark=self.remark)

    def _forget_flight(self) -> None:
        self._in_flight.clear()
        self._bytes_in_flight = 0
