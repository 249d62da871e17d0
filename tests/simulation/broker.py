"""A broker as the real ones promise to be, and as badly as they may behave within that promise.

- A message it has confirmed is kept until it is acknowledged, or moved to the dead queue after its
  delivery limit. Everything else may happen: twice, late, in another order, unanswered.
- What was delivered and not acknowledged comes again with a higher count when its consumer's
  connection ends; in the leased flavour after up to 15 s, as with the embedded queue.
- The topology is the real one (`workers.topology`), the routing too (`workers.transports.topics`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.simulation.faults import Faults
from tests.simulation.scheduler import Scheduler
from workers.topology import Topology
from workers.transports.base import OutgoingMessage
from workers.transports.death import DELIVERY_LIMIT, Death
from workers.transports.topics import matches

LEASE_SECONDS_MAX = 15.0


@dataclass(eq=False, slots=True)
class Message:
    """One copy of a message in one queue."""

    body: bytes
    routing_key: str
    exchange: str
    headers: Mapping[str, object] = field(default_factory=dict)
    returns: int = 0
    """How often it came back."""


@dataclass(eq=False, slots=True)
class Queue:
    """One queue. `leased`: what nobody holds any more, and when it is to be had again."""

    name: str
    limit: int
    dead_letter_exchange: str | None
    ready: list[Message] = field(default_factory=list)
    held: int = 0
    leased: list[tuple[float, Message]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Is nothing in it, nor on its way back?"""
        return not (self.ready or self.held or self.leased)


@dataclass(frozen=True, slots=True)
class Flavour:
    """Which of the real brokers it is like."""

    leased: bool = False
    fetches_ahead: bool = True
    delivery_limit: int | None = None
    """Another limit for the inbox than the real one."""


class Broker:
    """Queues, exchanges and what is wrong with them just now."""

    def __init__(
        self, scheduler: Scheduler, faults: Faults, topology: Topology, flavour: Flavour
    ) -> None:
        self.scheduler = scheduler
        self.faults = faults
        self.flavour = flavour
        self.rng: Random = scheduler.rng
        self.topology = topology
        self.exchanges = {each.name: each for each in topology.exchanges}
        self.bindings = [(each.exchange, each.queue, each.pattern) for each in topology.bindings]
        self.queues = {
            each.name: Queue(each.name, each.delivery_limit, each.dead_letter_exchange)
            for each in topology.queues
        }
        if flavour.delivery_limit is not None:
            self.queues[topology.inbox_queue].limit = flavour.delivery_limit
        self._add_warehouse()
        self.consumers: set[object] = set()
        self.down_until = self.missing_until = self.blocked_until = 0.0
        self.outages = 0  # connections of before the last one are lost

    def _add_warehouse(self) -> None:
        """Somebody listens to one warehouse; what nobody listens to is kept unrouted."""
        name = f"{self.topology.out_exchange}.WH1"
        self.queues[name] = Queue(name, 1_000_000, None)
        self.bindings.append((self.topology.out_exchange, name, "*.*.WH1"))

    # ---------------------------------------------------------------- what is wrong

    @property
    def now(self) -> float:
        """Tell the seconds of the virtual clock."""
        return self.scheduler.clock.monotonic()

    @property
    def is_down(self) -> bool:
        """Does nobody answer?"""
        return self.faults.on and self.now < self.down_until

    @property
    def is_blocked(self) -> bool:
        """Are publishers not read?"""
        return self.faults.on and self.now < self.blocked_until

    def is_missing(self, queue: str) -> bool:
        """Is a queue not to be found? Its messages are there again when it is."""
        return self.faults.on and self.now < self.missing_until and queue in self.topology_inbox

    @property
    def topology_inbox(self) -> tuple[str, ...]:
        """Name the queues that may be missing for a while."""
        return (self.topology.inbox_queue,)

    def go_down(self, seconds: float) -> None:
        """Stop for a while: every connection is lost."""
        self.down_until = self.now + seconds
        self.outages += 1

    # ---------------------------------------------------------------- messages

    def put(self, exchange: str, message: OutgoingMessage) -> bool:
        """Keep a message in the queues it belongs to; False: there is none."""
        targets = self.route(exchange, message.routing_key)
        for queue in targets:
            queue.ready.append(Message(message.body, message.routing_key, exchange))
            if self.faults.hit("delivered twice"):
                queue.ready.append(Message(message.body, message.routing_key, exchange))
        return bool(targets)

    def route(self, exchange: str, key: str) -> list[Queue]:
        """Name the queues a message goes to, by way of the alternate exchange if need be."""
        name: str | None = exchange
        while name is not None:
            kind = self.exchanges[name].kind
            found = [
                self.queues[queue]
                for at, queue, pattern in self.bindings
                if at == name
                and (kind == "fanout" or matches(pattern, key))
                and not self.is_missing(queue)
            ]
            if found:
                return found
            name = self.exchanges[name].alternate
        return []

    def has_ready(self, name: str) -> bool:
        """Is there anything to be had?"""
        queue = self.queues[name]
        self._end_leases(queue)
        return bool(queue.ready)

    def take(self, name: str) -> Message | None:
        """Take the next message out; whoever has it gives it back or is done with it."""
        if not self.has_ready(name):
            return None
        queue = self.queues[name]
        at = 0
        if len(queue.ready) > 1 and self.faults.hit("reordered"):
            at = self.rng.randrange(1, len(queue.ready))
        queue.held += 1
        return queue.ready.pop(at)

    def done(self, name: str, count: int = 1) -> None:
        """Forget messages that were acknowledged."""
        self.queues[name].held -= count

    def give_back(
        self, name: str, messages: Sequence[Message], *, counted: bool, leased: bool = False
    ) -> None:
        """Put back what was not acknowledged: in front, at the end, or anywhere."""
        queue = self.queues[name]
        queue.held -= len(messages)
        until = self.now + self.rng.uniform(0.0, LEASE_SECONDS_MAX)
        at = self.rng.choice((0, len(queue.ready), self.rng.randint(0, len(queue.ready))))
        for message in messages:
            message.returns += counted
            if message.returns > queue.limit and self._bury(queue, message):
                continue
            if leased:
                queue.leased.append((until, message))
            else:
                queue.ready.insert(at, message)
                at += 1

    def _end_leases(self, queue: Queue) -> None:
        if not queue.leased:
            return
        ended = [message for until, message in queue.leased if until <= self.now]
        queue.leased = [(until, message) for until, message in queue.leased if until > self.now]
        queue.ready[:0] = ended

    def _bury(self, queue: Queue, message: Message) -> bool:
        """Move a message to the dead queue; False: nowhere to go, so it stays."""
        exchange = queue.dead_letter_exchange
        if exchange is None:
            return False
        targets = self.route(exchange, message.routing_key)
        at = self.scheduler.clock.now()
        death = Death(queue.name, message.exchange, message.routing_key, DELIVERY_LIMIT, at)
        for target in targets:
            headers = death.headers_after(message.headers)
            target.ready.append(Message(message.body, message.routing_key, exchange, headers))
        if targets:
            self.faults.happened("dead-lettered")
        return bool(targets)

    # ---------------------------------------------------------------- for the checker

    @property
    def at_rest(self) -> bool:
        """Is nothing left for a worker to do?"""
        names = (self.topology.inbox_queue, self.topology.dead_queue)
        return all(self.queues[name].empty for name in names)

    def published(self) -> Counter[bytes]:
        """Return the bodies of what came out, counted, however often each was published."""
        ours = {self.topology.inbox_queue, self.topology.dead_queue}
        out = [queue for name, queue in self.queues.items() if name not in ours]
        return Counter(message.body for queue in out for message in queue.ready)
