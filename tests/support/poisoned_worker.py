"""`backship worker` with a poison: deciding or reading certain messages ends the process, at once.

Run as `python -m tests.support.poisoned_worker worker --burst`. What it does to the program is
patched in here; the program has no switch for it.

- an order whose id begins with `KILL` ends the process when it is decided;
- a body that holds `UNREADABLE` ends it when it is read.
"""

import os
import signal

from console.main import main
from events import codec
from events.envelope import Event
from events.inbound import OrderPlaced
from handlers import orders
from handlers.decision import Outcome
from handlers.turn import Turn
from workers import intake

KILL = "poison"
UNREADABLE = b"ends whoever reads it"

_judge = orders.placed
_read = codec.decode


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _judging(turn: Turn, event: Event, data: OrderPlaced) -> Outcome:
    if data.order_id.startswith(KILL):
        _end()
    return _judge(turn, event, data)


def _reading(body: bytes, *, compressed: bool = False) -> Event | codec.Malformed:
    if UNREADABLE in body:
        _end()
    return _read(body, compressed=compressed)


if __name__ == "__main__":
    orders.placed = _judging
    setattr(intake, "decode", _reading)  # noqa: B010 - a name the module imports, not its own
    main()
