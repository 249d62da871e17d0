"""A database changes nothing: any history comes to the same through it as it does in memory.

Every batch is claimed, loaded, decided, saved and committed, every step of a task likewise; beside
it a house in memory, with everything always at hand, decides the same batches. Then each row, each
movement and each emitted event must be the same.
"""

from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.outbound import StockStatusChanged
from handlers.policy import Rules
from handlers.rows.orders import Order
from handlers.rows.supply import Replenishment
from handlers.state import Item, Keys, State
from store import schema
from store.transaction import Database
from tests.support.desk import hear
from tests.support.histories import cuts, histories
from tests.support.house import House
from tests.support.keeping import NOW, bodies, emptied, rows, stored
from tests.support.rules import rule
from workers.clock import SettableClock
from workers.process import Desk
from workers.unfinished import StepSize, step


def everything(database: Database) -> State:
    """Load every row there is."""
    keys = Keys(
        skus=set(rows(database, schema.items, "sku")),
        orders=set(rows(database, schema.orders, "shop", "order_id")),
        replenishments=set(rows(database, schema.replenishments, "replenishment_id")),
        vendors=set(rows(database, schema.vendors, "vendor")),
        slots=set(rows(database, schema.replenishment_slots, "vendor", "destination")),
    )
    return stored(database, keys)


def item(row: Item) -> dict[str, Any]:
    return {
        "own": row.values(),
        "stock": sorted(stock.values() for stock in row.stock.values()),
        "demand": sorted(demand.values() for demand in row.demand.values()),
        "statuses": row.statuses,
        "supply": sorted(row.supply),
        "policy": row.policy,
    }


def blank(row: Item) -> bool:
    """Is it only a name that was mentioned? In memory that makes a row."""
    return not (row.stock or row.demand or row.statuses or row.vendor or row.overrides)


def order(row: Order) -> dict[str, Any]:
    return {
        "own": row.values(),
        "lines": [line.values() for line in row.lines.values()],
        "allocations": [
            [part.values() for part in line.allocations if part.qty] for line in row.lines.values()
        ],
        "links": [
            sorted(link.values() for link in line.links if link.qty) for line in row.lines.values()
        ],
    }


def replenishment(row: Replenishment) -> dict[str, Any]:
    return {
        "own": row.values(),
        "lines": sorted(line.values() for line in row.lines.values()),
    }


def told(state: State) -> dict[str, Any]:
    """Everything a state says, in an order that does not depend on how it came about."""
    # What is kept of supply is what may still arrive; in memory the rest stands there as well.
    for row in state.items.values():
        row.supply = [
            name
            for name in row.supply
            if (held := state.replenishments[name]).is_open or held.incoming
            if held.lines[row.sku].short_of
        ]
    return {
        "places": {name: row.values() for name, row in state.places.items()},
        "shops": {name: row.values() for name, row in state.shops.items()},
        "vendors": {name: row.values() for name, row in state.vendors.items()},
        "items": {name: item(row) for name, row in state.items.items() if not blank(row)},
        "orders": {name: order(row) for name, row in state.orders.items()},
        "replenishments": {name: replenishment(row) for name, row in state.replenishments.items()},
        "slots": {name: row.values() for name, row in state.slots.items() if row.raised},
    }


def movements(house: House) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *(move.cause.source, move.cause.id, move.n, move.sku, move.qty),
            *map(str, (move.origin, move.target, move.outside)),
            move.happened_at,
            move.reason,
        )
        for move in house.movements
    )


def booked(database: Database) -> list[tuple[Any, ...]]:
    key, what = ("event_source", "event_id", "n"), ("sku", "qty")
    sides, when = ("origin", "target", "outside"), ("happened_at", "reason")
    found = rows(database, schema.movements, *key, *what, *sides, *when)
    return sorted((*row[:5], *map(str, row[5:8]), *row[8:]) for row in found)


def same_through(database: Database, data: st.DataObject) -> None:
    """Tell one history to a database and to memory, and compare all there is."""
    clock = SettableClock(NOW)
    desk = Desk(database, Rules(), clock)
    house = House()
    history = data.draw(histories())
    for batch in data.draw(cuts(history, after_walks=True)):
        house.now = clock.now()
        house.hear(*batch)
        hear(desk, *batch)
        clock.advance(1)
        # What is told of different skus in one moment has no order: here each step has its own.
        while step(desk, StepSize()) is not None:
            clock.advance(1)
    assert told(everything(database)) == told(house.state)
    assert booked(database) == movements(house)
    emitted = bodies(database, schema.emitted)
    # Of several walks the last to reach a sku tells its status; the house takes the first for it.
    ids = zip(house.emitted_ids, house.emitted, strict=True)
    assert [row["id"] for row in emitted if row["type"] != "StockStatusChanged"] == [
        key for key, message in ids if not isinstance(message, StockStatusChanged)
    ]
    assert [row["data"] for row in emitted] == [
        orjson.loads(message.model_dump_json(exclude_defaults=True)) for message in house.emitted
    ]
    assert bodies(database, schema.outbox) == emitted
    waiting = Counter(rows(database, schema.waiting, "shop", "order_id", "replenishment_id"))
    for_orders = {(*key, None): len(heard) for key, heard in house.state.waiting.items() if heard}
    for_supply = {(None, None, key): len(heard) for key, heard in house.state.early.items()}
    assert waiting == for_orders | {key: count for key, count in for_supply.items() if count}
    assert rows(database, schema.tasks) == []


@rule("L1", "L2", "L3", "L4", "L5")
@settings(max_examples=20)
@given(data=st.data())
def test_a_history_through_the_database_is_the_history_in_memory(
    kept: Database, data: st.DataObject
) -> None:
    same_through(emptied(kept), data)


@pytest.mark.long
@pytest.mark.timeout(1200)
@rule("L1", "L2", "L3", "L4", "L5")
@settings(max_examples=1000)
@given(data=st.data())
def test_a_thousand_histories_through_the_database_are_those_in_memory(
    kept: Database, data: st.DataObject
) -> None:
    same_through(emptied(kept), data)
