"""What warehouses tell of stock. Import these from `inbound`."""

from typing import Annotated

from pydantic import Field

from events.instants import Instant
from events.lines import Lines
from events.names import Name, RoutedName
from events.values import Message, Qty, QtyOrZero, Text


class StockLine(Message):
    """`qty` whole units of a sku. One sku may stand on several lines."""

    sku: Name
    qty: Qty


class CountedLine(Message):
    """What was counted of a sku: whole units, 0 included."""

    sku: Name
    qty: QtyOrZero


class StockReceived(Message):
    """Goods arrived at a place (S1), which is then known (P2); at a dock nothing is filled (S2).

    With `replenishment_id` they reduce its incoming and serve its linked lines first (S4); with
    `transfer_to` they go on to that place at once (S2). Happened at `received_at`. The same
    receipt id, per place, is one receipt (C4).
    """

    receipt_id: Name
    place: RoutedName
    received_at: Instant | None = None
    replenishment_id: Name | None = None
    transfer_to: RoutedName | None = None
    lines: Annotated[tuple[StockLine, ...], Lines]


class StockTransferred(Message):
    """Goods moved from one place to another; arriving at a source they fill (S2, S3).

    `from_place` is `from` on the wire. Happened at `transferred_at`. More than is known at the
    origin is booked as found (S7). The same transfer id, per origin, is one transfer (C4).
    """

    transfer_id: Name
    from_place: Annotated[RoutedName, Field(alias="from")]
    to: RoutedName
    transferred_at: Instant | None = None
    lines: Annotated[tuple[StockLine, ...], Lines]


class StockCounted(Message):
    """Someone counted: `on_hand` was this at `counted_at`; later movements are re-applied (S8).

    The same count id, per place, is one count (C4).
    """

    count_id: Name
    place: RoutedName
    counted_at: Instant
    lines: Annotated[tuple[CountedLine, ...], Lines]
    reason: Text | None = None


class StockReturned(Message):
    """A customer sent goods back: like a receipt, to a source or a dock (S12).

    Happened at `returned_at`. The same return id, per place, is one return (C4).
    """

    return_id: Name
    place: RoutedName
    returned_at: Instant | None = None
    shop: RoutedName | None = None
    order_id: Name | None = None
    lines: Annotated[tuple[StockLine, ...], Lines]
