"""Taking from a queue through kombu, with an own loop in an own thread.

The thread owns the connection: it pumps events, keeps the heartbeats whatever the worker does, and
acknowledges, one message at a time, since virtual transports ignore `multiple`. Never kombu's
ConsumerMixin: that acknowledges (destroys) what it cannot decode, and checks heartbeats only when
idle.

Giving back never goes through the exchange, where kombu sends it and every bound queue gets a copy:
it is put into its own queue, behind the others.
"""

import contextlib
import itertools
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from kombu.entity import Queue as KombuQueue
from kombu.messaging import Consumer as KombuMessaging

from workers.clock import SystemClock
from workers.topology import Topology
from workers.transports.base import Delivery, TransportOptions
from workers.transports.errors import ConnectionLost, TransportError
from workers.transports.headers import is_compressed, plain_headers
from workers.transports.kombu_link import KombuLink
from workers.transports.large_bodies import head_of

TICK_SECONDS = 0.05
CLOSE_SECONDS_MAX = 5.0

_epochs = itertools.count(1)


class KombuConsumer:
    """One connection, one channel, one consumer of one queue."""

    def __init__(
        self, url: str, topology: Topology, options: TransportOptions, queue: str, prefetch: int
    ) -> None:
        self.epoch = next(_epochs)
        self._queue = queue
        self._prefetch = prefetch
        self._options = options
        self._clock = SystemClock()
        self._changed = threading.Condition()
        self._buffer: deque[Delivery] = deque()
        self._commands: deque[Callable[[], None]] = deque()
        self._lost: TransportError | None = None
        self._stopped = False
        self._closing = False
        # Only in the thread, once it runs.
        self._messages: dict[int, Any] = {}
        self._tags = itertools.count(1)
        self._link = KombuLink(url, topology, options)
        self._messaging = self._consume()
        self._thread = threading.Thread(target=self._run, name=f"kombu {queue}", daemon=True)
        self._thread.start()

    def receive(self, count_max: int, wait_seconds: float) -> list[Delivery]:
        """Wait for a first delivery, then gather; see `base.Consumer`."""
        with self._changed:
            self._wait_for(1, wait_seconds)
            if self._buffer and wait_seconds:
                self._wait_for(count_max, self._options.batch_wait_ms_max / 1000)
            if self._lost is not None:
                raise self._lost
            return [self._buffer.popleft() for _ in range(min(count_max, len(self._buffer)))]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge what this consumer delivered; anything else is dropped silently."""
        tags = [delivery.tag for delivery in deliveries if delivery.epoch == self.epoch]
        self._commands.append(lambda: self._ack(tags))

    def release(self) -> None:
        """Put back everything not acknowledged."""
        self.stop()
        with self._changed:
            self._buffer.clear()
        self._do(self._give_back)

    def stop(self) -> None:
        """Take nothing more; what is buffered can still be received."""
        self._do(self._cancel)

    def buffered(self) -> int:
        """Count what arrived and was not yet received."""
        return len(self._buffer)

    def close(self) -> None:
        """Acknowledge what is on its way, put back the rest, disconnect."""
        if not self._closing:
            self.release()
            self._closing = True
            self._thread.join(CLOSE_SECONDS_MAX)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_for(self, count: int, seconds: float) -> None:
        def enough() -> bool:
            return len(self._buffer) >= count or self._stopped or self._lost is not None

        self._changed.wait_for(enough, seconds)

    def _do(self, command: Callable[[], None]) -> None:
        """Let the thread run `command` after those before it, and wait for it."""
        done = threading.Event()

        def run() -> None:
            command()
            done.set()

        self._commands.append(run)
        deadline = self._clock.monotonic() + CLOSE_SECONDS_MAX
        while self._thread.is_alive() and self._clock.monotonic() < deadline:
            if done.wait(TICK_SECONDS):
                return

    def _consume(self) -> KombuMessaging:
        try:
            with self._link.errors(self._queue):
                self._link.channel.queue_declare(queue=self._queue, passive=True)
                self._link.channel.basic_qos(0, self._prefetch, False)  # noqa: FBT003 - per consumer
                messaging = KombuMessaging(
                    self._link.channel,
                    queues=[KombuQueue(self._queue, no_declare=True)],
                    auto_declare=False,
                    on_message=self._on_message,
                )
                messaging.consume()
                return messaging
        except TransportError:
            self._link.close()
            raise

    # ---------------------------------------------------------------- in the thread

    def _run(self) -> None:
        try:
            while not self._closing:
                while self._commands:
                    self._commands.popleft()()
                with self._link.errors(self._queue):
                    self._link.connection.heartbeat_check()
                    with contextlib.suppress(socket.timeout):
                        self._link.connection.drain_events(timeout=TICK_SECONDS)
        except TransportError as error:
            self._lose(error)
        except Exception as error:  # noqa: BLE001 - nobody may wait for a dead thread
            self._lose(ConnectionLost(f"The consumer of {self._queue} failed: {error!r}."))
        finally:
            with contextlib.suppress(Exception):
                self._link.close()

    def _on_message(self, message: Any) -> None:  # noqa: ANN401 - kombu has a class per transport
        tag = next(self._tags)
        self._messages[tag] = message
        headers = plain_headers(message.headers)
        info = {**message.delivery_info, **message.properties}
        redelivered = bool(info.get("redelivered"))
        given = headers.get("x-delivery-count")
        count = given if isinstance(given, int) else int(redelivered)
        # Kept whole in the message all the same: giving it back means to put it in again.
        given_body = message.body
        head, cut = head_of(given_body.encode() if isinstance(given_body, str) else given_body)
        sent = message.properties.get("timestamp")
        delivery = Delivery(
            body=bytes(head),
            routing_key=str(message.delivery_info.get("routing_key", "")),
            tag=tag,
            redelivered=redelivered or count > 0,
            delivery_count=count,
            headers=headers,
            compressed=is_compressed(headers, message.content_encoding),
            epoch=self.epoch,
            cut=cut,
            published_at=sent if isinstance(sent, int | float) else None,
        )
        with self._changed:
            self._buffer.append(delivery)
            self._changed.notify_all()

    def _ack(self, tags: Sequence[int]) -> None:
        with self._link.errors(self._queue):
            for tag in tags:
                message = self._messages.pop(tag, None)
                if message is not None:
                    message.ack()

    def _give_back(self) -> None:
        messages, self._messages = list(self._messages.values()), {}
        with self._link.errors(self._queue):
            for message in messages:
                if self._link.is_virtual:
                    self._link.put_back(self._queue, message)
                else:
                    message.requeue()

    def _cancel(self) -> None:
        with self._link.errors(self._queue):
            self._messaging.cancel()
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _lose(self, error: TransportError) -> None:
        with self._changed:
            self._lost = error
            self._changed.notify_all()
