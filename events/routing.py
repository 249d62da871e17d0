"""Routing keys (contract.md §4): who speaks on the way in, whom it concerns on the way out.

In: `<Type>.<origin>`. A shop's broker user may write only its own keys, so an order event whose
origin is not its `data.shop` pretends to be another's (`wrong_origin`).
Out: `<Type>.<who>.<where>`: a warehouse binds `*.*.WH1`, a shop `*.main.*`.
Names are percent-encoded, the full stop too: it parts the words of a key.
"""

from typing import assert_never
from urllib.parse import unquote

from events.envelope import Event
from events.inbound import (
    BackToShipRequested,
    Inbound,
    ItemChanged,
    LineBackordered,
    OrderCancelled,
    OrderChanged,
    OrderHoldCleared,
    OrderPlaced,
    OrderShipped,
    PlaceChanged,
    ReplenishmentClosed,
    ReplenishmentRequested,
    ShopChanged,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
    VendorChanged,
)
from events.names import percent_encoded
from events.outbound import (
    BackToShip,
    ExceptionRaised,
    ExpectedDateChanged,
    OrderBackordered,
    OrderRejected,
    Outbound,
    ReadyToShip,
    ReleaseCancelled,
    ReplenishmentCancelled,
    ReplenishmentExtended,
    ReplenishmentRaised,
    ReplenishmentReduced,
    StockStatusChanged,
)

PURCHASING = "purchasing"
NOBODY = "-"
KEY_BYTES_MAX = 255  # AMQP 0-9-1: a routing key is a short string


def inbound_key(event: Event) -> str:
    """Return the key to publish an event in with: `<Type>.<origin>`."""
    return f"{event.type}.{percent_encoded(inbound_origin(event.data))}"


def inbound_origin(data: Inbound) -> str:
    """Return who tells this: the shop, the place, or `purchasing`."""
    match data:
        case OrderPlaced() | OrderChanged() | OrderCancelled() | OrderHoldCleared():
            return data.shop
        case BackToShipRequested() | ShopChanged():
            return data.shop
        case OrderShipped() | LineBackordered():
            return data.source
        case StockTransferred():
            return data.from_place
        case StockReceived() | StockCounted() | StockReturned() | PlaceChanged():
            return data.place
        case ReplenishmentClosed() | ReplenishmentRequested() | ItemChanged() | VendorChanged():
            return PURCHASING
        case _:
            assert_never(data)


def origin_of(routing_key: str) -> str | None:
    """Return the origin a message was published under; None where the key names no one origin."""
    _, _, origin = routing_key.partition(".")
    return unquote(origin) if origin and "." not in origin else None


def has_wrong_origin(event: Event, routing_key: str) -> bool:
    """Tell whether an order event came under another origin than its shop (`wrong_origin`)."""
    match event.data:
        case OrderPlaced() | OrderChanged() | OrderCancelled() | OrderHoldCleared():
            return origin_of(routing_key) != event.data.shop
        case _:
            return False


def outbound_key(message: Outbound) -> str:
    """Return the key to publish an event out with: `<Type>.<who>.<where>`, at most 255 bytes.

    Only the destination of a drop-ship order can be too long; it is cut then, as nobody binds a
    queue for one order.
    """
    who, where = _concerned(message)
    key = f"{type(message).__name__}.{_word(who)}.{_word(where)}"
    return key if len(key) <= KEY_BYTES_MAX else _cut(key)


def _concerned(message: Outbound) -> tuple[str | None, str | None]:
    match message:
        case ReadyToShip() | BackToShip() | ReleaseCancelled():
            return message.shop, message.source
        case OrderBackordered() | OrderRejected() | ExpectedDateChanged() | StockStatusChanged():
            return message.shop, None
        case (
            ReplenishmentRaised()
            | ReplenishmentExtended()
            | ReplenishmentReduced()
            | ReplenishmentCancelled()
        ):
            return message.vendor, message.destination
        case ExceptionRaised():
            return message.refs.shop or message.refs.vendor, message.refs.place
        case _:
            assert_never(message)


def _word(name: str | None) -> str:
    return NOBODY if name is None else percent_encoded(name)


def _cut(key: str) -> str:
    cut = key[:KEY_BYTES_MAX]
    escape = cut.rfind("%", KEY_BYTES_MAX - 2)
    return cut if escape < 0 else cut[:escape]
