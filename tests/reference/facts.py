"""What an event is about, and under which name its fact is known (C3, C4)."""

from events.envelope import Event
from events.inbound import (
    BackToShipRequested,
    LineBackordered,
    OrderCancelled,
    OrderChanged,
    OrderHoldCleared,
    OrderPlaced,
    OrderShipped,
    ReplenishmentClosed,
    ReplenishmentRequested,
    StockCounted,
    StockReceived,
    StockReturned,
    StockTransferred,
)
from tests.reference import supply
from tests.reference.world import World

ABOUT_AN_ORDER = (
    BackToShipRequested
    | LineBackordered
    | OrderCancelled
    | OrderChanged
    | OrderHoldCleared
    | OrderShipped
)


def unknown_subject(world: World, event: Event) -> str | None:
    """Return the order or replenishment an event is about if nobody has heard of it (C3)."""
    data = event.data
    if isinstance(data, ABOUT_AN_ORDER):
        return _unknown(world, (data.shop, data.order_id))
    if isinstance(data, ReplenishmentClosed):
        name = data.replenishment_id
        return None if world.replenishment(name) is not None else name
    if isinstance(data, ReplenishmentRequested):
        return _unknown(world, supply.unknown_order(world, data))
    return None


def _unknown(world: World, key: tuple[str, str] | None) -> str | None:
    return None if key is None or key in world.orders else "/".join(key)


def name_of(event: Event) -> tuple[str, ...] | None:  # noqa: PLR0911 - one case an event
    """Return the name of a business fact, one effect each whatever its event id (C4)."""
    match event.data:
        case OrderPlaced(shop=shop, order_id=order_id):
            return ("order", shop, order_id)
        case StockReceived(place=place, receipt_id=name):
            return ("receipt", place, name)
        case StockCounted(place=place, count_id=name):
            return ("count", place, name)
        case StockReturned(place=place, return_id=name):
            return ("return", place, name)
        case StockTransferred(from_place=place, transfer_id=name):
            return ("transfer", place, name)
        case OrderShipped(shop=shop, order_id=order_id, source=place, shipment_id=name):
            return ("shipment", shop, order_id, place, name)
        case _:
            return None


def skus_of(event: Event) -> set[str]:
    """Return every sku an event names."""
    skus: set[str] = set()
    for line in getattr(event.data, "lines", None) or ():
        skus |= {line.sku} if getattr(line, "sku", None) else set()
    sku = getattr(event.data, "sku", None)
    return skus | {sku} if sku else skus
