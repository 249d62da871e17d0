"""How long after an order is sent does the warehouse hear of it, under load and with little to do?

What: `OrderPlaced` of three lines, real skew, every second sku in stock, from the moment the shop
meant to send it until the first message it caused (ready to ship, or back-ordered) is delivered to
a consumer of a quorum queue bound to everything that comes out. The shop sends in a process of its
own at a steady pace, whatever comes of it (`benchmarks/kit/steady.py`); orders are told apart by
their id; all are counted but the first three seconds.

Against: in each round the same worker first empties a backlog: half of that rate is "half load";
then a quiet hour, 100 orders a second. Sender, receiver, worker and both servers share this
machine, so "half load" with sender and receiver is more than half of what its processors can do.

    python -m benchmarks.latency [--rounds 3] [--seconds 20] [--orders 10000]
"""

import argparse
import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties

from benchmarks.kit.load import catalogue, orders, real_skew
from benchmarks.kit.report import Spread, Target, conclude, show
from benchmarks.kit.room import Room, room
from workers.topology import topology

WARM_ORDERS = 2_000
WARM_SECONDS = 3.0
QUIET_RATE = 100
SECONDS_MAX = 180.0
AFTER_SECONDS_MAX = 30.0
ANSWERS = frozenset({"ReadyToShip", "BackToShip", "OrderBackordered", "OrderRejected"})
BINS_PER_DECADE = 20
BATCH_FIGURES = ("size", "milliseconds", "decode_ms", "load_ms", "decide_ms", "save_ms")
TARGETS = {("half load", 50): 50, ("half load", 99): 150, ("100/s", 99): 40}


@dataclass
class Load:
    """One load, and the latencies in milliseconds of each round."""

    name: str
    rates: list[float] = field(default_factory=list)
    rounds: list[list[float]] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    batches: dict[str, list[float]] = field(default_factory=dict)

    def percentile(self, percent: float) -> Spread:
        """Return a percentile of each round."""
        return Spread([percentile(values, percent) for values in self.rounds])

    def round(self, place: Room, number: int, rate: float, seconds: float) -> None:
        """Send at that rate and listen."""
        kind = f"{self.name.replace('/', '-').replace(' ', '-')}-{number}"
        heard = Receiver(place)
        before = len(place.said("batch"))
        told = heard.listen(sender(place, kind, rate, WARM_SECONDS + seconds, seed=number + 7))
        first = int(WARM_SECONDS * rate)
        begun = float(told["begun"])
        answered = heard.answered(kind)
        latencies = [
            (answered[n] - begun - n / rate) * 1e3 for n in range(first, int(told["sent"]))
        ]
        self.rates.append(rate)
        self.rounds.append(latencies)
        self.late_ms.append(float(told["late_ms"]))
        said = place.said("batch")[before:]
        for figure in BATCH_FIGURES:
            middle = percentile([float(line[figure]) for line in said], 50)
            self.batches.setdefault(figure, []).append(middle)
        print(
            f"  {self.name} ({rate:,.0f}/s): p50 {percentile(latencies, 50):.1f} ms, "
            f"p99 {percentile(latencies, 99):.1f} ms, at most {max(latencies):.1f} ms, "
            f"sent late by at most {told['late_ms']} ms; batches of {self.batches['size'][-1]:.0f} "
            f"in {self.batches['milliseconds'][-1]:.1f} ms"
        )


class Receiver:
    """A consumer of the sink: what came, and when."""

    def __init__(self, place: Room) -> None:
        self._sink = place.sink
        self._connection = pika.BlockingConnection(pika.URLParameters(place.broker_url))
        self._came: list[tuple[float, bytes]] = []
        self._answers = 0

    def listen(self, process: "subprocess.Popen[bytes]") -> dict[str, float]:
        """Listen until all that this process sends is answered; return what it said."""
        channel = self._connection.channel()
        channel.queue_purge(self._sink)
        channel.basic_consume(self._sink, self._on_message, auto_ack=True)
        while process.poll() is None:
            self._connection.process_data_events(0.2)
        assert process.stdout is not None
        told: dict[str, float] = json.loads(process.stdout.read())
        deadline = time.monotonic() + AFTER_SECONDS_MAX
        quiet_since, before = time.monotonic(), -1
        while time.monotonic() - quiet_since < 1.0:
            self._connection.process_data_events(0.1)
            if len(self._came) != before or self._answers < told["sent"]:
                before, quiet_since = len(self._came), time.monotonic()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._answers} answers to {told['sent']} orders")
        self._connection.close()
        return told

    def answered(self, kind: str) -> dict[int, float]:
        """Return when the first message of each order came, by the order's number."""
        first: dict[int, float] = {}
        for at, body in self._came:
            order_id = str(orjson.loads(body)["data"]["order_id"])
            name, _, number = order_id.rpartition("-")
            if name == kind:
                first.setdefault(int(number), at)
        return first

    def _on_message(
        self, _: BlockingChannel, __: Basic.Deliver, properties: BasicProperties, body: bytes
    ) -> None:
        if properties.type in ANSWERS:
            self._came.append((time.monotonic(), body))
            self._answers += 1


def sender(
    place: Room, kind: str, rate: float, seconds: float, *, seed: int
) -> "subprocess.Popen[bytes]":
    """Start a shop that sends at a steady pace."""
    words = {
        "url": place.broker_url,
        "exchange": topology(place.stack.prefix).inbox_exchange,
        "kind": kind,
        "rate": rate,
        "seconds": seconds,
        "seed": seed,
    }
    return place.listened(
        "benchmarks.kit.steady", [f"--{name}={value}" for name, value in words.items()]
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def histogram(rounds: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Count by bins that grow: upper edges in milliseconds, and the share of all in each."""
    counts: dict[int, int] = {}
    total = 0
    for value in (value for values in rounds for value in values):
        edge = 0
        while 10 ** (edge / BINS_PER_DECADE) < value:
            edge += 1
        counts[edge] = counts.get(edge, 0) + 1
        total += 1
    edges = range(min(counts), max(counts) + 1)
    return {
        "below_ms": [round(10 ** (edge / BINS_PER_DECADE), 3) for edge in edges],
        "share": [round(counts.get(edge, 0) / total, 6) for edge in edges],
    }


def main() -> None:
    """Measure and tell."""
    given = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--seconds", type=float, default=20.0)
    given.add_argument("--orders", type=int, default=10_000)
    wanted = given.parse_args()
    full: list[float] = []
    half, quiet = Load("half load"), Load(f"{QUIET_RATE}/s")
    for number in range(wanted.rounds):
        print(f"round {number + 1}", time.strftime("%H:%M:%S"))
        with room() as place:
            place.publish(catalogue(real_skew().skus))
            place.publish(orders("warm", WARM_ORDERS, seed=1))
            place.settle()
            place.analyze()
            place.publish(orders("full", wanted.orders, seed=number + 2))
            place.worker()
            full.append(
                wanted.orders / place.drained(wanted.orders, seconds_max=SECONDS_MAX).seconds
            )
            print(f"  full load: {full[-1]:,.0f} orders/s")
            half.round(place, number, full[-1] / 2, wanted.seconds)
            quiet.round(place, number, QUIET_RATE, wanted.seconds)
    loads = (half, quiet)
    show(
        "Milliseconds from an order until the warehouse hears of it",
        ("", "orders/s", "p50", "p90", "p99", "at most", "sent late by"),
        [
            (
                load.name,
                Spread(load.rates),
                *(load.percentile(percent) for percent in (50, 90, 99, 100)),
                Spread(load.late_ms),
            )
            for load in loads
        ],
    )
    targets = [
        Target(
            f"p{percent} at {load.name}, ms",
            f"< {TARGETS[load.name, percent]}",
            load.percentile(percent),
            met=load.percentile(percent).median < TARGETS[load.name, percent],
        )
        for load in loads
        for percent in (50, 99)
        if (load.name, percent) in TARGETS
    ]
    conclude(
        "latency",
        min(
            most / next(load for load in loads if load.name == name).percentile(percent).median
            for (name, percent), most in TARGETS.items()
        ),
        {"full_load": {"orders_per_second": Spread(full)}}
        | {
            load.name: {
                "orders_per_second": Spread(load.rates),
                "p50_ms": load.percentile(50),
                "p90_ms": load.percentile(90),
                "p99_ms": load.percentile(99),
                "at_most_ms": load.percentile(100),
                "sent_late_ms": Spread(load.late_ms),
                "batches": {name: Spread(values) for name, values in load.batches.items()},
                "histogram": histogram(load.rounds),
            }
            for load in loads
        },
        targets,
    )


if __name__ == "__main__":
    main()
