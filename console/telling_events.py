"""What an event is called where people speak of it: transfer T1, receipt R5, shipment S2."""

from collections.abc import Callable, Mapping
from typing import Any

from store.views.shapes import EventView

Said = Mapping[str, Any]


def spoken(event: EventView, said: Said | None) -> str:
    """Return the name of an event, by its own number where it has one.

    `said`: its data; None where its body is not kept any more.
    """
    name = _NAMES.get(event["type"] or "")
    if said is not None and name is not None:
        try:
            return name(said)
        except (AttributeError, KeyError, TypeError):
            pass  # it was set aside because it does not say what it should
    return f"{event['type'] or 'event'} {event['id'] or ''}".rstrip()


def _closed(said: Said) -> str:
    acts = {"short_closed": "the end", "cancelled": "the cancelling"}
    act = acts.get(said.get("outcome") or "", "the confirmation")
    return f"{act} of replenishment {said['replenishment_id']}"


def _backordered(said: Said) -> str:
    what = "short pick" if said["reason"] == "short_pick" else "hold"
    by = f" by {said['requested_by']}" if said.get("requested_by") else ""
    return f"the {what} at {said['source']}{by}"


def _asked(said: Said) -> str:
    return f"the request of {said['requested_by']}" if said.get("requested_by") else "a request"


_NAMES: dict[str, Callable[[Said], str]] = {
    "OrderPlaced": lambda said: f"order {said['order_id']}",
    "OrderChanged": lambda said: f"change {said['version']} of order {said['order_id']}",
    "OrderCancelled": lambda said: f"the cancellation of order {said['order_id']}",
    "OrderHoldCleared": lambda said: f"the end of hold {said['hold']}",
    "OrderShipped": lambda said: f"shipment {said['shipment_id']}",
    "BackToShipRequested": lambda said: f"{_asked(said)} to ship order {said['order_id']}",
    "LineBackordered": _backordered,
    "StockReceived": lambda said: f"receipt {said['receipt_id']}",
    "StockTransferred": lambda said: f"transfer {said['transfer_id']}",
    "StockCounted": lambda said: f"count {said['count_id']}",
    "StockReturned": lambda said: f"return {said['return_id']}",
    "ReplenishmentClosed": _closed,
    "ReplenishmentRequested": lambda said: f"{_asked(said)} to buy from {said['vendor']}",
    "ItemChanged": lambda said: f"the change of sku {said['sku']}",
    "VendorChanged": lambda said: f"the change of vendor {said['vendor']}",
    "ShopChanged": lambda said: f"the change of shop {said['shop']}",
    "PlaceChanged": lambda said: f"the change of place {said['place']}",
}
