"""Rows made by hand, for what the store does with them whatever the rules would have decided.

`waits` adds an order of one line to a state, `bought` a replenishment of one line; `allocated` and
`linked` promise units to a line. `save_state` of `tests.support.keeping` writes them.
"""

from datetime import timedelta
from typing import Any

from handlers.policy import Rules
from handlers.state import (
    Allocation,
    Demand,
    Item,
    Line,
    Link,
    Order,
    Replenishment,
    ReplenishmentLine,
    ReplenishmentState,
    Sourced,
    State,
)
from tests.support.wire import T0

FINALIZED = ReplenishmentState.FINALIZED


def empty() -> State:
    """A state that may hold anything."""
    return State(Rules(), catalogue_locked=True)


def item_of(state: State, sku: str) -> Item:
    """The sku, made when it is first asked for."""
    return state.items.setdefault(sku, Item(sku, base_status="backorder"))


def waits(
    state: State, order_id: str, qty: int = 1, *, sku: str = "A", minutes: int = 0, **rest: object
) -> Line:
    """A line, the only one of its order, all of which waits (or is with its vendor).

    `rest`: any other field of the order or of the line by name; placed so many minutes after T0.
    """
    placed_at = T0 + timedelta(minutes=minutes)
    given: dict[str, Any] = {"shop": "main", "priority": 100, "destination": "WH1"} | rest
    of_order = {name: given.pop(name) for name in ("shop", "priority", "destination")}
    order = Order(
        order_id=order_id, placed_at=placed_at, judged_at=placed_at, data_hash="h", **of_order
    )
    line = order.lines["1"] = Line(order, "1", 1, sku, qty, **given)
    if line.sourced is Sourced.DROP_SHIP:
        line.drop_ship = qty
    else:
        line.shortage = qty
    state.orders[order.key] = order
    item = item_of(state, sku)
    demand = item.demand.setdefault(
        (order.destination, order.shop), Demand(sku, order.destination, order.shop)
    )
    demand.shortage += line.shortage
    demand.queued += line.queued
    demand.fillable += line.fillable
    return line


def bought(
    state: State, name: str, qty: int = 1, /, *, sku: str = "A", **rest: object
) -> ReplenishmentLine:
    """A replenishment of one sku; where it is open, in its slot if that is loaded.

    `rest`: any other field of it by name; a second sku goes on the same.
    """
    row = state.replenishments.get(name)
    if row is None:
        given: dict[str, Any] = {"vendor": "acme", "destination": "WH1", "state": FINALIZED} | rest
        row = Replenishment(name, raised_at=T0, complete=True, **given)
        state.replenishments[name] = row
    slot = state.slots.get((row.vendor, row.destination))
    if slot is not None and row.is_open:
        slot.open_id = name
    item_of(state, sku)
    line = row.lines[sku] = ReplenishmentLine(sku, qty)
    return line


def linked(
    line: Line, to: ReplenishmentLine, name: str, qty: int = 1, *, by_hand: bool = False
) -> Link:
    """Units of a replenishment for a line; its demand is counted before."""
    link = Link(line, name, by_hand, qty)
    line.links.append(link)
    if by_hand:
        to.picked += qty
    else:
        to.linked += qty
    return link


def allocated(line: Line, source: str | None, qty: int = 1, *, release: str | None = None) -> None:
    """Units promised to a line on top of what it has."""
    line.ordered += qty
    line.order.allocation_count += 1
    line.allocations.append(
        Allocation(line.order.allocation_count, source, qty, release_id=release)
    )
