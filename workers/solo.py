"""The solo lane: what came before runs alone, and what kills its workers is set aside (F24).

A worker that ends has all that was delivered to it delivered again, to itself or others; one of
these messages may be why it ended. So each that comes again has a transaction to itself:

1. Its try is counted and committed (`store.suspects`): what ends the worker now leaves that behind.
2. It is settled like any batch; the same transaction forgets its tries.
3. Tried twice without an end, it is set aside unhandled, as `crashed_worker`; if even reading it
   ends the worker, the next time as the bytes it came as.

So one message ends four workers at most: one in a batch, two alone, one by its bytes. A neighbour
that was merely in hand has its effect on the way. The price: what a lost connection brings again
goes one by one, some 10 ms each.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from handlers.decision import SetAside
from store import suspects
from store.set_aside import SetAsideRow
from workers.crash import crash_point
from workers.intake import Intake
from workers.isolate import settle
from workers.process import Desk, EventKey, Report
from workers.transports.base import Delivery

TRIES_MAX = 2
"""How often a message that came before is tried alone."""


def parts(deliveries: Sequence[Delivery]) -> Iterator[list[Delivery]]:
    """Split a batch, in its order: new ones together, each that came before by itself."""
    for before, group in groupby(deliveries, key=came_before):
        if before:
            yield from ([delivery] for delivery in group)
        else:
            yield list(group)


def came_before(delivery: Delivery) -> bool:
    """Was it handed out before? Then a worker may have ended over it."""
    return delivery.redelivered or delivery.delivery_count > 0


class Settling:
    """One of the `parts` on its way to its end; asked again as often as the database is away.

    A try is counted once, before it begins: only who ends with its process has another one.
    `read`: decodes the deliveries. `given_up`: asked before anything is tried again.
    """

    def __init__(
        self,
        desk: Desk,
        part: Sequence[Delivery],
        read: Callable[[], Intake],
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._desk = desk
        self._part = part
        self._read = read
        self._given_up = given_up
        self._tries: int | None = None

    def settle(self) -> Report:
        """Settle it; raises what `isolate.settle` does, and may be called again then."""
        now = self._desk.clock.now()
        if not came_before(self._part[0]):
            return settle(self._desk, self._read(), self._given_up)
        (delivery,) = self._part
        key = delivery.body_sha256
        if self._tries is None:
            with self._desk.database.begin() as tx:
                tries = suspects.begin(tx, [key], now)[key]
            self._tries = tries
            crash_point("solo_after_begin")
        if self._tries > TRIES_MAX + 1:
            intake, failed = _unread(delivery), {}
        else:
            intake = self._read()
            failed = _given_up(intake) if self._tries > TRIES_MAX else {}
        intake.suspects.append(key)
        return settle(self._desk, intake, self._given_up, left_out=failed)


def crashed(tries: int) -> SetAside:
    """Say why a message that was tried so often is set aside."""
    told = f"its workers ended {tries} times before they were done with it"
    return SetAside("crashed_worker", None, told)


def _given_up(intake: Intake) -> dict[EventKey, SetAside]:
    """Set aside what can be read; what is no event of ours is set aside for that."""
    return {row.key: crashed(TRIES_MAX + 1) for row in intake.arrivals}


def _unread(delivery: Delivery) -> Intake:
    """Set aside the bytes: even reading them has ended a worker."""
    why = crashed(TRIES_MAX + 2)
    row = SetAsideRow(
        None,
        None,
        None,
        why.reason,
        None,
        why.message,
        delivery.body,
        delivery.routing_key,
        delivery.headers,
    )
    return Intake(rejected=[row])
