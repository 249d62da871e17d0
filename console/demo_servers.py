"""Where the demo runs: on a file of its own, or on the servers of the settings if they are empty.

The file is `./backship-demo.db`, queues and all; each demo replaces the one before. Servers are
looked at before anything is created there: a demo among real orders would be a disaster.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import inspect, literal, select, table
from sqlalchemy.engine import make_url

from config.settings import Settings
from console.demo_engine import queue_name
from console.trouble import WrongUse
from workers.transports.base import Transport
from workers.transports.errors import TopologyMissing
from workers.wiring import House, opened

FILE = Path("backship-demo.db")
DATABASE_URL = f"sqlite:///{FILE}"

# Rows in these are no data: the version of the tables, rows that are only locked, who works.
_NO_DATA = frozenset({"alembic_version", "catalogue", "housekeeping", "relay_lock", "workers"})
_QUEUE_TABLES = "queue_"  # the embedded broker's, in the same file


def embedded(settings: Settings) -> Settings:
    """Return settings for the demo's own file.

    Rules stay as they are set. Nothing is waited for: the demo knows when something is there.
    """
    return settings.model_copy(
        update={
            "database_url": DATABASE_URL,
            "broker_url": None,
            "embedded_poll_ms": 2,
            "batch_wait_ms_max": 0,
        }
    )


@contextmanager
def alone() -> Iterator[None]:
    """Be the only demo in this directory; raise WrongUse where another is at it.

    The lock is on the directory, so that no file of it stays behind.
    """
    directory = os.open(FILE.absolute().parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise WrongUse(f"Another demo is writing {FILE.absolute()}; wait for its end.") from None
    finally:
        os.close(directory)


def remove_earlier() -> None:
    """Remove what an earlier demo left."""
    try:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{FILE}{suffix}").unlink(missing_ok=True)
    except OSError as error:
        raise WrongUse(f"{FILE} of an earlier demo can not be replaced: {error}.") from None


def check_empty(settings: Settings) -> None:
    """Raise WrongUse where the servers of the settings hold anything, or there are none."""
    if settings.broker_url is None and make_url(settings.database_url).drivername == "sqlite":
        raise WrongUse(
            "--on-servers wants a server: set BACKSHIP_DATABASE_URL or BACKSHIP_BROKER_URL."
        )
    with opened(settings) as house:
        _check_database(house)
        _check_queues(house)


def _check_database(house: House) -> None:
    if house.database.file is not None and not house.database.file.exists():
        return
    with house.database.read() as tx:
        for name in sorted(inspect(tx.connection).get_table_names()):
            if name in _NO_DATA or name.startswith(_QUEUE_TABLES):
                continue
            row = tx.connection.execute(select(literal(1)).select_from(table(name)).limit(1))
            if row.first() is not None:
                raise WrongUse(
                    f"{house.database.address} already holds data (table {name}); "
                    "the demo wants an empty database."
                )


def _check_queues(house: House) -> None:
    ours = house.topology
    for name in (ours.inbox_queue, ours.dead_queue, ours.unrouted_queue, queue_name(house)):
        if count := _count(house.transport, name):
            raise WrongUse(
                f"{house.transport.address} already holds data ({count:,} messages in {name}); "
                "the demo wants an empty virtual host."
            )


def _count(transport: Transport, queue: str) -> int:
    try:
        return transport.ready_count(queue)
    except TopologyMissing:
        return 0
