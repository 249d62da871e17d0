"""When a batch fails: whose fault it is, and what happens to the others.

- Rows were missing (`Unloaded`): the same batch again, with more loaded; after many times, halved.
- A handler has a bug (`HandlerFailed`): its event is set aside, the others are decided again.
- The database refuses the data (`DataRefused`), or something else fails that names no event: the
  batch is halved until one event is left, and that one is set aside.
- A deadlock, a serialization failure, a lost connection (`Transient`): the whole transaction again,
  a bounded number of times with jitter. Nothing is counted against any event.
- The database is down (`Unavailable`): raised to the loop, which waits for it.
"""

import traceback
from collections.abc import Mapping
from types import MappingProxyType

from config.logs import logger
from handlers.batch import HandlerFailed
from handlers.decision import SetAside
from handlers.state import Keys, Unloaded
from store.errors import SchemaError, StoreError, Transient, Unavailable
from workers.intake import Intake
from workers.process import Desk, EventKey, Report, blamed, process
from workers.retry import repeating_a_transaction, saying

_LOADS_MAX = 50  # each load learns at least one key; a batch names a bounded number of them


def settle(
    desk: Desk, intake: Intake, given_up: Mapping[EventKey, SetAside] = MappingProxyType({})
) -> Report:
    """Process a batch to its end: every event applied, waiting, or set aside with a reason.

    `given_up`: events that are set aside, whatever their handlers would say.
    """
    failed = dict(given_up)
    more = Keys()
    while True:
        try:
            return _process(desk, intake, failed, more)
        except HandlerFailed as bug:
            key = (bug.event.source, bug.event.id)
            if key in failed:
                raise
            failed[key] = blamed(bug)
        except (Transient, Unavailable, SchemaError):
            raise
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is one event's or nobody's
            if len(intake.arrivals) > 1:
                return _halves(desk, intake, failed)
            _give_up(failed, intake, trouble)


def _process(desk: Desk, intake: Intake, failed: Mapping[EventKey, SetAside], more: Keys) -> Report:
    """Process a batch, again where a transaction was in the way or rows were missing."""
    again = repeating_a_transaction(
        (Transient,), sleep=desk.clock.sleep, before_wait=saying("transaction_repeated")
    )
    for _ in range(_LOADS_MAX):
        try:
            return again(process, desk, intake, failed, more)
        except Unloaded as missing:
            more.learn(missing)
    return again(process, desk, intake, failed, more)


def _halves(desk: Desk, intake: Intake, failed: Mapping[EventKey, SetAside]) -> Report:
    """Decide the two halves apart: one event is to blame, or together they need too much."""
    middle = len(intake.arrivals) // 2
    report = settle(desk, Intake(intake.arrivals[:middle], intake.rejected), failed)
    report.merge(settle(desk, Intake(intake.arrivals[middle:], [], intake.suspects), failed))
    return report


def _give_up(failed: dict[EventKey, SetAside], intake: Intake, trouble: Exception) -> None:
    """Set the only event of a batch aside; raises what went wrong if that was tried already."""
    keys = [row.key for row in intake.arrivals]
    if not keys or keys[0] in failed:
        raise trouble
    failed[keys[0]] = gave_up(keys[0], trouble)


def gave_up(key: EventKey, trouble: Exception) -> SetAside:
    """Say why the one event that makes a transaction fail is set aside."""
    if isinstance(trouble, StoreError):
        return SetAside("gave_up", None, f"the database refuses it: {trouble}", trouble.code)
    detail = "".join(traceback.format_exception(trouble))
    logger().error("batch_failed", source=key[0], id=key[1], stack=detail)
    return SetAside("gave_up", None, f"a bug: {trouble!r}", detail)
