"""Publishing to RabbitMQ: pipelined confirms over a connection and thread of their own.

`publish` hands the batch to a session (`publishing_session`) and waits, under one deadline, until
every message has its outcome. After a timeout the session goes, connection and all: a late ack of
an old publish must never confirm a new one, which would then be deleted from the outbox and lost.

Never the consuming connection: a broker in need blocks the connections that publish, and the
acknowledgements with them.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from workers.clock import SystemClock
from workers.transports.amqp_address import AmqpHost
from workers.transports.base import OutgoingMessage, PublishResult, TransportOptions
from workers.transports.publish_window import PublishWindow
from workers.transports.publishing_session import PublishingSession, PublishJob

GIVE_UP_SECONDS_MAX = 2.0
"""How long the session's thread may take to say what it knows at the deadline."""


class RabbitPublisher:
    """Publishes batches, one after the other; its methods are called by one thread."""

    def __init__(self, hosts: tuple[AmqpHost, ...], options: TransportOptions) -> None:
        self._hosts = hosts
        self._options = options
        self._clock = SystemClock()
        self._session: PublishingSession | None = None

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Send all and wait for every confirm; see `base.Publisher`."""
        deadline = self._clock.monotonic() + deadline_seconds
        job = PublishJob(PublishWindow(messages, self._options.publish_window_max), exchange)
        if job.window.done:
            return job.window.result()
        session = self._open_session(deadline_seconds)
        session.start(job)
        if not job.done.wait(max(0.0, deadline - self._clock.monotonic())):
            session.give_up(job)
            self._session = None
            if not job.done.wait(GIVE_UP_SECONDS_MAX):
                return PublishResult(failed={message.id: "timeout" for message in messages})
        if job.error is not None and not job.window.confirmed_any:
            raise job.error
        return job.window.result()

    def close(self) -> None:
        """Disconnect."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_session(self, seconds_max: float) -> PublishingSession:
        if self._session is None or not self._session.is_open:
            self.close()
            connect_seconds_max = min(self._options.connect_seconds_max, seconds_max)
            options = replace(self._options, connect_seconds_max=connect_seconds_max)
            self._session = PublishingSession(self._hosts, options)
        return self._session
