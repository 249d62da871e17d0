"""The messages in the queue file: put, claim, renew, delete, give back.

- A claim is a lease: whoever holds its token may renew, delete or give back, for `lease_seconds`.
  After that anybody may claim the message again, under a new token, so that an acknowledgement that
  comes too late deletes nothing. A killed process needs no cleaning up after.
- Leases are counted on the monotonic clock, which all processes of a machine share: a step of the
  wall clock neither steals a lease nor holds one for an hour. After a restart of the machine that
  clock begins anew; a lease that ends further away than any lease lasts is therefore none.
- First deliveries leave in the order they were put in; what comes again keeps its old place.
- A claim above the queue's delivery limit moves the message to the dead-letter exchange instead, in
  the same transaction, with the headers RabbitMQ would write.

Each call is one transaction, whatever the number of messages.
"""

# ruff: noqa: S608 - every piece of SQL put together here is a constant of this module

import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import sha256

from workers.clock import Clock
from workers.transports.death import DELIVERY_LIMIT, REJECTED, Death, DeathReason
from workers.transports.errors import TopologyMissing
from workers.transports.queue_file import BUSY_SECONDS_MAX, QueueFile
from workers.transports.queue_routes import QueueRoutes
from workers.transports.queue_topology import StoredQueue, find_queue
from workers.transports.queued_message import (
    COLUMNS,
    COLUMNS_WITH_HEADS,
    COPY,
    PUT,
    ClaimedMessage,
    Held,
    QueuedMessage,
    claimed_of,
    row_of,
)

LEASE_SECONDS_MAX = 15.0
LEASE_SLACK_SECONDS = 1.0
"""By how much a lease may seem longer than any is, before it counts as one of another start."""

_PIECE_BYTES = 65_536

READY = (
    "queue = :queue AND (lease_until <= :now OR lease_until > :beyond)"
    " AND (not_before IS NULL OR not_before <= :wall)"
)


class QueueMessages:
    """The messages of one open queue file."""

    def __init__(self, file: QueueFile, clock: Clock, lease_seconds: float) -> None:
        self._file = file
        self._clock = clock
        self._lease_seconds = min(lease_seconds, LEASE_SECONDS_MAX)
        self._routes = QueueRoutes()

    def put(
        self,
        exchange: str,
        messages: Sequence[QueuedMessage],
        *,
        busy_seconds_max: float = BUSY_SECONDS_MAX,
    ) -> list[int]:
        """Put all into the queues they belong to; give the positions of those without any."""
        if not messages:
            return []
        unroutable: list[int] = []
        wall = self._clock.now().timestamp()
        with self._file.writing(busy_seconds_max) as db:
            self._routes.refresh(db)
            rows = []
            for position, message in enumerate(messages):
                queues = self._routes.queues_for(exchange, message.routing_key)
                if not queues:
                    unroutable.append(position)
                rows += [row_of(queue, exchange, message, wall) for queue in queues]
            if rows:
                db.executemany(PUT, rows)
        return unroutable

    def put_into(self, queue: str, message: QueuedMessage) -> None:
        """Put one straight into a queue, past every exchange. Raises TopologyMissing."""
        with self._file.writing() as db:
            self._queue(db, queue)
            db.execute(PUT, row_of(queue, "", message, self._clock.now().timestamp()))

    def ready_count(self, queue: str, count_max: int = 2**62) -> int:
        """Count what could be claimed now, up to `count_max`."""
        select = f"SELECT count(*) FROM (SELECT 1 FROM queue_messages WHERE {READY} LIMIT :max)"
        with self._file.errors():
            row = self._file.connection.execute(select, self._ready(queue, count_max)).fetchone()
        return int(row[0])

    def outstanding_count(self, queue: str) -> int:
        """Count everything in a queue: ready, leased and due later."""
        select = "SELECT count(*) FROM queue_messages WHERE queue = ?"
        with self._file.errors():
            return int(self._file.connection.execute(select, (queue,)).fetchone()[0])

    def oldest_at(self, queue: str) -> float | None:
        """Tell when the oldest message of a queue was put there, in unix seconds; None: empty."""
        select = "SELECT enqueued_at FROM queue_messages WHERE queue = ? ORDER BY id LIMIT 1"
        with self._file.errors():
            row = self._file.connection.execute(select, (queue,)).fetchone()
        return None if row is None else float(row[0])

    def claim(self, queue: str, count_max: int, *, heads: bool = False) -> list[ClaimedMessage]:
        """Lease the oldest ready messages. Raises TopologyMissing.

        `heads`: of bodies over `INBOUND_BYTES_MAX` read only the head.
        """
        token = secrets.token_hex(8)
        update = (
            "UPDATE queue_messages SET lease_until = :until, lease_token = :token,"
            " deliveries = deliveries + 1 WHERE id IN"
            f" (SELECT id FROM queue_messages WHERE {READY} ORDER BY id LIMIT :max)"
            f" RETURNING {COLUMNS_WITH_HEADS if heads else COLUMNS}"
        )
        with self._file.writing() as db:
            stored = self._queue(db, queue)
            # The time is read while we hold the only lock for writing, so that no lease was given
            # after it: one read before the wait for the lock would take a neighbour's fresh lease
            # for one from before a restart, and let our own begin in the past.
            until = self._clock.monotonic() + self._lease_seconds
            values = {**self._ready(queue, count_max), "until": until, "token": token}
            claimed = [claimed_of(row) for row in sorted(db.execute(update, values))]
            limit = stored.delivery_limit
            if limit is None or all(each.deliveries <= limit + 1 for each in claimed):
                return claimed
            spent = [each for each in claimed if each.deliveries > limit + 1]
            self._bury(db, stored, spent, DELIVERY_LIMIT)
            return [each for each in claimed if each.deliveries <= limit + 1]

    def body_sha256(self, held: Held) -> str:
        """Return the SHA-256 in hex of the whole body of a message, read piece by piece."""
        digest = sha256()
        with (
            self._file.errors(),
            self._file.connection.blobopen(
                "queue_messages", "body", held[0], readonly=True
            ) as body,
        ):
            while piece := body.read(_PIECE_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def renew(self, held: Iterable[Held]) -> None:
        """Let leases that still hold end later; waits for a lock no longer than a lease lasts."""
        update = "UPDATE queue_messages SET lease_until = ? WHERE id = ? AND lease_token = ?"
        with self._file.writing(self._lease_seconds) as db:
            until = self._clock.monotonic() + self._lease_seconds
            db.executemany(update, [(until, *each) for each in held])

    def delete(self, held: Iterable[Held]) -> None:
        """Delete what is held; what is no longer held under that token stays."""
        with self._file.writing() as db:
            db.executemany("DELETE FROM queue_messages WHERE id = ? AND lease_token = ?", held)

    def reject(self, queue: str, held: Iterable[Held]) -> None:
        """Move what is held to the queue's dead-letter exchange; delete it if there is none."""
        select = f"SELECT {COLUMNS} FROM queue_messages WHERE id = ? AND lease_token = ?"
        with self._file.writing() as db:
            rows = [db.execute(select, each).fetchone() for each in held]
            claimed = [claimed_of(row) for row in rows if row is not None]
            self._bury(db, self._queue(db, queue), claimed, REJECTED)
            if self._queue(db, queue).dead_letter_exchange is None:
                ids = [(each.id,) for each in claimed]
                db.executemany("DELETE FROM queue_messages WHERE id = ?", ids)

    def give_back(self, held: Iterable[Held]) -> None:
        """Let others claim these at once, as if they had not been claimed."""
        update = (
            "UPDATE queue_messages SET lease_until = 0, lease_token = NULL,"
            " deliveries = deliveries - 1 WHERE id = ? AND lease_token = ?"
        )
        with self._file.writing() as db:
            db.executemany(update, held)

    def purge(self, queue: str) -> int:
        """Delete everything in a queue that nobody holds; give how many."""
        with self._file.writing() as db:
            delete = f"DELETE FROM queue_messages WHERE {READY}"
            return db.execute(delete, self._ready(queue, 0)).rowcount

    # ----------------------------------------------------------------

    def _queue(self, db: sqlite3.Connection, name: str) -> StoredQueue:
        found = find_queue(db, name)
        if found is None:
            raise TopologyMissing(name)
        return found

    def _bury(
        self,
        db: sqlite3.Connection,
        queue: StoredQueue,
        messages: Sequence[ClaimedMessage],
        reason: DeathReason,
    ) -> None:
        """Move messages to the dead-letter exchange. What no queue takes there stays, as leased."""
        self._routes.refresh(db)
        exchange = queue.dead_letter_exchange
        if exchange is None or not self._routes.has_exchange(exchange):
            return
        at = self._clock.now()
        for message in messages:
            death = Death(queue.name, message.exchange, message.routing_key, reason, at)
            headers = death.headers_after(message.headers)
            dead = QueuedMessage(message.routing_key, message.body, message.properties, headers)
            targets = self._routes.queues_for(exchange, message.routing_key)
            for target in targets:
                # By the database itself: what was claimed may be only the head.
                *row, _body = row_of(target, exchange, dead, at.timestamp())
                db.execute(COPY, (*row, message.id))
            if targets:
                db.execute("DELETE FROM queue_messages WHERE id = ?", (message.id,))

    def _ready(self, queue: str, count_max: int) -> dict[str, float | str]:
        now = self._clock.monotonic()
        return {
            "queue": queue,
            "now": now,
            "beyond": now + LEASE_SECONDS_MAX + LEASE_SLACK_SECONDS,
            "wall": self._clock.now().timestamp(),
            "max": count_max,
        }
