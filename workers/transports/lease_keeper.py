"""Keeps leases alive while a batch takes longer than one of them lasts.

A thread with a connection of its own, because the worker's thread is busy exactly then. It sleeps
for a third of a lease at a time and does nothing while nothing is held. A transaction of the worker
in the same file holds the only write lock there is, so a renewal may come late; but then nobody
else can claim either, and whoever comes first afterwards is right. Losing a lease costs a repeat,
which the inbox makes harmless.

What is held for longer than `HELD_SECONDS_MAX` is let go: a worker that hangs may not keep its
messages for ever. RabbitMQ does the same after as long.
"""

import contextlib
import threading
from collections.abc import Iterable
from pathlib import Path

from workers.clock import Clock
from workers.transports.errors import TransportError
from workers.transports.queue_file import QueueFile
from workers.transports.queue_messages import QueueMessages
from workers.transports.queued_message import Held

HELD_SECONDS_MAX = 30 * 60
RENEWALS_PER_LEASE = 3
STOP_SECONDS_MAX = 5.0
"""A renewal may wait for a lock as long as a lease lasts; nobody waits for that."""


class LeaseKeeper:
    """Renews what is held, from `start` to `stop`; any thread may `hold` and `drop`."""

    def __init__(self, path: Path, clock: Clock, lease_seconds: float) -> None:
        self._path = path
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._lock = threading.Lock()
        self._held: dict[Held, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease keeper", daemon=True)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more; may be called twice."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS_MAX)

    def hold(self, held: Iterable[Held]) -> None:
        """Renew these from now on."""
        now = self._clock.monotonic()
        with self._lock:
            self._held |= dict.fromkeys(held, now)

    def drop(self, held: Iterable[Held]) -> None:
        """Renew these no longer."""
        with self._lock:
            for each in held:
                self._held.pop(each, None)

    def _run(self) -> None:
        file: QueueFile | None = None
        while not self._stopped.wait(self._lease_seconds / RENEWALS_PER_LEASE):
            due = self._due()
            if not due:
                continue
            # A file that is locked or failing costs the leases, as said above; the worker's own
            # connection meets the same trouble and reports it.
            with contextlib.suppress(TransportError):
                file = file or QueueFile(self._path)
                QueueMessages(file, self._clock, self._lease_seconds).renew(due)
        if file is not None:
            file.close()

    def _due(self) -> list[Held]:
        now = self._clock.monotonic()
        with self._lock:
            self._held = {
                each: since for each, since in self._held.items() if now - since < HELD_SECONDS_MAX
            }
            return list(self._held)
