"""The seam to the broker: receive a batch, acknowledge it, publish a batch and know what is kept.

The rest of the code knows no broker. One contract suite (tests/integration/transports) runs
against every implementation:

- `rabbitmq` (pika) for amqp:// and amqps://, `embedded` (one SQLite file) by default: both keep
  the promise that nothing confirmed is lost;
- `kombu` for any other kombu URL: works, without that promise (`promise_kept` is False).

One consumer is one connection and one channel. When it raises, it is finished: close it and ask
the transport for the next. What it had not acknowledged comes again, so a late `ack` of an older
consumer's deliveries is dropped silently instead of acknowledging strangers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from types import TracebackType
from typing import Literal, Protocol, Self

from workers.topology import Topology, TopologyReport
from workers.transports.large_bodies import Cut

PublishFailure = Literal["unroutable", "nacked", "timeout", "closed", "too_large", "refused"]
"""Why a message is not known to be kept. `unroutable`: no queue takes it. `nacked`: a queue would
not (full). `timeout`, `closed`: it may have arrived all the same, publish it again under the same
id. `too_large`, `refused`: the broker does not take this message at all; again is of no use."""

BODY_BYTES_MAX = 16 * 1024 * 1024
"""The largest body a transport sends: what RabbitMQ 4 takes by default, the same everywhere."""

SHORT_BYTES_MAX = 255
"""The longest id, type and routing key in UTF-8: AMQP has one byte for their lengths."""

CONTENT_TYPE = "application/cloudevents+json"
APP_ID = "backship"


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """The numbers of a transport; `workers.wiring` fills them from the settings."""

    batch_size_max: int = 500
    batch_wait_ms_max: int = 10
    prefetch_batches: int = 3
    publish_window_max: int = 1000
    heartbeat_seconds: int = 30
    connect_seconds_max: float = 10.0
    embedded_lease_seconds: float = 15.0
    embedded_poll_ms: int = 50


@dataclass(slots=True)  # not frozen: of these a batch makes hundreds
class Delivery:
    """One message as it came. The body is never inflated: `compressed` says it would need to be."""

    body: bytes
    routing_key: str
    tag: int
    redelivered: bool
    delivery_count: int
    """How often it was handed out before: 0 on the first delivery."""
    headers: Mapping[str, object]
    """Text, numbers, lists and dictionaries only: they can be written as JSON."""
    compressed: bool
    """A `compression` header, or a content encoding other than identity or utf-8."""
    epoch: int = 0
    """Which consumer of this process delivered it; tags mean something only within one."""
    published_at: float | None = None
    """When it was sent or queued, in unix seconds; None: nobody said."""
    cut: Cut | None = None
    """Set where `body` is only the head of one that is too large (`large_bodies`)."""

    @property
    def body_sha256(self) -> str:
        """Return the SHA-256 of the body as it was sent, in hex: the same at every delivery."""
        return self.cut.sha256 if self.cut is not None else sha256(self.body).hexdigest()


@dataclass(slots=True)  # as above
class OutgoingMessage:
    """One message to publish. `timestamp` is in unix seconds."""

    id: str
    type: str
    routing_key: str
    body: bytes
    timestamp: int | None = None

    @property
    def unsendable(self) -> PublishFailure | None:
        """Say why no transport sends this message; None: they do."""
        if len(self.body) > BODY_BYTES_MAX:
            return "too_large"
        try:
            lengths = [len(text.encode()) for text in (self.id, self.type, self.routing_key)]
        except UnicodeEncodeError:
            return "refused"
        return "refused" if max(lengths) > SHORT_BYTES_MAX else None


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What became of a batch, by message id: every id is in exactly one of the two.

    An id that several messages of the batch carry is confirmed when all of them are.
    """

    confirmed: frozenset[str] = frozenset()
    failed: Mapping[str, PublishFailure] = field(default_factory=dict)
    remark: str = ""
    """What the broker said to the last failure, if anything: for a message to a person."""


class Consumer(Protocol):
    """Takes from one queue. Its methods are called by one thread."""

    def receive(self, count_max: int, wait_seconds: float) -> list[Delivery]:
        """Wait up to `wait_seconds` for a first delivery, then gather for `batch_wait_ms_max`.

        With no time to wait it takes what is there: there is other work, while which more comes.
        It may gather for less: what is there already is a batch, and so is what nothing follows.

        Returns at most `count_max`, in the queue's order; [] when nothing came.
        Raises ConnectionLost or TopologyMissing when the consumer is finished.
        """
        ...

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Say that these are done: after the commit. Never raises for a lost connection."""
        ...

    def release(self) -> None:
        """Give back everything that is not acknowledged, so that another takes it at once."""
        ...

    def stop(self) -> None:
        """Take no new ones. What is buffered can still be received and acknowledged."""
        ...

    def buffered(self) -> int:
        """Count what has been delivered here and not yet received."""
        ...

    def close(self) -> None:
        """Send the acknowledgements still on their way, then let go. May be called twice."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Publisher(Protocol):
    """Publishes batches over a connection of its own, which it renews when it has to."""

    def publish(
        self, messages: Sequence[OutgoingMessage], exchange: str, *, deadline_seconds: float
    ) -> PublishResult:
        """Send all (mandatory, persistent) and wait for every confirm under one deadline.

        Raises ConnectionLost or Refused when no connection could be made (nothing was sent) and
        TopologyMissing when the exchange does not exist. A connection lost half way is no error:
        what was not confirmed is in `failed`.
        """
        ...

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Transport(Protocol):
    """One broker: makes consumers and publishers, declares and checks the topology."""

    @property
    def name(self) -> str:
        """`rabbitmq`, `embedded` or `kombu`."""
        ...

    @property
    def address(self) -> str:
        """Where it is, without secrets: for messages to people."""
        ...

    @property
    def promise_kept(self) -> bool:
        """Whether a message that was confirmed here is never lost."""
        ...

    def consumer(self, queue: str, *, prefetch_max: int | None = None) -> Consumer:
        """Connect and begin to take from a queue; `prefetch_max` is for fewer than usual.

        Raises ConnectionLost, Refused or TopologyMissing; one attempt per host.
        """
        ...

    def publisher(self) -> Publisher:
        """Make a publisher; it connects at the first publish."""
        ...

    def declare(self, topology: Topology) -> None:
        """Create what is missing. Raises TopologyDiffers for what exists otherwise."""
        ...

    def missing(self, topology: Topology) -> list[str]:
        """Name the exchanges and queues that do not exist; needs no rights beyond a worker's."""
        ...

    def check(self, topology: Topology) -> TopologyReport:
        """Compare what exists with what should, changing nothing; an administrator's call.

        The report also says what could not be looked at, and why.
        """
        ...

    def ready_count(self, queue: str) -> int:
        """Count the messages that could be delivered now. Raises TopologyMissing."""
        ...

    def outstanding_count(self, queue: str) -> int | None:
        """Count the messages ready, delivered elsewhere or due later; None if unknowable."""
        ...

    def oldest_at(self, queue: str) -> float | None:
        """Tell when the oldest message was queued, in unix seconds; None if none or unknowable.

        Raises TopologyMissing.
        """
        ...

    def delete_queue(self, name: str) -> None:
        """Delete a queue with its bindings and all that is in it; one that is not there is fine.

        For queues of one's own, as the demo's; nothing of the topology is ever deleted.
        """
        ...

    def close(self) -> None:
        """Let go of what the transport itself holds; consumers and publishers close themselves."""
        ...
