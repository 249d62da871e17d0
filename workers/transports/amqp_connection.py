"""One AMQP connection and the thread that owns it.

pika's connections are not thread-safe, and one that nobody serves loses its heartbeats: so each has
a thread that does nothing else, however long a batch takes elsewhere.

1. `open` starts the thread, tries the hosts in a random order (a fleet spreads over a cluster) and
   waits for the outcome.
2. `call` carries a function over into the thread; functions run in the order they were given.
3. When the connection ends, for whatever reason, `on_end` is called once, in the thread.
4. `close` says good-bye in order, which also flushes what was called before; a broker that does not
   answer that in time is cut off.

SelectConnection rather than BlockingConnection: it tells of a closed channel by a callback, where
the blocking one says nothing until it is asked, and its confirms can be pipelined.
"""

import logging
import secrets
import threading
from collections.abc import Callable

from pika.adapters.select_connection import IOLoop

from workers.transports.amqp_address import AmqpHost, shown
from workers.transports.amqp_errors import connect_error, connection_error
from workers.transports.base import TransportOptions
from workers.transports.corked_connection import CorkedConnection
from workers.transports.errors import ConnectionLost, Refused, TransportError

# What pika would log as errors, stack traces included, is raised here as one sentence.
logging.getLogger("pika").setLevel(logging.CRITICAL)

HOST_PAUSE_SECONDS_MAX = 0.2
CLOSE_SECONDS_MAX = 5.0


class AmqpConnection:
    """A connection that lives in its own thread. `impl` may be touched in that thread only."""

    def __init__(
        self,
        hosts: tuple[AmqpHost, ...],
        options: TransportOptions,
        purpose: str,
        on_end: Callable[[TransportError], None],
    ) -> None:
        self.impl: CorkedConnection | None = None
        self._options = options
        self._purpose = purpose
        self._on_end = on_end
        self._address = shown(hosts)
        self._waiting_hosts = secrets.SystemRandom().sample(hosts, len(hosts))
        self._host = hosts[0]
        self._errors: list[TransportError] = []
        self._loop = IOLoop()
        self._settled = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"amqp {purpose}", daemon=True)

    @property
    def is_open(self) -> bool:
        """Whether it can be used, as far as is known."""
        return not self._closing and self.impl is not None and self.impl.is_open

    def open(self) -> None:
        """Connect. Raises ConnectionLost or Refused."""
        hosts = len(self._waiting_hosts)
        self._thread.start()
        # Looking up a name has no time limit of its own in pika: hence this one over everything.
        in_time = self._settled.wait(self._options.connect_seconds_max * hosts + 1)
        if self.impl is None:
            self.close()
            raise self._worst_error() if in_time else _no_answer(self._address)

    def call(self, function: Callable[[], None]) -> None:
        """Run `function` in the thread, after those called before; never if it has ended."""
        self._loop.add_callback_threadsafe(function)

    def close(self) -> None:
        """End the connection and its thread; what was called before is sent first."""
        self.call(self._say_goodbye)
        if threading.current_thread() is not self._thread and self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS_MAX)
            if self._thread.is_alive():
                self.abort()
                self._thread.join(CLOSE_SECONDS_MAX)

    def abort(self) -> None:
        """End the connection without a good-bye, and without waiting for it."""
        self.call(self._cut_off)

    # ---------------------------------------------------------------- in the thread

    def _run(self) -> None:
        try:
            self._try_next_host()
            self._loop.start()
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for a dead thread
            self._end(ConnectionLost(f"The thread of {self._address} failed: {error!r}."))
        finally:
            self._settled.set()
            self._loop.close()

    def _try_next_host(self) -> None:
        self._host = self._waiting_hosts.pop()
        CorkedConnection.create_connection(
            [self._host.parameters(self._options, self._purpose)],
            on_done=self._on_attempt_done,
            custom_ioloop=self._loop,
        )

    def _on_attempt_done(self, outcome: CorkedConnection | BaseException) -> None:
        if isinstance(outcome, CorkedConnection):
            self.impl = outcome
            outcome.add_on_close_callback(self._on_connection_closed)
            self._settled.set()
            if self._closing:
                self._say_goodbye()
            return
        self._errors.append(connect_error(outcome, self._host.shown))
        if self._waiting_hosts and not self._closing:
            pause = secrets.SystemRandom().uniform(0, HOST_PAUSE_SECONDS_MAX)
            self._loop.call_later(pause, self._try_next_host)
            return
        self._loop.stop()

    def _on_connection_closed(self, _: CorkedConnection, reason: BaseException) -> None:
        self._end(connection_error(reason, self._host.shown))

    def _say_goodbye(self) -> None:
        self._closing = True
        if self.impl is None:
            return  # an attempt under way ends by its own time limit and finds `_closing`
        if self.impl.is_open:
            self.impl.close()

    def _cut_off(self) -> None:
        self._closing = True
        if self.impl is not None and not self.impl.is_closed:
            # pika has no public way to drop a peer that no longer answers; its heartbeat does this.
            self.impl._terminate_stream(ConnectionLost("given up"))  # type: ignore[attr-defined] # noqa: SLF001
        else:
            self._loop.stop()

    def _end(self, error: TransportError) -> None:
        self._loop.stop()
        self._on_end(error)

    def _worst_error(self) -> TransportError:
        refusals = [error for error in self._errors if isinstance(error, Refused)]
        return (refusals or self._errors or [_no_answer(self._address)])[-1]


def _no_answer(address: str) -> ConnectionLost:
    return ConnectionLost(f"{address} does not answer in time.")
