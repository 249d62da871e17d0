"""Any other kombu URL (`memory://`, `redis://`, …): it works, without the promise.

What these brokers lack, nothing here can add: most lose what a killed worker held, none confirms,
and none has a dead queue. The worker says so when it starts (`promise_kept`).
"""

from workers.topology import Difference, Topology, TopologyReport
from workers.transports.base import TransportOptions
from workers.transports.errors import TopologyMissing
from workers.transports.kombu_consumer import KombuConsumer
from workers.transports.kombu_link import KombuLink, address_of
from workers.transports.kombu_publisher import KombuPublisher


class KombuTransport:
    """The broker at a kombu URL; the topology is needed to declare it on every connection."""

    name = "kombu"
    promise_kept = False

    def __init__(self, url: str, topology: Topology, options: TransportOptions) -> None:
        self._url = url
        self._topology = topology
        self._options = options
        self._address = address_of(url, options)

    @property
    def address(self) -> str:
        """Give kombu's URL without the password."""
        return self._address

    def consumer(self, queue: str, *, prefetch_max: int | None = None) -> KombuConsumer:
        """Connect and begin to take from a queue; see `base.Transport`."""
        prefetch = prefetch_max or self._options.batch_size_max * self._options.prefetch_batches
        return KombuConsumer(self._url, self._topology, self._options, queue, prefetch)

    def publisher(self) -> KombuPublisher:
        """Make a publisher; it connects at the first publish."""
        return KombuPublisher(self._url, self._topology, self._options)

    def declare(self, topology: Topology) -> None:
        """Create what is missing, as far as this broker keeps it."""
        with self._link() as link:
            link.declare(topology)

    def missing(self, topology: Topology) -> list[str]:
        """Name what does not exist; on most of these brokers connecting has just declared it."""
        with self._link() as link:
            return [each.name for each in topology.queues if not _exists(link, each.name)]

    def check(self, topology: Topology) -> TopologyReport:
        """Say that nothing can be compared here."""
        said = f"Arguments, bindings and policies cannot be checked on {self._address}."
        differences = tuple(
            Difference("queue", name, None, "exists", "missing", "backship init")
            for name in self.missing(topology)
        )
        return TopologyReport(differences, unchecked=(said,))

    def ready_count(self, queue: str) -> int:
        """Count the messages that could be delivered now."""
        with self._link() as link:
            return link.ready_count(queue)

    def outstanding_count(self, queue: str) -> int | None:  # noqa: ARG002 - the seam's signature
        """Answer None: kombu does not tell how many messages other consumers hold."""
        return None

    def oldest_at(self, queue: str) -> None:
        """Answer None: kombu has no way to look at a message without taking it."""

    def delete_queue(self, name: str) -> None:
        """Delete a queue and all that is in it; virtual transports keep its bindings."""
        with self._link() as link, link.errors(name):
            link.channel.queue_delete(queue=name)

    def close(self) -> None:
        """Do nothing: no connection is kept between calls."""

    def _link(self) -> KombuLink:
        return KombuLink(self._url, self._topology, self._options)


def _exists(link: KombuLink, queue: str) -> bool:
    try:
        link.ready_count(queue)
    except TopologyMissing:
        return False
    return True
