"""The relay of the per-message worker: outbox rows to the broker, deleted once confirmed.

A process of its own, as competent as the worker: up to 100 rows at a time in the order they were
decided, published mandatory and persistent, all of them on their way at once, each awaited until
the broker has confirmed it; then they are deleted and the transaction commits. An empty outbox is
looked at again after 20 ms.

    python -m benchmarks.rivals.relay DATABASE_URL BROKER_URL PREFIX

Prints "ready" when it polls; SIGTERM ends it.
"""

import argparse
import asyncio
import signal

import uvloop
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from benchmarks.rivals.models import Outbox
from benchmarks.rivals.per_message import sessions
from events.codec import CONTENT_TYPE
from workers.topology import topology

ROWS_MAX = 100
POLL_SECONDS = 0.02


class Relay:
    """Publishes the outbox of one database to one exchange."""

    def __init__(
        self,
        session_of: async_sessionmaker[AsyncSession],
        broker: RabbitBroker,
        exchange: RabbitExchange,
    ) -> None:
        self._session_of = session_of
        self._broker = broker
        self._exchange = exchange

    async def publish_some(self) -> int:
        """Publish the first rows and delete what was confirmed; return how many those were."""
        async with self._session_of.begin() as session:
            first = (
                select(Outbox)
                .order_by(Outbox.clock, Outbox.n, Outbox.id)
                .limit(ROWS_MAX)
                .with_for_update(skip_locked=True)
            )
            rows = (await session.scalars(first)).all()
            outcomes = await asyncio.gather(
                *(self._publish(row) for row in rows), return_exceptions=True
            )
            confirmed = [
                row
                for row, outcome in zip(rows, outcomes, strict=True)
                if not isinstance(outcome, BaseException)
            ]
            for row in confirmed:
                await session.delete(row)
        return len(confirmed)

    async def _publish(self, row: Outbox) -> None:
        await self._broker.publish(
            row.body.encode(),
            exchange=self._exchange,
            routing_key=row.routing_key,
            mandatory=True,
            persist=True,
            message_id=row.id,
            message_type=row.type,
            content_type=CONTENT_TYPE,
            timestamp=row.at,
        )


async def run(database_url: str, broker_url: str, prefix: str) -> None:
    """Publish until SIGTERM, then what is there."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    broker = RabbitBroker(
        broker_url,
        logger=None,
        apply_types=False,
        app_id="backship",
        default_channel=Channel(publisher_confirms=True, on_return_raises=True),
    )
    exchange = RabbitExchange(topology(prefix).out_exchange, type=ExchangeType.TOPIC, declare=False)
    relay = Relay(sessions(database_url, 1), broker, exchange)
    async with broker:
        print("ready", flush=True)
        while True:
            last = stop.is_set()
            if await relay.publish_some():
                continue
            if last:
                return
            await asyncio.sleep(POLL_SECONDS)


def main() -> None:
    """Read where everything is."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("database_url")
    arguments.add_argument("broker_url")
    arguments.add_argument("prefix")
    given = arguments.parse_args()
    uvloop.run(run(given.database_url, given.broker_url, given.prefix))


if __name__ == "__main__":
    main()
