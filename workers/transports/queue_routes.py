"""Where a message goes by the topology in the queue file.

Answers as RabbitMQ does: each queue once, however many bindings match; what no binding takes goes
to the alternate exchange, and what that does not take either goes nowhere. Answers are remembered
until the topology's version, one row read in the transaction that publishes, has moved.
"""

import sqlite3

from workers.transports.errors import TopologyMissing
from workers.transports.queue_topology import StoredExchange
from workers.transports.topics import matches

ANSWERS_MAX = 20_000
"""Routing keys hold names from outside: beyond this many, remembering starts anew."""


class QueueRoutes:
    """The bindings as last read, and the answers they gave."""

    def __init__(self) -> None:
        self._version = -1
        self._exchanges: dict[str, StoredExchange] = {}
        self._bindings: dict[str, list[tuple[str, str]]] = {}
        self._answers: dict[tuple[str, str], tuple[str, ...]] = {}

    def refresh(self, db: sqlite3.Connection) -> None:
        """Read the topology again if it has changed; call it once in every transaction."""
        version = db.execute("SELECT version FROM queue_topology").fetchone()[0]
        if version == self._version:
            return
        select = "SELECT name, kind, alternate FROM queue_exchanges"
        self._exchanges = {row[0]: StoredExchange(*row) for row in db.execute(select)}
        self._bindings = {name: [] for name in self._exchanges}
        select = "SELECT exchange, queue, pattern FROM queue_bindings ORDER BY exchange, queue"
        for exchange, queue, pattern in db.execute(select):
            self._bindings[exchange].append((queue, pattern))
        self._answers.clear()
        self._version = version

    def has_exchange(self, name: str) -> bool:
        """Tell whether there is such an exchange."""
        return name in self._exchanges

    def queues_for(self, exchange: str, routing_key: str) -> tuple[str, ...]:
        """Give the queues a message goes to; none: unroutable. Raises TopologyMissing."""
        answer = self._answers.get((exchange, routing_key))
        if answer is None:
            if len(self._answers) >= ANSWERS_MAX:
                self._answers.clear()
            answer = self._answers[exchange, routing_key] = self._route(exchange, routing_key)
        return answer

    def _route(self, exchange: str, routing_key: str) -> tuple[str, ...]:
        tried: set[str] = set()
        name: str | None = exchange
        while name is not None and name not in tried:
            tried.add(name)
            found = self._exchanges.get(name)
            if found is None:
                if name == exchange:
                    raise TopologyMissing(name)
                return ()
            queues = [
                queue
                for queue, pattern in self._bindings[name]
                if _takes(found.kind, pattern, routing_key)
            ]
            if queues:
                return tuple(dict.fromkeys(queues))
            name = found.alternate
        return ()


def _takes(kind: str, pattern: str, routing_key: str) -> bool:
    if kind == "fanout":
        return True
    return pattern == routing_key if kind == "direct" else matches(pattern, routing_key)
