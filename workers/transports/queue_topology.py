"""The topology in the queue file: kept there, so that every process sees the same bindings.

Exchanges and queues are rows; declaring one again with other properties is an error, as on
RabbitMQ. Every change moves the version row, by which each process knows that what it remembers of
the routing is old. All functions take a connection inside a transaction that writes, but the ones
that only look.
"""

import sqlite3
from dataclasses import dataclass, fields
from typing import Literal

from workers.topology import Difference, Exchange, Queue, Topology
from workers.transports.errors import TopologyDiffers, TopologyMissing


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """An exchange as it stands in the file."""

    name: str
    kind: str
    alternate: str | None = None

    @classmethod
    def of(cls, exchange: Exchange) -> "StoredExchange":
        """Give what the file should hold for this one."""
        return cls(exchange.name, exchange.kind, exchange.alternate)


@dataclass(frozen=True, slots=True)
class StoredQueue:
    """A queue as it stands in the file; without a limit a message comes again for ever."""

    name: str
    delivery_limit: int | None = None
    dead_letter_exchange: str | None = None

    @classmethod
    def of(cls, queue: Queue) -> "StoredQueue":
        """Give what the file should hold for this one."""
        return cls(queue.name, queue.delivery_limit, queue.dead_letter_exchange)


def declare(db: sqlite3.Connection, topology: Topology) -> None:
    """Create what is missing. Raises TopologyDiffers for what exists otherwise."""
    for exchange in topology.exchanges:
        declare_exchange(db, StoredExchange.of(exchange))
    for queue in topology.queues:
        declare_queue(db, StoredQueue.of(queue))
    for binding in topology.bindings:
        bind(db, binding.exchange, binding.queue, binding.pattern)


def declare_exchange(db: sqlite3.Connection, wanted: StoredExchange) -> None:
    """Create one exchange."""
    found = find_exchange(db, wanted.name)
    if found is None:
        row = (wanted.name, wanted.kind, wanted.alternate)
        db.execute("INSERT INTO queue_exchanges VALUES (?, ?, ?)", row)
        _moved(db)
    elif found != wanted:
        raise TopologyDiffers(wanted.name, _in_words(wanted, found))


def declare_queue(db: sqlite3.Connection, wanted: StoredQueue) -> None:
    """Create one queue."""
    found = find_queue(db, wanted.name)
    if found is None:
        row = (wanted.name, wanted.delivery_limit, wanted.dead_letter_exchange)
        db.execute("INSERT INTO queue_queues VALUES (?, ?, ?)", row)
        _moved(db)
    elif found != wanted:
        raise TopologyDiffers(wanted.name, _in_words(wanted, found))


def bind(db: sqlite3.Connection, exchange: str, queue: str, pattern: str) -> None:
    """Bind a queue to an exchange; once more changes nothing."""
    if find_exchange(db, exchange) is None:
        raise TopologyMissing(exchange)
    if find_queue(db, queue) is None:
        raise TopologyMissing(queue)
    row = (exchange, queue, pattern)
    if db.execute("INSERT OR IGNORE INTO queue_bindings VALUES (?, ?, ?)", row).rowcount:
        _moved(db)


def unbind(db: sqlite3.Connection, exchange: str, queue: str, pattern: str) -> None:
    """Take one binding away, if it is there."""
    row = (exchange, queue, pattern)
    db.execute("DELETE FROM queue_bindings WHERE (exchange, queue, pattern) = (?, ?, ?)", row)
    _moved(db)


def delete_queue(db: sqlite3.Connection, name: str) -> None:
    """Take a queue away with its bindings and everything in it."""
    db.execute("DELETE FROM queue_bindings WHERE queue = ?", (name,))
    db.execute("DELETE FROM queue_messages WHERE queue = ?", (name,))
    db.execute("DELETE FROM queue_queues WHERE name = ?", (name,))
    _moved(db)


def delete_exchange(db: sqlite3.Connection, name: str) -> None:
    """Take an exchange away with its bindings."""
    db.execute("DELETE FROM queue_bindings WHERE exchange = ?", (name,))
    db.execute("DELETE FROM queue_exchanges WHERE name = ?", (name,))
    _moved(db)


def find_exchange(db: sqlite3.Connection, name: str) -> StoredExchange | None:
    """Look one exchange up."""
    select = "SELECT name, kind, alternate FROM queue_exchanges WHERE name = ?"
    row = db.execute(select, (name,)).fetchone()
    return StoredExchange(*row) if row else None


def find_queue(db: sqlite3.Connection, name: str) -> StoredQueue | None:
    """Look one queue up."""
    select = "SELECT name, delivery_limit, dead_letter_exchange FROM queue_queues WHERE name = ?"
    row = db.execute(select, (name,)).fetchone()
    return StoredQueue(*row) if row else None


def missing(db: sqlite3.Connection, topology: Topology) -> list[str]:
    """Name the exchanges and queues that do not exist."""
    names = [each.name for each in topology.exchanges if find_exchange(db, each.name) is None]
    names += [each.name for each in topology.queues if find_queue(db, each.name) is None]
    return list(dict.fromkeys(names))


def differences(db: sqlite3.Connection, topology: Topology) -> list[Difference]:
    """Compare everything: existence, properties, bindings."""
    found: list[Difference] = []
    for exchange in topology.exchanges:
        stored = find_exchange(db, exchange.name)
        found += _compared("exchange", StoredExchange.of(exchange), stored)
    for queue in topology.queues:
        found += _compared("queue", StoredQueue.of(queue), find_queue(db, queue.name))
    select = "SELECT exchange, queue, pattern FROM queue_bindings"
    present = set(db.execute(select).fetchall())
    found += [
        Difference(
            kind="binding",
            name=f"{each.exchange} → {each.queue}",
            argument=each.pattern,
            expected="bound",
            found="missing",
            mend="backship init",
        )
        for each in topology.bindings
        if (each.exchange, each.queue, each.pattern) not in present
    ]
    return found


def _compared(
    kind: Literal["exchange", "queue"],
    wanted: StoredExchange | StoredQueue,
    stored: StoredExchange | StoredQueue | None,
) -> list[Difference]:
    if stored is None:
        mend = "backship init"
        return [Difference(kind, wanted.name, None, expected="exists", found="missing", mend=mend)]
    mend = f"empty and delete the {kind}, then `backship init`"
    return [
        Difference(kind, wanted.name, argument, expected=ours, found=theirs, mend=mend)
        for argument, ours, theirs in _unequal(wanted, stored)
    ]


def _unequal(
    wanted: StoredExchange | StoredQueue, stored: StoredExchange | StoredQueue
) -> list[tuple[str, str, str]]:
    pairs = [
        (field.name, getattr(wanted, field.name), getattr(stored, field.name))
        for field in fields(wanted)
    ]
    return [(name, _text(ours), _text(theirs)) for name, ours, theirs in pairs if ours != theirs]


def _in_words(wanted: StoredExchange | StoredQueue, stored: StoredExchange | StoredQueue) -> str:
    return ", ".join(
        f"{name} is {theirs} instead of {ours}" for name, ours, theirs in _unequal(wanted, stored)
    )


def _text(value: object) -> str:
    return "none" if value is None else str(value)


def _moved(db: sqlite3.Connection) -> None:
    db.execute("UPDATE queue_topology SET version = version + 1")
