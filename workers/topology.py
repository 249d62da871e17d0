"""The exchanges and queues of Backship, as data.

1. `topology(prefix)` lists what must exist, in the order it has to be declared: what catches
   (dead, unrouted) before what feeds it, so that at no instant a message has nowhere to go.
2. A transport declares it (`backship init`), names what is missing (every worker, at its start) or
   compares it (`backship topology --check`) and answers with a `TopologyReport`.

The arguments mean the same on RabbitMQ 3.10 and 4.x. They stand in the declaration and not in a
policy, because a forgotten policy must not lose messages; the price is that changing one means to
empty and delete the queue. The delivery limits are explicit and positive: -1 and 0 mean "dead at
the first redelivery" on 3.10 and "without end" on 4.x, and without one 4.x drops after 20.
"""

from dataclasses import dataclass
from typing import Literal

INBOX_DELIVERY_LIMIT = 20
"""How often a message of the inbox may come again; then the broker moves it to the dead queue."""

KEEPING_DELIVERY_LIMIT = 1_000_000
"""The same for queues that must never give a message up: without it 4.x drops after 20."""

ExchangeKind = Literal["topic", "fanout", "direct"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. `alternate` takes what no binding of it takes."""

    name: str
    kind: ExchangeKind
    alternate: str | None = None

    @property
    def arguments(self) -> dict[str, str | int]:
        """Give the arguments of its declaration."""
        return {} if self.alternate is None else {"alternate-exchange": self.alternate}


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue. `dead_letter_exchange` takes what exceeds the delivery limit."""

    name: str
    delivery_limit: int
    dead_letter_exchange: str | None = None

    @property
    def arguments(self) -> dict[str, str | int]:
        """Give the arguments of its declaration."""
        arguments: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": self.delivery_limit,
        }
        if self.dead_letter_exchange is not None:
            arguments |= {
                "x-dead-letter-exchange": self.dead_letter_exchange,
                # At-least-once dead-lettering works only with reject-publish; without it the
                # broker falls back to at-most-once and says nothing.
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
        return arguments


@dataclass(frozen=True, slots=True)
class Binding:
    """What of an exchange goes to a queue."""

    exchange: str
    queue: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that must exist, catching objects first, and the names the code needs."""

    inbox_exchange: str
    inbox_queue: str
    dead_queue: str
    out_exchange: str
    unrouted_queue: str
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be: in words, for a person and for `--json`."""

    kind: Literal["exchange", "queue", "binding", "policy"]
    name: str
    argument: str | None
    expected: str
    found: str
    mend: str


@dataclass(frozen=True, slots=True)
class TopologyReport:
    """What a check found, and what it could not look at (each a sentence with the reason)."""

    differences: tuple[Difference, ...] = ()
    unchecked: tuple[str, ...] = ()


def topology(prefix: str) -> Topology:
    """Build the topology whose names all begin with `prefix`."""
    dead, unrouted = f"{prefix}.dead", f"{prefix}.unrouted"
    inbox_exchange, inbox_queue, out = f"{prefix}.in", f"{prefix}.inbox", f"{prefix}.out"
    return Topology(
        inbox_exchange=inbox_exchange,
        inbox_queue=inbox_queue,
        dead_queue=dead,
        out_exchange=out,
        unrouted_queue=unrouted,
        exchanges=(
            Exchange(unrouted, "fanout"),
            Exchange(dead, "fanout"),
            Exchange(inbox_exchange, "topic"),
            Exchange(out, "topic", alternate=unrouted),
        ),
        queues=(
            Queue(unrouted, KEEPING_DELIVERY_LIMIT),
            Queue(dead, KEEPING_DELIVERY_LIMIT),
            Queue(inbox_queue, INBOX_DELIVERY_LIMIT, dead_letter_exchange=dead),
        ),
        bindings=(
            Binding(unrouted, unrouted, "#"),
            Binding(dead, dead, "#"),
            Binding(inbox_exchange, inbox_queue, "#"),
        ),
    )
