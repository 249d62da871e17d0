"""The fields of contract.md §2 and §3, copied out by hand: `?` optional, `*` may be null.

Fields may be added within version 1, never renamed or re-typed. A line that fails here is a change
that some shop or warehouse will notice.
"""

import json
from typing import Any

import pytest

from events.inbound import INBOUND
from events.outbound import OUTBOUND
from events.schemas import MESSAGES, data_schemas

_ORDER = "shop order_id placed_at lines ship_mode? release? priority? holds? customer? ship_to?"
_POLICY = (
    "manage_stock? backorder_policy? backorder_limit? safety_stock? sourcing? auto_replenish?"
    " lead_time_days? min_order_qty? pack_size? min_sale_qty? sale_increment?"
)
_RELEASE = "shop order_id source* release_id lines order_complete ship_to?"
_REPLENISHMENT = "replenishment_id vendor destination revision automatic lines ship_to?"

CONTRACT = {
    "OrderPlaced": _ORDER,
    "OrderChanged": f"{_ORDER} version",
    "OrderCancelled": "shop order_id lines? reason?",
    "OrderHoldCleared": "shop order_id hold",
    "OrderShipped": "shop order_id shipment_id source shipped_at? lines",
    "BackToShipRequested": "shop order_id requested_by?",
    "LineBackordered": "shop order_id line_id source qty reason requested_by?",
    "StockReceived": "receipt_id place received_at? replenishment_id? transfer_to? lines",
    "StockTransferred": "transfer_id from to transferred_at? lines",
    "StockCounted": "count_id place counted_at lines reason?",
    "StockReturned": "return_id place returned_at? shop? order_id? lines",
    "ReplenishmentClosed": "replenishment_id outcome? closed_at? lines? closed_by?",
    "ReplenishmentRequested": "vendor destination? requested_by? lines",
    "ItemChanged": "sku vendor? name? alternatives? policy?",
    "VendorChanged": "vendor name? email? policy?",
    "ShopChanged": "shop sources? destination?",
    "PlaceChanged": "place kind? priority? feeds? enabled?",
    "ReadyToShip": _RELEASE,
    "BackToShip": f"{_RELEASE} waited_since caused_by",
    "ReleaseCancelled": "shop order_id source* release_id lines caused_by",
    "OrderBackordered": "shop order_id lines expected_at* customer?",
    "OrderRejected": "shop order_id lines",
    "ExpectedDateChanged": "shop order_id lines customer?",
    "ReplenishmentRaised": _REPLENISHMENT,
    "ReplenishmentExtended": _REPLENISHMENT,
    "ReplenishmentReduced": _REPLENISHMENT,
    "ReplenishmentCancelled": _REPLENISHMENT,
    "StockStatusChanged": "shop sku status sellable*",
    "ExceptionRaised": "code reason? message refs caused_by",
}

PARTS = {
    "OrderLine": "line_id sku qty name? unit_price? group?",
    "CancelledLine": "line_id? sku? qty?",
    "ShippedLine": "line_id qty",
    "StockLine": "sku qty",
    "CountedLine": "sku qty",
    "ConfirmedLine": "sku parts",
    "ConfirmedPart": "qty expected_at?",
    "RequestedLine": "sku qty? shop? order_id? line_id?",
    "PolicyChange": _POLICY,
    "Customer": "email? name? locale?",
    "ReleasedLine": "line_id sku qty",
    "BackorderedLine": "line_id sku qty expected_at* alternatives notify",
    "RejectedLine": "line_id sku qty sellable* reason",
    "RedatedLine": "line_id sku was* expected_at*",
    "ReplenishedLine": "sku qty",
    "Refs": "sku? place? shop? order_id? line_id? replenishment_id? vendor?",
    "Cause": "source id type",
}

CLOSED_LISTS = {
    "ShipMode": "partial line complete",
    "ReleaseMode": "auto manual",
    "BackorderReason": "short_pick hold",
    "ReplenishmentOutcome": "finalized short_closed cancelled",
    "BackorderPolicy": "none allow notify",
    "Sourcing": "stock buy_to_order drop_ship",
    "PlaceKind": "source dock",
    "RejectionReason": "out_of_stock backorder_limit min_sale_qty sale_increment",
    "StockStatus": "in_stock backorder out_of_stock",
    "ExceptionCode": "no_vendor surplus supply_lost over_receipt late_receipt"
    " unknown_replenishment wrong_place bad_destination place_disabled over_shipment stock_missing"
    " over_allocated over_cancelled refused",
}

SCHEMAS = data_schemas("#/$defs/")


def _spelled(name: str) -> list[str]:
    schema = SCHEMAS[name]
    required = schema.get("required", [])
    return [
        field + ("?" if field not in required else "*" if _nullable(told) else "")
        for field, told in schema["properties"].items()
    ]


def _nullable(field: dict[str, Any]) -> bool:
    return {"type": "null"} in field.get("anyOf", [])


@pytest.mark.parametrize(("name", "fields"), {**CONTRACT, **PARTS}.items())
def test_a_message_has_exactly_the_fields_of_the_contract(name: str, fields: str) -> None:
    assert sorted(_spelled(name)) == sorted(fields.split())


@pytest.mark.parametrize(("name", "values"), CLOSED_LISTS.items())
def test_a_closed_list_holds_exactly_the_values_of_the_contract(name: str, values: str) -> None:
    assert SCHEMAS[name]["enum"] == values.split()


def test_nothing_is_described_that_is_not_in_the_contract() -> None:
    assert set(SCHEMAS) == {*CONTRACT, *PARTS, *CLOSED_LISTS}
    assert set(MESSAGES) == set(CONTRACT)
    assert len(INBOUND) == 17
    assert len(OUTBOUND) == 12


def test_a_line_of_the_contract_is_a_line_of_its_message() -> None:
    lines = {
        name: json.dumps(schema["properties"]["lines"]).partition("#/$defs/")[2].partition('"')[0]
        for name, schema in SCHEMAS.items()
        if "lines" in schema.get("properties", {})
    }
    assert lines == {
        "OrderPlaced": "OrderLine",
        "OrderChanged": "OrderLine",
        "OrderCancelled": "CancelledLine",
        "OrderShipped": "ShippedLine",
        "StockReceived": "StockLine",
        "StockTransferred": "StockLine",
        "StockCounted": "CountedLine",
        "StockReturned": "StockLine",
        "ReplenishmentClosed": "ConfirmedLine",
        "ReplenishmentRequested": "RequestedLine",
        "ReadyToShip": "ReleasedLine",
        "BackToShip": "ReleasedLine",
        "ReleaseCancelled": "ReleasedLine",
        "OrderBackordered": "BackorderedLine",
        "OrderRejected": "RejectedLine",
        "ExpectedDateChanged": "RedatedLine",
        "ReplenishmentRaised": "ReplenishedLine",
        "ReplenishmentExtended": "ReplenishedLine",
        "ReplenishmentReduced": "ReplenishedLine",
        "ReplenishmentCancelled": "ReplenishedLine",
    }
