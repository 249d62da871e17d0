"""Taking from a queue in the SQLite file: look, linger, claim a batch under one lease.

1. Look every `embedded_poll_ms` whether anything is ready: some 20 µs, and no lock.
2. If it is less than a batch, wait `batch_wait_ms_max` once, so that one claim takes what comes
   together: a claim is a transaction, and with `synchronous=FULL` a transaction is a disk sync.
3. Claim. What was claimed is renewed (`lease_keeper`) until it is acknowledged or given back.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.clock import Clock
from workers.transports import queue_topology
from workers.transports.base import Delivery, TransportOptions
from workers.transports.errors import TopologyMissing, TransportError
from workers.transports.headers import is_compressed
from workers.transports.large_bodies import Cut
from workers.transports.lease_keeper import LeaseKeeper
from workers.transports.queue_file import QueueFile, queue_file_exists
from workers.transports.queue_messages import QueueMessages
from workers.transports.queued_message import ClaimedMessage, Held

_epochs = itertools.count(1)


class EmbeddedConsumer:
    """One consumer of one queue. Nothing is fetched ahead: there is no round trip to hide."""

    def __init__(self, path: Path, options: TransportOptions, clock: Clock, queue: str) -> None:
        self.epoch = next(_epochs)
        self._clock = clock
        self._queue = queue
        self._poll_seconds = options.embedded_poll_ms / 1000
        self._linger_seconds = options.batch_wait_ms_max / 1000
        self._tags = itertools.count(1)
        self._held: dict[int, Held] = {}
        self._stopped = False
        self._lost: TransportError | None = None
        if not queue_file_exists(path):
            raise TopologyMissing(queue)
        self._file = QueueFile(path)
        lease_seconds = options.embedded_lease_seconds
        self._messages = QueueMessages(self._file, clock, lease_seconds)
        self._keeper = LeaseKeeper(path, clock, lease_seconds)
        try:
            self._require_queue()
        except TransportError:
            self._file.close()
            raise
        self._keeper.start()

    def receive(self, count_max: int, wait_seconds: float) -> list[Delivery]:
        """Wait for a first message, then gather; see `base.Consumer`."""
        deadline = self._clock.monotonic() + wait_seconds
        if not self._stopped:
            self._require_queue()
        while not self._stopped:
            if self._lost is not None:
                raise self._lost
            ready = self._messages.ready_count(self._queue, count_max)
            if ready:
                if ready < count_max and wait_seconds:
                    self._clock.sleep(self._linger_seconds)
                claimed = self._messages.claim(self._queue, count_max, heads=True)
                if claimed:
                    return self._deliveries(claimed)
            left = deadline - self._clock.monotonic()
            if left <= 0:
                break
            self._clock.sleep(min(self._poll_seconds, left))
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete what this consumer still holds of these; anything else is left alone."""
        held = [
            self._held.pop(delivery.tag)
            for delivery in deliveries
            if delivery.epoch == self.epoch and delivery.tag in self._held
        ]
        if not held:
            return
        self._keeper.drop(held)
        try:
            self._messages.delete(held)
        except TransportError as error:
            self._lost = error  # the leases will end, and the messages come again

    def release(self) -> None:
        """Give back everything not acknowledged; it does not count as a delivery."""
        self.stop()
        held = list(self._held.values())
        self._held.clear()
        self._keeper.drop(held)
        if held:
            self._messages.give_back(held)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopped = True

    def buffered(self) -> int:
        """Answer 0: nothing is fetched ahead."""
        return 0

    def close(self) -> None:
        """Let go of the file; what is still held comes again when its lease ends."""
        self._keeper.stop()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _require_queue(self) -> None:
        with self._file.errors():
            if queue_topology.find_queue(self._file.connection, self._queue) is None:
                raise TopologyMissing(self._queue)

    def _deliveries(self, claimed: list[ClaimedMessage]) -> list[Delivery]:
        self._keeper.hold((each.id, each.token) for each in claimed)
        return [self._delivery(each) for each in claimed]

    def _delivery(self, message: ClaimedMessage) -> Delivery:
        # A tag is new with every claim: an acknowledgement of an earlier claim of the same message
        # carries the earlier token, and so deletes nothing.
        tag = next(self._tags)
        self._held[tag] = (message.id, message.token)
        encoding = message.properties.get("content_encoding")
        cut = None
        if message.body_bytes > len(message.body):
            cut = Cut(message.body_bytes, self._messages.body_sha256(self._held[tag]))
        return Delivery(
            body=message.body,
            routing_key=message.routing_key,
            tag=tag,
            redelivered=message.deliveries > 1,
            delivery_count=message.deliveries - 1,
            headers=message.headers,
            compressed=is_compressed(
                message.headers, encoding if isinstance(encoding, str) else None
            ),
            epoch=self.epoch,
            cut=cut,
            published_at=message.enqueued_at,
        )
