"""What each event brings about, and what always follows from it (P1-C4)."""

from datetime import datetime

from events.envelope import Event, happened_at
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
from tests.reference import (
    buying,
    catalogue,
    changing,
    dates,
    facts,
    filling,
    judging,
    links,
    orders,
    people,
    places,
    shipping,
    stock,
    supply,
    surplus,
)
from tests.reference.world import World

_BUYERS = (ReplenishmentClosed, ReplenishmentRequested, ItemChanged, VendorChanged)


def take(
    world: World, event: Event, arrived: datetime, early: list[tuple[Event, datetime]]
) -> None:
    """Let one event have its effect; `early`: cancellations that came before this order (C3)."""
    at = happened_at(event, arrived)
    world.speak_for(event, at)
    for sku in sorted(facts.skus_of(event)):
        world.item(sku)
    asked, spare = buying.contents(world), surplus.spare(world)
    waiting = filling.shortages(world)
    data = event.data
    skus: set[str] = set()
    if isinstance(data, OrderPlaced):
        _place(world, event, data, early, at)
    else:
        skus = _happen(world, data)
        filling.serve_rests(world, waiting)
    links.settle(world)
    buying.replenish(world)
    buying.count_revisions(world, asked)
    _warn_without_vendor(world)
    for line in world.lines():
        line.staff_held = line.staff_held and line.shortage > 0  # nothing of it waits: it is over
    if isinstance(data, OrderCancelled | OrderChanged):
        surplus.tell_more(world, world.orders[data.shop, data.order_id], spare)
    if isinstance(data, _BUYERS):
        dates.tell_changed(world, skus)


def _warn_without_vendor(world: World) -> None:
    """Tell a person of lines that wait again and can not be bought (R7)."""
    again, world.held_again = world.held_again, []
    for line in dict.fromkeys(again):
        if line.shortage and world.item(line.sku).vendor is None:
            world.warn("no_vendor", **line.refs)


def _place(
    world: World,
    event: Event,
    data: OrderPlaced,
    early: list[tuple[Event, datetime]],
    at: datetime,
) -> None:
    """Register an order, take off what was cancelled before it came, and judge it (C3, O10)."""
    places.see_shop(world, data.shop)
    order = orders.placed(world, data, event.data_hash)
    for cancellation, arrived in early:
        assert isinstance(cancellation.data, OrderCancelled)
        world.speak_for(cancellation, happened_at(cancellation, arrived))
        changing.cancelled(world, order, cancellation.data)
    world.speak_for(event, at)
    if not order.waits_for_payment:
        judging.judge_order(world, order)


def _happen(world: World, data: Inbound) -> set[str]:  # noqa: C901 - one case an event
    """Let any other event have its own effect; return the skus whose dates it may change."""
    match data:
        case StockReceived():
            stock.received(world, data)
        case StockTransferred():
            stock.transferred(world, data)
        case StockCounted():
            stock.counted(world, data)
        case StockReturned():
            stock.returned(world, data)
        case ItemChanged():
            return catalogue.item_changed(world, data)
        case VendorChanged():
            return catalogue.vendor_changed(world, data)
        case ShopChanged():
            catalogue.shop_changed(world, data)
        case PlaceChanged():
            catalogue.place_changed(world, data)
        case ReplenishmentClosed():
            row = world.replenishment(data.replenishment_id)
            assert row is not None
            return supply.closed(world, row, data)
        case ReplenishmentRequested():
            return supply.requested(world, data)
        case _:
            _happen_to_order(world, data)
    return set()


def _happen_to_order(world: World, data: Inbound) -> None:
    assert isinstance(data, facts.ABOUT_AN_ORDER)
    order = world.orders[data.shop, data.order_id]
    match data:
        case OrderCancelled():
            filling.reuse(world, changing.cancelled(world, order, data))
        case OrderChanged():
            changing.changed(world, order, data)
        case OrderHoldCleared():
            orders.hold_cleared(world, order, data)
        case OrderShipped():
            shipping.shipped(world, order, data)
        case BackToShipRequested():
            people.back_to_ship_requested(world, order, data)
        case LineBackordered():
            people.line_backordered(world, order, data)
