"""A store that has grown: rows as the engine leaves them after a month, written by SQL.

The engine would take an hour for a million orders; a few statements over whole tables take some
minutes, and `backship audit` finds no difference in what they leave. The history:

1. Every second sku is kept in stock and came in receipts of 500 skus, long ago: of these, what is
   kept for a time (inbox, emitted) is gone, the ledger and the business facts are there.
2. Orders of up to three lines, three tenths of them drawn as a real shop sells (kit.load), the
   others evenly. What is not in stock was bought, of each vendor once in each tenth of the time;
   it was received, filled and shipped.
3. Of every hundredth an exception says that more of it was shipped than it wanted.
4. The last orders are held: what is in stock of them is released, the rest waits in the queue and
   stands on the open replenishment of its vendor.

The skus of kit.load have its hundred vendors, the others one for a hundred skus each. Indexes and
keys are taken off before and made again after: half the time.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.kit.grown_sql import (
    BOUGHT,
    COUNTED,
    DRAW,
    FILLS,
    LINES,
    ORDERS,
    PARTS,
    RANDOM,
    SUPPLY,
)
from benchmarks.kit.load import PLENTY, VENDORS, real_skew

QTY = 2
BATCH = 500
ROUNDS = 10
ORDERS_PER_EXCEPTION = 100
SKUS_PER_VENDOR = 100
LANES = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. `held`: so many of the orders wait."""

    skus: int = 1_000_000
    movements: int = 10_000_000
    orders: int = 1_000_000
    held: int = 100_000

    def of(self, share: float) -> "Size":
        """Return a smaller one of the same shape, its number of skus even."""
        skus = max(len(real_skew().skus), int(self.skus * share)) // 2 * 2
        least = skus * 2 + int(self.orders * share) * 6
        return Size(
            skus,
            max(least, int(self.movements * share)),
            int(self.orders * share),
            int(self.held * share),
        )


def order_name(number: int) -> str:
    """Return the id of an order; the last ones are held."""
    return f"G-{number:07}"


def grow(database_url: str, size: Size, *, loud: bool = False) -> float:
    """Fill an empty store that has its tables; return the seconds that took."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    started = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        words = _draw(connection, size)
        keys = _without_keys(connection)
    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(lambda table: _fill(url, table, words, keys, loud=loud), FILLS))
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in keys.get("", ()):
            connection.execute(statement)
        for name in ("uci", "skus", "lines", "sold", "orders", "bought", "supply", "counted"):
            connection.execute(f"DROP TABLE grow_{name}")
        connection.execute("UPDATE catalogue SET version = version + 1")
        connection.execute("VACUUM ANALYZE")
    return time.monotonic() - started


def _draw(connection: psycopg.Connection, size: Size) -> dict[str, object]:
    """Draw what was ordered, and all that follows from it, into tables of their own."""
    _prepare(connection)
    skew = real_skew()
    connection.execute("CREATE UNLOGGED TABLE grow_skus (n bigint, sku text, vendor text)")
    connection.execute("CREATE UNLOGGED TABLE grow_uci (i bigint, n bigint)")
    with connection.cursor() as cursor:
        with cursor.copy("COPY grow_skus FROM STDIN") as copy:
            for n, sku in enumerate(skew.skus):
                copy.write_row((n, sku, f"V{n % VENDORS}"))
        with cursor.copy("COPY grow_uci FROM STDIN") as copy:
            before = 0
            for n, total in enumerate(skew.totals):
                for i in range(before, total):
                    copy.write_row((i, n))
                before = total
    connection.execute(
        f"INSERT INTO grow_skus SELECT n, 'SKU-' || lpad(n::text, 7, '0'),"
        f" 'V' || {VENDORS} + (n - {len(skew.skus)}) / {SKUS_PER_VENDOR}"
        f" FROM generate_series({len(skew.skus)}, {size.skus} - 1) AS n"
    )
    # The last thirty days, to the day before yesterday's orders were shipped.
    step = 27 * 86_400_000_000 // size.orders
    found = connection.execute(
        "SELECT date_trunc('second', now() - interval '30 days')::text,"
        " extract(epoch FROM date_trunc('second', now() - interval '30 days'))::bigint * 1000000"
    ).fetchone()
    assert found is not None
    begin, clock = found
    words: dict[str, object] = {
        "skus": size.skus,
        "orders": size.orders,
        "first_held": size.orders - size.held,
        "uci_lines": skew.totals[-1],
        "even": RANDOM.format(seed=1),
        "which": RANDOM.format(seed=2),
        "qty": QTY,
        "batch": BATCH,
        "rounds": ROUNDS,
        "exceptional": ORDERS_PER_EXCEPTION,
        "plenty": PLENTY,
        "begin": begin,
        "step": step,
        "clock": clock,
        "end_clock": clock + 28 * 86_400_000_000,
    }
    for statement in (DRAW, LINES):
        connection.execute(statement.format(**words))
    connection.execute("ANALYZE grow_sold, grow_skus")
    connection.execute(ORDERS.format(**words, **PARTS))
    connection.execute(BOUGHT.format(**words))
    connection.execute("ANALYZE grow_bought")
    connection.execute(SUPPLY.format(**words))
    connection.execute(COUNTED.format(**words))
    connection.execute("ANALYZE grow_orders, grow_supply, grow_counted")
    counted = connection.execute(
        "SELECT (SELECT count(*) FROM grow_bought AS b JOIN grow_supply AS s ON s.id = b.id"
        " WHERE NOT s.open) + (SELECT count(*) FROM grow_sold WHERE NOT held)"
    ).fetchone()
    assert counted is not None
    words["bulk"] = size.movements - counted[0]
    assert words["bulk"] >= size.skus // 2, "too few movements for so many orders"  # type: ignore[operator]
    return words


def _prepare(connection: psycopg.Connection) -> None:
    for setting in (
        "work_mem = '512MB'",
        "maintenance_work_mem = '512MB'",
        "synchronous_commit = off",
        "statement_timeout = 0",
        "TimeZone = 'UTC'",
        "jit = off",
    ):
        connection.execute(f"SET {setting}")


def _without_keys(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Take off keys and indexes; return how to make those of each table, the last of all at ""."""
    again: dict[str, list[str]] = {}
    drops = []
    for table, name, kind, made in connection.execute(
        "SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE contype IN ('f', 'p') AND conrelid::regclass::text = ANY(%s)"
        " OR contype = 'f' ORDER BY contype",
        (list(FILLS),),
    ):
        drops.append(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}"
        again.setdefault("" if kind == "f" else table, []).append(add)
    for table, name, made in connection.execute(
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        (list(FILLS),),
    ):
        drops.append(f"DROP INDEX {name}")
        again.setdefault(table, []).append(made)
    for statement in drops:
        connection.execute(statement)
    return again


def _fill(
    url: str, table: str, words: dict[str, object], keys: dict[str, list[str]], *, loud: bool
) -> None:
    started = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        _prepare(connection)
        rows = sum(connection.execute(s.format(**words)).rowcount for s in FILLS[table])
        filled = time.monotonic()
        for statement in keys.get(table, ()):
            connection.execute(statement)
    if loud:
        indexed = time.monotonic() - filled
        print(f"  {table}: {rows:,} rows, {filled - started:.0f} s, indexes {indexed:.0f} s")
