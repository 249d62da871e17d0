"""One kombu connection and its channel: opened, its topology declared, its errors put in our words.

Virtual transports (everything but AMQP) keep exchanges and bindings in the process, so every link
declares them again. They know neither fanout that lasts nor alternate exchanges: fanout becomes a
topic exchange bound with `#`, and the alternate of an exchange is remembered here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from kombu.connection import Connection
from kombu.entity import Exchange as KombuExchange
from kombu.entity import Queue as KombuQueue
from kombu.exceptions import ChannelError, KombuError
from kombu.transport import virtual

from workers.topology import Topology
from workers.transports.base import TransportOptions
from workers.transports.errors import BadAddress, ConnectionLost, TopologyMissing, TransportError
from workers.transports.kombu_message import keep_bodies

NOT_FOUND = 404
NO_ROUTE = 312

# py-amqp confirms only when asked to; other transports do not know the option.
CONFIRMING_SCHEMES = ("pyamqp", "librabbitmq")


def address_of(url: str, options: TransportOptions) -> str:
    """Give a kombu URL without its password. Raises BadAddress."""
    address: str = _connection(url, options).as_uri()
    return address


class KombuLink:
    """A connection and a channel, used by one thread. Raises BadAddress or ConnectionLost."""

    def __init__(self, url: str, topology: Topology, options: TransportOptions) -> None:
        self.connection = _connection(url, options)
        self.address: str = self.connection.as_uri()
        self.alternates = {each.name: each.alternate for each in topology.exchanges}
        with self.errors():
            self.connection.connect()
            self.channel: Any = self.connection.channel()
            keep_bodies(self.channel)
        self.is_virtual = isinstance(self.connection.transport, virtual.Transport)
        if self.is_virtual:
            self.connection.transport.polling_interval = options.embedded_poll_ms / 1000
            self.declare(topology)

    def declare(self, topology: Topology) -> None:
        """Create what is missing."""
        with self.errors():
            for exchange in topology.exchanges:
                kind = "topic" if self.is_virtual else exchange.kind
                arguments = None if self.is_virtual else exchange.arguments
                KombuExchange(exchange.name, kind, arguments=arguments)(self.channel).declare()
            for queue in topology.queues:
                arguments = None if self.is_virtual else queue.arguments
                KombuQueue(queue.name, queue_arguments=arguments)(self.channel).queue_declare()
            for binding in topology.bindings:
                self.channel.queue_bind(binding.queue, binding.exchange, binding.pattern)

    def takers(self, exchange: str, routing_key: str) -> bool:
        """Tell whether any queue takes a message; only virtual transports can be asked."""
        return bool(self.channel._lookup(exchange, routing_key))  # noqa: SLF001 - no public way

    def put_back(self, queue: str, message: Any) -> None:  # noqa: ANN401 - kombu's, per transport
        """Put a message of a virtual transport behind the others of its queue, as it came."""
        payload = dict(message._raw)  # noqa: SLF001 - `serializable` would drop the compression header
        headers = dict(payload.get("headers") or {})
        headers["x-delivery-count"] = headers.get("x-delivery-count", 0) + 1
        self.channel._put(queue, {**payload, "headers": headers})  # noqa: SLF001 - no public way
        message.ack()

    def ready_count(self, queue: str) -> int:
        """Count what could be delivered now. Raises TopologyMissing."""
        with self.errors(queue):
            return int(self.channel.queue_declare(queue=queue, passive=True).message_count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; may be called twice."""
        self.connection.release()

    @contextmanager
    def errors(self, name: str = "") -> Iterator[None]:
        """Turn kombu's errors into ours; `name` is the queue or exchange in question."""
        expected = (
            *self.connection.connection_errors,
            *self.connection.channel_errors,
            KombuError,
            ChannelError,
            OSError,
        )
        try:
            yield
        except TransportError:
            raise
        except expected as error:
            if reply_code(error) == NOT_FOUND:
                raise TopologyMissing(name) from error
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise ConnectionLost(f"{self.address}: {reason}.") from error


def reply_code(error: BaseException | None) -> int:
    """Give AMQP's number of an error; virtual transports write it as text. 0: it has none."""
    return int(getattr(error, "reply_code", None) or 0)


def _connection(url: str, options: TransportOptions) -> Connection:
    scheme = url.partition(":")[0]
    confirming = scheme in CONFIRMING_SCHEMES
    if confirming and "ssl" in url.partition("?")[2].lower():
        # py-amqp would check who signed the certificate, and not whose it is.
        said = (
            f"BROKER_URL: {scheme}:// does not check the host name of a certificate; use amqps://."
        )
        raise BadAddress(said)
    try:
        connection = Connection(
            url,
            heartbeat=options.heartbeat_seconds,
            connect_timeout=options.connect_seconds_max,
            transport_options={"confirm_publish": True} if confirming else {},
        )
        _ = connection.transport  # imports the driver
    except ValueError:  # its words may be half a password
        said = "BROKER_URL cannot be used by kombu: its host or port is malformed."
        raise BadAddress(said) from None
    except KeyError as error:
        reason = str(error.args[0]) if error.args else type(error).__name__
        raise BadAddress(f"BROKER_URL cannot be used by kombu: {reason}.") from None
    except (ImportError, AttributeError) as error:
        # A missing driver shows in either way, depending on the transport.
        said = f"BROKER_URL: kombu has no driver for {scheme}:// here ({error}); install it."
        raise BadAddress(said) from None
    return connection
