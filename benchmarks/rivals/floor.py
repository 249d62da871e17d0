"""The floor: the same messages and rows as Backship's, written by hand with COPY, nothing decided.

How fast two servers and two clients can be made to take the same work, if somebody knew beforehand
what comes of every order. What a finished run of Backship left in its database is read first and
kept in memory per order (`floor_rows`). Then the same messages are consumed from the inbox queue
(pika, prefetch 1,500, batches of up to 500, none of them looked into), per batch one transaction
(COPY into each table that is added to, one statement per table that is updated, synchronous
commit), one `ack(multiple)`; and a relay thread publishes the outbox with pipelined confirms.

    python -m benchmarks.rivals.floor SOURCE_DATABASE_URL DATABASE_URL BROKER_URL PREFIX

SOURCE: where Backship has taken in catalogue, stock and these orders. DATABASE: the same catalogue
and stock, no orders. Prints "ready" when it consumes; when everything prepared is done and
confirmed, one JSON line with counts and seconds from the first delivery on. SIGTERM ends it sooner.
"""

import argparse
import gc
import json
import signal
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import pika
import psycopg
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties

from benchmarks.rivals.floor_relay import Relay
from benchmarks.rivals.floor_rows import APPENDED, Prepared, Written, dsn, prepare
from store.dialects.arrays import literal
from store.statements import Kind, names_of
from workers.topology import topology

PREFETCH = 1_500
BATCH = 500
LINGER_SECONDS = 0.01

_COPY = {
    table.name: f"COPY {table.name} ({', '.join(names_of(table))}) FROM STDIN" for table in APPENDED
}
_STOCK = """
    UPDATE stock AS t SET allocated = t.allocated + g.qty, clock = %s
    FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS g (sku, place, qty)
    WHERE t.sku = g.sku AND t.place = g.place
"""
_DEMAND = """
    INSERT INTO demand AS t (clock, sku, destination, shop, shortage, queued, fillable)
    SELECT %s, * FROM unnest(
        %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[]
    )
    ON CONFLICT (sku, destination, shop) DO UPDATE SET clock = excluded.clock,
        shortage = t.shortage + excluded.shortage, queued = t.queued + excluded.queued,
        fillable = t.fillable + excluded.fillable
"""
_REPLENISHMENTS = """
    INSERT INTO replenishments AS t (clock, replenishment_id, vendor, destination, raised_at, state,
        automatic, revision, told_revision, told_total)
    SELECT %s, id, vendor, destination, raised_at, 'open', true, revision, revision, total
    FROM unnest(
        %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[]
    ) AS g (id, vendor, destination, raised_at, revision, total)
    ON CONFLICT (replenishment_id) DO UPDATE SET clock = excluded.clock,
        revision = t.revision + excluded.revision,
        told_revision = t.told_revision + excluded.revision,
        told_total = t.told_total + excluded.told_total
"""
_LINES = """
    INSERT INTO replenishment_lines AS t (replenishment_id, sku, qty, manual, linked, picked,
        received, parts, docked, outstanding)
    SELECT id, sku, qty, 0, 0, 0, 0, '[]', '[]', qty
    FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS g (id, sku, qty)
    ON CONFLICT (replenishment_id, sku) DO UPDATE SET qty = t.qty + excluded.qty,
        outstanding = t.outstanding + excluded.qty
"""
_SLOTS = """
    INSERT INTO replenishment_slots (clock, vendor, destination, open_id, raised)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[])
    ON CONFLICT (vendor, destination) DO UPDATE SET clock = excluded.clock,
        open_id = excluded.open_id, raised = excluded.raised
"""


class Floor:
    """Writes what was prepared, batch after batch."""

    def __init__(self, prepared: Prepared, database_url: str) -> None:
        self._prepared = prepared
        self._raised: set[str] = set()
        self._database = psycopg.connect(dsn(database_url), prepare_threshold=1)
        self._database.execute("SET synchronous_commit = on")
        self._database.execute("SET enable_hashjoin = off")  # before the first ANALYZE: see store
        self._database.execute("SET enable_mergejoin = off")
        self._database.commit()

    def write(self, events: Sequence[str]) -> None:
        """Keep what these events come to, in one transaction."""
        batch = Written()
        for event in events:
            batch.add(self._prepared.orders[event])
        with self._database.cursor() as cursor:
            for table, sql in _COPY.items():
                rows = batch.rows.get(table)
                if rows:
                    with cursor.copy(sql) as copy:
                        copy.write(b"".join(rows))
            self._update(cursor, batch)
        self._database.commit()

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()

    def _update(self, cursor: psycopg.Cursor[Any], batch: Written) -> None:
        clock = batch.clock
        if batch.promised:
            rows = [(*key, qty) for key, qty in sorted(batch.promised.items())]
            cursor.execute(_STOCK, (clock, *_arrays(("text", "text", "bigint"), rows)))
        if batch.waiting:
            keys = sorted({key for key, _column in batch.waiting})
            columns = ("shortage", "queued", "fillable")
            waits = [(*key, *(batch.waiting[key, name] for name in columns)) for key in keys]
            kinds: tuple[Kind, ...] = ("text", "text", "text", "bigint", "bigint", "bigint")
            cursor.execute(_DEMAND, (clock, *_arrays(kinds, waits)))
        if batch.bought:
            self._buy(cursor, batch)

    def _buy(self, cursor: psycopg.Cursor[Any], batch: Written) -> None:
        known = self._prepared.replenishments
        totals = dict.fromkeys(sorted(batch.revised), 0)
        for (name, _sku), qty in batch.bought.items():
            totals[name] += qty
        headers = [
            (name, row.vendor, row.destination, row.raised_at, batch.revised[name], total)
            for name, total in totals.items()
            for row in (known[name],)
        ]
        kinds: tuple[Kind, ...] = ("text", "text", "text", "timestamptz", "bigint", "bigint")
        cursor.execute(_REPLENISHMENTS, (batch.clock, *_arrays(kinds, headers)))
        lines = [(*key, qty) for key, qty in sorted(batch.bought.items())]
        cursor.execute(_LINES, _arrays(("text", "text", "bigint"), lines))
        slots = [
            (known[name].vendor, known[name].destination, name, known[name].raised)
            for name in totals
            if name not in self._raised
        ]
        if slots:
            kinds = ("text", "text", "text", "bigint")
            cursor.execute(_SLOTS, (batch.clock, *_arrays(kinds, sorted(slots))))
            self._raised.update(totals)


def _arrays(kinds: Sequence[Kind], rows: Iterable[tuple[object, ...]]) -> list[str]:
    """Return one array per column: psycopg's own dumping of lists takes ten times as long."""
    columns = zip(*rows, strict=True)
    return [literal(kind, values) for kind, values in zip(kinds, columns, strict=True)]


class Stopped:
    """Whether SIGTERM has come."""

    def __init__(self) -> None:
        self.yes = False
        signal.signal(signal.SIGTERM, self._set)
        signal.signal(signal.SIGINT, self._set)

    def _set(self, *_: object) -> None:
        self.yes = True


def run(prepared: Prepared, database_url: str, broker_url: str, prefix: str) -> dict[str, float]:
    """Consume until everything prepared is done and confirmed, or SIGTERM; return the counts."""
    stopped = Stopped()
    names = topology(prefix)
    floor = Floor(prepared, database_url)
    relay = Relay(database_url, broker_url, names.out_exchange)
    relay.start()
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=PREFETCH)
    waiting: deque[tuple[int, str]] = deque()

    def on_message(
        _: BlockingChannel, method: Basic.Deliver, properties: BasicProperties, _body: bytes
    ) -> None:
        assert method.delivery_tag is not None
        assert properties.message_id is not None
        waiting.append((method.delivery_tag, properties.message_id))

    channel.basic_consume(names.inbox_queue, on_message)
    print("ready", flush=True)
    done, messages, started = 0, prepared.messages, None
    while not stopped.yes and relay.failure is None:
        before = len(waiting)
        if before < BATCH:
            connection.process_data_events(LINGER_SECONDS)
            if before < len(waiting) < BATCH and done + len(waiting) < len(prepared.orders):
                continue
        started = started or (time.perf_counter() if waiting else None)
        batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        if batch:
            floor.write([event for _tag, event in batch])
            channel.basic_ack(batch[-1][0], multiple=True)
            relay.hint()
            done += len(batch)
        elif done == len(prepared.orders) and relay.confirmed == messages:
            break
    seconds = time.perf_counter() - (started or time.perf_counter())
    connection.close()
    relay.stop()
    floor.close()
    if relay.failure is not None:
        raise relay.failure
    return {"orders": done, "messages": relay.confirmed, "seconds": seconds}


def main() -> None:
    """Prepare, run, and print what was done."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("source_database_url")
    arguments.add_argument("database_url")
    arguments.add_argument("broker_url")
    arguments.add_argument("prefix")
    given = arguments.parse_args()
    prepared = prepare(given.source_database_url)
    gc.collect()
    gc.freeze()  # what is prepared is not to be walked over again and again
    print(json.dumps(run(prepared, given.database_url, given.broker_url, given.prefix)), flush=True)


if __name__ == "__main__":
    main()
