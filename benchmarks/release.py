"""One receipt for a sku that very many order lines wait for: how fast, how much memory, who waits.

What: N lines of one sku are held, one unit each; one `StockReceived` brings N units. Twice: with
10 lines of that sku in each order, and with one. Orders of other skus are placed meanwhile, 50 a
second. Watched are the lines filled and committed (the sku's demand in PostgreSQL), the
`BackToShip` confirmed in a quorum queue, the worker's resident memory, and how long the other
orders take from their publishing to `ReadyToShip`.

Against the targets below. The curve of lines over time must be straight: the last third of the
lines is as fast as the first.

The N lines are the rows of one order that the engine has made itself, copied by SQL; the audit
finds nothing wrong with them, nor after the release (it is run for up to 100,000 lines).

    python -m benchmarks.release [--lines 1000000] [--alone 300000]
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import linear_regression

import psutil
from sqlalchemy import Connection, create_engine, text

from benchmarks.kit.cpu import used
from benchmarks.kit.load import catalogue, even, order, real_skew
from benchmarks.kit.probe import Probe, percentile
from benchmarks.kit.report import Target, conclude, show
from benchmarks.kit.room import Queues, Room, counting, room
from store import schema
from store.statements import names_of
from tests.support.builders import item_changed, stock_received
from tests.support.stack import outgoing

SKU = "HELD"
OTHER_SKUS = 200
AUDITED_LINES_MAX = 100_000
BEFORE_SECONDS = 5.0
WATCH_SECONDS = 0.1
SECONDS_PER_LINE_MAX = 1 / 1_500
TARGETS = {
    "committed_lines_per_second": 20_000,
    "confirmed_lines_per_second_alone": 5_000,
    "memory_mb": 300,
    "others_p99_ms": 250,
}
AT_LEAST = ("committed_lines_per_second", "confirmed_lines_per_second_alone")


@dataclass
class Watched:
    """What was seen of one release; times are seconds since the receipt was published."""

    lines: int
    lines_per_order: int
    prepared_seconds: float = 0.0
    committed: list[tuple[float, int]] = field(default_factory=list)
    confirmed: list[tuple[float, int]] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    before: Sequence[float] = ()
    others: Sequence[float] = ()
    others_missing: int = 0
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def committed_rate(self) -> float:
        return self.lines / self.committed[-1][0]

    @property
    def confirmed_rate(self) -> float:
        return self.lines / self.confirmed[-1][0]

    @property
    def memory_mb(self) -> float:
        return max(self.memory) / 1e6

    @property
    def straightness(self) -> float:
        """How fast the last third of the lines is committed, against the first; 1: a line."""
        third = self.lines / 3
        first = [(at, lines) for at, lines in self.committed if lines <= third]
        last = [(at, lines) for at, lines in self.committed if lines >= 2 * third]
        return _slope(last) / _slope(first)

    @property
    def curve(self) -> list[float]:
        """After how many seconds each tenth of the lines was committed."""
        tenths = [self.lines * n / 10 for n in range(1, 11)]
        return [
            round(next(at for at, lines in self.committed if lines >= tenth), 1) for tenth in tenths
        ]

    def told(self) -> dict[str, float | int]:
        """Return the figures for programs."""
        return {
            "lines": self.lines,
            "lines_per_order": self.lines_per_order,
            "prepared_seconds": self.prepared_seconds,
            "committed_lines_per_second": self.committed_rate,
            "confirmed_lines_per_second": self.confirmed_rate,
            "last_third_to_first": self.straightness,
            "memory_mb": self.memory_mb,
            "others": len(self.others),
            "others_missing": self.others_missing,
            "others_p50_ms": 1000 * percentile(self.others, 0.5),
            "others_p99_ms": 1000 * percentile(self.others, 0.99),
            "others_max_ms": 1000 * max(self.others),
            "others_p99_ms_before": 1000 * percentile(self.before, 0.99),
            **{f"cpu_us_per_line_{name}": 1e6 * s / self.lines for name, s in self.cpu.items()},
        }


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--lines", type=int, default=1_000_000, help="with 10 in each order")
    given.add_argument("--alone", type=int, default=300_000, help="with one in each order")
    wanted = given.parse_args()
    ten = released(wanted.lines, 10) if wanted.lines else None
    one = released(wanted.alone, 1) if wanted.alone else None
    shapes = [shape for shape in (ten, one) if shape is not None]
    show(
        "One receipt for all that wait",
        ("", *(f"{shape.lines:,} lines, {shape.lines_per_order} an order" for shape in shapes)),
        [
            (name, *(shape.told()[name] for shape in shapes))
            for name in shapes[0].told()
            if not name.startswith("lines")
        ],
    )
    reached = {
        "memory_mb": max(shape.memory_mb for shape in shapes),
        "others_p99_ms": max(1000 * percentile(shape.others, 0.99) for shape in shapes),
    }
    if ten is not None:
        reached["committed_lines_per_second"] = ten.committed_rate
    if one is not None:
        reached["confirmed_lines_per_second_alone"] = one.confirmed_rate
    show(
        "Against the targets",
        ("", "target", "reached"),
        [(name, TARGETS[name], value) for name, value in reached.items()],
    )
    conclude(
        "release",
        None if ten is None else ten.committed_rate / TARGETS["committed_lines_per_second"],
        {
            **{
                f"lines_per_order_{shape.lines_per_order}": {**shape.told(), "curve": shape.curve}
                for shape in shapes
            },
        },
        [
            Target(
                name.replace("_", " "),
                f"{'≥' if name in AT_LEAST else '<'} {TARGETS[name]:,}",
                value,
                value >= TARGETS[name] if name in AT_LEAST else value < TARGETS[name],
            )
            for name, value in reached.items()
        ],
    )


def released(lines: int, lines_per_order: int) -> Watched:
    """Let so many lines wait, bring the units, and watch."""
    watched = Watched(lines, lines_per_order)
    others = even(real_skew().skus[:OTHER_SKUS])
    with room() as place:
        began = time.monotonic()
        place.publish(catalogue(others.skus, stocked_of_two=2))
        place.publish([outgoing(item_changed(SKU, auto_replenish=True))])
        place.publish([order("held-0", [SKU] * lines_per_order, 1, 0)])
        place.settle()
        _multiply(place, lines // lines_per_order)
        place.analyze()
        watched.prepared_seconds = time.monotonic() - began
        _check(place, lines, "before")
        print(f"  {lines:,} lines wait, made in {watched.prepared_seconds:.0f} s", flush=True)
        worker = place.worker()
        with Probe(place, others) as probe, counting(place.broker_url) as queues:
            _until_ready(place, probe)
            quiet_from = time.monotonic()
            time.sleep(BEFORE_SECONDS)
            cpu = used([worker.pid])
            place.publish([outgoing(stock_received("all", "WH1", [(SKU, lines)]))])
            started = time.monotonic()
            _watch(place, queues, probe, psutil.Process(worker.pid), watched, started)
            ended = time.monotonic()
            watched.cpu = used([worker.pid]).since(cpu)
        watched.before = probe.between(quiet_from, started)
        watched.others = probe.between(started, ended)
        watched.others_missing = probe.missing
        place.stop()
        _check(place, lines, "after")
    print(f"  released in {ended - started:.1f} s", flush=True)
    return watched


def _watch(
    place: Room,
    queues: Queues,
    probe: Probe,
    worker: psutil.Process,
    watched: Watched,
    started: float,
) -> None:
    """Look ten times a second until the last `BackToShip` is in the sink."""
    wanted = watched.lines // watched.lines_per_order
    server = create_engine(place.stack.database_url, isolation_level="AUTOCOMMIT")
    deadline = started + 60 + watched.lines * SECONDS_PER_LINE_MAX
    with server.connect() as connection:
        while True:
            watched.memory.append(worker.memory_info().rss)
            filled = watched.lines - _held(connection)
            at = time.monotonic() - started
            if filled and (not watched.committed or watched.committed[-1][1] < filled):
                watched.committed.append((at, filled))
            # What is in the sink besides is told of the other orders: one message each.
            sunk = queues.ready(place.sink) - len(probe.took)
            watched.confirmed.append((at, max(0, sunk) * watched.lines_per_order))
            if filled == watched.lines and sunk >= wanted and _all_kept(connection):
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{filled} lines filled, {sunk} orders confirmed")
            time.sleep(WATCH_SECONDS)
    server.dispose()


def _until_ready(place: Room, probe: Probe) -> None:
    deadline = time.monotonic() + 60
    while len(probe.took) < 100:
        if time.monotonic() > deadline:
            raise TimeoutError(place.logs()[-4000:])
        time.sleep(WATCH_SECONDS)


def _multiply(place: Room, count: int) -> None:
    """Make `count` orders of the one there is, each placed a millisecond after the one before."""
    server = create_engine(place.stack.database_url)
    with server.begin() as connection:
        for table in (schema.orders, schema.order_lines, schema.reasons):
            columns = ", ".join(_MADE.get(name, f"t.{name}") for name in names_of(table))
            connection.execute(
                text(
                    f"INSERT INTO {table.name} ({', '.join(names_of(table))}) SELECT {columns}"
                    f" FROM {table.name} AS t CROSS JOIN generate_series(1, :last) AS made"
                    " WHERE t.order_id = 'held-0' ORDER BY made"
                ),
                {"last": count - 1},
            )
        counters = ("shortage", "queued", "fillable")
        connection.execute(
            text(
                f"UPDATE demand SET {', '.join(f'{name} = {name} * :count' for name in counters)}"
                " WHERE sku = :sku"
            ),
            {"count": count, "sku": SKU},
        )
    server.dispose()


_MADE = {
    "order_id": "'held-' || made",
    "placed_at": "t.placed_at + made * interval '1 millisecond'",
}


def _check(place: Room, lines: int, when: str) -> None:
    if lines <= AUDITED_LINES_MAX:
        differences = place.stack.differences()
        assert not differences, (when, differences[:5])


def _held(connection: Connection) -> int:
    asked = text("SELECT COALESCE(SUM(shortage), 0) FROM demand WHERE sku = :sku")
    return int(connection.execute(asked, {"sku": SKU}).scalar_one())


def _all_kept(connection: Connection) -> bool:
    asked = text("SELECT NOT EXISTS (SELECT 1 FROM outbox) AND NOT EXISTS (SELECT 1 FROM tasks)")
    return bool(connection.execute(asked).scalar_one())


def _slope(points: Sequence[tuple[float, int]]) -> float:
    slope = linear_regression([at for at, _ in points], [lines for _, lines in points]).slope
    return float(slope)


if __name__ == "__main__":
    main()
