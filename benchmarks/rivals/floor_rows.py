"""What a finished run of Backship left of its orders, taken apart into what each order wrote.

Per order: its rows of every table that is only added to, as the bytes COPY reads; and what it added
to rows that were there: units promised of stock, units that wait, units bought. Added up over a
batch these are the batch's folded updates. Nothing of it is decided again.

Only for runs whose orders bought nothing but what waits in the queue (no packs, no links): it is
checked that what the orders add up to is what the run left.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

import orjson
import psycopg
from sqlalchemy.engine import make_url

from events import outbound
from events.routing import outbound_key
from store import schema
from store.statements import names_of

APPENDED = (
    schema.inbox,
    schema.orders,
    schema.order_lines,
    schema.allocations,
    schema.links,
    schema.reasons,
    schema.outbox,
    schema.emitted,
    schema.exceptions,
)

_OF_ORDER = """
    JOIN orders AS o ON o.shop = t.shop AND o.order_id = t.order_id
    JOIN inbox AS i ON i.data_hash = o.data_hash AND i.type = 'OrderPlaced'
"""
_OF_EVENT = "JOIN inbox AS i ON i.event_id = t.event_id AND i.type = 'OrderPlaced'"
_FROM = {
    "inbox": "JOIN inbox AS i ON i.event_id = t.event_id AND i.type = 'OrderPlaced'",
    "orders": "JOIN inbox AS i ON i.data_hash = t.data_hash AND i.type = 'OrderPlaced'",
    "order_lines": _OF_ORDER,
    "allocations": _OF_ORDER,
    "links": _OF_ORDER,
    "reasons": _OF_EVENT,
    "emitted": _OF_EVENT,
    "exceptions": f"JOIN emitted AS e ON e.id = t.id {_OF_EVENT.replace('t.', 'e.')}",
}

_PROMISED = f"""
    SELECT i.event_id, l.sku, t.source, t.qty FROM allocations AS t
    JOIN order_lines AS l ON (l.shop, l.order_id, l.line_id) = (t.shop, t.order_id, t.line_id)
    {_OF_ORDER} WHERE t.source IS NOT NULL
"""
_WAITING = f"""
    SELECT i.event_id, t.sku, t.destination, t.shop, t.shortage, t.queued, t.fillable,
        r.replenishment_id
    FROM order_lines AS t JOIN items ON items.sku = t.sku
    LEFT JOIN replenishments AS r ON r.state = 'open'
        AND r.vendor = items.vendor AND r.destination = t.destination
    {_OF_ORDER} WHERE t.shortage > 0
"""

Key = TypeVar("Key")
StockKey = tuple[str, str]  # sku, place
DemandKey = tuple[str, str, str]  # sku, destination, shop
BoughtKey = tuple[str, str]  # replenishment, sku


@dataclass(slots=True)
class Written:
    """What one order wrote, or a batch of them: `rows` by table, and what it added."""

    clock: int = 0
    rows: dict[str, list[bytes]] = field(default_factory=dict)
    promised: Counter[StockKey] = field(default_factory=Counter)
    waiting: Counter[tuple[DemandKey, str]] = field(default_factory=Counter)  # key and column
    bought: Counter[BoughtKey] = field(default_factory=Counter)
    revised: Counter[str] = field(default_factory=Counter)  # orders that changed a replenishment

    def add(self, other: "Written") -> None:
        """Take in another order."""
        self.clock = max(self.clock, other.clock)
        for table, rows in other.rows.items():
            self.rows.setdefault(table, []).extend(rows)
        _sum(self.promised, other.promised)
        _sum(self.waiting, other.waiting)
        _sum(self.bought, other.bought)
        _sum(self.revised, other.revised)


@dataclass(frozen=True, slots=True)
class Bought:
    """A replenishment as it was raised."""

    vendor: str
    destination: str
    raised_at: str
    raised: int


@dataclass(slots=True)
class Prepared:
    """All that a run left, by the id of the event that caused it."""

    orders: dict[str, Written] = field(default_factory=dict)
    replenishments: dict[str, Bought] = field(default_factory=dict)

    @property
    def messages(self) -> int:
        """How many events the orders let out."""
        return sum(len(order.rows.get("outbox", ())) for order in self.orders.values())


def dsn(database_url: str) -> str:
    """Return the URL as psycopg itself takes it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def prepare(database_url: str) -> Prepared:
    """Read what a finished run of Backship left in its database."""
    prepared = Prepared()
    with psycopg.connect(dsn(database_url)) as connection, connection.cursor() as cursor:
        for table in APPENDED:
            if table is not schema.outbox:  # empty by now: `emitted` has what was in it
                _copy(cursor, prepared, table.name, names_of(table))
        _outbox(cursor, prepared)
        cursor.execute(_PROMISED)
        for event, sku, source, qty in cursor:
            prepared.orders[event].promised[sku, source] += qty
        cursor.execute(_WAITING)
        for event, *of_line, name in cursor:
            _wait(prepared.orders[event], of_line, name)
        for order in prepared.orders.values():
            order.revised = Counter({name for name, _sku in order.bought})
        cursor.execute(
            "SELECT r.replenishment_id, r.vendor, r.destination, r.raised_at::text, s.raised"
            " FROM replenishments AS r JOIN replenishment_slots AS s"
            " ON s.open_id = r.replenishment_id"
        )
        prepared.replenishments = {row[0]: Bought(*row[1:]) for row in cursor}
        _check(cursor, prepared)
    return prepared


def _wait(order: Written, of_line: list[object], name: str | None) -> None:
    sku, destination, shop, *units = of_line
    key = (str(sku), str(destination), str(shop))
    for column, qty in zip(("shortage", "queued", "fillable"), units, strict=True):
        assert isinstance(qty, int)
        order.waiting[key, column] += qty
        if name is not None and column == "queued":
            order.bought[name, str(sku)] += qty


def _copy(
    cursor: psycopg.Cursor[tuple[object, ...]],
    prepared: Prepared,
    table: str,
    names: tuple[str, ...],
) -> None:
    """Keep each row as the bytes that COPY writes, and reads again."""
    columns = ", ".join(f"t.{name}" for name in names)
    with cursor.copy(
        f"COPY (SELECT i.event_id, {columns} FROM {table} AS t {_FROM[table]}) TO STDOUT"
    ) as copy:
        for block in copy:
            event, row = bytes(block).split(b"\t", 1)
            order = prepared.orders.setdefault(event.decode(), Written())
            order.rows.setdefault(table, []).append(row)


def _outbox(cursor: psycopg.Cursor[tuple[object, ...]], prepared: Prepared) -> None:
    """Make the rows of the outbox again from the history: only their routing keys are missing."""
    cursor.execute("SELECT id, type, body FROM emitted")
    keys = {str(name): _routing_key(str(kind), str(body)) for name, kind, body in cursor}
    for order in prepared.orders.values():
        for row in order.rows.get("emitted", ()):
            name, kind, body, at, _source, _event, clock, n = row.rstrip(b"\n").split(b"\t")
            order.clock = max(order.clock, int(clock))
            key = keys[name.decode()].encode()
            line = b"\t".join((clock, n, name, key, kind, body, at)) + b"\n"
            order.rows.setdefault("outbox", []).append(line)


def _routing_key(kind: str, body: str) -> str:
    data = orjson.dumps(orjson.loads(body)["data"])
    message: outbound.Outbound = getattr(outbound, kind).model_validate_json(data)
    return outbound_key(message)


def _check(cursor: psycopg.Cursor[tuple[object, ...]], prepared: Prepared) -> None:
    """Make sure that what the orders added is what the run left."""
    total = Written()
    for order in prepared.orders.values():
        _sum(total.bought, order.bought)
        _sum(total.waiting, order.waiting)
    cursor.execute("SELECT replenishment_id, sku, qty FROM replenishment_lines")
    left = {(name, sku): qty for name, sku, qty in cursor}
    cursor.execute("SELECT COALESCE(SUM(shortage), 0)::bigint FROM demand")
    waits = sum(qty for (_key, column), qty in total.waiting.items() if column == "shortage")
    if left != dict(total.bought) or cursor.fetchall() != [(waits,)]:
        raise ValueError("the run did more than take orders and buy what waits")


def _sum(total: Counter[Key], more: Counter[Key]) -> None:
    """Add; `Counter.update` of a few keys takes three times as long."""
    for key, qty in more.items():
        total[key] += qty
