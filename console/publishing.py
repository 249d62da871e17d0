"""`backship publish`: files of events to the inbox, in windows, each confirmed before the next.

1. Every file is opened before anything is sent.
2. Each body is judged by the codec that judges it when it arrives. Bad ones are named and left out.
3. A window that is not confirmed whole is sent again, what is missing of it, a few times. That may
   send some twice: the inbox knows them by source and id (C4).
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from config.settings import Settings
from console import screen
from console.bodies import bodies
from console.progress import Progress, progress
from console.trouble import Status, WrongUse
from events.codec import Malformed, decode
from events.envelope import Event
from events.routing import inbound_key
from workers.retry import jittered
from workers.transports.base import OutgoingMessage, Publisher, PublishResult
from workers.transports.errors import ConnectionLost, TopologyMissing, TransportError
from workers.wiring import House, opened

STDIN = "-"
_TRIES_MAX = 5
_HOPELESS = frozenset({"too_large", "refused"})  # again is of no use


@dataclass(slots=True)
class Sending:
    """One run: what is on its way, and what became of the rest."""

    house: House
    publisher: Publisher
    progress: Progress
    window: list[OutgoingMessage] = field(default_factory=list)
    sent: int = 0
    left_out: int = 0

    def take(self, name: str, line: int, text: bytes) -> None:
        """Judge one body, and send a window when it is full."""
        event = decode(text)
        if isinstance(event, Malformed):
            self.leave_out(f"{name}:{line}: {event.reason}: {event.message}")
            return
        self.window.append(_message(event, text, self.house.clock.now()))
        if len(self.window) >= self.house.settings.relay_window_max:
            self.flush()

    def leave_out(self, sentence: str) -> None:
        """Name what is not sent."""
        self.left_out += 1
        self.progress.say(screen.printable(sentence))

    def flush(self) -> None:
        """Send the window until all of it is confirmed; raises ConnectionLost where it is not."""
        pending, self.window = self.window, []
        for tries in range(_TRIES_MAX):
            if not pending:
                return
            if tries:
                seconds = jittered(tries, first_seconds=0.2, seconds_max=5.0)
                self.house.clock.sleep(seconds)
            pending = self._try(pending)
        if pending:
            raise ConnectionLost(
                f"{self.house.transport.address} did not confirm "
                f"{screen.counted(len(pending), 'event')}, "
                f"the first of them {pending[0].id}."
            )

    def _try(self, pending: Sequence[OutgoingMessage]) -> list[OutgoingMessage]:
        """Publish once; return what is worth another try."""
        exchange = self.house.topology.inbox_exchange
        deadline = self.house.settings.publish_seconds_max
        result = self.publisher.publish(pending, exchange, deadline_seconds=deadline)
        again = []
        for message in pending:
            failure = result.failed.get(message.id)
            if failure is None:
                self.sent += 1
            elif failure == "unroutable":
                raise TopologyMissing(f"A queue bound to {exchange}")
            elif failure in _HOPELESS:
                self.leave_out(_refusal(message, result))
            else:
                again.append(message)
        return again


def publish_files(settings: Settings, names: Sequence[str]) -> int:
    """Send the events of files (`-`: standard input) and return the exit status."""
    with ExitStack() as stack:
        files = [(name, stack.enter_context(_reading(name))) for name in names]
        house = stack.enter_context(opened(settings))
        publisher = stack.enter_context(house.transport.publisher())
        shown = stack.enter_context(progress("publishing", house.clock))
        sending = Sending(house, publisher, shown)
        try:
            _send(sending, files, _size(names))
        except TransportError:
            screen.complain(f"{screen.counted(sending.sent, 'event')} confirmed before this:")
            raise
    left_out = f"; {sending.left_out:,} left out" if sending.left_out else ""
    told = screen.counted(sending.sent, "event")
    screen.say(f"{told} sent to {house.topology.inbox_exchange}{left_out}.")
    return Status.NOT_SO if sending.left_out else Status.DONE


def _send(sending: Sending, files: Sequence[tuple[str, BinaryIO]], size: int | None) -> None:
    before = 0
    for name, stream in files:
        read = 0
        for body in bodies(stream):
            sending.take(name, body.line, body.text)
            read = body.end
            sending.progress.reached(before + read, size, f"{sending.sent:,} events sent")
        before += read
    sending.flush()


def _message(event: Event, text: bytes, now: datetime) -> OutgoingMessage:
    """Stamp it with now, not with its `time`: its age in a queue is how long it has been there."""
    return OutgoingMessage(event.id, event.type, inbound_key(event), text, int(now.timestamp()))


def _refusal(message: OutgoingMessage, result: PublishResult) -> str:
    remark = f": {result.remark}" if result.remark else ""
    return f"{message.type} {message.id}: {result.failed[message.id]} by the broker{remark}"


@contextmanager
def _reading(name: str) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below, opened where its error is ours
    except OSError as error:
        raise WrongUse(f"{name} can not be read: {error.strerror}.") from None
    with stream:
        yield stream


def _size(names: Sequence[str]) -> int | None:
    """Return the bytes of all files; None where one has no size."""
    if STDIN in names:
        return None
    return sum(Path(name).stat().st_size for name in names)
