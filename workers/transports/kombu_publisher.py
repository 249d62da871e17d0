"""Publishing through kombu: message by message, as kombu does.

On AMQP each is confirmed (a round trip each). On virtual transports the call that returned is all
the confirm there is. After any error the link is given up and the next message opens a new one.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from kombu.messaging import Producer

from workers.clock import SystemClock
from workers.topology import Topology
from workers.transports.base import (
    APP_ID,
    CONTENT_TYPE,
    OutgoingMessage,
    PublishFailure,
    PublishResult,
    TransportOptions,
)
from workers.transports.errors import ConnectionLost
from workers.transports.kombu_link import NO_ROUTE, KombuLink, reply_code


class KombuPublisher:
    """Publishes batches; connects at the first one."""

    def __init__(self, url: str, topology: Topology, options: TransportOptions) -> None:
        self._url = url
        self._topology = topology
        self._options = options
        self._clock = SystemClock()
        self._link: KombuLink | None = None

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Send one after the other until the deadline; see `base.Publisher`."""
        deadline = self._clock.monotonic() + deadline_seconds
        failed: dict[str, PublishFailure] = {}
        remark = ""
        self._link = self._link or KombuLink(self._url, self._topology, self._options)
        for message in messages:
            if reason := message.unsendable:
                failed[message.id] = reason
                continue
            if self._clock.monotonic() >= deadline:
                failed[message.id] = "timeout"
                continue
            try:
                if not self._publish_one(message, exchange):
                    failed[message.id] = "unroutable"
            except ConnectionLost as error:
                failed[message.id] = _failure_of(error)
                remark = str(error)
                self.close()
        confirmed = frozenset(message.id for message in messages) - failed.keys()
        return PublishResult(confirmed=confirmed, failed=failed, remark=remark)

    def close(self) -> None:
        """Disconnect."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _publish_one(self, message: OutgoingMessage, exchange: str) -> bool:
        """Send one; tell whether a queue takes it, where that can be known beforehand."""
        link = self._link = self._link or KombuLink(self._url, self._topology, self._options)
        with link.errors(exchange):
            if link.is_virtual and not link.takers(exchange, message.routing_key):
                alternate = link.alternates.get(exchange)
                if alternate is None or not link.takers(alternate, message.routing_key):
                    return False
                exchange = alternate
            Producer(link.channel, auto_declare=False).publish(
                message.body,
                exchange=exchange,
                routing_key=message.routing_key,
                content_type=CONTENT_TYPE,
                content_encoding="utf-8",
                delivery_mode=2,
                mandatory=True,
                message_id=message.id,
                type=message.type,
                timestamp=message.timestamp,
                app_id=APP_ID,
                retry=False,
            )
        return True


def _failure_of(error: ConnectionLost) -> PublishFailure:
    return "unroutable" if reply_code(error.__cause__) == NO_ROUTE else "closed"
