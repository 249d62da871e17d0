"""What shops tell of orders, and warehouses of shipping them. Import these from `inbound`."""

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from events.instants import Instant
from events.lines import Lines, broken, each_line_once, either, way
from events.names import Name, RoutedName, ShipmentSource
from events.values import Customer, JsonObject, Message, Priority, Qty, Text, UnitPrice, Version
from events.vocabulary import BackorderReason, ReleaseMode, ShipMode


class OrderLine(Message):
    """One line of an order: `qty` whole units of a sku. Lines of one `group` leave together (O9).

    `name` and `unit_price` are kept for people and never computed with.
    """

    line_id: Name
    sku: Name
    qty: Qty
    name: Text | None = None
    unit_price: UnitPrice | None = None
    group: Name | None = None


class _WholeOrder(Message):
    """What an order is: `OrderPlaced` and `OrderChanged` carry all of it."""

    shop: RoutedName
    order_id: Name
    placed_at: Instant
    lines: Annotated[tuple[OrderLine, ...], Lines, AfterValidator(each_line_once)]
    ship_mode: ShipMode | None = None
    release: ReleaseMode | None = None
    priority: Priority | None = None
    holds: tuple[Name, ...] | None = None
    customer: Customer | None = None
    ship_to: JsonObject | None = None


class OrderPlaced(_WholeOrder):
    """A shop took an order: judge it (O1 to O8), release what is there (O9 to O11).

    Absent: `ship_mode` is partial, `release` auto, `priority` 100 (lower goes first, S4), `holds`
    none. The hold `payment` waits with allocating and buying, any other only with releasing (O10).
    `placed_at` is the order's place in the queue; it happened at the envelope's `time`. The same
    order under another event id is one order (C4); it is version 0 of itself (C2).
    """


class OrderChanged(_WholeOrder):
    """The whole wanted order anew, with its version; `OrderPlaced` was version 0 (C2).

    Only differences in quantity matter: more is judged like a new line, less is cancelled (C1).
    Priority, holds and ship mode stay as they were placed. An older version is ignored.
    """

    version: Version


class CancelledLine(Message):
    """What of an order goes: a line by its id, whole or `qty` units; or `qty` units of a sku.

    By sku the last line of that sku loses first (C1).
    """

    model_config = either(
        way(present=("line_id",), absent=("sku",)),
        way(present=("sku", "qty"), absent=("line_id",)),
    )

    line_id: Name | None = None
    sku: Name | None = None
    qty: Qty | None = None

    @model_validator(mode="after")
    def _named_one_way(self) -> Self:
        if (self.line_id is None) == (self.sku is None):
            raise broken((), "must name either a line_id or a sku with a qty", None)
        if self.sku is not None and self.qty is None:
            raise broken(("qty",), "is missing: a sku is cancelled by quantity", None)
        return self


class OrderCancelled(Message):
    """An order, or some of its lines, is not wanted any more (C1). Absent `lines`: all of it.

    Taken in turn: shortage and pending, drop-ship while its replenishment is open, unreleased,
    released; never what was shipped. It may come before its order (C3).
    """

    shop: RoutedName
    order_id: Name
    lines: Annotated[tuple[CancelledLine, ...], Lines, AfterValidator(each_line_once)] | None = None
    reason: Text | None = None


class OrderHoldCleared(Message):
    """One hold of an order is lifted; without the hold `payment` it is judged now (O10)."""

    shop: RoutedName
    order_id: Name
    hold: Name


class ShippedLine(Message):
    """`qty` whole units of an order line that left."""

    line_id: Name
    qty: Qty


class OrderShipped(Message):
    """Units of an order left a place (S9), or a vendor: `source` is then `vendor:<vendor>` (R10).

    Happened at `shipped_at`. The same shipment id, per order and source, is one shipment (C4).
    """

    shop: RoutedName
    order_id: Name
    shipment_id: Name
    source: ShipmentSource
    shipped_at: Instant | None = None
    lines: Annotated[tuple[ShippedLine, ...], Lines, AfterValidator(each_line_once)]


class BackToShipRequested(Message):
    """A person wants an order to go: lifts staff holds and releases what is allocated (S11)."""

    shop: RoutedName
    order_id: Name
    requested_by: Text | None = None


class LineBackordered(Message):
    """`qty` units allocated at `source` go back to shortage, in their old queue place (S10).

    Reason `short_pick` writes them off there too; `hold` keeps the line out of fills.
    """

    shop: RoutedName
    order_id: Name
    line_id: Name
    source: RoutedName
    qty: Qty
    reason: BackorderReason
    requested_by: Text | None = None
