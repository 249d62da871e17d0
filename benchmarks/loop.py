"""Events per second of the whole loop: inbox queue → worker → database → relay → confirmed.

Measures one worker process of `worker --burst` on a backlog of `OrderPlaced` (3 lines each, 1,000
skus, batches of 500), from the first delivery until everything emitted is confirmed and gone from
the outbox. Publishing the backlog is not in it, start-up of the worker is. Half of the skus have no
stock (`half`), or all have (`stocked`): the first emits about 1.8 messages per order, the second 1.

    python benchmarks/loop.py                                          # embedded
    python benchmarks/loop.py postgresql+psycopg://…/empty amqp://…/   # servers, an empty database

Runs on one machine together with its servers; read ratios of one run, not records.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.logs import configure
from events.envelope import Event
from store import migrations
from tests.support.builders import item_changed, order_placed, place_changed, stock_received
from tests.support.services import delete_topology, unique_name
from tests.support.stack import Stack, outgoing
from workers.wiring import ease_collection, opened

SKUS = [f"SKU-{n:04}" for n in range(1_000)]
SEED = 7


def catalogue(share: float) -> list[Event]:
    """A place, the skus with twenty vendors, and stock for a share of the skus."""
    told: list[Event] = [place_changed("WH1")]
    told += [item_changed(sku, vendor=f"V{n % 20}") for n, sku in enumerate(SKUS)]
    told += [
        stock_received(f"R{n}", "WH1", [(sku, 10_000_000)])
        for n, sku in enumerate(SKUS)
        if n < share * len(SKUS)
    ]
    return told


def orders(kind: str, count: int) -> list[Event]:
    """Orders of three lines over skus drawn evenly."""
    draw = random.Random(SEED)
    return [
        order_placed(
            f"{kind}-{n}",
            [(sku, 2) for sku in draw.sample(SKUS, 3)],
            placed_at=f"2026-11-21T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        )
        for n in range(count)
    ]


@contextmanager
def fresh(stack: Stack, on_broker: str | None) -> Iterator[Stack]:
    """Make the tables and queues; delete the queues afterwards."""
    stack.init()
    try:
        yield stack
    finally:
        if on_broker is not None:
            delete_topology(on_broker, stack.prefix)


def burst(stack: Stack) -> float:
    """Let one worker work until nothing is left; return the seconds."""
    with opened(stack.settings) as house:
        house.ready()
        worker = house.worker()
        started = time.perf_counter()
        worker.run(burst=True)
        return time.perf_counter() - started


def main() -> None:
    """Print the rate of each round and the median."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("database_url", nargs="?")
    arguments.add_argument("broker_url", nargs="?")
    arguments.add_argument("--orders", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--stock", choices=["half", "stocked"], default="half")
    given = arguments.parse_args()
    configure("ERROR")
    ease_collection()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database_url or f"sqlite:///{folder}/loop.db"
        broker = given.broker_url
        stack = Stack(url, broker, unique_name("bench"), {"BACKSHIP_LOG_LEVEL": "ERROR"})
        with opened(stack.settings) as house:
            migrations.upgrade(house.database)
        with fresh(stack, broker):
            stack.publish(
                [outgoing(event) for event in catalogue(0.5 if given.stock == "half" else 1)]
            )
            burst(stack)
            rates = []
            for number in range(given.rounds):
                backlog = orders(f"round-{number}", given.orders)
                stack.publish([outgoing(event) for event in backlog])
                seconds = burst(stack)
                rates.append(given.orders / seconds)
                print(
                    f"round {number + 1}: {given.orders:,} orders in {seconds:.2f} s, "
                    f"{rates[-1]:,.0f}/s"
                )
            emitted = stack.value("SELECT COUNT(*) FROM emitted")
            print(
                f"{given.stock}: median {statistics.median(rates):,.0f} orders/s "
                f"until confirmed; {emitted:,} messages out in all"
            )


if __name__ == "__main__":
    main()
