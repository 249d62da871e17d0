"""Four workers and one sku in every order, against four workers and skus all ordered as often.

What: `OrderPlaced` of three lines, from the first delivery until all that was emitted is confirmed,
taken by four worker processes from one queue. `hot`: the first line is always the same sku, of
which there is plenty; the two others are drawn as unevenly as a real shop sells. `uniform`: three
of the same skus, each as likely as the others. One after the other in each round, in a database
and virtual host of its own each.

Against: half the rate of `uniform`, and no transaction given up because of a deadlock: locks are
taken in one order, so PostgreSQL should count none at all. What had to be tried again is counted
from the logs, and deadlocks by PostgreSQL.

    python -m benchmarks.hot [--rounds 3] [--orders 12000] [--workers 4]
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
from sqlalchemy import create_engine, text

from benchmarks.kit.cpu import used
from benchmarks.kit.load import PLENTY, SEED, catalogue, even, order, orders, real_skew
from benchmarks.kit.report import Spread, Target, conclude, ratios, show
from benchmarks.kit.room import Room, room
from tests.support.builders import item_changed, stock_received
from tests.support.stack import outgoing
from workers.transports.base import OutgoingMessage

HOT = "HOT"
TARGET = 0.5
SECONDS_MAX = 120.0
WARM_ORDERS = 1_000
REPEATED = ("transaction_repeated", "step_repeated")
GIVEN_UP = ("database_waits", "batch_halved", "batch_failed", "step_waits")


@dataclass
class Load:
    """One of the two, and what its rounds gave."""

    name: str
    rates: list[float] = field(default_factory=list)
    deadlocks: list[float] = field(default_factory=list)
    repeated: list[float] = field(default_factory=list)
    given_up: list[float] = field(default_factory=list)
    batch_size: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def orders(self, kind: str, count: int, seed: int) -> Iterator[OutgoingMessage]:
        """Yield what is placed."""
        if self.name == "hot":
            return _hot(kind, count, seed)
        return orders(kind, count, skew=even(real_skew().skus), seed=seed)

    def round(self, number: int, count: int, workers: int) -> None:
        """Measure once, in a room of its own."""
        with room() as place:
            place.publish(catalogue(real_skew().skus))
            place.publish(_plenty())
            place.publish(self.orders("warm", WARM_ORDERS, SEED))
            place.settle()
            place.analyze()
            place.publish(self.orders(f"r{number}", count, SEED + number + 1))
            before = used()
            for _ in range(workers):
                place.worker()
            drain = place.drained(count, seconds_max=SECONDS_MAX)
            spent = used(process.pid for process in place.processes).since(before)
            place.stop()
            self.rates.append(count / drain.seconds)
            self._count(place, count)
        for component, seconds in spent.items():
            self.cpu.setdefault(component, []).append(seconds / count * 1e6)
        print(f"  {self.name}: {self.rates[-1]:,.0f} orders/s", flush=True)

    def _count(self, place: Room, count: int) -> None:
        said = [orjson.loads(line) for line in place.logs().splitlines() if line.startswith("{")]
        events = [line.get("event") for line in said]
        sizes = [line["size"] for line in said if line.get("event") == "batch"]
        assert sum(sizes) >= count, "the logs do not tell of every order"
        self.batch_size.append(sum(sizes) / len(sizes))
        self.repeated.append(sum(event in REPEATED for event in events))
        self.given_up.append(sum(event in GIVEN_UP for event in events))
        self.deadlocks.append(_deadlocks(place))


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--orders", type=int, default=12_000)
    given.add_argument("--workers", type=int, default=4)
    wanted = given.parse_args()
    hot, uniform = loads = Load("hot"), Load("uniform")
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"), flush=True)
        for load in loads:
            load.round(number, wanted.orders, wanted.workers)
    compared = ratios(hot.rates, uniform.rates)
    figures = ("rates", "deadlocks", "repeated", "given_up", "batch_size")
    show(
        f"{wanted.workers} workers: orders until confirmed",
        ("", "orders/s", *figures[1:], *(f"CPU {name}" for name in hot.cpu)),
        [
            (
                load.name,
                *(Spread(getattr(load, figure)) for figure in figures),
                *(Spread(values) for values in load.cpu.values()),
            )
            for load in loads
        ],
    )
    conclude(
        "hot",
        compared.median,
        {
            "workers": wanted.workers,
            "hot_to_uniform": compared,
            **{
                load.name: {
                    **{figure: Spread(getattr(load, figure)) for figure in figures},
                    "cpu_us_per_order": {name: Spread(us) for name, us in load.cpu.items()},
                }
                for load in loads
            },
        },
        [
            Target("hot against uniform", f"≥ {TARGET}", compared, compared.median >= TARGET),
            Target(
                "transactions given up",
                "none",
                sum(hot.given_up) + sum(uniform.given_up),
                not any((*hot.given_up, *uniform.given_up)),
            ),
        ],
    )


def _hot(kind: str, count: int, seed: int) -> Iterator[OutgoingMessage]:
    """Yield orders of the one sku and two others."""
    for message in orders(kind, count, lines=2, seed=seed):
        data = orjson.loads(message.body)["data"]
        skus = [HOT, *(line["sku"] for line in data["lines"])]
        yield order(message.id, skus, 2, int(message.id.rpartition("-")[2]))


def _plenty() -> Iterator[OutgoingMessage]:
    yield outgoing(item_changed(HOT, vendor="V0"))
    yield outgoing(stock_received("hot", "WH1", [(HOT, PLENTY)]))


def _deadlocks(place: Room) -> int:
    server = create_engine(place.stack.database_url)
    with server.connect() as connection:
        asked = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        found = int(connection.execute(text(asked)).scalar_one())
    server.dispose()
    return found


if __name__ == "__main__":
    main()
