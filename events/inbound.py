"""Every message in (contract.md §2): the table the codec reads by, and the union `Inbound`.

bytes → `codec.decode` → one of these inside an `envelope.Event` → `handlers`. A class is named as
its `type` on the wire. Quantities are whole units ≥ 1 unless said otherwise, instants are UTC. An
optional field that was absent or null is None (but see `inbound_policy`); what that means stands
in the docstring of the message. Rule numbers are those of domain.md.
"""

from collections.abc import Mapping
from typing import get_args

from events.inbound_orders import (
    BackToShipRequested,
    CancelledLine,
    LineBackordered,
    OrderCancelled,
    OrderChanged,
    OrderHoldCleared,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    ShippedLine,
)
from events.inbound_policy import (
    Change,
    ItemChanged,
    PlaceChanged,
    PolicyChange,
    ShopChanged,
    VendorChanged,
)
from events.inbound_stock import (
    CountedLine,
    StockCounted,
    StockLine,
    StockReceived,
    StockReturned,
    StockTransferred,
)
from events.inbound_supply import (
    ConfirmedLine,
    ConfirmedPart,
    ReplenishmentClosed,
    ReplenishmentRequested,
    RequestedLine,
)
from events.values import Customer

__all__ = [
    "INBOUND",
    "BackToShipRequested",
    "CancelledLine",
    "Change",
    "ConfirmedLine",
    "ConfirmedPart",
    "CountedLine",
    "Customer",
    "Inbound",
    "ItemChanged",
    "LineBackordered",
    "OrderCancelled",
    "OrderChanged",
    "OrderHoldCleared",
    "OrderLine",
    "OrderPlaced",
    "OrderShipped",
    "PlaceChanged",
    "PolicyChange",
    "ReplenishmentClosed",
    "ReplenishmentRequested",
    "RequestedLine",
    "ShippedLine",
    "ShopChanged",
    "StockCounted",
    "StockLine",
    "StockReceived",
    "StockReturned",
    "StockTransferred",
    "VendorChanged",
]

Inbound = (
    OrderPlaced
    | OrderChanged
    | OrderCancelled
    | OrderHoldCleared
    | OrderShipped
    | BackToShipRequested
    | LineBackordered
    | StockReceived
    | StockTransferred
    | StockCounted
    | StockReturned
    | ReplenishmentClosed
    | ReplenishmentRequested
    | ItemChanged
    | VendorChanged
    | ShopChanged
    | PlaceChanged
)

INBOUND: Mapping[str, type[Inbound]] = {model.__name__: model for model in get_args(Inbound)}
