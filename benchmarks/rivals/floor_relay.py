"""The relay of the floor: up to 1,000 outbox rows, published in bursts, deleted once confirmed.

A thread with a connection of its own to either server; pika's SelectConnection, confirms pipelined.
"""

import threading
from collections.abc import Sequence
from typing import Any

import pika
import psycopg
from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, BasicProperties

from benchmarks.rivals.floor_rows import dsn
from events.codec import CONTENT_TYPE
from store.dialects.arrays import literal
from workers.transports.corked_connection import CorkedConnection

WINDOW = 1_000
BURST = 100

_TAKE = """
    SELECT clock, n, id, routing_key, type, body, extract(epoch FROM at)::bigint FROM outbox
    ORDER BY clock, n, id LIMIT %s
"""
_DELETE = """
    DELETE FROM outbox AS t USING unnest(%s::bigint[], %s::bigint[], %s::text[]) AS g (clock, n, id)
    WHERE t.clock = g.clock AND t.n = g.n AND t.id = g.id
"""

Row = tuple[Any, ...]


class Relay:
    """Publishes what `hint` says has been committed."""

    def __init__(self, database_url: str, broker_url: str, exchange: str) -> None:
        self.confirmed = 0
        self.failure: BaseException | None = None
        self._exchange = exchange
        self._database = psycopg.connect(dsn(database_url), prepare_threshold=1)
        self._database.execute("SET enable_hashjoin = off")
        self._database.execute("SET enable_mergejoin = off")
        self._database.commit()
        self._channel: Channel | None = None
        self._rows: Sequence[Row] = ()
        self._sent = 0  # by the broker's count of this channel
        self._unconfirmed: set[int] = set()
        self._ready = threading.Event()
        self._stopping = False
        self._connection = CorkedConnection(
            pika.URLParameters(broker_url),
            on_open_callback=self._on_open,
            on_open_error_callback=lambda _, error: self._end(RuntimeError(str(error))),
            on_close_callback=lambda _, error: self._end(None if self._stopping else error),
        )
        self._thread = threading.Thread(target=self._connection.ioloop.start, name="floor relay")

    def start(self) -> None:
        """Connect, and be ready to publish."""
        self._thread.start()
        self._ready.wait()
        if self.failure is not None:
            raise self.failure

    def hint(self) -> None:
        """Say that there is something in the outbox."""
        self._connection.ioloop.add_callback_threadsafe(self._take)

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        if self.failure is not None:
            self._thread.join()
            return
        self._connection.ioloop.add_callback_threadsafe(self._connection.close)
        self._thread.join()
        self._database.close()

    # ---------------------------------------------------------------- in the thread

    def _on_open(self, connection: Any) -> None:  # noqa: ANN401 - pika's own
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_return_callback(
            lambda *_: self._end(RuntimeError("a message out was returned"))
        )
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._ready.set())

    def _take(self) -> None:
        if self._rows or self._channel is None:
            return
        try:
            self._rows = self._database.execute(_TAKE, (WINDOW,)).fetchall()
        except psycopg.Error as failure:
            self._end(failure)
            return
        first = self._sent + 1
        self._unconfirmed = set(range(first, first + len(self._rows)))
        for start in range(0, len(self._rows), BURST):
            with self._connection.corked():
                for row in self._rows[start : start + BURST]:
                    self._publish(row)
        if not self._rows:
            self._database.commit()

    def _publish(self, row: Row) -> None:
        assert self._channel is not None
        _clock, _n, name, key, kind, body, at = row
        properties = BasicProperties(
            message_id=name,
            type=kind,
            content_type=CONTENT_TYPE,
            delivery_mode=2,
            timestamp=at,
            app_id="backship",
        )
        self._channel.basic_publish(self._exchange, key, body.encode(), properties, mandatory=True)
        self._sent += 1

    def _on_confirm(self, frame: Method[Basic.Ack | Basic.Nack]) -> None:
        method = frame.method
        if isinstance(method, Basic.Nack):
            self._end(RuntimeError("the broker did not take a message out"))
            return
        tag = method.delivery_tag or 0
        if method.multiple:
            self._unconfirmed = {sent for sent in self._unconfirmed if sent > tag}
        else:
            self._unconfirmed.discard(tag)
        if not self._unconfirmed:
            self._forget()

    def _forget(self) -> None:
        clocks, ns, names = list(zip(*self._rows, strict=True))[:3]
        self._database.execute(
            _DELETE, (literal("bigint", clocks), literal("bigint", ns), literal("text", names))
        )
        self._database.commit()
        self.confirmed += len(self._rows)
        self._rows = ()
        self._take()

    def _end(self, failure: BaseException | None) -> None:
        self.failure = self.failure or failure
        self._ready.set()
        self._connection.ioloop.stop()
