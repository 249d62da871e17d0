"""What must be so when a world is at rest: nothing lost, nothing doubled, nothing made up.

1. The total queue (Jepsen): every message that was confirmed to its sender is in exactly one
   terminal place: applied, repeated, waiting for its order (a cancellation), or set aside. Nothing
   is anywhere that nobody sent.
2. What was emitted was published, at least once, as it was emitted; nothing else was.
3. The books balance (`backship audit`), and nothing is left to do.
4. The same transactions, done again without any fault on a clean database, leave the same rows.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

import orjson

from events.codec import Malformed, decode
from events.envelope import Event
from events.routing import has_wrong_origin
from store import schema
from store.audit.inspection import inspect
from store.transaction import Database
from tests.simulation.database import Disk, SimulatedDatabase
from tests.simulation.faults import Faults
from tests.simulation.history import History
from tests.simulation.scheduler import Life, Scheduler
from tests.simulation.workload import BUGGY, POISON
from tests.simulation.world import World
from tests.support.keeping import rows
from workers.clock import SettableClock
from workers.process import Desk
from workers.transports.base import OutgoingMessage

_OF_THE_FLEET = {
    "outbox",
    "held_back",
    "suspects",
    "relay_lock",
    "operations",
    "workers",
    "housekeeping",
}
"""Tables that say how the work went, not what came of it."""

_KILLED = ("killed at", "killed amid")
_LUCK = 2
_UNREAD = "set_aside: crashed_worker (set_aside)"

Key = tuple[str, ...]


@dataclass(slots=True)
class Account:
    """What became of all messages, counted as Jepsen's total-queue checker does."""

    attempted: int = 0
    acknowledged: int = 0
    applied: int = 0
    repeated: int = 0
    waiting: int = 0
    set_aside: int = 0
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


def check(world: World, clean_url: str) -> Account:
    """Ask everything; raises AssertionError with what is not so."""
    database = Database(world.disk.url)
    try:
        account = _account(world, database)
        assert not account.lost, f"lost: {account.lost}"
        assert not account.unexpected, f"unexpected: {account.unexpected}"
        assert not account.doubled, f"in two places: {account.doubled}"
        _published(world, database)
        _balanced(world, database)
        _spoilt_ones(world, database)
        _replayed(world, database, clean_url)
        return account
    finally:
        database.close()


# ---------------------------------------------------------------- the total queue


def _key(message: OutgoingMessage) -> Key:
    """Return what tells contents apart."""
    event = decode(message.body)
    pretends = isinstance(event, Event) and has_wrong_origin(event, message.routing_key)
    return _key_of(message.body, pretends=pretends)


def _key_of(body: bytes, *, pretends: bool) -> Key:
    """Return (source, id, hash of the data), or the hash of the bytes where there are none."""
    event = decode(body)
    if isinstance(event, Malformed):
        return (sha256(body).hexdigest(),)
    known = (event.source, event.id, event.data_hash)
    return ("wrong_origin", *known) if pretends else known


def _places(database: Database) -> dict[Key, list[str]]:
    """Return where every content is."""
    found: dict[Key, list[str]] = {}
    for source, event_id, data_hash, outcome in rows(
        database, schema.inbox, "source", "event_id", "data_hash", "outcome"
    ):
        if outcome != "set_aside":
            found.setdefault((source, event_id, data_hash), []).append(outcome)
    for reason, body, state in rows(database, schema.set_aside, "reason", "body", "state"):
        key = _key_of(body, pretends=reason == "wrong_origin")
        place = f"set_aside: {reason} ({state})"
        if place not in found.setdefault(key, []):  # written in another way it is another row
            found[key].append(place)
    return found


def _account(world: World, database: Database) -> Account:
    places = _places(database)
    attempted = {_key(message): message for message in world.sent.attempted}
    confirmed = {_key(message): message for message in world.sent.confirmed}
    # Four workers killed over one message by chance: its bytes are set aside, come what may.
    unlucky = _kills(world) > _LUCK
    account = Account(attempted=len(attempted), acknowledged=len(confirmed))
    for key, message in confirmed.items():
        if not places.get(key):
            account.lost.append(f"{message.type} {message.id} {message.body[:200]!r}")
    for key, found in places.items():
        if key not in attempted:
            account.unexpected.append(f"{key}: {found}")
        if len(found) > 1 and not (unlucky and _UNREAD in found):
            account.doubled.append(f"{key}: {found}")
        for place in found:
            word = place.partition(":")[0]
            setattr(account, word, getattr(account, word) + 1)
    return account


# ---------------------------------------------------------------- what came out


def _published(world: World, database: Database) -> None:
    emitted = Counter(body.encode() for body in rows(database, schema.emitted, "body"))
    ids = [orjson.loads(body)["id"] for body in emitted]
    assert len(set(ids)) == emitted.total(), "one id, two events"
    published = world.broker.published()
    assert not emitted.keys() - published.keys(), "emitted and never published"
    assert not published.keys() - emitted.keys(), "published and never emitted"


def _balanced(world: World, database: Database) -> None:
    with database.read() as tx:
        differences = inspect(tx, world.settings.rules())["differences"]
    assert not differences, differences
    for table in (schema.outbox, schema.held_back, schema.tasks, schema.suspects):
        assert not rows(database, table), f"{table.name} is not empty"


def _spoilt_ones(world: World, database: Database) -> None:
    """Whoever is to blame is set aside, and of the others nobody is on their account."""
    aside = rows(database, schema.set_aside, "reason", "body", "message")
    for reason, body, message in aside:
        if reason == "gave_up":
            refused = message.startswith("the database refuses it")
            assert refused or _id(body).startswith(BUGGY), f"{_id(body)}: {message}"
    crashed = {_id(body) for reason, body, _message in aside if reason == "crashed_worker"}
    if world.flavour.delivery_limit is None:
        poison = {_id(m.body) for m in world.sent.confirmed if _id(m.body).startswith(POISON)}
        innocent = {event_id for event_id in crashed if not event_id.startswith(POISON)}
        # One that three workers in a row were killed over by chance looks as guilty as any.
        assert _kills(world) > _LUCK or not innocent, (
            f"set aside though no worker ended: {innocent}"
        )
        assert poison <= crashed, f"still at large: {poison - crashed}"


def _kills(world: World) -> int:
    return sum(n for kind, n in world.faults.counts.items() if kind.startswith(_KILLED))


def _id(body: bytes) -> str:
    event = decode(body)
    return (event.event_id or "") if isinstance(event, Malformed) else event.id


# ---------------------------------------------------------------- once more, without faults


def _replayed(world: World, database: Database, clean_url: str) -> None:
    scheduler = Scheduler(world.rng, world.scheduler.clock.now())
    faults = Faults(world.rng)
    faults.on = False
    disk = Disk(scheduler, faults, clean_url)
    clean = SimulatedDatabase(disk, Life("replay"), History(scheduler))
    clock = SettableClock(world.scheduler.clock.now())
    wait = world.settings.wait_hours
    desk = Desk(clean, world.settings.rules(), clock, timedelta(hours=wait))
    try:
        with world.rules_of_the_run(_never):
            world.history.replay(desk, clock)
        for table in schema.metadata.sorted_tables:
            if table.name not in _OF_THE_FLEET:
                there, again = _rows(database, table.name), _rows(clean, table.name)
                assert there == again, f"{table.name}: run {there - again}, replay {again - there}"
    finally:
        clean.close()


def _rows(database: Database, table: str) -> Counter[str]:
    with database.read() as tx:
        return Counter(
            repr(tuple(row)) for row in tx.connection.exec_driver_sql(f"SELECT * FROM {table}")
        )


def _never() -> None:
    message = "a message that kills its worker was in a transaction that committed"
    raise AssertionError(message)
