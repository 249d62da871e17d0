r"""A shop and its warehouse that keep a queue full, but never overfull: a process of its own.

Orders as in `benchmarks/kit/load.py`, for so many seconds, as many as are taken: while fewer than
`--backlog` wait, another hundred are sent, and the receipt of one sku of those that are bought: as
many units as were ordered of it since it came last. So what waits is served, after some two hundred
thousand orders, and does not grow for ever.

    python -m benchmarks.kit.steadily_full --url amqp://… --exchange NAME --queue NAME \
        --seconds 1800 --backlog 4000

Prints a JSON object every second: `at` (monotonic) and how many messages were `sent`.
"""

import argparse
import itertools
import json
import random
import time
from collections.abc import Iterator

import pika
from pika.adapters.blocking_connection import BlockingChannel

from benchmarks.kit.load import order, real_skew
from benchmarks.kit.steady import properties_of
from tests.support.builders import stock_received
from tests.support.stack import outgoing
from workers.transports.base import OutgoingMessage

WINDOW = 100
QTY = 2
LINES = 3
COUNTED_SECONDS = 0.05


class Shop:
    """Endless orders, and what must be received to serve them."""

    def __init__(self, seed: int) -> None:
        self._bought = sorted(sku for n, sku in enumerate(real_skew().skus) if n % 2)
        self._owed = dict.fromkeys(self._bought, 0)
        self._orders = self._all(seed)
        self._receipts = itertools.count()

    def next_window(self) -> list[OutgoingMessage]:
        """Return the next orders, and what is received next."""
        number = next(self._receipts)
        sku = self._bought[number % len(self._bought)]
        qty, self._owed[sku] = self._owed[sku], 0
        received = [outgoing(stock_received(f"soak-{number}", "WH1", [(sku, qty)]))] if qty else []
        return [*itertools.islice(self._orders, WINDOW), *received]

    def _all(self, seed: int) -> Iterator[OutgoingMessage]:
        source, skew = random.Random(seed), real_skew()
        for n in itertools.count():
            skus = skew.draw(source, LINES)
            for sku in skus:
                if sku in self._owed:
                    self._owed[sku] += QTY
            yield order(f"soak-{n}", skus, QTY, n)


def main() -> None:
    """Send for as long as was asked for."""
    given = argparse.ArgumentParser()
    given.add_argument("--url", required=True)
    given.add_argument("--exchange", required=True)
    given.add_argument("--queue", required=True)
    given.add_argument("--seconds", type=float, required=True)
    given.add_argument("--backlog", type=int, required=True)
    given.add_argument("--seed", type=int, default=1)
    wanted = given.parse_args()
    connection = pika.BlockingConnection(pika.URLParameters(wanted.url))
    channel = connection.channel()
    shop, sent = Shop(wanted.seed), 0
    begun = told = time.monotonic()
    while (now := time.monotonic()) - begun < wanted.seconds:
        if now - told >= 1:
            told += 1
            print(json.dumps({"at": now, "sent": sent}), flush=True)
        waiting = channel.queue_declare(wanted.queue, passive=True).method.message_count
        if waiting < wanted.backlog:
            sent += send(channel, wanted.exchange, shop.next_window())
        else:
            connection.sleep(COUNTED_SECONDS)
    connection.close()
    print(json.dumps({"at": time.monotonic(), "sent": sent}), flush=True)


def send(channel: BlockingChannel, exchange: str, messages: list[OutgoingMessage]) -> int:
    """Send messages; return how many."""
    for message in messages:
        channel.basic_publish(exchange, message.routing_key, message.body, properties_of(message))
    return len(messages)


if __name__ == "__main__":
    main()
