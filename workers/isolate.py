"""When a batch fails: whose fault it is, and what happens to the others.

- Rows were missing (`Unloaded`): the same batch again, with more loaded; after many times, halved.
- A handler has a bug (`HandlerFailed`): its event is set aside, the others are decided again.
- The database refuses the data (`DataRefused`): the batch is halved until one event is left, and
  that one is set aside.
- A deadlock, a serialization failure, a lost connection (`Transient`): the whole transaction again,
  a bounded number of times with jitter. Nothing is counted against any event.
- The database is down (`Unavailable`): raised to the loop, which waits for it.
"""

from tenacity import RetryCallState

from handlers.batch import HandlerFailed
from handlers.decision import SetAside
from handlers.state import Keys, Unloaded
from store.errors import DataRefused, Transient
from workers.intake import Intake
from workers.process import Desk, EventKey, Report, blamed, process
from workers.retry import repeating_a_transaction, saying

_LOADS_MAX = 50  # each load learns at least one key; a batch names a bounded number of them


def settle(desk: Desk, intake: Intake) -> Report:
    """Process a batch to its end: every event applied, waiting, or set aside with a reason."""
    failed: dict[EventKey, SetAside] = {}
    more = Keys()
    loads = 0
    repeats = _Repeats(desk)
    again = repeating_a_transaction((Transient,), sleep=desk.clock.sleep, before_wait=repeats)
    while True:
        try:
            return repeats.noted(again(process, desk, intake, failed, more))
        except Unloaded as missing:
            more.learn(missing)
            loads += 1
            if loads > _LOADS_MAX:
                return _halves(desk, intake, missing)
        except HandlerFailed as bug:
            key = (bug.event.source, bug.event.id)
            if key in failed:
                raise
            failed[key] = blamed(bug)
        except DataRefused as refusal:
            if len(intake.arrivals) > 1:
                return _halves(desk, intake, refusal)
            _give_up(failed, intake, refusal)


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


def _halves(desk: Desk, intake: Intake, trouble: Exception) -> Report:
    """Decide the two halves apart: one event is to blame, or together they need too much."""
    if len(intake.arrivals) <= 1:
        raise trouble
    middle = len(intake.arrivals) // 2
    report = settle(desk, Intake(intake.arrivals[:middle], intake.rejected))
    report.merge(settle(desk, Intake(intake.arrivals[middle:], [])))
    return report


def _give_up(failed: dict[EventKey, SetAside], intake: Intake, refusal: DataRefused) -> None:
    keys = [(row.event.source, row.event.id) for row in intake.arrivals]
    if not keys or keys[0] in failed:
        raise refusal
    failed[keys[0]] = SetAside("gave_up", None, f"the database refuses it: {refusal}")
