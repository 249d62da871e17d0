"""RabbitMQ, by pika: the transport for amqp:// and amqps://.

Each consumer and each publisher has a connection and a thread of its own. What an administrator
does (declare, check) and what a worker asks (does it exist, how many are ready) go over a short
connection each: nothing of that is hot, and a question answered with "no" closes its channel.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pika
from pika.adapters.blocking_connection import BlockingConnection
from pika.exceptions import AMQPChannelError, AMQPError

from workers.topology import Topology, TopologyReport
from workers.transports import rabbitmq_topology
from workers.transports.amqp_address import read_amqp_address, shown
from workers.transports.amqp_errors import channel_error, connect_error, connection_error
from workers.transports.base import TransportOptions
from workers.transports.errors import ConnectionLost, Refused, TransportError
from workers.transports.rabbitmq_consumer import RabbitConsumer
from workers.transports.rabbitmq_management import look_through_management
from workers.transports.rabbitmq_publisher import RabbitPublisher


class RabbitTransport:
    """One RabbitMQ, or a cluster of them, at the addresses of BROKER_URL."""

    name = "rabbitmq"
    promise_kept = True

    def __init__(self, urls: str, options: TransportOptions) -> None:
        self._hosts = read_amqp_address(urls)
        self._options = options

    @property
    def address(self) -> str:
        """Give the addresses without passwords."""
        return shown(self._hosts)

    def consumer(self, queue: str, *, prefetch_max: int | None = None) -> RabbitConsumer:
        """Connect and begin to take from a queue; see `base.Transport`."""
        usual = self._options.batch_size_max * self._options.prefetch_batches
        return RabbitConsumer(self._hosts, self._options, queue, prefetch_max or usual)

    def publisher(self) -> RabbitPublisher:
        """Make a publisher; it connects at the first publish."""
        return RabbitPublisher(self._hosts, self._options)

    def declare(self, topology: Topology) -> None:
        """Create what is missing, what catches before what feeds it."""
        with self._connected() as connection:
            rabbitmq_topology.declare(connection, topology)

    def missing(self, topology: Topology) -> list[str]:
        """Name what does not exist; needs no rights beyond a worker's."""
        with self._connected() as connection:
            return rabbitmq_topology.missing(connection, topology)

    def check(self, topology: Topology) -> TopologyReport:
        """Compare by equivalent redeclaration, then through the management API where it answers."""
        with self._connected() as connection:
            differences = rabbitmq_topology.differences(connection, topology)
        rest = look_through_management(self._hosts, topology, self._options.connect_seconds_max)
        return TopologyReport((*differences, *rest.differences), rest.unchecked)

    def ready_count(self, queue: str) -> int:
        """Count the messages that could be delivered now."""
        with self._connected() as connection:
            try:
                return connection.channel().queue_declare(queue, passive=True).method.message_count
            except AMQPChannelError as error:
                raise channel_error(error, queue) from None

    def outstanding_count(self, queue: str) -> int | None:  # noqa: ARG002 - the seam's signature
        """Answer None: AMQP does not tell how many messages other consumers hold."""
        return None

    def oldest_at(self, queue: str) -> None:
        """Answer None: one would have to take the head of the queue, and give it back.

        Up to RabbitMQ 4.2 that counts as a delivery of the message (and 20 of them make it a dead
        letter); the management API does the same behind `get`. Workers note the age they see.
        """

    def delete_queue(self, name: str) -> None:
        """Delete a queue with its bindings and all that is in it."""
        with self._connected() as connection:
            try:
                connection.channel().queue_delete(name)
            except AMQPChannelError as error:
                raise channel_error(error, name) from None

    def close(self) -> None:
        """Do nothing: no connection is kept between calls."""

    @contextmanager
    def _connected(self) -> Iterator[BlockingConnection]:
        connection = self._connect()
        try:
            yield connection
        except AMQPError as error:
            raise connection_error(error, self.address) from None
        finally:
            if connection.is_open:
                connection.close()

    def _connect(self) -> BlockingConnection:
        errors: list[TransportError] = []
        for host in self._hosts:
            try:
                return pika.BlockingConnection(host.parameters(self._options, "administration"))
            except (AMQPError, OSError) as error:
                errors.append(connect_error(error, host.shown))
        refusals = [error for error in errors if isinstance(error, Refused)]
        raise (refusals or errors or [ConnectionLost(f"{self.address} does not answer.")])[-1]
