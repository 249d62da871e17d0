"""What the broker itself gave up on is kept where `backship dead` lists it (contract.md §4).

The broker moves a message to the dead queue when it was delivered too often: it killed its workers.
Here it is claimed in the inbox and set aside in one transaction; one that had its effect before is
only a repeat, and one with other content under a known id a conflict like any other.
"""

from config.logs import logger
from handlers.decision import Decision, SetAside
from handlers.state import State
from store import inbox, set_aside, suspects
from store.save import save
from workers.crash import crash_point
from workers.intake import take_in
from workers.process import Desk, conflict_row
from workers.transports.base import Transport

COLLECT_SECONDS = 15.0
"""How often to look."""

_WINDOW = 100
_DELIVERY_LIMIT = "delivery_limit"


def collect(desk: Desk, transport: Transport, queue: str) -> int:
    """Empty the dead queue into the database; return how many messages it held."""
    if not transport.ready_count(queue):
        return 0
    total = 0
    with transport.consumer(queue, prefetch_max=_WINDOW) as consumer:
        while deliveries := consumer.receive(_WINDOW, 1.0):
            now = desk.clock.now()
            intake = take_in(deliveries, now)
            with desk.database.begin() as tx:
                claim = inbox.claim(tx, intake.arrivals)
                set_aside.record(tx, [*intake.rejected, *map(conflict_row, claim.conflicts)], now)
                decision = Decision(
                    outcomes=[(row.event, _why(row.headers)) for row in claim.fresh]
                )
                save(tx, State(desk.rules), decision, now)
                suspects.forget(tx, [suspects.hash_of(each.body) for each in deliveries])
            crash_point("collector_after_commit")
            consumer.ack(deliveries)
            desk.meter.crashed(sum(_DELIVERY_LIMIT in str(row.headers) for row in deliveries))
            total += len(deliveries)
    logger().warning("dead_letters_kept", count=total, queue=queue)
    return total


def _why(headers: object) -> SetAside:
    if _DELIVERY_LIMIT in str(headers):
        return SetAside("crashed_worker", None, "its workers ended before they were done with it")
    return SetAside("gave_up", None, "the broker gave up on it")
