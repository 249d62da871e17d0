"""Half an hour at full load: does a worker's memory stay flat?

What: orders of three lines with the real skew, as many as one worker takes, with what is bought for
them received a little later (`benchmarks/kit/steadily_full.py` keeps some thousand messages waiting
and no more), through a quorum queue and PostgreSQL until confirmed. Every second: the worker's
resident memory, and how many messages it has taken. What arrives is thrown away every second, as
its consumers would take it.

Flat means: after the first tenth of the time, while it fills its caches, all that is measured lies
within five per cent of its median. The tables grow with what is kept, of course; by how much is
told as well.

    python -m benchmarks.soak [--minutes 30]
"""

import argparse
import json
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, Target, conclude, show
from benchmarks.kit.room import Room, counting, room
from workers.topology import topology

WARM_ORDERS = 2_000
WARM_SHARE = 0.1
FLAT_SHARE = 0.05
BACKLOG = 4_000
PLACES_MAX = 60
"""Of the curves that are kept: so many points."""


@dataclass
class Watch:
    """What was seen, every second."""

    seconds: list[float] = field(default_factory=list)
    memory_mib: list[float] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    came_out: int = 0

    def after(self, share: float) -> "Watch":
        """Return what was seen after that share of the time."""
        first = int(len(self.seconds) * share)
        return Watch(
            self.seconds[first:], self.memory_mib[first:], self.settled[first:], self.came_out
        )

    def per_hour(self) -> float:
        """Return by how many MiB memory grows in an hour, as a straight line would."""
        return statistics.linear_regression(self.seconds, self.memory_mib).slope * 3600

    def rates(self, parts: int) -> list[float]:
        """Return the rate in each of so many parts of the time."""
        size = max(1, (len(self.seconds) - 1) // parts)
        steps = range(0, len(self.seconds) - size, size)
        return [
            (self.settled[n + size] - self.settled[n]) / (self.seconds[n + size] - self.seconds[n])
            for n in steps
        ]


class Sender:
    """What the shop says it has sent so far."""

    def __init__(self, place: Room, seconds: float) -> None:
        names = topology(place.stack.prefix)
        words = {
            "url": place.broker_url,
            "exchange": names.inbox_exchange,
            "queue": names.inbox_queue,
            "seconds": seconds,
            "backlog": BACKLOG,
        }
        self.process = place.listened(
            "benchmarks.kit.steadily_full", [f"--{name}={value}" for name, value in words.items()]
        )
        self.sent = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.sent = int(json.loads(line)["sent"])


def watched(place: Room, seconds: float) -> Watch:
    """Let one worker work for that long, and look every second."""
    seen = Watch()
    worker = place.worker()
    place.until_said("worker_ready", 1)
    process = psutil.Process(worker.pid)
    sender = Sender(place, seconds)
    inbox = topology(place.stack.prefix).inbox_queue
    begun = time.monotonic()
    with counting(place.broker_url) as queues:
        while sender.process.poll() is None:
            time.sleep(1.0)
            seen.seconds.append(time.monotonic() - begun)
            seen.memory_mib.append(process.memory_info().rss / 2**20)
            seen.settled.append(sender.sent - queues.ready(inbox))
            seen.came_out += queues.ready(place.sink)
            queues.empty(place.sink)
            if len(seen.seconds) % 60 == 0:
                print(
                    f"  {len(seen.seconds) // 60} min: {seen.settled[-1]:,} settled, "
                    f"{seen.memory_mib[-1]:.1f} MiB"
                )
    return seen


def table_sizes(place: Room) -> dict[str, float]:
    """Return the MiB of the largest tables with their indexes."""
    rows = place.stack.rows(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 12"
    )
    return {str(name): int(str(size)) / 2**20 for name, size in rows}


def thinned(values: Sequence[float], places: int = PLACES_MAX) -> list[float]:
    """Return the median of each of so many parts of a curve."""
    size = max(1, -(-len(values) // places))
    return [round(statistics.median(values[n : n + size]), 1) for n in range(0, len(values), size)]


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--minutes", type=float, default=30.0)
    wanted = given.parse_args()
    with room(BACKSHIP_LOG_LEVEL="INFO") as place:
        place.publish(catalogue(real_skew().skus))
        place.publish(orders("warm", WARM_ORDERS, seed=1))
        place.settle()
        place.analyze()
        print(f"{wanted.minutes:g} minutes from", time.strftime("%H:%M:%S"))
        seen = watched(place, wanted.minutes * 60)
        sizes = table_sizes(place)
    steady = seen.after(WARM_SHARE)
    middle = statistics.median(steady.memory_mib)
    memory, rate = Spread(steady.memory_mib), Spread(steady.rates(10))
    off = max(abs(value - middle) for value in steady.memory_mib) / middle
    show(
        f"{wanted.minutes:g} minutes at full load",
        ("", "median [range]"),
        [
            ("memory of the worker, MiB", memory),
            ("  off its median by at most", f"{off:.1%}"),
            ("  as a line, MiB an hour", f"{steady.per_hour():+.1f}"),
            ("messages taken a second", rate),
            ("messages taken", f"{seen.settled[-1]:,}"),
            ("events out", f"{seen.came_out:,}"),
        ],
    )
    show(
        "Tables with their indexes, MiB",
        ("table", "MiB", "bytes a message"),
        [
            (name, size, round(size * 2**20 / max(1, seen.settled[-1])))
            for name, size in sizes.items()
        ],
    )
    conclude(
        "soak",
        FLAT_SHARE / off,
        {
            "minutes": wanted.minutes,
            "memory_mib": memory,
            "memory_off_median_share": off,
            "memory_mib_per_hour": steady.per_hour(),
            "messages_per_second": rate,
            "messages_taken": seen.settled[-1],
            "events_out": seen.came_out,
            "tables_mib": sizes,
            "curve": {
                "minutes": [round(value / 60, 2) for value in thinned(seen.seconds)],
                "memory_mib": thinned(seen.memory_mib),
                "messages_per_second": [
                    round(value) for value in seen.rates(min(PLACES_MAX, len(seen.seconds) - 1))
                ],
            },
        },
        [
            Target(
                "a worker's memory off its median, at most, %",
                f"± {FLAT_SHARE:.0%}",
                off * 100,
                met=off <= FLAT_SHARE,
            )
        ],
    )


if __name__ == "__main__":
    main()
