"""Orders and replenishments nobody has heard of: they have no row to be locked (C3).

An event may be put to wait for one by one worker while another takes it in; each would miss the
other. So:

- whoever lets an event wait inserts a row for what it waits for, and deletes it again before the
  commit: whoever inserts that itself meets it, and one of the two waits for the other;
- whoever has inserted something new looks once more whether an event has come to wait for it.

Who finds that the other was faster raises Collision, and begins again knowing it. None of it is
needed where there is one writer at a time.
"""

from collections.abc import Collection, Iterable

from handlers.decision import Deferred, Outcome
from handlers.state import OrderKey, State
from store import schema, waiting
from store.errors import Collision
from store.statements import Query
from store.transaction import Transaction

_ORDERS = Query(
    """
    INSERT INTO orders (shop, order_id, placed_at, judged_at, priority, destination, data_hash,
        ship_mode, release, holds, version, version_hash, allocation_count, clock)
    SELECT shop, order_id, '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+00', 0, '', '',
        '', '', '[]', 0, '', 0, 0
    FROM {given} WHERE true
    ON CONFLICT (shop, order_id) DO NOTHING
    RETURNING shop, order_id
    """,
    (("shop", "text"), ("order_id", "text")),
)
# Not open: an open one would be in the way of the real one of some slot (R1).
_SUPPLY = Query(
    """
    INSERT INTO replenishments (replenishment_id, vendor, destination, raised_at, state, automatic,
        revision, told_revision, told_total, clock)
    SELECT replenishment_id, '', '', '1970-01-01 00:00:00+00', 'cancelled', FALSE, 0, 0, 0, 0
    FROM {given} WHERE true
    ON CONFLICT (replenishment_id) DO NOTHING
    RETURNING replenishment_id
    """,
    (("replenishment_id", "text"),),
)


def await_unknown(tx: Transaction, state: State, outcomes: Iterable[Outcome]) -> None:
    """Make sure that what an event is put to wait for is not being written at this moment."""
    if not tx.dialect.locks_rows:
        return
    deferred = [outcome for outcome in outcomes if isinstance(outcome, Deferred)]
    orders = {row.order for row in deferred if row.order is not None} - state.orders.keys()
    supply = {row.replenishment for row in deferred if row.replenishment is not None}
    supply -= state.replenishments.keys()
    placed = len(tx.query(_ORDERS, sorted(orders))) < len(orders)
    named = [(name,) for name in sorted(supply)]
    raised = len(tx.query(_SUPPLY, named)) < len(supply)
    if placed or raised:
        what = "An order was placed" if placed else "A replenishment was raised"
        raise Collision(f"{what} while an event was put to wait for it.")
    tx.delete(schema.orders, sorted(orders))
    tx.delete(schema.replenishments, named)


def new_ones(state: State) -> tuple[list[OrderKey], list[str]]:
    """Return the orders and replenishments that are new; to be asked before they are saved."""
    orders = [key for key, order in state.orders.items() if order.loaded is None]
    supply = [name for name, row in state.replenishments.items() if row.loaded is None]
    return orders, supply


def look_again(tx: Transaction, orders: Collection[OrderKey], supply: Collection[str]) -> None:
    """Make sure that no event has come to wait for these since they were asked for."""
    if (orders or supply) and tx.dialect.locks_rows and waiting.came_for(tx, orders, supply):
        raise Collision("An event came to wait for what was being placed or raised.")
