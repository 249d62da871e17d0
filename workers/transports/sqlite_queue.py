"""Our embedded transport for kombu: a virtual transport over one SQLite file.

For programs that speak kombu and want to use the file of an embedded Backship:

    import workers.transports.sqlite_queue  # makes the scheme known to kombu
    Connection("backship-sqlite:////var/lib/backship/backship.db")

or `Connection(transport=Transport, transport_options={"path": …})`.

It keeps what kombu's own file transports lose (measured): messages are leased and come again when
their holder is killed; an acknowledgement carries the lease's token; bindings stand in the file,
where every process sees them; a requeue goes back into the queue, never through the exchange.
Statements and tables are those of the seam (`queue_messages`), which takes a batch at a time.
"""

# What is called by super() has no types in kombu.
# mypy: disable-error-code="no-untyped-call"

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import unquote, urlsplit

from kombu.connection import Connection
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, virtual
from typing_extensions import override

from workers.clock import SystemClock
from workers.transports import queue_topology
from workers.transports.base import TransportOptions
from workers.transports.errors import ConnectionLost, Refused, TopologyDiffers, TopologyMissing
from workers.transports.lease_keeper import LeaseKeeper
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import QueueMessages
from workers.transports.queue_topology import StoredExchange, StoredQueue
from workers.transports.sqlite_payload import Payload, held_of, payload_of, queued_of

SCHEME = "backship-sqlite"
TRANSPORT_ALIASES[SCHEME] = "workers.transports.sqlite_queue:Transport"

DEFAULTS = TransportOptions()


class LeasedQoS(virtual.QoS):
    """What a channel holds: acknowledging deletes, rejecting gives back or lets die."""

    channel: "Channel"

    @override
    def append(self, message: virtual.Message, delivery_tag: str) -> None:
        self.channel.keeper.hold([held_of(delivery_tag)])
        super().append(message, delivery_tag)

    @override
    def ack(self, delivery_tag: str) -> None:
        self.channel.keeper.drop([held_of(delivery_tag)])
        self.channel.messages.delete([held_of(delivery_tag)])
        super().ack(delivery_tag)

    @override
    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        held = [held_of(delivery_tag)]
        self.channel.keeper.drop(held)
        if requeue:
            self.channel.messages.give_back(held)
        else:
            queue = self._delivered[delivery_tag].delivery_info["queue"]
            self.channel.messages.reject(queue, held)
        super().ack(delivery_tag)

    @override
    def restore_unacked(self) -> list[tuple[BaseException, virtual.Message]]:
        self._flush()
        held = [held_of(tag) for tag in self._delivered]
        self._delivered.clear()
        self.channel.keeper.drop(held)
        self.channel.messages.give_back(held)
        return []


class Channel(virtual.Channel):
    """A channel with a connection to the file of its own."""

    QoS = LeasedQoS
    supports_fanout = True
    body_encoding = "utf-8"  # kombu's word for "as it is"

    def __init__(self, connection: "Transport", **options: object) -> None:
        super().__init__(connection, **options)
        clock = SystemClock()
        path, lease_seconds = connection.path, connection.lease_seconds
        self.file = QueueFile(path, create=True)
        self.file.create_tables()
        self.messages = QueueMessages(self.file, clock, lease_seconds)
        self.keeper = LeaseKeeper(path, clock, lease_seconds)
        self.keeper.start()

    # ---------------------------------------------------------------- topology

    @override
    def exchange_declare(
        self,
        exchange: str = "",
        type: str = "direct",
        durable: bool = False,
        auto_delete: bool = False,
        arguments: Mapping[str, Any] | None = None,
        nowait: bool = False,
        passive: bool = False,
    ) -> None:
        alternate = (arguments or {}).get("alternate-exchange")
        wanted = StoredExchange(exchange, type or "direct", alternate)
        with _channel_errors("exchange_declare"), self.file.writing() as db:
            if not passive:
                queue_topology.declare_exchange(db, wanted)
            elif queue_topology.find_exchange(db, exchange) is None:
                raise TopologyMissing(exchange)

    @override
    def exchange_delete(self, exchange: str, if_unused: bool = False, nowait: bool = False) -> None:
        with self.file.writing() as db:
            queue_topology.delete_exchange(db, exchange)

    @override
    def _new_queue(
        self, queue: str, *, arguments: Mapping[str, Any] | None = None, **_: object
    ) -> None:
        given = arguments or {}
        limit, exchange = given.get("x-delivery-limit"), given.get("x-dead-letter-exchange")
        with _channel_errors("queue_declare"), self.file.writing() as db:
            queue_topology.declare_queue(db, StoredQueue(queue, limit, exchange))

    @override
    def _has_queue(self, queue: str, **_: object) -> bool:
        with self.file.errors():
            return queue_topology.find_queue(self.file.connection, queue) is not None

    @override
    def queue_bind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: Mapping[str, Any] | None = None,
        **_: object,
    ) -> None:
        with _channel_errors("queue_bind"), self.file.writing() as db:
            queue_topology.bind(db, exchange or "", queue, routing_key)

    @override
    def queue_unbind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: Mapping[str, Any] | None = None,
        **_: object,
    ) -> None:
        with self.file.writing() as db:
            queue_topology.unbind(db, exchange or "", queue, routing_key)

    @override
    def queue_delete(
        self, queue: str, if_unused: bool = False, if_empty: bool = False, **_: object
    ) -> None:
        with self.file.writing() as db:
            if not (if_empty and self.messages.outstanding_count(queue)):
                queue_topology.delete_queue(db, queue)

    # ---------------------------------------------------------------- messages

    @override
    def basic_publish(
        self,
        message: Payload,
        exchange: str,
        routing_key: str,
        mandatory: bool = False,
        **_: object,
    ) -> None:
        queued = queued_of(message, routing_key)
        with _channel_errors("basic_publish"):
            if not exchange:
                self.messages.put_into(routing_key, queued)
            elif self.messages.put(exchange, [queued]) and mandatory:
                raise ChannelError(f"NO_ROUTE for {routing_key}", (60, 40), "basic_return", 312)

    @override
    def _get(self, queue: str, timeout: float | None = None) -> Payload:
        # Looking first takes no lock; claiming takes the only one there is for writing.
        claimed = self.messages.claim(queue, 1) if self.messages.ready_count(queue, 1) else []
        if not claimed:
            raise Empty
        return payload_of(claimed[0], queue)

    @override
    def _size(self, queue: str) -> int:
        return self.messages.ready_count(queue)

    @override
    def _purge(self, queue: str) -> int:
        return self.messages.purge(queue)

    @override
    def close(self) -> None:
        if not self.closed:
            super().close()  # gives back what is held
            self.keeper.stop()
            self.file.close()


class Transport(virtual.Transport):
    """kombu's view of one file. Options: `path`, `lease_seconds`, `polling_interval`."""

    Channel = Channel
    can_parse_url = True
    polling_interval = DEFAULTS.embedded_poll_ms / 1000
    driver_type = "sqlite"
    driver_name = SCHEME
    # kombu's is a tuple of one, and mypy holds its subclasses to that length.
    connection_errors = (*virtual.Transport.connection_errors, ConnectionLost, Refused)  # type: ignore[assignment]
    implements = virtual.Transport.implements.extend(
        exchange_type=frozenset({"direct", "topic", "fanout"})
    )

    def __init__(self, client: Connection, **options: object) -> None:
        super().__init__(client, **options)
        given = client.transport_options or {}
        self.path = Path(given["path"]) if "path" in given else path_of(client.hostname or "")
        self.lease_seconds = float(given.get("lease_seconds", DEFAULTS.embedded_lease_seconds))


def path_of(url: str) -> Path:
    """Read `backship-sqlite:///relative.db` or `backship-sqlite:////absolute.db`."""
    parts = urlsplit(url)
    if parts.scheme != SCHEME or parts.netloc or len(parts.path) <= 1:
        raise ValueError(f"{url} is not {SCHEME}:///PATH.")
    return Path(unquote(parts.path[1:]))


@contextmanager
def _channel_errors(method: str) -> Iterator[None]:
    try:
        yield
    except TopologyMissing as error:
        raise ChannelError(str(error), (50, 10), method, 404) from error
    except TopologyDiffers as error:
        raise ChannelError(str(error), (50, 10), method, 406) from error
