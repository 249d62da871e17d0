"""Does it get slower with what it holds? The same orders on a new store and on one that has grown.

What: `OrderPlaced` of three lines, drawn as unevenly as a real shop sells, every second sku in
stock and the others bought, from a quorum queue until confirmed in another (kit.room), by one
worker; and the time of the statements of `backship stock`, `order`, `backorders --sku` and
`replenishments --state open`, with their plans.

Against: a store with 1,000,000 skus, 10,000,000 movements and 1,000,000 orders, 100,000 of them
held (kit.grown), in which the skus ordered have histories and queues like all others. Each round
runs the empty one and the grown one, in turns, in the same minute. The empty one knows the skus
ordered; the grown one is made once, audited (`--audit`) and kept through all rounds.

Targets: at least 0.8 of the rate on the empty store; under 100 ms for the statements of each of the
four commands, none of which reads a table whole that grows.

    python -m benchmarks.growth [--rounds 3] [--orders 10000] [--share 1.0] [--audit] [--only-looks]
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from benchmarks.kit.asked import Statement, View, asked, milliseconds
from benchmarks.kit.cpu import used
from benchmarks.kit.grown import Size, grow, order_name
from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, Target, conclude, ratios, show
from benchmarks.kit.room import Room, room
from console.screen import SHOWN_MAX
from handlers.policy import Rules
from store.audit.inspection import inspect
from store.transaction import Database
from store.views.backorders import Wanted, backorders
from store.views.orders import order
from store.views.status import figures
from store.views.stock import stock
from store.views.story import story
from store.views.supply import Chosen, replenishments

SECONDS_MAX = 180.0
WARM_ORDERS = 2_000
RATIO_MIN = 0.8
MILLISECONDS_MAX = 100.0
LOOKS = 5
SMALL = frozenset({"catalogue", "places", "shops", "vendors", "tasks", "workers"})
"""Tables that do not grow with what is sold; to read one whole is right."""

_STAGES = ("load_ms", "decide_ms", "save_ms")
_BATCH = re.compile(r"^\{.*\"event\": ?\"batch\".*\}$", re.MULTILINE)


@dataclass
class Store:
    """One of the two, and what its rounds gave."""

    name: str
    rates: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def round(self, place: Room, number: int, count: int) -> None:
        """Measure once."""
        place.publish(orders(f"{self.name}-{number}", count, seed=number + 2))
        before = used()
        place.worker()
        drain = place.drained(count, seconds_max=SECONDS_MAX)
        spent = used(process.pid for process in place.processes).since(before)
        told = place.logs()
        place.stop()
        for log in place.folder.glob("*.log"):
            log.unlink()
        self.rates.append(count / drain.seconds)
        for component, seconds in spent.items():
            self.cpu.setdefault(component, []).append(seconds / count * 1e6)
        batches = [json.loads(line) for line in _BATCH.findall(told)]
        for stage in _STAGES:
            spent_in = sum(batch[stage] for batch in batches)
            self.stages.setdefault(stage, []).append(spent_in * 1000 / count)
        print(f"  {self.name}: {self.rates[-1]:,.0f} orders/s", flush=True)


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--orders", type=int, default=10_000)
    given.add_argument("--share", type=float, default=1.0, help="of the full size")
    given.add_argument("--audit", action="store_true", help="audit the grown store first")
    given.add_argument("--only-looks", action="store_true", help="no rounds")
    wanted = given.parse_args()
    size = Size().of(wanted.share)
    empty, grown = Store("empty"), Store("grown")
    with room() as place:
        print(f"making {size}", flush=True)
        made = grow(place.stack.database_url, size, loud=True)
        print(f"  made in {made:.0f} s", flush=True)
        audited = audit(place) if wanted.audit else None
        looked = look(place, size)
        place.publish(orders("warm", WARM_ORDERS, seed=1))
        place.settle()
        place.analyze()
        for number in range(0 if wanted.only_looks else wanted.rounds):
            print(f"round {number + 1}", time.strftime("%H:%M:%S"), flush=True)
            # Whoever goes second finds a warmer machine: in turns.
            for store in (empty, grown) if number % 2 == 0 else (grown, empty):
                with nullcontext(place) if store is grown else small() as there:
                    store.round(there, number, wanted.orders)
    tell(empty, grown, looked, made=made, audited=audited, size=size)


@contextmanager
def small() -> Iterator[Room]:
    """Yield a store that knows the skus, and little else."""
    with room() as place:
        place.publish(catalogue(real_skew().skus))
        place.publish(orders("warm", WARM_ORDERS, seed=1))
        place.settle()
        place.analyze()
        yield place


# ---------------------------------------------------------------- looking


def views(size: Size) -> Mapping[str, View]:
    """Return what is looked at; of the two skus sold most one is in stock, one is waited for."""
    rules, now = Rules(), datetime.now(UTC)
    in_stock, waited_for = real_skew().skus[:2]
    held, shipped = order_name(size.orders - 1), order_name(0)
    is_open = Chosen(state="open")

    def first(found: Iterator[object]) -> Iterator[object]:
        return islice(found, SHOWN_MAX + 1)  # one more is asked for, to tell that there are more

    return {
        "stock (in stock)": lambda tx: stock(tx, rules, in_stock, now),
        "stock (waited for)": lambda tx: stock(tx, rules, waited_for, now),
        "order (held)": lambda tx: order(tx, rules, "main", held, now),
        "order (shipped)": lambda tx: order(tx, rules, "main", shipped, now),
        "backorders --sku": lambda tx: first(
            backorders(tx, rules, Wanted(sku=waited_for), now),
        ),
        "backorders --sku --limit 0": lambda tx: backorders(tx, rules, Wanted(sku=waited_for), now),
        "replenishments --state open": lambda tx: first(
            replenishments(tx, rules, is_open, now, covers=False)
        ),
        "backorders": lambda tx: first(backorders(tx, rules, Wanted(), now)),
        "replenishments": lambda tx: first(replenishments(tx, rules, Chosen(), now, covers=False)),
        "replenishments --state open --json": lambda tx: replenishments(tx, rules, is_open, now),
        "backorders --json": lambda tx: backorders(tx, rules, Wanted(), now),
        "status": figures,
        "explain (held)": lambda tx: story(tx, "main", held),
        "explain (shipped)": lambda tx: story(tx, "main", shipped),
    }


NAMED = (
    "stock (in stock)",
    "stock (waited for)",
    "order (held)",
    "order (shipped)",
    "backorders --sku",
    "replenishments --state open",
)
WHOLE = frozenset({"replenishments --state open --json", "backorders --json"})


@dataclass(frozen=True, slots=True)
class Look:
    """What one command asks: milliseconds of all its statements, of the slowest, and its plans."""

    milliseconds: Spread
    slowest: float
    statements: int
    rows: int
    scanned: dict[str, int]

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "milliseconds": self.milliseconds.told(),
            "slowest_ms": round(self.slowest, 1),
            "statements": self.statements,
            "rows": self.rows,
            "read_whole": self.scanned,
        }


def look(place: Room, size: Size) -> dict[str, Look]:
    """Ask everything some times, then once more for the plans."""
    found = {}
    for name, view in views(size).items():
        times = []
        run: list[Statement] = []
        for _ in range(1 if name in WHOLE else LOOKS):
            run = asked(place.stack.database_url, view)
            times.append(milliseconds(run))
        planned = [] if name in WHOLE else asked(place.stack.database_url, view, plans=True)
        scanned: dict[str, int] = {}
        for statement in planned:
            for table, rows in statement.scanned.items():
                if table not in SMALL and rows > 0:
                    scanned[table] = max(rows, scanned.get(table, 0))
        found[name] = Look(
            Spread(times),
            max(statement.seconds for statement in run) * 1000,
            len(run),
            sum(statement.rows for statement in run),
            scanned,
        )
        print(f"  {name}: {statistics.median(times):.1f} ms", flush=True)
    return found


def audit(place: Room) -> dict[str, Any]:
    """Derive every counter of the grown store again; nothing may differ."""
    started = time.monotonic()
    database = Database(place.stack.database_url)
    with database.read() as tx:
        tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        found = inspect(tx, place.stack.settings.rules())
    database.close()
    seconds = time.monotonic() - started
    print(f"  audited in {seconds:.0f} s: {len(found['differences'])} differences", flush=True)
    for difference in found["differences"][:10]:
        print("   ", difference)
    return {
        "seconds": round(seconds),
        "checked": found["checked"],
        "differences": len(found["differences"]),
    }


# ---------------------------------------------------------------- telling


def tell(
    empty: Store,
    grown: Store,
    looked: Mapping[str, Look],
    *,
    made: float,
    audited: Mapping[str, Any] | None,
    size: Size,
) -> None:
    """Print tables, and what programs read."""
    ratio: Spread | None = None
    if grown.rates:
        ratio = ratios(grown.rates, empty.rates)
        show(
            f"Orders until confirmed; grown / empty = {ratio}, at least {RATIO_MIN}",
            ("", "orders/s", *(f"CPU µs {name}" for name in empty.cpu), *_of_stages()),
            [
                (
                    store.name,
                    Spread(store.rates),
                    *(Spread(values) for values in store.cpu.values()),
                    *(Spread(store.stages[stage]) for stage in _STAGES),
                )
                for store in (empty, grown)
            ],
        )
    show(
        f"On the grown store; the first {len(NAMED)} under {MILLISECONDS_MAX:.0f} ms",
        ("command", "ms of statements", "slowest", "statements", "rows", "read whole"),
        [
            (
                name,
                one.milliseconds,
                one.slowest,
                one.statements,
                one.rows,
                "not looked at" if name in WHOLE else ", ".join(one.scanned) or "-",
            )
            for name, one in looked.items()
        ],
    )
    conclude(
        "growth",
        None if ratio is None else ratio.median,
        {
            "size": {name: getattr(size, name) for name in Size.__slots__},
            "made_seconds": made,
            "audit": audited,
            "grown_of_empty": ratio,
            "orders_per_second": {
                store.name: Spread(store.rates) for store in (empty, grown) if store.rates
            },
            "stage_us_per_order": {
                store.name: {stage: Spread(values) for stage, values in store.stages.items()}
                for store in (empty, grown)
            },
            "queries": {name: one.told() for name, one in looked.items()},
        },
        [
            *(
                [Target("grown against empty", f"≥ {RATIO_MIN}", ratio, ratio.median >= RATIO_MIN)]
                if ratio is not None
                else []
            ),
            *(
                Target(
                    f"`backship {name}`, ms of its statements",
                    f"< {MILLISECONDS_MAX:.0f}, nothing big read whole",
                    looked[name].milliseconds,
                    looked[name].milliseconds.median < MILLISECONDS_MAX
                    and not looked[name].scanned,
                )
                for name in NAMED
                if name in looked
            ),
        ],
    )


def _of_stages() -> Iterator[str]:
    return (f"{stage.removesuffix('_ms')} µs" for stage in _STAGES)


if __name__ == "__main__":
    main()
