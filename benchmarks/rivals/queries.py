"""The statements of the per-message worker, built once: what is built anew is compiled anew.

Lists are handed in as one array, so that the text of a statement is the same for any number of
keys and the server's prepared statement too.
"""

from sqlalchemy import (
    ColumnElement,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import contains_eager, joinedload

from benchmarks.rivals.models import (
    Catalogue,
    Inbox,
    Item,
    Order,
    OrderLine,
    Replenishment,
    ReplenishmentLine,
    Slot,
)

# Written out, not bound: an index of some rows only is used where the statement says which.
_NONE: ColumnElement[int] = literal_column("0")
_NO_DOCKS: ColumnElement[str] = literal_column("'[]'")


def _array(name: str) -> ColumnElement[bool]:
    return any_(bindparam(name, type_=ARRAY(Text)))


ENTER = insert(Inbox.__table__).on_conflict_do_nothing().returning(Inbox.__table__.c.event_id)
HEARD = select(Inbox.data_hash).where(
    Inbox.source == bindparam("source"), Inbox.event_id == bindparam("event_id")
)
CATALOGUE_VERSION = select(Catalogue.version).with_for_update(read=True)
ORDER = select(Order.data_hash).where(
    Order.shop == bindparam("shop"), Order.order_id == bindparam("order_id")
)

# Locked first, then read: a join would show what belongs to a row as it was before the wait.
LOCK_ITEMS = select(Item.sku).where(Item.sku == _array("skus")).order_by(Item.sku).with_for_update()
ITEMS = (
    select(Item)
    .where(Item.sku == _array("skus"))
    .order_by(Item.sku)
    .options(joinedload(Item.stock), joinedload(Item.demand), joinedload(Item.statuses))
)
OUTSTANDING = (
    select(ReplenishmentLine)
    .join(ReplenishmentLine.replenishment)
    .where(
        ReplenishmentLine.sku == _array("skus"),
        or_(ReplenishmentLine.outstanding > _NONE, ReplenishmentLine.docked.op("<>")(_NO_DOCKS)),
    )
    .order_by(ReplenishmentLine.replenishment_id, ReplenishmentLine.sku)
    .options(contains_eager(ReplenishmentLine.replenishment))
)
BEHIND = (
    select(OrderLine.sku, func.sum(OrderLine.queued))
    .where(
        OrderLine.sku == _array("skus"),
        OrderLine.destination == bindparam("destination"),
        OrderLine.shortage > _NONE,
        tuple_(OrderLine.priority, OrderLine.placed_at, OrderLine.shop, OrderLine.order_id)
        > tuple_(
            bindparam("priority", type_=OrderLine.priority.type),
            bindparam("placed_at", type_=OrderLine.placed_at.type),
            bindparam("shop", type_=Text),
            bindparam("order_id", type_=Text),
        ),
    )
    .group_by(OrderLine.sku)
)
LOCK_SLOTS = (
    select(Slot)
    .where(tuple_(Slot.vendor, Slot.destination).in_(bindparam("slots", expanding=True)))
    .order_by(Slot.vendor, Slot.destination)
    .with_for_update()
)
OPEN = (
    select(Replenishment)
    .where(Replenishment.replenishment_id == _array("names"))
    .order_by(Replenishment.replenishment_id)
    .options(joinedload(Replenishment.lines))
    .execution_options(populate_existing=True)  # read before, without the lock of its slot
)
