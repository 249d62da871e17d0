"""More workers: what do two or four processes on one queue gain, and what bounds them?

What: the load of `benchmarks/throughput.py` with 1, 2 and 4 processes of `backship worker`. All are
connected and idle before the first order comes: they are stopped (SIGSTOP) while the backlog is
published and go on together, so that no start is measured. Each round measures all of them in turn,
each in a room of its own.

Also: processor time of each component for an order, how many processors were busy, and how many
sessions of the database waited for rows that another worker had in hand: batches of real orders
nearly all touch the same few best sellers.

    python -m benchmarks.scale [--rounds 3] [--orders 20000] [--workers 1 2 4]
"""

import argparse
import os
import signal
import time
from dataclasses import dataclass, field

from benchmarks.kit.cpu import used
from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, conclude, ratios, show
from benchmarks.kit.room import Room, room
from benchmarks.kit.waits import Waits

SECONDS_MAX = 180.0
WARM_ORDERS = 2_000
FULL_SHARE = 0.9
"""Of the processors: so much in use means that they are what bounds the rate."""
LOCKED_LEAST = 0.3
"""Sessions that wait for a lock, on average: from so many on it is locks."""


@dataclass
class Fleet:
    """So many workers, and what their rounds gave."""

    size: int
    rates: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    locked: list[float] = field(default_factory=list)
    repeats: list[float] = field(default_factory=list)

    def round(self, number: int, count: int) -> None:
        """Measure once."""
        with room() as place:
            place.publish(catalogue(real_skew().skus))
            place.publish(orders("warm", WARM_ORDERS, seed=1))
            place.settle()
            place.analyze()
            workers = [place.worker() for _ in range(self.size)]
            pids = [process.pid for process in workers]
            place.until_said("worker_ready", self.size)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                place.publish(orders(f"r{number}", count, seed=number + 2))
                before, begun = used(pids), time.monotonic()
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
            with Waits(place.stack.database_url) as waits:
                drain = place.drained(count, seconds_max=SECONDS_MAX, begun=begun)
            spent = used(pids).since(before)
            repeats = said(place, "repeats")
        self.rates.append(count / drain.seconds)
        self.busy.append(sum(spent.values()) / drain.seconds)
        looked = drain.seconds + drain.watched_after
        self.locked.append(waits.shares().get("locks of another", 0.0) * looked / drain.seconds)
        self.repeats.append(repeats)
        for component, seconds in spent.items():
            self.cpu.setdefault(component, []).append(seconds / count * 1e6)
        print(
            f"  {self.size} workers: {self.rates[-1]:,.0f} orders/s, "
            f"{self.busy[-1]:.2f} processors busy, {self.locked[-1]:.2f} sessions wait for locks, "
            f"{repeats} transactions begun again"
        )

    @property
    def cpu_us(self) -> float:
        """Processor time for an order, in microseconds, of all components."""
        return sum(Spread(values).median for values in self.cpu.values())


def said(place: Room, name: str) -> int:
    """Add up a number of the lines the workers log for their batches."""
    return sum(int(line.get(name, 0)) for line in place.said("batch"))


def bound(fleet: Fleet, cores: int) -> str:
    """Say what bounds a fleet, as far as processor time tells."""
    busy = Spread(fleet.busy).median
    if busy >= FULL_SHARE * cores:
        most = max(fleet.cpu, key=lambda name: Spread(fleet.cpu[name]).median)
        return f"the {cores} processors ({busy:.2f} busy), most of it {most}"
    locked = Spread(fleet.locked).median
    if locked >= LOCKED_LEAST:
        return (
            f"locks: {locked:.2f} of its sessions wait for rows another worker has in hand, "
            f"{busy:.2f} of {cores} processors busy"
        )
    return f"its one thread and what that waits for: {busy:.2f} of {cores} processors busy"


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--orders", type=int, default=20_000)
    given.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    wanted = given.parse_args()
    cores = os.cpu_count() or 1
    fleets = [Fleet(size) for size in wanted.workers]
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"))
        for fleet in fleets:
            fleet.round(number, wanted.orders)
    first = fleets[0]
    bounds = {fleet.size: bound(fleet, cores) for fleet in fleets}
    show(
        f"Workers on one queue, {cores} processors; processor time in µs an order",
        ("workers", "orders/s", f"of {first.size}", "all", *first.cpu, "busy", "locked", "again"),
        [
            (
                fleet.size,
                Spread(fleet.rates),
                ratios(fleet.rates, first.rates),
                fleet.cpu_us,
                *(Spread(values) for values in fleet.cpu.values()),
                Spread(fleet.busy),
                Spread(fleet.locked),
                Spread(fleet.repeats),
            )
            for fleet in fleets
        ],
    )
    for size, reason in bounds.items():
        print(f"{size} workers are bounded by {reason}")
    conclude(
        "scale",
        ratios(fleets[-1].rates, first.rates).median,
        {
            "workers": {
                str(fleet.size): {
                    "orders_per_second": Spread(fleet.rates),
                    "of_the_first": ratios(fleet.rates, first.rates),
                    "processors_busy": Spread(fleet.busy),
                    "sessions_waiting_for_locks": Spread(fleet.locked),
                    "transactions_begun_again": Spread(fleet.repeats),
                    "cpu_us_per_order": {
                        name: Spread(values) for name, values in fleet.cpu.items()
                    },
                    "bounded_by": bounds[fleet.size],
                }
                for fleet in fleets
            }
        },
    )


if __name__ == "__main__":
    main()
