"""A process of its own that publishes or takes, so that a test can stop or kill a real one.

Run as `python -m tests.support.transport_process ACTION JSON`; it prints one line a step.

- `publish`: numbers `first` to `last` in batches, each under its number as id;
- `consume`: takes and acknowledges until a line on standard input, and then what is left;
- `hold`: takes up to `count`, says so, and keeps them until it is killed;
- `ack_late`: the same, but acknowledges after a line on standard input.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.transports import SHORT_LEASE, outgoing
from workers.topology import topology
from workers.transports.base import Delivery, Transport, TransportOptions
from workers.transports.open import open_transport


def main(action: str, given: dict[str, Any]) -> None:
    """Open the transport named in `given` and do one thing with it."""
    # What is only held shall come again soon. What is worked off under load keeps the usual lease:
    # a machine that pauses for longer than a short one would rightly deliver twice.
    options = SHORT_LEASE if action in ("hold", "ack_late") else TransportOptions()
    transport = open_transport(given["url"], Path(given["path"]), options, prefix=given["prefix"])
    actions: dict[str, Callable[[Transport, dict[str, Any]], None]] = {
        "publish": publish,
        "consume": consume,
        "hold": hold,
        "ack_late": ack_late,
    }
    actions[action](transport, given)


def publish(transport: Transport, given: dict[str, Any]) -> None:
    """Publish a range of numbers and say how many were confirmed."""
    names = topology(given["prefix"])
    confirmed = 0
    with transport.publisher() as publisher:
        for first in range(given["first"], given["last"], 200):
            numbers = range(first, min(first + 200, given["last"]))
            result = publisher.publish(
                [outgoing(number) for number in numbers], names.inbox_exchange, deadline_seconds=30
            )
            confirmed += len(result.confirmed)
    say(str(confirmed))


def consume(transport: Transport, given: dict[str, Any]) -> None:
    """Take and acknowledge until told that no more is published; print all bodies as JSON."""
    taken: list[str] = []
    told = threading.Thread(target=sys.stdin.readline, daemon=True)
    told.start()
    with transport.consumer(topology(given["prefix"]).inbox_queue) as consumer:
        while (deliveries := consumer.receive(500, 1.0)) or told.is_alive():
            consumer.ack(deliveries)
            taken += [delivery.body.decode() for delivery in deliveries]
    say(json.dumps(taken))


def hold(transport: Transport, given: dict[str, Any]) -> None:
    """Take up to `count` and keep them."""
    with transport.consumer(topology(given["prefix"]).inbox_queue) as consumer:
        say(str(len(_take(consumer.receive, given["count"]))))
        time.sleep(600)


def ack_late(transport: Transport, given: dict[str, Any]) -> None:
    """Take up to `count`, wait to be told, acknowledge."""
    with transport.consumer(topology(given["prefix"]).inbox_queue) as consumer:
        deliveries = _take(consumer.receive, given["count"])
        say(str(len(deliveries)))
        sys.stdin.readline()
        consumer.ack(deliveries)
    say("acknowledged")


def _take(receive: Callable[[int, float], list[Delivery]], count: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        deliveries += receive(count - len(deliveries), 1.0)
    return deliveries


def say(line: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
