"""When a batch fails: whose fault it is, and what happens to the others.

- Rows were missing (`Unloaded`): the same batch again, with more loaded; after many times, halved.
- A handler has a bug (`HandlerFailed`): its event is set aside, the others are decided again.
- The database refuses the data (`DataRefused`), or something else fails that names no event: the
  batch is halved until one event is left, and that one is set aside.
- A deadlock, a serialization failure, a lost connection (`Transient`): the whole transaction again,
  a bounded number of times with jitter. Nothing is counted against any event.
- Others are in the way every time (`Contention`), or a statement takes too long (`TooMuch`): the
  batch is halved, for less meets less. A lock that somebody holds on to (`Locked`) is waited for.
- A row is there already, every time (`Collision`): not a race, so it is refused data.
- The database is down (`Unavailable`), or one event alone does not get through: raised to the loop,
  which waits. When the worker is to stop (`given_up`), nothing is tried again.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tenacity import RetryCallState

from config.logs import logger
from handlers.batch import HandlerFailed
from handlers.decision import SetAside
from handlers.state import Keys, Unloaded
from store.errors import (
    Collision,
    Contention,
    DataRefused,
    Locked,
    StoreError,
    TooMuch,
    Transient,
)
from workers.intake import Intake
from workers.process import Desk, EventKey, Report, blamed, process
from workers.retry import repeating_a_transaction, saying

_LOADS_MAX = 50  # each load learns at least one key; a batch names a bounded number of them
_OVERRUNS_MAX = 2  # a whole batch that took too long has another try: it may have met a backup


def _never() -> bool:
    return False


@dataclass(slots=True)
class _Case:
    """What earlier tries of one batch have shown."""

    events: Sequence[EventKey]
    overruns_max: int
    given_up: Callable[[], bool]
    failed: dict[EventKey, SetAside] = field(default_factory=dict)
    more: Keys = field(default_factory=Keys)
    loads: int = 0
    overruns: int = 0

    def mends(self, trouble: Exception) -> bool:
        """Take note of a trouble; False: the batch has to be halved. Raises what is not mended."""
        match trouble:
            case Unloaded() if self.loads < _LOADS_MAX:
                self.more.learn(trouble)
                self.loads += 1
                return True
            case HandlerFailed(event=event):
                self._leave_out((event.source, event.id), blamed(trouble), trouble)
                return True
            case TooMuch():
                self.overruns += 1
                return self.overruns < self.overruns_max
            case Contention() if not isinstance(trouble, Locked):
                return False
            case StoreError() if not isinstance(trouble, DataRefused | Collision):
                raise trouble
            case _ if len(self.events) == 1:
                if isinstance(trouble, Collision) and self.given_up():
                    raise trouble  # it was not tried often enough to be sure
                self._leave_out(self.events[0], _found(self.events[0], trouble), trouble)
                return True
        return False

    def _leave_out(self, key: EventKey, why: SetAside, trouble: Exception) -> None:
        if key in self.failed:
            raise trouble
        self.failed[key] = why


def settle(
    desk: Desk,
    intake: Intake,
    given_up: Callable[[], bool] = _never,
    overruns_max: int = _OVERRUNS_MAX,
    left_out: Mapping[EventKey, SetAside] = MappingProxyType({}),
) -> Report:
    """Process a batch to its end: every event applied, waiting, or set aside with a reason.

    `given_up`: asked before anything is tried again. `overruns_max`: how often it may take too long
    before it is halved. `left_out`: what is set aside, whatever its handlers would say. Raises
    Transient and Unavailable; what committed by then is a repeat when the batch is settled again.
    """
    keys = [(row.event.source, row.event.id) for row in intake.arrivals]
    case = _Case(keys, overruns_max, given_up, dict(left_out))
    repeats = _Repeats(desk)
    again = repeating_a_transaction(
        (Transient,),
        but_not=(TooMuch, Locked),
        given_up=given_up,
        sleep=desk.clock.sleep,
        before_wait=repeats,
    )
    while True:
        try:
            return repeats.noted(again(process, desk, intake, case.failed, case.more))
        except Exception as trouble:  # noqa: BLE001 - what it is not to mend, `mends` raises again
            if not case.mends(trouble):
                return _halves(desk, intake, trouble, case)


class _Repeats:
    """Says and counts how often a transaction is begun again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._count = 0
        self._say = saying("transaction_repeated")

    def __call__(self, state: RetryCallState) -> None:
        """Note that it is to be tried again."""
        self._count += 1
        self._say(state)
        self._desk.meter.transaction_repeated(state)

    def noted(self, report: Report) -> Report:
        """Return a report that tells the count."""
        report.repeats += self._count
        return report


def _halves(desk: Desk, intake: Intake, trouble: Exception, case: _Case) -> Report:
    """Decide the two halves apart: one event is to blame, or together they need too much."""
    given_up = case.given_up
    if len(intake.arrivals) <= 1 or given_up():
        raise trouble
    middle = len(intake.arrivals) // 2
    first = Intake(intake.arrivals[:middle], intake.rejected)
    second = Intake(intake.arrivals[middle:], [], intake.suspects)
    logger().warning("batch_halved", size=len(intake.arrivals), reason=str(trouble))
    report = settle(desk, first, given_up, 1, case.failed)
    report.merge(settle(desk, second, given_up, 1, case.failed))
    return report


def refused(refusal: DataRefused | Collision) -> SetAside:
    """Say of one event that the database does not take it, with the engine's own code."""
    return SetAside("gave_up", None, f"the database refuses it ({refusal.code}): {refusal}")


def _found(event: EventKey, trouble: Exception) -> SetAside:
    """Say of the one event that is left what is wrong with it."""
    if isinstance(trouble, DataRefused | Collision):
        return refused(trouble)
    stack = "".join(traceback.format_exception(trouble))
    logger().error("batch_failed", source=event[0], id=event[1], stack=stack)
    return SetAside("gave_up", None, f"a bug: {trouble!r}", stack)
