"""Orders per second until confirmed: Backship against a worker per message, and against the floor.

What: `OrderPlaced` of three lines, drawn as unevenly as a real shop sells, every second sku in
stock and the others bought: from the first delivery out of a quorum queue until all that was
emitted is confirmed in a quorum queue, with PostgreSQL at `synchronous_commit = on`. The backlog is
published before; the start of the processes is not counted.

Four, on the same machine, one after the other in each round, in a database and virtual host of
their own each:
- `backship`: workers as `backship worker --processes 2` starts them, the rules compiled as in the
  image, `BATCH_SIZE_MAX` at its largest, as for a backlog;
- `backship, read`: the same, the rules read by the interpreter as from a clone;
- `per message`: what it is compared with: FastStream and SQLAlchemy's ORM, inbox, SELECT … FOR
  UPDATE, outbox, relay, the same rules by the same `decide` (`benchmarks/rivals/per_message.py`),
  with as many worker processes;
- `floor`: the same messages and rows as the round's `backship`, written by hand with COPY, and
  nothing decided (`benchmarks/rivals/floor.py`).

    python -m benchmarks.throughput [--rounds 3] [--processes 2] [--orders 20000]
"""

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.kit.cpu import used
from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, Target, conclude, ratios, show
from benchmarks.kit.room import Room, room
from benchmarks.kit.sizes import sizes
from workers.transports.base import OutgoingMessage

SECONDS_MAX = 180.0
WARM_ORDERS = 2_000
BATCH = 1_000
TARGET_RATIO = 30.0
TARGET_FLOOR = 0.6


@dataclass
class Contender:
    """One of those compared, and what its rounds gave."""

    name: str
    start: Callable[[Room], None]
    rates: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    sunk: list[float] = field(default_factory=list)
    written: dict[str, float] = field(default_factory=dict)  # bytes an order, in the last round

    def measure(self, place: Room, count: int) -> None:
        """Work off the backlog of a room."""
        before, small = used(), sizes(place.stack)
        self.start(place)
        drain = place.drained(count, seconds_max=SECONDS_MAX)
        spent = used(process.pid for process in place.processes).since(before)
        place.stop()
        self.written = sizes(place.stack).since(small, count)
        self.rates.append(count / drain.seconds)
        self.sunk.append(drain.sunk / count)
        for component, seconds in spent.items():
            self.cpu.setdefault(component, []).append(seconds / count * 1e6)
        print(
            f"  {self.name}: {self.rates[-1]:,.0f} orders/s, "
            f"{self.sunk[-1]:.2f} messages out of each",
            flush=True,
        )

    @property
    def cpu_total(self) -> Spread:
        """CPU microseconds of all components an order."""
        return Spread([sum(parts) for parts in zip(*self.cpu.values(), strict=True)])


def load(number: int, count: int) -> Iterator[OutgoingMessage]:
    """Return the orders of a round: everyone's are the same."""
    return orders(f"r{number}", count, seed=number + 2)


def prepare(place: Room, *, warm: int = WARM_ORDERS) -> None:
    """Tell the catalogue and stock, and let some orders have their effect."""
    place.publish(catalogue(real_skew().skus))
    place.publish(orders("warm", warm, seed=1))
    place.settle()
    place.analyze()


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--processes", type=int, default=2)
    given.add_argument("--orders", type=int, default=20_000)
    given.add_argument("--rival-orders", type=int, default=1_500)
    wanted = given.parse_args()

    def workers(*, compiled: bool) -> Callable[[Room], None]:
        def start(place: Room) -> None:
            for _ in range(wanted.processes):
                place.worker(compiled=compiled, BACKSHIP_BATCH_SIZE_MAX=str(BATCH))

        return start

    def per_message(place: Room) -> None:
        words = [place.stack.database_url, place.broker_url, place.stack.prefix]
        for _ in range(wanted.processes):
            place.start("per_message", ["benchmarks.rivals.per_message", *words])
        place.start("relay", ["benchmarks.rivals.relay", *words])

    ours = Contender("backship", workers(compiled=True))
    read = Contender("backship, read", workers(compiled=False))
    theirs = Contender("per message", per_message)
    floor = Contender("floor", lambda _: None)
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"))
        with room() as place:
            prepare(place)
            place.publish(load(number, wanted.orders))
            ours.measure(place, wanted.orders)
            with room() as other:
                prepare(other, warm=0)
                other.publish(load(number, wanted.orders))
                floor.start = _floor_of(place)
                floor.measure(other, wanted.orders)
        for contender, count in ((read, wanted.orders), (theirs, wanted.rival_orders)):
            with room() as place:
                prepare(place)
                place.publish(load(number, count))
                contender.measure(place, count)
    _tell(ours, read, theirs, floor)


def _floor_of(source: Room) -> Callable[[Room], None]:
    """Return what starts the floor on what a room holds."""

    def start(place: Room) -> None:
        urls = [source.stack.database_url, place.stack.database_url, place.broker_url]
        place.start("floor", ["benchmarks.rivals.floor", *urls, place.stack.prefix])

    return start


def _tell(ours: Contender, read: Contender, theirs: Contender, floor: Contender) -> None:
    everyone = (ours, read, theirs, floor)
    show(
        "Orders until confirmed",
        ("", "orders/s", "backship is", "messages out", "CPU µs an order", *ours.cpu),
        [
            (
                one.name,
                Spread(one.rates),
                ratios(ours.rates, one.rates),
                Spread(one.sunk).median,
                one.cpu_total.median,
                *(Spread(values).median for values in one.cpu.values()),
            )
            for one in everyone
        ],
    )
    against = ratios(ours.rates, theirs.rates)
    of_floor = ratios(ours.rates, floor.rates)
    conclude(
        "throughput",
        against.median,
        {
            "times_per_message": against,
            "times_per_message_read": ratios(read.rates, theirs.rates),
            "times_less_cpu": ratios(theirs.cpu_total.values, ours.cpu_total.values),
            "of_floor": of_floor,
            **{
                one.name: {
                    "orders_per_second": Spread(one.rates),
                    "messages_out": Spread(one.sunk),
                    "cpu_us": {name: Spread(values) for name, values in one.cpu.items()},
                    "written_bytes": one.written,
                }
                for one in everyone
            },
        },
        [
            Target(
                "times the worker per message",
                f"≥ {TARGET_RATIO:.0f}",
                against,
                against.median >= TARGET_RATIO,
            ),
            Target("of the floor", f"≥ {TARGET_FLOOR}", of_floor, of_floor.median >= TARGET_FLOOR),
        ],
    )


if __name__ == "__main__":
    main()
