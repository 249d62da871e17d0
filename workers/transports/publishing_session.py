"""The side of publishing that runs in the connection's thread: one connection, channel by channel.

1. A job (one publish) begins on the channel of the one before, if nothing failed on that; otherwise
   on a new one. After a return, a nack or a refusal a channel is never used again.
2. Messages leave in bursts, mandatory and persistent, as long as the window lets them. One at a
   time would cost a round trip each: 3,400 a second instead of 36,000.
3. Acks, nacks and returns settle them. A channel the broker closes because of one message is
   replaced, and the window finds out which one it was.
"""

import threading

from pika.channel import Channel
from pika.delivery_mode import DeliveryMode
from pika.exceptions import ChannelClosedByBroker
from pika.frame import Method
from pika.spec import Basic, BasicProperties, Confirm

from workers.transports.amqp_address import AmqpHost
from workers.transports.amqp_connection import AmqpConnection
from workers.transports.amqp_errors import NOT_FOUND, channel_error
from workers.transports.base import (
    APP_ID,
    CONTENT_TYPE,
    OutgoingMessage,
    PublishFailure,
    TransportOptions,
)
from workers.transports.errors import TopologyMissing, TransportError
from workers.transports.publish_window import PublishWindow

PERSISTENT = DeliveryMode.Persistent

BURST = 100
"""How many are written before the socket is served again: the first leaves while more are made."""

TOO_LARGE = 311
ONE_MESSAGE_CODES = frozenset({TOO_LARGE, 403, 406})
"""Channel errors that a single message causes: its size, access to its key, a precondition."""


class PublishJob:
    """One publish while it runs. `error` is set when the exchange itself is the trouble."""

    def __init__(self, window: PublishWindow, exchange: str) -> None:
        self.window = window
        self.exchange = exchange
        self.done = threading.Event()
        self.error: TransportError | None = None


class PublishingSession:
    """One publishing connection. Opens at once; raises ConnectionLost or Refused."""

    def __init__(self, hosts: tuple[AmqpHost, ...], options: TransportOptions) -> None:
        self._connection = AmqpConnection(hosts, options, "publisher", self._on_end)
        self._channel: Channel | None = None
        self._confirming = False
        self._blocked = False
        self._sent_count = 0
        self._job: PublishJob | None = None
        self._connection.open()
        self._connection.call(self._watch)

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as is known."""
        return self._connection.is_open

    def start(self, job: PublishJob) -> None:
        """Begin a job; its `done` tells when every message has its outcome."""
        self._connection.call(lambda: self._begin(job))

    def give_up(self, job: PublishJob) -> None:
        """End a job that took too long, and the session with it."""
        self._connection.call(lambda: self._finish(job, "timeout"))
        self._connection.abort()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    # ---------------------------------------------------------------- in the connection's thread

    def _watch(self) -> None:
        impl = self._connection.impl
        if impl is not None:
            impl.add_on_connection_blocked_callback(lambda _, __: self._on_blocked())
            impl.add_on_connection_unblocked_callback(lambda _, __: self._on_unblocked())

    def _on_blocked(self) -> None:
        """Send nothing more to a broker in need: it would read it when nobody waits any longer."""
        self._blocked = True
        if self._job is not None:
            self._job.window.remark = "the broker is out of memory or disk and takes nothing"

    def _on_unblocked(self) -> None:
        self._blocked = False
        self._pump()

    def _begin(self, job: PublishJob) -> None:
        self._job = job
        if self._channel is not None and self._channel.is_open:
            self._pump()
        else:
            self._open_channel()

    def _open_channel(self) -> None:
        impl = self._connection.impl
        if impl is not None and impl.is_open:
            self._confirming = False
            self._channel = impl.channel(on_open_callback=self._on_channel_open)
        elif self._job is not None:
            self._finish(self._job, "closed")

    def _on_channel_open(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._on_channel_closed)
        channel.add_on_return_callback(self._on_returned)

        def on_confirm(frame: Method[Basic.Ack | Basic.Nack]) -> None:
            if channel is self._channel:
                self._on_confirm(frame)

        channel.confirm_delivery(on_confirm, callback=self._on_confirming)

    def _on_confirming(self, _: Method[Confirm.SelectOk]) -> None:
        self._confirming = True
        self._sent_count = 0
        self._pump()

    def _pump(self) -> None:
        job, channel, impl = self._job, self._channel, self._connection.impl
        if job is None or channel is None or impl is None:
            return
        if self._blocked or not (self._confirming and channel.is_open):
            return
        with impl.corked():
            more = self._send_burst(job, channel)
        if more:
            self._connection.call(self._pump)

    def _send_burst(self, job: PublishJob, channel: Channel) -> bool:
        """Send up to a burst; tell whether the window may let more through."""
        for _ in range(BURST):
            position = job.window.take()
            if position is None:
                return False
            message = job.window.messages[position]
            self._sent_count += 1
            job.window.sent(self._sent_count, position)
            channel.basic_publish(
                job.exchange,
                message.routing_key,
                message.body,
                _properties(message),
                mandatory=True,
            )
        return True

    def _on_confirm(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        job, method = self._job, frame.method
        if job is None:
            return
        kept = isinstance(method, Basic.Ack)
        job.window.settle(method.delivery_tag or 0, multiple=method.multiple, kept=kept)
        if job.window.done:
            self._finish(job, "closed")
        else:
            self._pump()

    def _on_returned(
        self, channel: Channel, method: Basic.Return, properties: BasicProperties, _: bytes
    ) -> None:
        if self._job is not None and channel is self._channel:
            self._job.window.returned(properties.message_id)
            self._job.window.remark = f"{method.reply_text} for {method.routing_key}"

    def _on_channel_closed(self, channel: Channel, reason: Exception) -> None:
        job = self._job
        if channel is not self._channel:
            return  # one of ours, given up before
        self._channel = None
        if job is None:
            return
        job.window.remark = str(channel_error(reason, job.exchange))
        if isinstance(reason, ChannelClosedByBroker):
            if reason.reply_code in ONE_MESSAGE_CODES:
                job.window.refused(_failure_of(reason))
                if not job.window.done:
                    self._open_channel()
                    return
            elif reason.reply_code == NOT_FOUND:
                job.error = TopologyMissing(job.exchange)
        self._finish(job, "closed")

    def _on_end(self, error: TransportError) -> None:
        self._channel = None
        if self._job is not None:
            self._job.window.remark = str(error)
            self._finish(self._job, "closed")

    def _finish(self, job: PublishJob, rest: PublishFailure) -> None:
        """End a job; what has no outcome yet gets `rest`. A channel with failures is given up."""
        if job is not self._job:
            return
        self._job = None
        job.window.give_up(rest)
        if not job.window.clean and self._channel is not None:
            channel, self._channel = self._channel, None
            if channel.is_open:
                channel.close()
        job.done.set()


def _properties(message: OutgoingMessage) -> BasicProperties:
    return BasicProperties(
        message_id=message.id,
        type=message.type,
        content_type=CONTENT_TYPE,
        delivery_mode=PERSISTENT,
        timestamp=message.timestamp,
        app_id=APP_ID,
    )


def _failure_of(reason: ChannelClosedByBroker) -> PublishFailure:
    """Tell a body over the broker's limit, a failed precondition, by the broker's words."""
    too_large = reason.reply_code == TOO_LARGE or "message size" in reason.reply_text
    return "too_large" if too_large else "refused"
