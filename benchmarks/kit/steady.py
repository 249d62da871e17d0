r"""A shop that sends at a steady pace, whatever comes of it: a process of its own.

Order n is meant to leave at `begun + n / rate`. If this process or the broker holds it up it leaves
later, but is still measured from when it was meant to (no coordinated omission). `begun` is by the
machine's monotonic clock, which all its processes share.

    python -m benchmarks.kit.steady --url amqp://… --exchange NAME --kind half --rate 900 \
        --seconds 20

Prints one JSON object: `begun`, how many were sent, and how late the latest left.
"""

import argparse
import gc
import json
import time

import pika
from pika.spec import BasicProperties

from benchmarks.kit.load import orders
from workers.transports.base import CONTENT_TYPE, OutgoingMessage

LEAD_SECONDS = 0.5
SERVED_EVERY = 500


def main() -> None:
    """Make all messages, then send them on time."""
    given = argparse.ArgumentParser()
    given.add_argument("--url", required=True)
    given.add_argument("--exchange", required=True)
    given.add_argument("--kind", required=True)
    given.add_argument("--rate", type=float, required=True)
    given.add_argument("--seconds", type=float, required=True)
    given.add_argument("--seed", type=int, default=1)
    wanted = given.parse_args()
    messages = list(orders(wanted.kind, int(wanted.rate * wanted.seconds), seed=wanted.seed))
    gc.collect()
    gc.disable()
    connection = pika.BlockingConnection(pika.URLParameters(wanted.url))
    channel = connection.channel()
    begun, late = time.monotonic() + LEAD_SECONDS, 0.0
    for n, message in enumerate(messages):
        due = begun + n / wanted.rate
        while (left := due - time.monotonic()) > 0:
            time.sleep(left)
        late = max(late, -left)
        channel.basic_publish(
            wanted.exchange, message.routing_key, message.body, properties_of(message)
        )
        if n % SERVED_EVERY == 0:
            connection.process_data_events(0)
    connection.close()
    print(json.dumps({"begun": begun, "sent": len(messages), "late_ms": round(late * 1e3, 1)}))


def properties_of(message: OutgoingMessage) -> BasicProperties:
    """Return what a shop sends along."""
    return BasicProperties(
        message_id=message.id, type=message.type, content_type=CONTENT_TYPE, delivery_mode=2
    )


if __name__ == "__main__":
    main()
