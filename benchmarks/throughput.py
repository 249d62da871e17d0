"""Orders per second until confirmed: Backship against a worker per message, and against the floor.

What: `OrderPlaced` of three lines, drawn as unevenly as a real shop sells, every second sku in
stock and the others bought: from the first delivery out of a quorum queue until all that was
emitted is confirmed in a quorum queue, with PostgreSQL at `synchronous_commit = on`. The backlog is
published before; the start of the processes is not counted.

Against, on the same machine, one after the other in each round, in a database and virtual host of
its own each:
- `per message`: FastStream and SQLAlchemy's ORM, inbox, SELECT … FOR UPDATE, outbox, relay, the
  same rules by the same `decide` (`benchmarks/rivals/per_message.py`);
- `floor`: the same messages and rows written by hand with COPY, and nothing decided
  (`benchmarks/rivals/floor.py`).

    python -m benchmarks.throughput [--rounds 3] [--orders 20000] [--rival-orders 1500]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.kit.cpu import used
from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, conclude, show
from benchmarks.kit.room import Room, room

SECONDS_MAX = 180.0
WARM_ORDERS = 2_000


@dataclass
class Contender:
    """One of those compared, and what its rounds gave."""

    name: str
    start: Callable[[Room], None]
    rates: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    sunk: list[float] = field(default_factory=list)

    def round(self, number: int, count: int) -> None:
        """Measure once, in a room of its own."""
        with room() as place:
            place.publish(catalogue(real_skew().skus))
            place.publish(orders("warm", WARM_ORDERS, seed=1))
            place.settle()
            place.analyze()
            place.publish(orders(f"r{number}", count, seed=number + 2))
            before = used()
            self.start(place)
            drain = place.drained(count, seconds_max=SECONDS_MAX)
            spent = used(process.pid for process in place.processes).since(before)
        self.rates.append(count / drain.seconds)
        self.sunk.append(drain.sunk / count)
        for component, seconds in spent.items():
            self.cpu.setdefault(component, []).append(seconds / count * 1e6)
        print(
            f"  {self.name}: {self.rates[-1]:,.0f} orders/s, {self.sunk[-1]:.2f} messages out each"
        )


def backship(place: Room) -> None:
    """Start one worker."""
    place.worker()


def per_message(place: Room) -> None:
    """Start the worker per message and its relay."""
    words = [place.stack.database_url, place.broker_url, place.stack.prefix]
    place.start("per_message", ["benchmarks.rivals.per_message", *words])
    place.start("relay", ["benchmarks.rivals.relay", *words])


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--orders", type=int, default=20_000)
    given.add_argument("--rival-orders", type=int, default=1_500)
    wanted = given.parse_args()
    ours = Contender("backship", backship)
    theirs = Contender("per message", per_message)
    contenders = [(ours, wanted.orders), (theirs, wanted.rival_orders)]
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"))
        for contender, count in contenders:
            contender.round(number, count)
    show(
        "Orders until confirmed",
        ("", "orders/s", "messages out", "CPU µs an order", *ours.cpu),
        [
            (
                one.name,
                Spread(one.rates),
                Spread(one.sunk),
                sum(Spread(values).median for values in one.cpu.values()),
                *(Spread(values) for values in one.cpu.values()),
            )
            for one, _ in contenders
        ],
    )
    conclude(
        "throughput",
        None,
        {one.name: {"orders_per_second": Spread(one.rates)} for one, _ in contenders},
    )


if __name__ == "__main__":
    main()
