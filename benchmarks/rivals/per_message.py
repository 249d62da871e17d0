"""The per-message worker Backship is compared with: FastStream and the SQLAlchemy ORM.

What a good engineer writes in an afternoon, with the same guarantees, on the same tables and by the
same rules: for each `OrderPlaced` one session and one transaction, in which

1. the event is entered in the inbox (a repeat ends here),
2. the rows it needs are locked in the order of their keys and loaded (`working_copy`),
3. `handlers.batch.decide` is asked about this one message,
4. what it decided is kept, with an outbox row for each event out (`benchmarks.rivals.relay`
   publishes those);

and after its commit the message is acknowledged. Up to `--prefetch` messages are worked on at once.

    python -m benchmarks.rivals.per_message DATABASE_URL BROKER_URL PREFIX [--prefetch 10]

Prints "ready" when it consumes; SIGTERM ends it. The catalogue, the shop and the stock of its
orders have been loaded before, by Backship itself.
"""

import argparse
import gc
from datetime import UTC, datetime

import uvloop
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage, RabbitQueue
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.rivals import models, queries
from benchmarks.rivals.working_copy import CatalogueCache, WorkingCopy
from config.settings import read
from events.codec import decode
from events.envelope import Event
from events.inbound import OrderPlaced
from handlers.batch import decide
from handlers.decision import Applied, Repeated
from handlers.policy import Rules
from workers.topology import topology

DRIVER = "postgresql+asyncpg"  # a tenth less of its time than psycopg

# Every statement looks rows up by key. A plan made while a table was empty would read all of it for
# as long as the prepared statement lives: with this, a sixth less of the server's time per order.
LOOK_UP = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}


class NotOursError(Exception):
    """A message this worker does nothing with; it goes to the dead queue."""


def sessions(database_url: str, connections: int) -> async_sessionmaker[AsyncSession]:
    """Return the maker of sessions, over a pool that never has to grow."""
    url = make_url(database_url).set(drivername=DRIVER)
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        connect_args={"server_settings": LOOK_UP},
    )
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


async def handle(
    session: AsyncSession, body: bytes, catalogue: CatalogueCache, rules: Rules
) -> None:
    """Let one message have its effect, within the session's transaction."""
    now = datetime.now(UTC)
    event = decode(body)
    if not isinstance(event, Event) or not isinstance(event.data, OrderPlaced):
        raise NotOursError(f"no OrderPlaced: {event.type}")
    if not await entered(session, event, body, now):
        return
    await catalogue.hold(session)
    copy = WorkingCopy(session, catalogue, rules)
    await copy.load(event, event.data)
    decision = decide(copy.state, [(event, now)], now)
    ((_event, outcome),) = decision.outcomes
    match outcome:
        case Applied():
            copy.keep(decision, now)
        case Repeated():
            mine = await session.get_one(models.Inbox, (event.source, event.id))
            mine.outcome = "repeated"
        case _:
            raise NotOursError(f"{event.id}: {outcome}")


async def entered(session: AsyncSession, event: Event, body: bytes, now: datetime) -> bool:
    """Enter an event in the inbox; False: it was there already, with the same content."""
    key = {"source": event.source, "event_id": event.id}
    row = {
        **key,
        "type": event.type,
        "data_hash": event.data_hash,
        "body": body.decode(),
        "received_at": now,
        "outcome": "applied",
        "traceparent": event.traceparent,
    }
    if (await session.execute(queries.ENTER, row)).first() is not None:
        return True
    if (await session.execute(queries.HEARD, key)).scalar_one() != event.data_hash:
        raise NotOursError(f"{event.id} came before with other content")
    return False


def application(database_url: str, broker_url: str, prefix: str, prefetch: int) -> FastStream:
    """Return the worker."""
    broker = RabbitBroker(
        broker_url,
        logger=None,
        apply_types=False,  # bodies are checked by the codec, once
        default_channel=Channel(prefetch_count=prefetch),
    )
    session_of = sessions(database_url, prefetch)
    rules = read(database_url=database_url).rules()
    catalogue = CatalogueCache()

    async def as_it_came(message: RabbitMessage) -> RabbitMessage:
        return message

    @broker.subscriber(
        RabbitQueue(topology(prefix).inbox_queue, declare=False),
        ack_policy=AckPolicy.MANUAL,
        decoder=as_it_came,
        no_reply=True,
    )
    async def order_placed(message: RabbitMessage) -> None:
        try:
            async with session_of.begin() as session:
                await handle(session, message.body, catalogue, rules)
        except NotOursError:
            await message.reject()
        except Exception:
            await message.nack()
            raise
        else:
            await message.ack()

    app = FastStream(broker, logger=None)

    @app.after_startup
    async def say_so() -> None:
        print("ready", flush=True)

    return app


def main() -> None:
    """Consume until SIGTERM."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("database_url")
    arguments.add_argument("broker_url")
    arguments.add_argument("prefix")
    arguments.add_argument("--prefetch", type=int, default=10)
    given = arguments.parse_args()
    app = application(given.database_url, given.broker_url, given.prefix, given.prefetch)
    # Most of what a message makes is gone with its session: a collection at every 700 objects costs
    # this worker a fifth of its time.
    gc.freeze()
    gc.set_threshold(50_000)
    uvloop.run(app.run())


if __name__ == "__main__":
    main()
