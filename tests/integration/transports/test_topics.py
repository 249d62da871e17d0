"""Topic patterns: ours against RabbitMQ's own answers."""

import itertools

from tests.support.transports import RabbitStack
from workers.transports.topics import matches

PATTERNS = (
    "#", "*", "", "a", "a.b", "*.b", "a.*", "a.#", "#.b", "#.a.#", "*.*", "*.#", "#.*", "a.*.b",
    "a.#.b", "*.a.*", "#.#", "a..b", "a.*.#", "*.main.*", "*.*.WH1",
)  # fmt: skip
WORDS = ("a", "b", "", "main", "WH1")


def test_every_pattern_takes_what_rabbitmq_takes(rabbit: RabbitStack) -> None:
    keys = ["", *WORDS]
    keys += [".".join(words) for words in itertools.product(WORDS, repeat=2)]
    keys += [".".join(words) for words in itertools.product(("a", "b", "", "main"), repeat=3)]
    exchange = f"{rabbit.topology.inbox_exchange}.oracle"
    with rabbit.channel() as channel:
        channel.exchange_declare(exchange, "topic", auto_delete=True)
        queues = {}
        for pattern in PATTERNS:
            queues[pattern] = channel.queue_declare("", exclusive=True).method.queue
            channel.queue_bind(queues[pattern], exchange, pattern)
        for key in keys:
            channel.basic_publish(exchange, key, key.encode())
        for pattern, queue in queues.items():
            taken = []
            while (found := channel.basic_get(queue, auto_ack=True))[0] is not None:
                assert found[2] is not None
                taken.append(found[2].decode())
            assert taken == [key for key in keys if matches(pattern, key)], pattern
