"""One example of every message: in the schemas, in docs/events.md, and proved by tests.

They tell one story: order 100000123 takes three candles and two lanterns; the lanterns are short,
bought, received at the dock, transferred and shipped.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

_ORDER = {"shop": "main", "order_id": "100000123"}
_CAUSE = {"source": "/places/DOCK", "id": "transfer-77", "type": "StockTransferred"}
_SHIP_TO = {"name": "Ada Lovelace", "street": "12 St James's Square", "city": "London"}
_CUSTOMER = {"email": "ada@example.com", "name": "Ada Lovelace", "locale": "en-GB"}
_LANTERNS = {"line_id": "2", "sku": "LANTERN", "qty": 2}
_REPLENISHMENT = {"replenishment_id": "rp-41", "vendor": "LUMEN", "destination": "DOCK"}

_WHOLE_ORDER = {
    **_ORDER,
    "placed_at": "2026-11-21T09:59:58Z",
    "lines": [
        {"line_id": "1", "sku": "CANDLE", "qty": 3, "name": "Candle, white", "unit_price": "2.55"},
        {**_LANTERNS, "unit_price": 14.95, "group": "gift"},
    ],
    "ship_mode": "partial",
    "release": "auto",
    "priority": 100,
    "holds": ["payment"],
    "customer": _CUSTOMER,
    "ship_to": _SHIP_TO,
}

# The `data` of an event in, by type.
INBOUND_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "OrderPlaced": _WHOLE_ORDER,
    "OrderChanged": {**_WHOLE_ORDER, "version": 1},
    "OrderCancelled": {
        **_ORDER,
        "lines": [{"line_id": "1", "qty": 1}, {"sku": "LANTERN", "qty": 2}],
        "reason": "the customer's wish",
    },
    "OrderHoldCleared": {**_ORDER, "hold": "payment"},
    "OrderShipped": {
        **_ORDER,
        "shipment_id": "sh-9",
        "source": "WH1",
        "shipped_at": "2026-12-03T15:30:00Z",
        "lines": [{"line_id": "2", "qty": 2}],
    },
    "BackToShipRequested": {**_ORDER, "requested_by": "grace"},
    "LineBackordered": {
        **_ORDER,
        "line_id": "1",
        "source": "WH1",
        "qty": 1,
        "reason": "short_pick",
        "requested_by": "grace",
    },
    "StockReceived": {
        "receipt_id": "rc-5",
        "place": "DOCK",
        "received_at": "2026-12-02T16:00:00Z",
        "replenishment_id": "rp-41",
        "transfer_to": "WH1",
        "lines": [{"sku": "LANTERN", "qty": 12}],
    },
    "StockTransferred": {
        "transfer_id": "transfer-77",
        "from": "DOCK",
        "to": "WH1",
        "transferred_at": "2026-12-03T07:00:00Z",
        "lines": [{"sku": "LANTERN", "qty": 12}],
    },
    "StockCounted": {
        "count_id": "ct-2",
        "place": "WH1",
        "counted_at": "2026-12-31T18:00:00Z",
        "lines": [{"sku": "CANDLE", "qty": 117}, {"sku": "LANTERN", "qty": 0}],
        "reason": "year's end",
    },
    "StockReturned": {
        "return_id": "rt-3",
        "place": "WH1",
        "returned_at": "2026-12-12T11:00:00Z",
        **_ORDER,
        "lines": [{"sku": "CANDLE", "qty": 1}],
    },
    "ReplenishmentClosed": {
        "replenishment_id": "rp-41",
        "outcome": "finalized",
        "closed_at": "2026-11-22T08:00:00Z",
        "lines": [
            {
                "sku": "LANTERN",
                "parts": [{"qty": 8, "expected_at": "2026-12-02T00:00:00Z"}, {"qty": 4}],
            }
        ],
        "closed_by": "grace",
    },
    "ReplenishmentRequested": {
        "vendor": "LUMEN",
        "destination": "DOCK",
        "requested_by": "grace",
        "lines": [
            {"sku": "CANDLE", "qty": 24},
            {"sku": "LANTERN", **_ORDER, "line_id": "2", "qty": 2},
        ],
    },
    "ItemChanged": {
        "sku": "LANTERN",
        "vendor": "LUMEN",
        "name": "Lantern, brass",
        "alternatives": ["LANTERN-STEEL"],
        "policy": {"backorder_policy": "notify", "pack_size": 6, "safety_stock": None},
    },
    "VendorChanged": {
        "vendor": "LUMEN",
        "name": "Lumen Ltd",
        "email": "orders@lumen.example",
        "policy": {"lead_time_days": 10},
    },
    "ShopChanged": {"shop": "main", "sources": ["WH1", "WH2"], "destination": "DOCK"},
    "PlaceChanged": {"place": "DOCK", "kind": "dock", "feeds": "WH1", "enabled": True},
}

_RELEASE = {**_ORDER, "source": "WH1", "release_id": "rl-6"}
_STATE = {
    **_REPLENISHMENT,
    "revision": 1,
    "automatic": True,
    "lines": [{"sku": "LANTERN", "qty": 6}],
}

# The `data` of an event out, by type.
OUTBOUND_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "ReadyToShip": {
        **_RELEASE,
        "lines": [{"line_id": "1", "sku": "CANDLE", "qty": 3}],
        "order_complete": False,
        "ship_to": _SHIP_TO,
    },
    "BackToShip": {
        **_RELEASE,
        "lines": [_LANTERNS],
        "order_complete": True,
        "ship_to": _SHIP_TO,
        "waited_since": "2026-11-21T09:59:58Z",
        "caused_by": _CAUSE,
    },
    "ReleaseCancelled": {
        **_RELEASE,
        "lines": [{"line_id": "1", "sku": "CANDLE", "qty": 1}],
        "caused_by": {"source": "/shops/main", "id": "c-1", "type": "OrderCancelled"},
    },
    "OrderBackordered": {
        **_ORDER,
        "lines": [
            {
                **_LANTERNS,
                "expected_at": "2026-12-01T10:00:00Z",
                "alternatives": ["LANTERN-STEEL"],
                "notify": True,
            }
        ],
        "expected_at": "2026-12-01T10:00:00Z",
        "customer": _CUSTOMER,
    },
    "OrderRejected": {
        **_ORDER,
        "lines": [{**_LANTERNS, "sellable": 1, "reason": "backorder_limit"}],
    },
    "ExpectedDateChanged": {
        **_ORDER,
        "lines": [
            {
                "line_id": "2",
                "sku": "LANTERN",
                "was": "2026-12-01T10:00:00Z",
                "expected_at": "2026-12-02T00:00:00Z",
            }
        ],
        "customer": _CUSTOMER,
    },
    "ReplenishmentRaised": _STATE,
    "ReplenishmentExtended": {
        **_STATE,
        "revision": 2,
        "lines": [{"sku": "LANTERN", "qty": 12}],
    },
    "ReplenishmentReduced": {**_STATE, "revision": 3},
    "ReplenishmentCancelled": {**_STATE, "revision": 4, "lines": []},
    "StockStatusChanged": {
        "shop": "main",
        "sku": "LANTERN",
        "status": "backorder",
        "sellable": None,
    },
    "ExceptionRaised": {
        "code": "stock_missing",
        "message": "2 of LANTERN left DOCK that were not known there; booked as found",
        "refs": {"sku": "LANTERN", "place": "DOCK"},
        "caused_by": _CAUSE,
    },
}

_SENDERS = {"Order": "/shops/main", "Stock": "/places/DOCK", "Place": "/places/DOCK"}


def example(kind: str) -> dict[str, Any]:
    """Return a whole message of type `kind`, the caller's to change."""
    outgoing = kind in OUTBOUND_EXAMPLES
    data = OUTBOUND_EXAMPLES[kind] if outgoing else INBOUND_EXAMPLES[kind]
    senders = (sender for start, sender in _SENDERS.items() if kind.startswith(start))
    return {
        "specversion": "1.0",
        "id": f"example-{kind}",
        "source": "/backship" if outgoing else next(senders, "/purchasing"),
        "type": kind,
        "time": "2026-12-03T07:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": f"urn:backship:{kind}:1",
        "data": deepcopy(dict(data)),
    }
