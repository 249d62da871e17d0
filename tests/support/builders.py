"""Events as tests write them: one short call each, read by the real codec.

`order_placed("1", [("A", 3), ("B", 2)])` is shop `main`'s order 1 with the lines "1" and "2".
Every builder also takes `event_id`, `source`, `time`, `subject` and `traceparent` for the envelope,
and any other field of its message by name. None leaves a field out; in the four `…_changed`
builders it clears, as null does on the wire. Event ids: see `tests.support.wire`.
"""

from collections.abc import Mapping, Sequence

from events.envelope import Event
from tests.support.wire import T0, Fields, Moment, changed, told


def order_placed(
    order_id: str,
    lines: Sequence[tuple[str, int] | Fields],
    *,
    shop: str = "main",
    placed_at: Moment = T0,
    **rest: object,
) -> Event:
    """Lines are (sku, qty), with line ids "1", "2", …, or whole mappings."""
    data = {
        "shop": shop,
        "order_id": order_id,
        "placed_at": placed_at,
        "lines": [_order_line(n, line) for n, line in enumerate(lines, 1)],
    }
    return told("OrderPlaced", f"/shops/{shop}", data, rest)


def order_changed(
    order_id: str,
    lines: Sequence[tuple[str, int] | Fields],
    *,
    version: int = 1,
    shop: str = "main",
    placed_at: Moment = T0,
    **rest: object,
) -> Event:
    """Lines as in `order_placed`."""
    data = {
        "shop": shop,
        "order_id": order_id,
        "version": version,
        "placed_at": placed_at,
        "lines": [_order_line(n, line) for n, line in enumerate(lines, 1)],
    }
    return told("OrderChanged", f"/shops/{shop}", data, rest)


def order_cancelled(
    order_id: str,
    lines: Sequence[str | tuple[str, int] | Fields] | None = None,
    *,
    shop: str = "main",
    **rest: object,
) -> Event:
    """No lines: all of it. A line is "1" (whole), ("1", 2) or {"sku": "A", "qty": 2}."""
    data = {
        "shop": shop,
        "order_id": order_id,
        "lines": None if lines is None else [_cancelled_line(line) for line in lines],
    }
    return told("OrderCancelled", f"/shops/{shop}", data, rest)


def order_hold_cleared(
    order_id: str, hold: str = "payment", *, shop: str = "main", **rest: object
) -> Event:
    """One hold of an order is lifted."""
    data = {"shop": shop, "order_id": order_id, "hold": hold}
    return told("OrderHoldCleared", f"/shops/{shop}", data, rest)


def order_shipped(
    order_id: str,
    shipment_id: str,
    place: str,
    lines: Sequence[tuple[str, int]],
    *,
    shop: str = "main",
    **rest: object,
) -> Event:
    """Lines are (line id, qty); `place` is the message's `source`."""
    data = {
        "shop": shop,
        "order_id": order_id,
        "shipment_id": shipment_id,
        "source": place,
        "lines": [{"line_id": line_id, "qty": qty} for line_id, qty in lines],
    }
    return told("OrderShipped", f"/places/{place}", data, rest)


def back_to_ship_requested(order_id: str, *, shop: str = "main", **rest: object) -> Event:
    """A person wants the order to go."""
    data = {"shop": shop, "order_id": order_id}
    return told("BackToShipRequested", "/operators/ada", data, rest)


def line_backordered(
    order_id: str,
    line: tuple[str, int],
    place: str,
    *,
    reason: str = "short_pick",
    shop: str = "main",
    **rest: object,
) -> Event:
    """`line` is (line id, qty); `place` is the message's `source`."""
    line_id, qty = line
    data = {
        "shop": shop,
        "order_id": order_id,
        "line_id": line_id,
        "source": place,
        "qty": qty,
        "reason": reason,
    }
    return told("LineBackordered", f"/places/{place}", data, rest)


def stock_received(
    receipt_id: str, place: str, lines: Sequence[tuple[str, int]], **rest: object
) -> Event:
    """Lines are (sku, qty)."""
    data = {"receipt_id": receipt_id, "place": place, "lines": _stock_lines(lines)}
    return told("StockReceived", f"/places/{place}", data, rest)


def stock_transferred(
    transfer_id: str, origin: str, to: str, lines: Sequence[tuple[str, int]], **rest: object
) -> Event:
    """Lines are (sku, qty)."""
    data = {"transfer_id": transfer_id, "from": origin, "to": to, "lines": _stock_lines(lines)}
    return told("StockTransferred", f"/places/{origin}", data, rest)


def stock_counted(
    count_id: str,
    place: str,
    lines: Sequence[tuple[str, int]],
    *,
    counted_at: Moment = T0,
    **rest: object,
) -> Event:
    """Lines are (sku, qty); 0 is a quantity here."""
    data = {
        "count_id": count_id,
        "place": place,
        "counted_at": counted_at,
        "lines": _stock_lines(lines),
    }
    return told("StockCounted", f"/places/{place}", data, rest)


def stock_returned(
    return_id: str, place: str, lines: Sequence[tuple[str, int]], **rest: object
) -> Event:
    """Lines are (sku, qty)."""
    data = {"return_id": return_id, "place": place, "lines": _stock_lines(lines)}
    return told("StockReturned", f"/places/{place}", data, rest)


def replenishment_closed(
    replenishment_id: str,
    *,
    outcome: str | None = None,
    lines: Sequence[tuple[str, Sequence[tuple[int, Moment | None]]]] | None = None,
    **rest: object,
) -> Event:
    """Lines are (sku, parts), parts are (qty, expected at)."""
    data = {
        "replenishment_id": replenishment_id,
        "outcome": outcome,
        "lines": None if lines is None else [_confirmed_line(*line) for line in lines],
    }
    return told("ReplenishmentClosed", "/purchasing", data, rest)


def replenishment_requested(
    vendor: str, lines: Sequence[tuple[str, int] | Fields], **rest: object
) -> Event:
    """A line is (sku, qty), or {"sku": "A", "shop": "main", "order_id": "1", "line_id": "1"}."""
    data = {
        "vendor": vendor,
        "lines": [line if isinstance(line, Mapping) else _stock_line(*line) for line in lines],
    }
    return told("ReplenishmentRequested", "/purchasing", data, rest)


def item_changed(sku: str, **changes: object) -> Event:
    """`itemchanged("A", vendor="V", policy={"safety_stock": 2})`."""
    return changed("ItemChanged", "/purchasing", {"sku": sku}, changes)


def vendor_changed(vendor: str, **changes: object) -> Event:
    """`vendorchanged("V", policy={"lead_time_days": 7})`."""
    return changed("VendorChanged", "/purchasing", {"vendor": vendor}, changes)


def shop_changed(shop: str = "main", **changes: object) -> Event:
    """`shopchanged("main", sources=["WH1", "WH2"], destination="DOCK")`."""
    return changed("ShopChanged", f"/shops/{shop}", {"shop": shop}, changes)


def place_changed(place: str, **changes: object) -> Event:
    """`placechanged("DOCK", kind="dock", feeds="WH1")`."""
    return changed("PlaceChanged", f"/places/{place}", {"place": place}, changes)


def _order_line(position: int, line: tuple[str, int] | Fields) -> Fields:
    if isinstance(line, Mapping):
        return {"line_id": str(position), **line}
    sku, qty = line
    return {"line_id": str(position), "sku": sku, "qty": qty}


def _cancelled_line(line: str | tuple[str, int] | Fields) -> Fields:
    if isinstance(line, Mapping):
        return line
    if isinstance(line, str):
        return {"line_id": line}
    line_id, qty = line
    return {"line_id": line_id, "qty": qty}


def _stock_lines(lines: Sequence[tuple[str, int]]) -> list[Fields]:
    return [_stock_line(sku, qty) for sku, qty in lines]


def _stock_line(sku: str, qty: int) -> Fields:
    return {"sku": sku, "qty": qty}


def _confirmed_line(sku: str, parts: Sequence[tuple[int, Moment | None]]) -> Fields:
    return {"sku": sku, "parts": [_confirmed_part(*part) for part in parts]}


def _confirmed_part(qty: int, expected_at: Moment | None = None) -> Fields:
    return {"qty": qty} if expected_at is None else {"qty": qty, "expected_at": expected_at}
